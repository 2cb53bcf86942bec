"""Erasure: personal data destroyed for good, wherever it is stored, and everybody else told to do the same."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from auth.one_time_codes import account_key
from auth.principal import Principal, Scope
from core.clock import Clock
from core.device import Device
from core.errors import ErrorCode, Refused, Unavailable
from core.sealing import Sealer
from core.tenancy import Reach, Tenant
from core.vocabulary import CustomerEventType
from events.customer import RETENTION
from models.customer import Customer
from models.erasure import Erasure
from models.erasure_receipt import ErasureReceipt, Swept
from repositories.erasure import ErasureNotes
from repositories.unit_of_work import Repositories, UnitOfWork
from services.changes import of_customer
from services.customer_lookup import not_found, require_customer
from services.erased_files import ErasedFiles
from services.erasure_receipts import signed
from services.legal_hold import require_no_hold
from services.records import RecordMaker, moment_after
from services.session_ends import end_sessions_of_customer
from services.throttling import SignInLimits

_log = structlog.get_logger("erasure")

LONGEST_GRACE = 90
"""Days that an erasure may be put off: a month is what the law gives (GDPR, article 12.3), two more where it is complex."""

CHORE = "system:erasure"
_DUE = 50


class ErasureService:
    """Erases customers for a verified caller."""

    def __init__(
        self, units: UnitOfWork, records: RecordMaker, files: ErasedFiles, limits: SignInLimits, sealer: Sealer, clock: Clock
    ) -> None:
        self._units = units
        self._records = records
        self._files = files
        self._limits = limits
        self._sealer = sealer
        self._clock = clock

    async def erase(self, viewer: Principal, customer_id: str, *, grace_days: int = 0) -> str:
        """Erase a customer, live or deleted, and everybody who was merged into it. Returns its id; twice changes nothing.

        All or nothing in the database. Files are removed at once when the object store answers, else by the worker. With
        *grace_days*, all of that happens so much later, unless it is taken back until then; the first date given counts.

        Raises:
            Refused: NOT_FOUND, the same for an unknown and another seller's customer; INVALID for a grace of no sense; STATE
                for one for a customer that was deleted; LEGAL_HOLD while it, or somebody merged into it, is on legal hold.
        """
        viewer.require(Scope.ERASURE)
        viewer.require_staff()
        if not 0 <= grace_days <= LONGEST_GRACE:
            message = f"An erasure can be put off by 0 to {LONGEST_GRACE} days."
            raise Refused.because(ErrorCode.INVALID, message, "graceDays")
        if grace_days:
            due_at = self._clock.now() + timedelta(days=grace_days)
            await self._units.run(
                viewer.reach(), lambda work: self._plan(work, viewer.actor, customer_id, due_at), turn=customer_id
            )
            return customer_id
        await self._now(viewer.reach(), viewer.actor, customer_id)
        return customer_id

    async def cancel(self, viewer: Principal, customer_id: str) -> Customer:
        """Take back an erasure that has not happened yet. Returns the customer; where nothing was planned, nothing changes.

        Raises:
            Refused: NOT_FOUND, also once it has happened.
        """
        viewer.require(Scope.ERASURE)
        viewer.require_staff()

        async def body(work: Repositories) -> Customer:
            customer = await require_customer(work, customer_id)
            if customer.erasure_due_at is None:
                return customer
            return await self._note(work, viewer.actor, customer, due_at=None, asked_by=None)

        return await self._units.run(viewer.reach(), body, turn=customer_id)

    async def receipt(self, viewer: Principal, customer_id: str) -> ErasureReceipt | None:
        """Return what the erasure of a customer did, in proof; None when it was not erased, or is nobody the caller can see."""
        viewer.require(Scope.ERASURE)
        viewer.require_staff()
        return await Repositories(viewer.reach()).remains.receipt(customer_id)

    async def sweep(self) -> bool:
        """Erase those whose grace is over, each in a transaction of its own; say whether there was anybody.

        Raises:
            Unavailable: the database did not answer; who is left is still due.
        """
        due = await ErasureNotes().due(self._clock.now(), _DUE)
        erased = 0
        for customer in due:
            try:
                await self._now(Tenant(customer.seller_id), customer.erasure_asked_by or CHORE, customer.id)
            except Unavailable:
                raise
            except Refused as refused:
                _log.warning("a customer whose time has come is kept", customer_id=customer.id, reason=str(refused))
            except Exception as error:  # noqa: BLE001 - one customer must not keep all others from their right
                _log.error("a customer whose time has come was not erased", customer_id=customer.id, error=type(error).__name__)
            else:
                erased += 1
        return erased > 0

    async def anonymise(
        self, actor: str, seller_id: str, customer_id: str, still: Callable[[Repositories, Customer], Awaitable[bool]]
    ) -> bool:
        """Erase a live customer because it was inactive for too long, if in the erasing transaction it *still* is.

        Everything is as with an erasure that somebody asked for; the event and the receipt say that nobody has.

        Raises:
            Refused: LEGAL_HOLD.
        """

        async def body(work: Repositories) -> Erasure | None:
            customer = await work.customers.get(customer_id)
            if customer is None or not await still(work, customer):
                return None
            return await self._erase(work, actor, customer_id, RETENTION)

        note = await self._units.run(Tenant(seller_id), body, turn=customer_id)
        if note is not None:
            await self._files.remove_now(note)
        return note is not None

    async def _now(self, tenant: Reach, actor: str, customer_id: str) -> None:
        note = await self._units.run(tenant, lambda work: self._erase(work, actor, customer_id), turn=customer_id)
        if note is not None:
            await self._files.remove_now(note)

    async def _plan(self, work: Repositories, actor: str, customer_id: str, due_at: datetime) -> None:
        customer = await work.remains.customer(customer_id)
        if customer is None:
            raise not_found("id")
        if customer.erased_at is not None or customer.erasure_due_at is not None:
            return
        if not customer.live:
            message = (
                "This customer was deleted, so that nobody could look at it meanwhile. Leave graceDays out to erase it now."
            )
            raise Refused.because(ErrorCode.STATE, message, "graceDays")
        await require_no_hold(work, customer)
        await self._note(work, actor, customer, due_at=due_at, asked_by=actor)

    async def _note(
        self, work: Repositories, actor: str, customer: Customer, *, due_at: datetime | None, asked_by: str | None
    ) -> Customer:
        at = moment_after(customer, self._clock.now())
        values: dict[str, object] = {"erasure_due_at": due_at, "erasure_asked_by": asked_by}
        changed = await work.customers.change(customer, at, values)
        if changed is None:
            raise not_found("id")
        told = self._records.event(
            changed,
            CustomerEventType.UPDATED,
            actor=actor,
            changed=["erasureDueAt"],
            changes=of_customer(customer, values),
        )
        await work.events.append([told])
        return changed

    async def _erase(self, work: Repositories, actor: str, customer_id: str, reason: str | None = None) -> Erasure | None:
        """Return the note about the files, or None when everything was done before."""
        customer = await work.remains.customer(customer_id)
        if customer is None:
            raise not_found("id")
        if customer.erased_at is not None:
            return None
        await require_no_hold(work, customer)
        same_person = [customer, *await work.remains.merged_into(customer)]
        documents = [document for one in same_person for document in await work.remains.documents(one)]
        for one in same_person:
            if one.erased_at is None:
                await self._destroy(work, actor, one, reason)
        note = self._files.note(customer.seller_id, [one.id for one in same_person], documents, self._clock.now())
        await work.remains.note(note)
        return note

    async def _destroy(self, work: Repositories, actor: str, customer: Customer, reason: str | None) -> None:
        at: datetime = moment_after(customer, self._clock.now())
        # Also for one that was deleted: a sign-in that is under way meets this, and one of the two goes first.
        await end_sessions_of_customer(work, customer.seller_id, customer.id, at)
        accounts, traces = await self._traces(work, customer)
        swept = await work.remains.destroy_belongings(customer, accounts, traces)
        tombstone = await work.remains.bury(customer, at)
        if tombstone is None:
            raise not_found("id")
        told = self._records.event(tombstone, CustomerEventType.ERASED, actor=actor, changed=(), reason=reason)
        await work.events.append([told])
        receipt = ErasureReceipt(
            id=customer.id,
            seller_id=customer.seller_id,
            actor=actor,
            erased_at=at,
            swept=[Swept(collection=name, records=count) for name, count in sorted({**swept, "customers": 1}.items())],
            key_destroyed=swept["customer_keys"] > 0,
        )
        await work.remains.leave_receipt(signed(receipt, self._sealer))

    async def _traces(self, work: Repositories, customer: Customer) -> tuple[list[str], list[str]]:
        """Return under which names codes were sent to a customer, and the ids of what was counted for it.

        A destination that belongs to somebody else by now is left out: that one's counters are not the customer's.
        """
        held = {field: [value] for field in ("email", "phone") if (value := getattr(customer, field))}
        others = [one for one in await work.customers.holders(held) if one.id != customer.id]
        accounts = [
            account_key(self._sealer, customer.seller_id, value)
            for field, (value,) in held.items()
            if not any(getattr(one, field) == value and one.seller_id == customer.seller_id for one in others)
        ]
        devices = {Device(session.ip_address) for session in await work.remains.sessions(customer)}
        return accounts, [trace for account in accounts for trace in self._limits.traces(account, devices)]
