"""Legal holds: while somebody has one, nothing of it is destroyed, whoever asks and however old it is."""

from typing import Any

from auth.principal import Principal, Scope
from core.clock import Clock
from core.errors import ErrorCode, Problem, Refused
from core.vocabulary import CustomerEventType
from models.customer import Customer
from repositories.unit_of_work import Repositories, UnitOfWork
from services.changes import of_customer
from services.customer_lookup import not_found
from services.records import RecordMaker, moment_after
from services.rules.text import clean_text

MAX_REASON = 500
"""Characters of the reason of a hold."""

HELD = (
    "This customer, or one that was merged into it, is on legal hold, so that nothing of it may be destroyed. "
    "Lift the hold first (liftLegalHold)."
)


class LegalHoldService:
    """Sets and lifts holds for a verified caller."""

    def __init__(self, units: UnitOfWork, records: RecordMaker, clock: Clock) -> None:
        self._units = units
        self._records = records
        self._clock = clock

    async def hold(self, viewer: Principal, customer_id: str, reason: str) -> Customer:
        """Put a customer on hold, or give its hold another reason; with the same one nothing changes. It may have been deleted.

        A flag for inactivity is taken away; an erasure that was asked for waits.

        Raises:
            Refused: NOT_FOUND; REQUIRED, TOO_LONG or INVALID for the reason.
        """
        _require_allowed(viewer)

        async def body(work: Repositories) -> Customer:
            customer = await _require(work, customer_id)
            text = _checked(reason)
            if customer.legal_hold_at is not None and customer.legal_hold_reason == text:
                return customer
            values: dict[str, Any] = {
                "legal_hold_at": customer.legal_hold_at or moment_after(customer, self._clock.now()),
                "legal_hold_by": viewer.actor,
                "legal_hold_reason": text,
            }
            return await self._write(work, viewer, customer, values, text)

        return await self._units.run(viewer.reach(), body, turn=customer_id)

    async def lift(self, viewer: Principal, customer_id: str, reason: str) -> Customer:
        """Take a hold away; where there is none nothing changes.

        Raises:
            Refused: as `hold`.
        """
        _require_allowed(viewer)

        async def body(work: Repositories) -> Customer:
            customer = await _require(work, customer_id)
            text = _checked(reason)
            if customer.legal_hold_at is None:
                return customer
            gone = dict.fromkeys(("legal_hold_at", "legal_hold_by", "legal_hold_reason"))
            return await self._write(work, viewer, customer, gone, text)

        return await self._units.run(viewer.reach(), body, turn=customer_id)

    async def _write(
        self, work: Repositories, viewer: Principal, customer: Customer, values: dict[str, Any], reason: str
    ) -> Customer:
        names = ["legalHold"]
        if customer.retention_due_at is not None:
            values |= {"retention_flagged_at": None, "retention_due_at": None}
            names.append("retention")
        changed = await work.retained.change(customer, moment_after(customer, self._clock.now()), values)
        if changed is None:
            raise not_found("id")
        # To others, who was deleted stays deleted.
        type_ = CustomerEventType.UPDATED if changed.live else CustomerEventType.DELETED
        event = self._records.event(
            changed, type_, actor=viewer.actor, changed=names, reason=reason, changes=of_customer(customer, values)
        )
        await work.events.append([event])
        return changed


async def require_no_hold(work: Repositories, customer: Customer) -> None:
    """Refuse to destroy anything of a customer that is on hold, or into which somebody was merged who is.

    Raises:
        Refused: LEGAL_HOLD.
    """
    if any(one.legal_hold_at is not None for one in (customer, *await work.remains.merged_into(customer))):
        raise Refused.because(ErrorCode.LEGAL_HOLD, HELD, "id")


async def _require(work: Repositories, customer_id: str) -> Customer:
    customer = await work.remains.customer(customer_id)
    if customer is None or customer.erased_at is not None:
        raise not_found("id")
    return customer


def _require_allowed(viewer: Principal) -> None:
    viewer.require(Scope.LEGAL_HOLD)
    viewer.require_staff()


def _checked(reason: str) -> str:
    problems: list[Problem] = []
    text = clean_text(reason, limit=MAX_REASON, field=("reason",), problems=problems, required=True, multiline=True)
    if problems or text is None:
        raise Refused(problems)
    return text
