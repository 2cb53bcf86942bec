"""Transactions: the only place that starts and commits one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

import pymongo
import structlog
from bson.binary import UUID_SUBTYPE, Binary
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from core.tenancy import EverySeller, Reach
from repositories.address import AddressRepository
from repositories.bulk_import import BulkImportRepository
from repositories.consent import ConsentRepository
from repositories.customer import CustomerRepository
from repositories.customer_access import AccessHeads, CustomerAccessRepository
from repositories.customer_event import CustomerEventRepository
from repositories.customer_key import CustomerKeyRepository
from repositories.data_export import DataExportRepository
from repositories.document import DocumentRepository
from repositories.erasure import Remains
from repositories.errors import is_silence, translated
from repositories.idempotency import IdempotencyRepository
from repositories.merge import DeletedAddresses, DeletedDocuments, MergeRepository, RetiredCustomers
from repositories.otp_challenge import OtpChallengeRepository
from repositories.retention import Retained
from repositories.revocation import RevocationRepository
from repositories.sealed_number import NumberHolders, SealedNumbers
from repositories.session import SessionRepository

T = TypeVar("T")

_log = structlog.get_logger(__name__)
_audit = structlog.get_logger(log="audit")

LONGEST_TRANSACTION = 10.0
"""Seconds, retries included. The server itself ends a transaction after 60."""


class Undone(Exception):
    """A transaction was given up because something in it failed. Nothing of it was written; `__cause__` is why."""


def audit(tenant: Reach) -> None:
    """Leave a line in the audit log when *tenant* reaches across all sellers: who does it, and in which request."""
    if isinstance(tenant, EverySeller) and tenant.audited:
        # The request's id comes from the context of the log.
        _audit.info("cross-tenant access", actor=tenant.actor)


class Repositories:
    """All repositories of one tenant, over one session when there is one.

    Reaching across all sellers leaves a line in the audit log: who does it, and in which request; never what is read.
    """

    def __init__(self, tenant: Reach, session: AsyncClientSession | None = None) -> None:
        audit(tenant)
        self.customers = CustomerRepository(tenant, session)
        self.addresses = AddressRepository(tenant, session)
        self.documents = DocumentRepository(tenant, session)
        self.keys = CustomerKeyRepository(tenant, session)
        self.numbers = SealedNumbers(tenant, session)
        self.number_holders = NumberHolders(tenant, session)
        self.events = CustomerEventRepository(tenant, session)
        self.accesses = CustomerAccessRepository(tenant, session)
        self.access_heads = AccessHeads(tenant, session)
        self.consents = ConsentRepository(tenant, session)
        self.data_exports = DataExportRepository(tenant, session)
        self.idempotency = IdempotencyRepository(tenant, session)
        self.bulk_imports = BulkImportRepository(tenant, session)
        self.sessions = SessionRepository(tenant, session)
        self.otp_challenges = OtpChallengeRepository(tenant, session)
        self.revocations = RevocationRepository(session)
        self.remains = Remains(tenant, session)
        self.merges = MergeRepository(tenant, session)
        self.retired = RetiredCustomers(tenant, session)
        self.deleted_addresses = DeletedAddresses(tenant, session)
        self.deleted_documents = DeletedDocuments(tenant, session)
        self.retained = Retained(tenant, session)


class Units(Protocol):
    """Whatever runs a piece of work as one transaction."""

    async def run(self, tenant: Reach, body: Callable[[Repositories], Awaitable[T]]) -> T:
        """Run *body* in a transaction and commit it; see `UnitOfWork.run`."""


class UnitOfWork:
    """Runs a piece of work as one transaction: snapshot reads, majority writes, all or nothing."""

    def __init__(self, client: AsyncMongoClient[dict[str, object]]) -> None:
        self._client = client
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(
        self, tenant: Reach, body: Callable[[Repositories], Awaitable[T]], *, turn: str | Collection[str] | None = None
    ) -> T:
        """Run *body* in a transaction and commit it.

        Within this process, pieces of work with the same *turn* (a customer's id, or several) go one after the other:
        transactions that meet in one record only cost each other retries.

        *body* runs again from the start when another transaction got in the way, so it must have no other effects.
        Once begun it is not cancelled with its caller: a cancelled write has an unknown outcome.

        Raises:
            KeyTaken: a unique index refused a write; nothing was written.
            Unavailable: the database did not answer in time.
        """
        async with AsyncExitStack() as stack:
            # Always in one order: two that wait for the same turns never wait for each other.
            for one in sorted({turn} if isinstance(turn, str) else set(turn or ())):
                await stack.enter_async_context(self._turns.setdefault(one, asyncio.Lock()))
            running = asyncio.ensure_future(self._run(tenant, body))
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                running.add_done_callback(_note_failure)
                raise

    async def run_once(self, tenant: Reach, body: Callable[[Repositories], Awaitable[T]]) -> T:
        """Run *body* in a transaction and commit it, as `run` does, but give up where *body* fails, be it by a conflict.

        It runs again only when the database was not there, or undid the whole by itself.

        Raises:
            Undone: *body* failed, and nothing was written.
            Unavailable: the database did not answer in time.
        """

        async def once(work: Repositories) -> T:
            try:
                return await body(work)
            except Exception as error:
                if is_silence(error):
                    raise
                # None of the driver's errors, so that it does not try again.
                raise Undone from error

        return await self.run(tenant, once)

    async def _run(self, tenant: Reach, body: Callable[[Repositories], Awaitable[T]]) -> T:
        async with self._client.start_session() as session:
            return await _transaction(session, tenant, body)

    @asynccontextmanager
    async def dedicated(self) -> AsyncIterator["OwnSession"]:
        """Open a session for one transaction after the other, by an id with which somebody else can `abort` it."""
        async with self._client.start_session() as session:
            own = OwnSession(session)
            try:
                yield own
            finally:
                await own.settle()

    async def abort(self, session_id: str) -> None:
        """Roll back what a dedicated session has open, wherever it was opened, and whether or not anybody still uses it.

        The transaction of a process that was killed would otherwise hold on to its documents for a minute.
        """
        with translated():
            await self._client.admin.command({"killSessions": [{"id": Binary(bytes.fromhex(session_id), UUID_SUBTYPE)}]})


class OwnSession:
    """A session that runs one transaction after the other. Made by `UnitOfWork.dedicated`."""

    def __init__(self, session: AsyncClientSession) -> None:
        self._session = session
        self._running: asyncio.Future[Any] | None = None
        self.id = bytes(session.session_id["id"]).hex()

    async def run(self, tenant: Reach, body: Callable[[Repositories], Awaitable[T]]) -> T:
        """Run *body* in a transaction and commit it; see `UnitOfWork.run`."""
        running = asyncio.ensure_future(_transaction(self._session, tenant, body))
        self._running = running
        return await asyncio.shield(running)

    async def settle(self) -> None:
        """Wait for the transaction that was left to itself when its caller was cancelled."""
        if self._running is not None:
            await asyncio.gather(self._running, return_exceptions=True)


def _note_failure(running: asyncio.Future[Any]) -> None:
    """Take note of what became of work whose caller has gone; asyncio would print a traceback that nobody can act on."""
    if not running.cancelled() and (error := running.exception()) is not None:
        _log.info("work that nobody waited for any more failed", error=type(error).__name__)


async def _transaction(session: AsyncClientSession, tenant: Reach, body: Callable[[Repositories], Awaitable[T]]) -> T:
    with translated(), pymongo.timeout(LONGEST_TRANSACTION):
        return await session.with_transaction(
            lambda session: body(Repositories(tenant, session)),
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern("majority"),
        )
