"""Erasure: personal data destroyed for good, wherever it is stored, and everybody else told to do the same."""

from datetime import datetime

from auth.one_time_codes import account_key
from auth.principal import Principal, Scope
from core.clock import Clock
from core.device import Device
from core.sealing import Sealer
from core.vocabulary import CustomerEventType
from models.customer import Customer
from models.erasure import Erasure
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_lookup import not_found
from services.erased_files import ErasedFiles
from services.records import RecordMaker, moment_after
from services.session_ends import end_sessions_of_customer
from services.throttling import SignInLimits


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

    async def erase(self, viewer: Principal, customer_id: str) -> str:
        """Erase a customer, live or deleted, and everybody who was merged into it. Returns its id; twice changes nothing.

        All or nothing in the database. Files are removed at once when the object store answers, else by the worker.

        Raises:
            Refused: NOT_FOUND, the same for an unknown and another seller's customer.
        """
        viewer.require(Scope.ERASURE)
        viewer.require_staff()
        note = await self._units.run(
            viewer.reach(), lambda work: self._erase(work, viewer.actor, customer_id), turn=customer_id
        )
        if note is not None:
            await self._files.remove_now(note)
        return customer_id

    async def _erase(self, work: Repositories, actor: str, customer_id: str) -> Erasure | None:
        """Return the note about the files, or None when everything was done before."""
        customer = await work.remains.customer(customer_id)
        if customer is None:
            raise not_found("id")
        if customer.erased_at is not None:
            return None
        same_person = [customer, *await work.remains.merged_into(customer)]
        documents = [document for one in same_person for document in await work.remains.documents(one)]
        for one in same_person:
            if one.erased_at is None:
                await self._destroy(work, actor, one)
        note = self._files.note(customer.seller_id, [one.id for one in same_person], documents, self._clock.now())
        await work.remains.note(note)
        return note

    async def _destroy(self, work: Repositories, actor: str, customer: Customer) -> None:
        at: datetime = moment_after(customer, self._clock.now())
        # Also for one that was deleted: a sign-in that is under way meets this, and one of the two goes first.
        await end_sessions_of_customer(work, customer.seller_id, customer.id, at)
        accounts, traces = await self._traces(work, customer)
        await work.remains.destroy_belongings(customer, accounts, traces)
        tombstone = await work.remains.bury(customer, at)
        if tombstone is None:
            raise not_found("id")
        await work.events.append([self._records.event(tombstone, CustomerEventType.ERASED, actor=actor, changed=())])

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
