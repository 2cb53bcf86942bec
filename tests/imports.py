"""Everything an import needs, on real servers: a database and a queue of its own, the service, the worker and their parts."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
from pymongo.asynchronous.database import AsyncDatabase

from auth.principal import OPERATOR_SCOPES, Principal
from core.clock import SystemClock
from core.drafts import BulkImportDraft
from core.sealing import Sealer
from core.vocabulary import EventPrivacy, PrincipalKind
from infra.aws import AwsAccess
from infra.mongo import create_indexes, open_mongo
from infra.s3 import S3ObjectStore, open_object_store
from infra.sqs import SqsWorkQueue, open_work_queue
from models.bulk_import import BulkImport
from repositories.bulk_import import ImportChanges
from repositories.unit_of_work import UnitOfWork
from services.bulk_import import BulkImportService
from services.import_references import ImportReferences
from services.import_runs import ImportRuns
from services.import_states import ImportLimits
from services.import_watching import LATEST, LiveImports
from services.live import open_live
from services.records import RecordMaker
from services.seller import SellerPolicies
from tests.databases import drop
from tests.servers import Servers
from workers.bulk_import import ImportWorker

MASTER_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
OPERATOR = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id="acme")
STRANGER = replace(OPERATOR, subject="eve", seller_id="other")


@dataclass(frozen=True)
class Bench:
    """The parts of the import, wired as the container wires them."""

    database: AsyncDatabase[dict[str, Any]]
    units: UnitOfWork
    store: S3ObjectStore
    queue: SqsWorkQueue
    live: LiveImports
    limits: ImportLimits

    @property
    def service(self) -> BulkImportService:
        """The service as callers see it."""
        return BulkImportService(self.units, self.store, self.queue, SystemClock(), self.limits, self.live)

    @property
    def references(self) -> ImportReferences:
        """The service for files that lie in the store already."""
        return ImportReferences(self.store, self.queue, SystemClock(), self.limits, self.store._bucket)

    def runs(self, holder: str = "worker-1", **limits: Any) -> ImportRuns:
        """The steps of an import, for one worker."""
        clock = SystemClock()
        policies = SellerPolicies(clock, email=True, phone=True, documents=True, addresses=True, default_country="US")
        maker = RecordMaker(Sealer(MASTER_KEY), EventPrivacy.MASKED)
        return ImportRuns(
            self.units, self.store, self.queue, clock, maker, policies, replace(self.limits, **limits), holder=holder
        )

    def worker(self, holder: str = "worker-1", **limits: Any) -> ImportWorker:
        """A worker that polls briefly."""
        return ImportWorker(
            self.queue,
            self.runs(holder, **limits),
            self.references,
            replace(self.limits, **limits),
            visibility_timeout=5,
            wait_seconds=1,
        )

    @asynccontextmanager
    async def working(self, holder: str = "worker-1", **limits: Any) -> AsyncIterator[ImportWorker]:
        """Run a worker for as long as the context is open."""
        stop = asyncio.Event()
        worker = self.worker(holder, **limits)
        task = asyncio.create_task(worker.run(stop))
        try:
            yield worker
        finally:
            stop.set()
            await task

    async def upload(
        self, content: bytes, *, file_name: str = "customers.csv", viewer: Principal = OPERATOR, **options: Any
    ) -> BulkImport:
        """Create an import and send its file, as a front end does."""
        draft = BulkImportDraft(file_name=file_name, size=len(content), **options)
        record, ticket = await self.service.create(viewer, draft, None)
        async with httpx.AsyncClient() as client:
            answer = await client.request(ticket.method, ticket.url, headers=dict(ticket.headers), content=content)
        answer.raise_for_status()
        return record

    async def start(self, content: bytes, **options: Any) -> BulkImport:
        """Create an import, send its file and start it."""
        record = await self.upload(content, **options)
        return await self.service.start(OPERATOR, record.id)

    async def ended(self, record: BulkImport, within: float = 60, *, viewer: Principal = OPERATOR) -> BulkImport:
        """Wait for the final state."""
        async with asyncio.timeout(within):
            while True:
                found = await self.service.get(viewer, record.id)
                assert found is not None
                if found.status.final:
                    return found
                await asyncio.sleep(0.05)

    async def run(self, content: bytes, **options: Any) -> BulkImport:
        """Import a file with a worker of its own, and return the import as it ended."""
        record = await self.start(content, **options)
        async with self.working():
            return await self.ended(record)

    async def read(self, key: str) -> str:
        """Return an object as text."""
        found = await self.store.describe(key)
        assert found is not None
        return b"".join([chunk async for chunk in self.store.read(key, etag=found.etag)]).decode()

    async def stored(self, collection: str, **conditions: Any) -> list[dict[str, Any]]:
        """Return stored documents, in order of their ids."""
        return await self.database[collection].find(conditions).sort("_id", 1).to_list()


@asynccontextmanager
async def open_parts(servers: Servers, name: str, **limits: Any) -> AsyncIterator[Bench]:
    """Wire an import on the database and the queue called *name*."""
    access = AwsAccess(
        region=servers.aws_region,
        endpoint=servers.aws_endpoint,
        access_key=servers.aws_access_key,
        secret_key=servers.aws_secret_key,
    )
    async with (
        open_mongo(servers.mongodb_uri, name) as mongo,
        open_object_store(access, bucket=servers.bucket) as store,
        open_work_queue(access, name=name, visibility_timeout=5, max_receive_count=5) as queue,
        open_live(ImportChanges(), LATEST) as live,
    ):
        yield Bench(mongo.database, mongo.units, store, queue, live, ImportLimits(**limits))


@asynccontextmanager
async def open_bench(servers: Servers, **limits: Any) -> AsyncIterator[Bench]:
    """Wire an import on a database and a queue that nobody else uses."""
    async with open_parts(servers, f"imports-{uuid.uuid4().hex[:12]}", **limits) as bench:
        await create_indexes()
        await bench.queue.ensure_queues()
        yield bench
        await drop(bench.database.client, bench.database.name)


def customers_csv(rows: int, *, first: int = 1) -> bytes:
    """Return a file of sound customers, numbered from *first*."""
    lines = ["external_id,email,first_name,last_name,line1,city,region,postal_code,country"]
    lines += [
        f"c{number},user{number}@example.com,First{number},Last{number},{number} Main Street,Springfield,IL,62701,US"
        for number in range(first, first + rows)
    ]
    return "\n".join(lines).encode() + b"\n"
