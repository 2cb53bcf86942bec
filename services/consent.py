"""What customers agree to and take back, for a verified caller: recorded in a ledger that only grows."""

from dataclasses import dataclass, replace

from auth.principal import Principal, Scope
from core.clock import Clock, to_milliseconds
from core.errors import ErrorCode, Refused
from core.ids import IdKind, new_id
from core.vocabulary import ConsentSource, CustomerEventType, PrincipalKind
from models.consent import Consent
from models.customer import Customer
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_lookup import not_found, require_customer
from services.records import RecordMaker, moment_after
from services.rules.consent import ConsentDraft, check_consent, said_before

MAX_ENTRIES = 1000
"""Of one customer. Somebody who changes its mind every day fills them in three years."""


@dataclass(frozen=True, slots=True)
class Proof:
    """In which request something was said, and from where it came."""

    request_id: str | None = None
    ip_address: str | None = None


@dataclass(frozen=True, slots=True)
class ConsentRecorded:
    """The entry that says what was to be recorded, and whether this call added it."""

    consent: Consent
    added: bool


class ConsentService:
    """Records consents and their withdrawal."""

    def __init__(self, units: UnitOfWork, records: RecordMaker, clock: Clock) -> None:
        self._units = units
        self._records = records
        self._clock = clock

    async def record(self, viewer: Principal, customer_id: str, draft: ConsentDraft, proof: Proof) -> ConsentRecorded:
        """Add an entry to the ledger of a customer, unless it says the same already.

        Raises:
            Refused: with every problem at once; NOT_FOUND for a customer that the caller cannot see; TOO_MANY for the
                1,001st entry.
        """
        viewer.require(Scope.CUSTOMERS_WRITE)
        if draft.given_at is not None:
            draft = _to_the_millisecond(draft)

        async def body(work: Repositories) -> ConsentRecorded:
            customer = await require_customer(work, customer_id, "customerId")
            checked, problems = check_consent(draft, viewer.kind, self._clock.now())
            if problems:
                raise Refused([problem.under("input") for problem in problems])
            return await self._record(work, viewer, customer, checked, proof)

        return await self._units.run(viewer.reach(), body, turn=customer_id)

    async def _record(
        self, work: Repositories, viewer: Principal, customer: Customer, draft: ConsentDraft, proof: Proof
    ) -> ConsentRecorded:
        ledger = await work.consents.of_customer(customer.seller_id, customer.id)
        if (known := said_before(draft, ledger)) is not None:
            return ConsentRecorded(known, added=False)
        if len(ledger) >= MAX_ENTRIES:
            message = f"A customer has at most {MAX_ENTRIES} entries about consents. Nothing more can be recorded."
            raise Refused.because(ErrorCode.TOO_MANY, message, "customerId")
        # Two that come at once meet here, so that one of them is the later one.
        at = moment_after(customer, self._clock.now())
        changed = await work.customers.change(customer, at, {})
        if changed is None:
            raise not_found("customerId")
        entry = Consent(
            id=new_id(IdKind.CONSENT),
            seller_id=customer.seller_id,
            customer_id=customer.id,
            channel=draft.channel,
            purpose=draft.purpose,
            state=draft.state,
            source=draft.source or ConsentSource.API,
            reference=draft.reference,
            text_version=draft.text_version,
            given_at=draft.given_at or at,
            recorded_by=viewer.actor,
            # Where an operator sits proves nothing of the customer, and is the operator's own business.
            ip_address=proof.ip_address if viewer.kind is PrincipalKind.CUSTOMER else None,
            request_id=proof.request_id,
            created_at=at,
            updated_at=at,
        )
        await work.consents.insert(entry)
        told = self._records.event(changed, CustomerEventType.UPDATED, actor=viewer.actor, changed=["consents"])
        await work.events.append([told])
        return ConsentRecorded(entry, added=True)


def _to_the_millisecond(draft: ConsentDraft) -> ConsentDraft:
    """Return a draft whose moment is as it will be stored, so that a repetition of it is one."""
    return replace(draft, given_at=None if draft.given_at is None else to_milliseconds(draft.given_at))
