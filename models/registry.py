"""Every stored shape, for `init_beanie` and for index creation."""

import beanie

from models.address import Address
from models.bulk_import import BulkImport, ImportKey, ImportRowOutcome, ImportSegment
from models.consent import Consent
from models.customer import Customer
from models.customer_access import CustomerAccess
from models.customer_event import CustomerEvent
from models.customer_key import CustomerKey
from models.data_export import DataExport
from models.document import Document
from models.erasure import Erasure
from models.erasure_receipt import ErasureReceipt
from models.idempotency import IdempotencyRecord
from models.import_order import ImportDeferredRow, ImportDigest
from models.import_result import ImportBatchResult
from models.lease import Lease
from models.merge import Merge
from models.migration import AppliedMigration
from models.otp_challenge import OtpChallenge
from models.retention_run import RetentionRun
from models.revocation import Revocation
from models.seller import Seller
from models.service_client import ServiceClient
from models.session import Session, SignInTurn
from models.throttle import Budget, KnownNetwork, Throttle
from models.vault_key import VaultKey

STORED_MODELS: tuple[type[beanie.Document], ...] = (
    Customer,
    Address,
    Document,
    CustomerKey,
    CustomerEvent,
    CustomerAccess,
    Consent,
    DataExport,
    Erasure,
    ErasureReceipt,
    Merge,
    IdempotencyRecord,
    BulkImport,
    ImportSegment,
    ImportRowOutcome,
    ImportKey,
    ImportDigest,
    ImportDeferredRow,
    ImportBatchResult,
    Lease,
    AppliedMigration,
    Session,
    SignInTurn,
    OtpChallenge,
    Throttle,
    Budget,
    KnownNetwork,
    Revocation,
    ServiceClient,
    Seller,
    RetentionRun,
    VaultKey,
)

RETIRED_INDEXES: tuple[tuple[type[beanie.Document], tuple[str, ...]], ...] = (
    (Customer, ("by_created_at", "by_updated_at", "by_sort_name", "by_search_words", "by_tags")),
    (CustomerEvent, ("pending",)),
)
"""What earlier versions read by, and this one does not. It is kept while processes of theirs may run."""
