"""All services of a process, in one hand."""

from dataclasses import dataclass

from services.address import AddressService
from services.bulk_import import BulkImportService
from services.consent import ConsentService
from services.customer import CustomerService
from services.customer_bulk import CustomerBulk
from services.customer_finding import CustomerFinding
from services.customer_merge import CustomerMerging
from services.customer_unmerge import CustomerUnmerging
from services.customer_watching import CustomerWatching
from services.data_export import DataExportService
from services.document import DocumentService
from services.document_review import DocumentReviewService
from services.duplicates import Duplicates
from services.erasure import ErasureService
from services.import_preview import ImportPreviews
from services.import_references import ImportReferences
from services.legal_hold import LegalHoldService
from services.onboarding import OnboardingService
from services.one_time_code import OneTimeCodeService
from services.seller_settings import SellerSettingsService
from services.session import SessionService
from services.sign_in import SignInService


@dataclass(frozen=True, slots=True)
class Services:
    """The business rules behind every wire."""

    customers: CustomerService
    customer_bulk: CustomerBulk
    finding: CustomerFinding
    merging: CustomerMerging
    unmerging: CustomerUnmerging
    duplicates: Duplicates
    erasure: ErasureService
    data_exports: DataExportService
    consents: ConsentService
    legal_holds: LegalHoldService
    customer_watching: CustomerWatching
    addresses: AddressService
    documents: DocumentService
    document_reviews: DocumentReviewService
    onboarding: OnboardingService
    bulk_imports: BulkImportService
    import_previews: ImportPreviews
    import_references: ImportReferences
    sellers: SellerSettingsService
    sessions: SessionService
    one_time_codes: OneTimeCodeService
    sign_in: SignInService
