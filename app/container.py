"""Everything opened once per process, plugged together, and closed in reverse."""

import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from app.database import open_database
from app.delivery import open_courier, send_allowances
from app.keys import KeyFile, key_file, token_issuer
from app.scanner import file_scanner, is_scanned, note_absence
from app.settings import InvalidSettings, Settings
from app.stores import open_queue, open_store
from app.vault import open_vault
from auth.refresh_tokens import RefreshTokens
from core.clock import Clock, SystemClock
from core.retention import RetentionPolicy
from core.sealing import Sealer, UnusableMasterKey
from core.seller import SellerRules
from core.vocabulary import EventPrivacy
from infra.aws import FOR_A_CALLER, FOR_A_WORKER, Patience
from infra.mongo import Mongo
from infra.s3 import S3ObjectStore
from infra.sqs import SqsWorkQueue
from infra.tenant_service import TenantService, open_tenant_service
from repositories.bulk_import import ImportChanges
from repositories.customer_event import CustomerEventChanges, MongoOutbox
from repositories.data_export import DataExportJobs
from repositories.file_scan import FileScans
from repositories.unit_of_work import UnitOfWork
from services.address import AddressService
from services.bulk_import import BulkImportService
from services.consent import ConsentService
from services.customer import CustomerService
from services.customer_bulk import CustomerBulk
from services.customer_finding import CustomerFinding
from services.customer_merge import CustomerMerging
from services.customer_unmerge import CustomerUnmerging
from services.customer_watching import JOINED, CustomerWatching
from services.data_archive import DataArchives
from services.data_export import DataExportService
from services.data_export_work import DataExportWork, ExportRules
from services.document import DocumentService
from services.document_changes import DocumentChanges
from services.document_expiry import DocumentExpiry
from services.document_reminders import DocumentReminders
from services.document_review import DocumentReviewService
from services.document_scan import DocumentScans
from services.duplicates import Duplicates
from services.erased_files import ErasedFiles
from services.erasure import ErasureService
from services.import_preview import ImportPreviews
from services.import_references import ImportReferences
from services.import_runs import ImportRuns
from services.import_states import ImportLimits
from services.import_watching import LATEST
from services.legal_hold import LegalHoldService
from services.live import open_live
from services.onboarding import OnboardingService
from services.one_time_code import OneTimeCodeService
from services.ports import FileScanner
from services.records import RecordMaker
from services.registry import Services
from services.retention import ACTOR as RETENTION
from services.retention import Retention
from services.retention_files import RetiredFiles
from services.revocations import Revocations, open_revocations
from services.seller import SellerPolicies
from services.seller_book import SellerBook, open_seller_book
from services.seller_settings import SellerSettingsService
from services.service_client import ServiceClients
from services.session import SessionRules, SessionService
from services.session_activity import SessionActivity, open_session_activity
from services.sign_in import SignInService
from services.throttling import SignInLimits
from services.uploads import DocumentFiles
from services.vault_chores import VaultChores
from workers.bulk_import import ImportWorker
from workers.data_export import DataExportWorker
from workers.housekeeping import Housekeeping
from workers.measuring import Measurement, of_exports, of_outbox, of_queue, of_scans


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides and does no I/O."""

    clock: Clock
    sealer: Sealer
    records: RecordMaker
    policies: SellerPolicies


@dataclass(frozen=True, slots=True)
class Connections:
    """What every process needs that reads and writes customers: the rules, and the remote systems."""

    settings: Settings
    rules: Rules
    sellers: SellerBook
    mongo: Mongo
    units: UnitOfWork
    store: S3ObjectStore
    queue: SqsWorkQueue
    limits: ImportLimits
    scanner: FileScanner | None


@dataclass(frozen=True, slots=True)
class Container(Connections):
    """What a process that serves needs besides: every service, and what it knows of sessions."""

    services: Services
    revocations: Revocations
    activity: SessionActivity
    clients: ServiceClients
    sign_in_limits: SignInLimits
    keys: KeyFile


@asynccontextmanager
async def open_connections(
    settings: Settings, listeners: Sequence[Any] = (), patience: Patience = FOR_A_WORKER
) -> AsyncIterator[Connections]:
    """Open every remote system; close them in reverse, whatever happens. *listeners* are for the driver of the database.

    *patience* is what the object store and the queue are met with.

    Raises:
        InvalidSettings: a secret is not what it should be.
        StandaloneDatabase: MongoDB is no replica set.
        Unavailable: MongoDB does not answer.
    """
    async with AsyncExitStack() as stack:
        rules = build_rules(settings)
        mongo = await stack.enter_async_context(open_database(settings, listeners))
        await stack.enter_async_context(open_vault(settings, rules.clock, rules.sealer, rules.records.vault))
        book = await stack.enter_async_context(open_seller_book(rules.clock, await _tenant_service(stack, settings)))
        rules = replace(rules, policies=rules.policies.with_sellers(book))
        store = await stack.enter_async_context(open_store(settings, patience))
        queue = await stack.enter_async_context(open_queue(settings, patience))
        bulk = settings.bulk.customer
        limits = ImportLimits(
            max_bytes=bulk.max_bytes,
            batch_size=bulk.batch_size,
            max_workers=bulk.max_workers,
            lease_seconds=bulk.lease_seconds,
        )
        note_absence(settings)
        yield Connections(settings, rules, book, mongo, mongo.units, store, queue, limits, file_scanner(settings))


@asynccontextmanager
async def open_container(settings: Settings, listeners: Sequence[Any] = ()) -> AsyncIterator[Container]:
    """Open everything that serving needs; see `open_connections`.

    Raises:
        InvalidSettings: as there, or the signing keys or the carriers of one-time codes cannot be used.
    """
    async with AsyncExitStack() as stack:
        to = await stack.enter_async_context(open_connections(settings, listeners, FOR_A_CALLER))
        rules, clock = to.rules, to.rules.clock
        live = await stack.enter_async_context(open_live(ImportChanges(), LATEST))
        live_events = await stack.enter_async_context(open_live(CustomerEventChanges(), JOINED))
        lifetime = settings.security.access_token_lifetime
        revocations = await stack.enter_async_context(open_revocations(clock, token_lifetime=lifetime))
        activity = await stack.enter_async_context(open_session_activity(clock))
        courier = await stack.enter_async_context(open_courier(settings, rules.sealer, clock))
        keys = key_file(settings, clock)
        sessions = build_sessions(to, revocations, keys)
        limits = SignInLimits(rules.sealer, clock, send_allowances(settings))
        customers = build_customers(to)
        services = Services(
            customers=customers,
            customer_bulk=CustomerBulk(customers),
            finding=CustomerFinding(rules.records, rules.policies),
            merging=CustomerMerging(to.units, rules.records, clock),
            unmerging=CustomerUnmerging(to.units, rules.records, clock),
            duplicates=Duplicates(),
            erasure=build_erasure(to, limits),
            data_exports=DataExportService(to.units, to.store, clock),
            consents=ConsentService(to.units, rules.records, clock),
            legal_holds=LegalHoldService(to.units, rules.records, clock),
            customer_watching=CustomerWatching(live_events),
            addresses=AddressService(to.units, rules.records, rules.policies, clock),
            documents=DocumentService(to.units, rules.records, rules.policies, build_files(to), clock),
            document_reviews=build_reviews(to),
            onboarding=OnboardingService(rules.policies),
            bulk_imports=BulkImportService(to.units, to.store, to.queue, clock, to.limits, live),
            import_previews=ImportPreviews(to.store, to.limits, rules.policies, rules.records),
            import_references=build_references(to),
            sellers=SellerSettingsService(to.sellers, clock),
            sessions=sessions,
            one_time_codes=OneTimeCodeService(limits, courier, rules.policies, rules.sealer, clock, settings.otp.lifetime),
            sign_in=SignInService(to.units, sessions, limits, rules.records, rules.sealer, clock),
        )
        yield Container(
            settings,
            rules,
            to.sellers,
            to.mongo,
            to.units,
            to.store,
            to.queue,
            to.limits,
            to.scanner,
            services,
            revocations,
            activity,
            ServiceClients(clock, token_lifetime=lifetime),
            limits,
            keys,
        )


def build_customers(to: Connections) -> CustomerService:
    """Return the service that reads and changes customers."""
    return CustomerService(to.units, to.rules.records, to.rules.policies, build_files(to), to.rules.clock)


def build_files(to: Connections) -> DocumentFiles:
    """Return the files of documents. With a scanner, nobody reads one before that has found nothing in it."""
    return DocumentFiles(to.store, scanning=is_scanned(to.settings))


def build_reviews(to: Connections) -> DocumentReviewService:
    """Return the service that decides on documents."""
    changes = DocumentChanges(to.rules.records, to.rules.clock)
    return DocumentReviewService(to.units, changes, to.rules.policies, build_files(to))


def build_scans(to: Connections, scanner: FileScanner) -> DocumentScans:
    """Return the chore that looks through files of documents."""
    changes = DocumentChanges(to.rules.records, to.rules.clock)
    return DocumentScans(to.units, changes, to.store, scanner, to.rules.clock)


def build_erasure(to: Connections, limits: SignInLimits) -> ErasureService:
    """Return the service that erases customers."""
    rules = to.rules
    files = ErasedFiles(to.store, rules.clock, rules.sealer)
    return ErasureService(to.units, rules.records, files, limits, rules.sealer, rules.clock)


def build_retention(to: Connections, erasure: ErasureService, clock: Clock) -> Retention:
    """Return the chore that removes what sellers keep no longer."""
    rules = to.rules
    changes = DocumentChanges(rules.records, clock)
    files = RetiredFiles(to.units, changes, ErasedFiles(to.store, clock, rules.sealer), to.store, RETENTION)
    return Retention(to.units, rules.records, rules.policies, erasure, files, clock)


def build_references(to: Connections) -> ImportReferences:
    """Return the service that imports files which lie in the object store already."""
    return ImportReferences(to.store, to.queue, to.rules.clock, to.limits, to.settings.aws.s3.bucket)


def build_sessions(to: Connections, revocations: Revocations, keys: KeyFile) -> SessionService:
    """Return the service that begins and ends sessions; it signs with what *keys* say, as everybody in the process does."""
    security = to.settings.security
    rules = SessionRules(
        access_token_lifetime=security.access_token_lifetime,
        idle=security.refresh_token_idle,
        lifetime=security.session_lifetime,
        most=security.sessions_per_customer,
    )
    issuer = token_issuer(to.settings, to.rules.clock, keys)
    return SessionService(to.units, issuer, RefreshTokens(to.rules.sealer), revocations, to.rules.clock, rules)


def import_worker(to: Connections) -> ImportWorker:
    """Return a worker that takes import work from the queue."""
    runs = ImportRuns(
        to.units,
        to.store,
        to.queue,
        to.rules.clock,
        to.rules.records,
        to.rules.policies,
        to.limits,
        holder=f"{socket.gethostname()}:{os.getpid()}",
    )
    sqs = to.settings.aws.sqs
    return ImportWorker(
        to.queue,
        runs,
        build_references(to),
        to.limits,
        visibility_timeout=sqs.visibility_timeout,
        wait_seconds=sqs.wait_seconds,
        max_receive_count=sqs.max_receive_count,
    )


def build_exports(to: Connections) -> DataExportWork:
    """Return what makes exports of everything about customers, and removes them."""
    rules = to.rules
    archives = DataArchives(rules.records, to.store, build_files(to), rules.clock)
    return DataExportWork(archives, to.store, rules.clock, ExportRules(to.settings.privacy.export_lifetime))


def export_worker(to: Connections) -> DataExportWorker:
    """Return a worker that makes exports of everything about customers."""
    return DataExportWorker(build_exports(to).step)


def housekeeping(to: Connections) -> Housekeeping:
    """Return the chores that every worker does beside the imports."""
    rules, clock = to.rules, to.rules.clock
    keys = VaultChores(to.units, rules.records, clock)
    erasure = build_erasure(to, SignInLimits(rules.sealer, clock, send_allowances(to.settings)))
    return Housekeeping(
        [
            DocumentExpiry(to.units, DocumentChanges(rules.records, clock), clock).sweep,
            DocumentReminders(to.units, rules.records, clock, to.settings.documents.reminder_days).sweep,
            ErasedFiles(to.store, clock, rules.sealer).sweep,
            erasure.sweep,
            build_retention(to, erasure, clock).sweep,
            build_exports(to).sweep,
            keys.rewrap,
            keys.reindex,
        ],
        prompt=[] if to.scanner is None else [build_scans(to, to.scanner).sweep],
    )


def measurements(to: Connections) -> list[Measurement]:
    """Return what every worker measures besides: what waits for a worker, and for the relay, which may not live."""
    scans = [] if to.scanner is None else [of_scans(FileScans())]
    clock = to.rules.clock
    return [
        of_queue(to.queue),
        of_outbox(MongoOutbox(clock, holder=""), clock),
        of_exports(DataExportJobs(), clock),
        *scans,
    ]


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
        onboarding=tuple(settings.sellers.onboarding),
        each={
            one.seller_id: SellerRules(
                default_country=one.default_country,
                onboarding=None if one.onboarding is None else tuple(one.onboarding),
                **{f"retention_{name}": value for name, value in one.retention.model_dump().items()},
            )
            for one in settings.sellers.each
        },
    ).with_retention(RetentionPolicy(**settings.sellers.retention.model_dump()))
    return Rules(clock, sealer, RecordMaker(sealer, EventPrivacy(settings.kafka.personal_data)), policies)


async def _tenant_service(stack: AsyncExitStack, settings: Settings) -> TenantService | None:
    tenants = settings.tenant_service
    if tenants is None:
        return None
    token = None if tenants.token is None else tenants.token.get_secret_value()
    return await stack.enter_async_context(open_tenant_service(tenants.url, token=token, within=tenants.timeout))
