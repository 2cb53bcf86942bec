"""Everything opened once per process, plugged together, and closed in reverse."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from app.database import open_database
from app.sections import AwsCredentials
from app.settings import InvalidSettings, Settings
from core.clock import Clock, SystemClock
from core.sealing import Sealer, UnusableMasterKey
from core.vocabulary import EventPrivacy
from infra.aws import AwsAccess
from infra.mongo import Mongo
from infra.s3 import S3ObjectStore, open_object_store
from infra.sqs import SqsWorkQueue, open_work_queue
from repositories.bulk_import import ImportChanges
from repositories.unit_of_work import UnitOfWork
from services.address import AddressService
from services.bulk_import import BulkImportService
from services.customer import CustomerService
from services.document import DocumentService
from services.import_runs import ImportRuns
from services.import_states import ImportLimits
from services.live import open_live
from services.records import RecordMaker
from services.registry import Services
from services.revocations import Revocations, open_revocations
from services.seller import SellerPolicies
from services.uploads import DocumentFiles
from workers.bulk_import import ImportWorker


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides and does no I/O."""

    clock: Clock
    records: RecordMaker
    policies: SellerPolicies


@dataclass(frozen=True, slots=True)
class Container:
    """What a process that serves or works on imports needs."""

    settings: Settings
    rules: Rules
    mongo: Mongo
    units: UnitOfWork
    store: S3ObjectStore
    queue: SqsWorkQueue
    services: Services
    limits: ImportLimits
    revocations: Revocations


@asynccontextmanager
async def open_container(settings: Settings) -> AsyncIterator[Container]:
    """Open every remote system; close them in reverse, whatever happens.

    Raises:
        InvalidSettings: a secret is not what it should be.
        StandaloneDatabase: MongoDB is no replica set.
        Unavailable: MongoDB does not answer.
    """
    async with AsyncExitStack() as stack:
        rules = build_rules(settings)
        mongo = await stack.enter_async_context(open_database(settings))
        store = await stack.enter_async_context(open_store(settings))
        queue = await stack.enter_async_context(open_queue(settings))
        live = await stack.enter_async_context(open_live(ImportChanges()))
        revocations = await stack.enter_async_context(
            open_revocations(rules.clock, token_lifetime=settings.security.access_token_lifetime)
        )
        units = mongo.units
        files = DocumentFiles(store)
        bulk = settings.bulk.customer
        limits = ImportLimits(
            max_bytes=bulk.max_bytes,
            batch_size=bulk.batch_size,
            max_workers=bulk.max_workers,
            lease_seconds=bulk.lease_seconds,
        )
        services = Services(
            customers=CustomerService(units, rules.records, rules.policies, files, rules.clock),
            addresses=AddressService(units, rules.records, rules.policies, rules.clock),
            documents=DocumentService(units, rules.records, rules.policies, files, rules.clock),
            bulk_imports=BulkImportService(units, store, queue, rules.clock, limits, live),
        )
        yield Container(settings, rules, mongo, units, store, queue, services, limits, revocations)


def import_worker(container: Container) -> ImportWorker:
    """Return a worker that takes import work from the container's queue."""
    runs = ImportRuns(
        container.units,
        container.store,
        container.queue,
        container.rules.clock,
        container.rules.records,
        container.rules.policies,
        container.limits,
        holder=f"{socket.gethostname()}:{os.getpid()}",
    )
    sqs = container.settings.aws.sqs
    return ImportWorker(
        container.queue,
        runs,
        container.limits,
        visibility_timeout=sqs.visibility_timeout,
        wait_seconds=sqs.wait_seconds,
        max_receive_count=sqs.max_receive_count,
    )


def build_rules(settings: Settings) -> Rules:
    """Build what needs no connection.

    Raises:
        InvalidSettings: the master key is not one.
    """
    clock = SystemClock()
    try:
        sealer = Sealer(settings.security.master_key.get_secret_value())
    except UnusableMasterKey as error:
        message = f"security.masterKey: {error}"
        raise InvalidSettings(message) from error
    switches = settings.validation
    policies = SellerPolicies(
        clock,
        email=switches.email,
        phone=switches.phone,
        documents=switches.documents,
        addresses=switches.addresses,
        default_country=settings.sellers.default_country,
    )
    return Rules(clock, RecordMaker(sealer, EventPrivacy(settings.kafka.personal_data)), policies)


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[S3ObjectStore]:
    """Open the object store."""
    s3 = settings.aws.s3
    async with open_object_store(aws_access(s3), bucket=s3.bucket, public_endpoint=s3.public_endpoint) as store:
        yield store


@asynccontextmanager
async def open_queue(settings: Settings) -> AsyncIterator[SqsWorkQueue]:
    """Open the queue of import work."""
    sqs = settings.aws.sqs
    async with open_work_queue(
        aws_access(sqs),
        name=sqs.queues.customer_queue,
        visibility_timeout=sqs.visibility_timeout,
        max_receive_count=sqs.max_receive_count,
    ) as queue:
        yield queue


def aws_access(credentials: AwsCredentials) -> AwsAccess:
    """Return where an AWS service is and who calls it."""
    return AwsAccess(
        region=credentials.region,
        endpoint=credentials.endpoint,
        access_key=None if credentials.access_key is None else credentials.access_key.get_secret_value(),
        secret_key=None if credentials.secret_key is None else credentials.secret_key.get_secret_value(),
    )
