"""The field's own words, as enumerations: the same in the database, in events, in GraphQL and in REST."""

from enum import StrEnum


class CustomerStatus(StrEnum):
    """Where a customer stands with the seller."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class CustomerKind(StrEnum):
    """A person or an organisation."""

    INDIVIDUAL = "INDIVIDUAL"
    BUSINESS = "BUSINESS"


class AddressKind(StrEnum):
    """What an address is for."""

    SHIPPING = "SHIPPING"
    BILLING = "BILLING"


class DocumentCategory(StrEnum):
    """What a document proves."""

    IDENTITY = "IDENTITY"
    BUSINESS = "BUSINESS"
    ADDRESS_PROOF = "ADDRESS_PROOF"


class DocumentType(StrEnum):
    """The documents a customer may file."""

    PASSPORT = "PASSPORT"
    NATIONAL_ID = "NATIONAL_ID"
    DRIVERS_LICENSE = "DRIVERS_LICENSE"
    TAX_CERTIFICATE = "TAX_CERTIFICATE"
    BUSINESS_LICENSE = "BUSINESS_LICENSE"
    UTILITY_BILL = "UTILITY_BILL"
    BANK_STATEMENT = "BANK_STATEMENT"

    @property
    def category(self) -> DocumentCategory:
        """What a document of this type proves."""
        return _CATEGORY[self]


_CATEGORY = {
    DocumentType.PASSPORT: DocumentCategory.IDENTITY,
    DocumentType.NATIONAL_ID: DocumentCategory.IDENTITY,
    DocumentType.DRIVERS_LICENSE: DocumentCategory.IDENTITY,
    DocumentType.TAX_CERTIFICATE: DocumentCategory.BUSINESS,
    DocumentType.BUSINESS_LICENSE: DocumentCategory.BUSINESS,
    DocumentType.UTILITY_BILL: DocumentCategory.ADDRESS_PROOF,
    DocumentType.BANK_STATEMENT: DocumentCategory.ADDRESS_PROOF,
}


class DocumentStatus(StrEnum):
    """How far a document has come."""

    AWAITING_UPLOAD = "AWAITING_UPLOAD"
    PENDING_REVIEW = "PENDING_REVIEW"
    VERIFIED = "VERIFIED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def can_expire(self) -> bool:
        """Whether it ends with the document's last valid day. A rejected document stays rejected."""
        return self in {DocumentStatus.AWAITING_UPLOAD, DocumentStatus.PENDING_REVIEW, DocumentStatus.VERIFIED}


class ScanVerdict(StrEnum):
    """What the malware scanner says of a document's file."""

    PENDING = "PENDING"
    CLEAN = "CLEAN"
    INFECTED = "INFECTED"
    FAILED = "FAILED"
    NOT_SCANNED = "NOT_SCANNED"

    @property
    def lets_read(self) -> bool:
        """Whether anybody may read the file."""
        return self in {ScanVerdict.CLEAN, ScanVerdict.NOT_SCANNED}


class DocumentRejectionReason(StrEnum):
    """Why a document was rejected, for programs."""

    UNREADABLE = "UNREADABLE"
    INCOMPLETE = "INCOMPLETE"
    WRONG_TYPE = "WRONG_TYPE"
    EXPIRED = "EXPIRED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    NAME_MISMATCH = "NAME_MISMATCH"
    NUMBER_MISMATCH = "NUMBER_MISMATCH"
    DATE_MISMATCH = "DATE_MISMATCH"
    ADDRESS_MISMATCH = "ADDRESS_MISMATCH"
    SUSPECTED_FRAUD = "SUSPECTED_FRAUD"
    MALWARE = "MALWARE"
    OTHER = "OTHER"


class OnboardingStep(StrEnum):
    """What a seller may ask of its customers, in the order in which it is asked."""

    CONTACT_VERIFIED = "CONTACT_VERIFIED"
    ADDRESS_ADDED = "ADDRESS_ADDED"
    DOCUMENT_SUBMITTED = "DOCUMENT_SUBMITTED"
    DOCUMENT_VERIFIED = "DOCUMENT_VERIFIED"


class CustomerEventType(StrEnum):
    """What happened to a customer."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    ERASED = "ERASED"
    DOCUMENT_EXPIRING = "DOCUMENT_EXPIRING"


class DataExportStatus(StrEnum):
    """Where an export of everything about a customer stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    READY = "READY"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"

    @property
    def in_flight(self) -> bool:
        """Whether it is still to be made: a customer has one such at most."""
        return self in {DataExportStatus.QUEUED, DataExportStatus.RUNNING}


class HistoryEntryType(StrEnum):
    """What happened to a customer."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    ERASED = "ERASED"
    DOCUMENT_EXPIRING = "DOCUMENT_EXPIRING"
    DOCUMENT_READ = "DOCUMENT_READ"


class DocumentPart(StrEnum):
    """What of a document is given to nobody without a record of it."""

    NUMBER = "NUMBER"
    FILE = "FILE"


class ConsentChannel(StrEnum):
    """Over what a customer may be reached."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    PHONE = "PHONE"
    POST = "POST"
    PUSH = "PUSH"


class ConsentState(StrEnum):
    """What a customer has said about a purpose."""

    GRANTED = "GRANTED"
    WITHDRAWN = "WITHDRAWN"


class ConsentSource(StrEnum):
    """Where a customer said it."""

    CUSTOMER = "CUSTOMER"
    FORM = "FORM"
    IMPORT = "IMPORT"
    OPERATOR = "OPERATOR"
    API = "API"


class BulkImportStatus(StrEnum):
    """Where an import stands."""

    AWAITING_UPLOAD = "AWAITING_UPLOAD"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"

    @property
    def final(self) -> bool:
        """Whether nothing can follow."""
        return self not in {BulkImportStatus.AWAITING_UPLOAD, BulkImportStatus.QUEUED, BulkImportStatus.RUNNING}


class BulkImportMode(StrEnum):
    """What a row does to a customer that exists already."""

    CREATE = "CREATE"
    UPSERT = "UPSERT"


class BulkImportMatch(StrEnum):
    """By what a row finds its customer."""

    EXTERNAL_ID = "EXTERNAL_ID"
    EMAIL = "EMAIL"
    PHONE = "PHONE"


class BulkImportEncoding(StrEnum):
    """How the characters of a file are written as bytes. Only the first two can be recognised by themselves."""

    UTF_8 = "UTF_8"
    UTF_16 = "UTF_16"
    LATIN_1 = "LATIN_1"
    WINDOWS_1252 = "WINDOWS_1252"


class BulkImportNewline(StrEnum):
    """What ends the lines of a file."""

    CRLF = "CRLF"
    LF = "LF"
    CR = "CR"


class BulkImportColumnUse(StrEnum):
    """Why a column of a file goes where it goes."""

    CHOSEN = "CHOSEN"
    RECOGNIZED = "RECOGNIZED"
    SHADOWED = "SHADOWED"
    UNKNOWN = "UNKNOWN"
    IGNORED = "IGNORED"


class BulkImportValidation(StrEnum):
    """How much imperfection an import takes."""

    STRICT = "STRICT"
    LENIENT = "LENIENT"


class RowOutcome(StrEnum):
    """What became of one row of an import."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    FAILED = "FAILED"


class Severity(StrEnum):
    """Whether a row was refused or taken with a remark."""

    ERROR = "ERROR"
    WARNING = "WARNING"


class PrincipalKind(StrEnum):
    """Who calls."""

    CUSTOMER = "CUSTOMER"
    OPERATOR = "OPERATOR"
    SERVICE = "SERVICE"


class OtpChannel(StrEnum):
    """How a one-time code reaches a customer."""

    SMS = "SMS"
    EMAIL = "EMAIL"


class OtpPurpose(StrEnum):
    """What a one-time code is good for; a code for one thing is worth nothing for another."""

    LOGIN = "LOGIN"


class SessionEnd(StrEnum):
    """Why a session is over before its time."""

    LOGOUT = "LOGOUT"
    REVOKED = "REVOKED"
    REPLACED = "REPLACED"
    TOKEN_REUSED = "TOKEN_REUSED"  # noqa: S105
    CUSTOMER_GONE = "CUSTOMER_GONE"


class EventPrivacy(StrEnum):
    """How much of the customer travels in an event."""

    REFERENCE = "reference"
    MASKED = "masked"
    FULL = "full"


class RetentionMode(StrEnum):
    """Whether a seller's rules of retention are carried out."""

    DRY_RUN = "DRY_RUN"
    ACTIVE = "ACTIVE"


class RetentionStage(StrEnum):
    """What a round of retention looks at, in this order."""

    CUSTOMERS = "CUSTOMERS"
    FLAGGED = "FLAGGED"
    EXPIRED_FILES = "EXPIRED_FILES"
    REJECTED_FILES = "REJECTED_FILES"
    VERIFIED_FILES = "VERIFIED_FILES"
    IMPORTS = "IMPORTS"


class RetentionAction(StrEnum):
    """What is done to something whose period is over, or no longer is."""

    FLAG = "FLAG"
    UNFLAG = "UNFLAG"
    ANONYMISE = "ANONYMISE"
    REMOVE_FILE = "REMOVE_FILE"
    REMOVE_IMPORT = "REMOVE_IMPORT"
