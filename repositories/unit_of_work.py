"""Transactions: the only place that starts and commits one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pymongo
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from core.tenancy import Tenant
from repositories.address import AddressRepository
from repositories.bulk_import import BulkImportRepository
from repositories.customer import CustomerRepository
from repositories.customer_event import CustomerEventRepository
from repositories.document import DocumentRepository
from repositories.errors import translated
from repositories.idempotency import IdempotencyRepository

T = TypeVar("T")

LONGEST_TRANSACTION = 10.0
"""Seconds, retries included. The server itself ends a transaction after 60."""


class Repositories:
    """All repositories of one tenant, over one session when there is one."""

    def __init__(self, tenant: Tenant, session: AsyncClientSession | None = None) -> None:
        self.customers = CustomerRepository(tenant, session)
        self.addresses = AddressRepository(tenant, session)
        self.documents = DocumentRepository(tenant, session)
        self.events = CustomerEventRepository(tenant, session)
        self.idempotency = IdempotencyRepository(tenant, session)
        self.bulk_imports = BulkImportRepository(tenant, session)


class UnitOfWork:
    """Runs a piece of work as one transaction: snapshot reads, majority writes, all or nothing."""

    def __init__(self, client: AsyncMongoClient[dict[str, object]]) -> None:
        self._client = client

    async def run(self, tenant: Tenant, body: Callable[[Repositories], Awaitable[T]]) -> T:
        """Run *body* in a transaction and commit it.

        *body* runs again from the start when another transaction got in the way, so it must have no other effects.
        Once begun it is not cancelled with its caller: a cancelled write has an unknown outcome.

        Raises:
            KeyTaken: a unique index refused a write; nothing was written.
            Unavailable: the database did not answer in time.
        """
        return await asyncio.shield(asyncio.ensure_future(self._run(tenant, body)))

    async def _run(self, tenant: Tenant, body: Callable[[Repositories], Awaitable[T]]) -> T:
        async def transaction(session: AsyncClientSession) -> T:
            return await body(Repositories(tenant, session))

        with translated(), pymongo.timeout(LONGEST_TRANSACTION):
            async with self._client.start_session() as session:
                return await session.with_transaction(
                    transaction, read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority")
                )
