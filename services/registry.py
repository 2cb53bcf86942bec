"""All services of a process, in one hand."""

from dataclasses import dataclass

from services.address import AddressService
from services.bulk_import import BulkImportService
from services.customer import CustomerService
from services.document import DocumentService
from services.one_time_code import OneTimeCodeService
from services.session import SessionService
from services.sign_in import SignInService


@dataclass(frozen=True, slots=True)
class Services:
    """The business rules behind every wire."""

    customers: CustomerService
    addresses: AddressService
    documents: DocumentService
    bulk_imports: BulkImportService
    sessions: SessionService
    one_time_codes: OneTimeCodeService
    sign_in: SignInService
