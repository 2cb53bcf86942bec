"""The enumerations of the API, each value with what it means.

Types and fields take them from here: Strawberry publishes an enumeration once, and without descriptions when nobody has
given any before it is first used.
"""

from enum import EnumType
from typing import TypeVar

import strawberry

from core.errors import ErrorCode
from core.filters import CustomerSort
from core.merging import DuplicateReason, MergeBlockCode
from core.vocabulary import (
    AddressKind,
    BulkImportColumnUse,
    BulkImportEncoding,
    BulkImportMatch,
    BulkImportMode,
    BulkImportNewline,
    BulkImportStatus,
    BulkImportValidation,
    ConsentChannel,
    ConsentSource,
    ConsentState,
    CustomerKind,
    CustomerStatus,
    DataExportStatus,
    DocumentCategory,
    DocumentPart,
    DocumentRejectionReason,
    DocumentStatus,
    DocumentType,
    HistoryEntryType,
    OnboardingStep,
    OtpChannel,
    PrincipalKind,
    ScanVerdict,
    Severity,
)

__all__ = [
    "AddressKind",
    "BulkImportColumnUse",
    "BulkImportEncoding",
    "BulkImportMatch",
    "BulkImportMode",
    "BulkImportNewline",
    "BulkImportStatus",
    "BulkImportValidation",
    "ConsentChannel",
    "ConsentSource",
    "ConsentState",
    "CustomerKind",
    "CustomerSort",
    "CustomerStatus",
    "DataExportStatus",
    "DocumentCategory",
    "DocumentPart",
    "DocumentRejectionReason",
    "DocumentStatus",
    "DocumentType",
    "DuplicateReason",
    "ErrorCode",
    "HistoryEntryType",
    "MergeBlockCode",
    "OnboardingStep",
    "OtpChannel",
    "PrincipalKind",
    "ScanVerdict",
    "Severity",
]

E = TypeVar("E", bound=EnumType)


def _described(enum: E, meanings: dict[str, str], name: str | None = None) -> E:
    """Publish *enum*, under its own or another *name*, with its docstring and the meaning of each value.

    Raises:
        ValueError: when a value has no meaning, or a meaning no value.
    """
    if meanings.keys() != set(enum.__members__):
        message = f"{enum.__name__} and its descriptions differ: {meanings.keys() ^ set(enum.__members__)}"
        raise ValueError(message)
    published = strawberry.enum(enum, name=name, description=enum.__doc__)
    for value in published.__strawberry_definition__.values:  # type: ignore[attr-defined]  # put there by Strawberry
        value.description = meanings[value.name]
    return published


_described(
    CustomerStatus,
    {
        "PENDING": "Known to the seller, not yet a full customer.",
        "ACTIVE": "In good standing.",
        "SUSPENDED": "Kept, but barred by the seller.",
    },
)
_described(CustomerKind, {"INDIVIDUAL": "A person.", "BUSINESS": "A company or another organisation."})
_described(AddressKind, {"SHIPPING": "Where goods go.", "BILLING": "Where invoices go."})
_described(
    DocumentCategory,
    {"IDENTITY": "Who somebody is.", "BUSINESS": "What a company is.", "ADDRESS_PROOF": "Where somebody lives or works."},
)
_described(
    DocumentType,
    {
        "PASSPORT": "A passport.",
        "NATIONAL_ID": "A national identity card or number.",
        "DRIVERS_LICENSE": "A licence to drive.",
        "TAX_CERTIFICATE": "A tax registration, with its tax number.",
        "BUSINESS_LICENSE": "A licence or registration of a business.",
        "UTILITY_BILL": "A bill for electricity, water, gas or telephone.",
        "BANK_STATEMENT": "A statement of a bank account.",
    },
)
_described(
    DocumentStatus,
    {
        "AWAITING_UPLOAD": "Filed; its file has not been completed.",
        "PENDING_REVIEW": "The file is here and waits for somebody to look at it.",
        "VERIFIED": "Looked at and accepted.",
        "REJECTED": "Looked at and refused, or found to carry malware; see rejectionCode and rejectionReason.",
        "EXPIRED": "Past its expiry date.",
    },
)
_described(
    ScanVerdict,
    {
        "PENDING": "It has not been looked at yet, or the scanner is away. Nobody can read the file; ask again in a moment.",
        "CLEAN": "Nothing was found. The file can be read, and the document approved.",
        "INFECTED": "Malware was found. The file was removed and the document rejected; another file may be sent.",
        "FAILED": "The scanner could not deal with the file, several times. Nobody can read it; another file may be sent. It "
        "is tried again now and then.",
        "NOT_SCANNED": "The service runs without a scanner. The file can be read by whoever takes that risk.",
    },
)
_described(
    DocumentRejectionReason,
    {
        "UNREADABLE": "The file cannot be read: blurred, too dark, too small, or broken.",
        "INCOMPLETE": "A part is missing: a page, the back, a corner that was cut off.",
        "WRONG_TYPE": "It is another kind of document than was filed.",
        "EXPIRED": "It is no longer valid, or too old for what it has to prove.",
        "NOT_ACCEPTED": "It is genuine, and the seller does not accept such documents.",
        "NAME_MISMATCH": "The name on it is not the customer's.",
        "NUMBER_MISMATCH": "The number on it is not the one that was filed.",
        "DATE_MISMATCH": "A date on it, of birth, issue or expiry, is not the one that was filed.",
        "ADDRESS_MISMATCH": "The address on it is not the customer's.",
        "SUSPECTED_FRAUD": "It seems to be altered, forged, or somebody else's.",
        "MALWARE": "The file carries malware. Only the scanner says so.",
        "OTHER": "None of the above; see rejectionReason.",
    },
)
_described(
    OnboardingStep,
    {
        "CONTACT_VERIFIED": "The customer has shown that its e-mail address or its phone number is its own.",
        "ADDRESS_ADDED": "There is an address.",
        "DOCUMENT_SUBMITTED": "A document with its file waits for review or was accepted; rejected and expired ones do not "
        "count.",
        "DOCUMENT_VERIFIED": "A document was accepted and has not expired.",
    },
)
_described(
    HistoryEntryType,
    {
        "CREATED": "The customer came into existence.",
        "UPDATED": "The customer, its addresses or its documents changed.",
        "DELETED": "The customer was deleted.",
        "ERASED": "The customer's personal data was destroyed.",
        "DOCUMENT_READ": "Somebody was given the number of a document in full, or a link to its file; see reads. No change: "
        "only in `history`.",
        "DOCUMENT_EXPIRING": "One of the customer's documents is about to expire: told 30 days before its last valid day, 7 "
        "days before, and on the day, unless the service is configured for others. Nothing changed.",
    },
    name="CustomerEventType",
)
_described(
    ConsentChannel,
    {
        "EMAIL": "By e-mail.",
        "SMS": "By text message.",
        "PHONE": "By a call.",
        "POST": "By letter.",
        "PUSH": "By a message of an app, or of a browser.",
    },
)
_described(ConsentState, {"GRANTED": "The customer agrees.", "WITHDRAWN": "The customer does not agree, or no longer."})
_described(
    ConsentSource,
    {
        "CUSTOMER": "The customer recorded it for itself, with a token of its own.",
        "FORM": "On a form, on paper or on a page of the seller's.",
        "IMPORT": "In a file that was imported.",
        "OPERATOR": "Somebody of the seller's staff was told.",
        "API": "Another program told it.",
    },
)
_described(
    DataExportStatus,
    {
        "QUEUED": "Waits for a worker.",
        "RUNNING": "The archive is being written.",
        "READY": "The archive is there; see url.",
        "FAILED": "It could not be made, however often it was tried. Ask again.",
        "EXPIRED": "It was made, and has been removed since.",
    },
)
_described(DocumentPart, {"NUMBER": "Its number, in full.", "FILE": "A link to its file."})
_described(
    BulkImportStatus,
    {
        "AWAITING_UPLOAD": "Created; the file has not been started.",
        "QUEUED": "Waits for a worker.",
        "RUNNING": "Rows are being worked through.",
        "COMPLETED": "Every row was taken.",
        "COMPLETED_WITH_ERRORS": "Every row was attempted, some were refused.",
        "FAILED": "The file as a whole could not be worked through; see failure.",
        "CANCELED": "Stopped by somebody; rows already taken stay.",
        "EXPIRED": "The file was never uploaded.",
    },
)
_described(
    BulkImportMode,
    {
        "CREATE": "Each row makes a new customer; one that exists already is refused.",
        "UPSERT": "A row changes the customer it matches by `matchBy`, or makes a new one.",
    },
)
_described(
    BulkImportColumnUse,
    {
        "CHOSEN": "The caller said so in `columns`.",
        "RECOGNIZED": "Its name is known.",
        "SHADOWED": "Another column has its target; it is kept as an attribute.",
        "UNKNOWN": "Nobody knows its name; it is kept as an attribute.",
        "IGNORED": "It is left out: a file may not decide about it, it is a secret, or an error report added it.",
    },
)
_described(BulkImportNewline, {"CRLF": "As on Windows.", "LF": "As on Linux and macOS.", "CR": "As on the first Macs."})
_described(
    BulkImportEncoding,
    {
        "UTF_8": "UTF-8, with or without a byte order mark. Recognised.",
        "UTF_16": "UTF-16, little or big endian. Recognised by its byte order mark; without one it has to be declared.",
        "LATIN_1": "ISO 8859-1. Has to be declared.",
        "WINDOWS_1252": "What spreadsheets on Windows call ANSI in Western Europe and America. Has to be declared.",
    },
)
_described(
    BulkImportMatch,
    {
        "EXTERNAL_ID": "By the seller's own reference.",
        "EMAIL": "By the e-mail address.",
        "PHONE": "By the phone number.",
    },
)
_described(
    BulkImportValidation,
    {
        "STRICT": "A row is refused for any problem.",
        "LENIENT": "A row is refused for problems of identity and structure; other problems become warnings.",
    },
)
_described(Severity, {"ERROR": "The row was refused.", "WARNING": "The row was taken, with this remark."})
_described(
    PrincipalKind,
    {
        "CUSTOMER": "A customer, for itself.",
        "OPERATOR": "A person working for one seller.",
        "SERVICE": "A program, for any seller.",
    },
)
_described(
    OtpChannel,
    {
        "SMS": "A text message to the customer's phone.",
        "EMAIL": "An e-mail to the customer's address. The weaker of the two: whoever reads the mailbox is the customer.",
    },
)
_described(
    CustomerSort,
    {
        "CREATED_AT_ASC": "Oldest first.",
        "CREATED_AT_DESC": "Newest first.",
        "UPDATED_AT_ASC": "Longest unchanged first.",
        "UPDATED_AT_DESC": "Last changed first.",
        "NAME_ASC": "By last name, first name, else company, A to Z.",
        "NAME_DESC": "By last name, first name, else company, Z to A.",
    },
)
_described(
    ErrorCode,
    {
        "REQUIRED": "Something that is needed is missing.",
        "INVALID": "The value is not acceptable; the message says why.",
        "TOO_LONG": "The value is longer than it may be.",
        "TOO_MANY": "There are more of these than there may be.",
        "TAKEN": "Another customer of the seller already has it.",
        "NOT_FOUND": "Nothing with this id is visible to you.",
        "MERGED": "The customer was merged into another one; see mergedInto.",
        "FORBIDDEN": "You may not do this.",
        "CONFLICT": "Somebody else changed it first; see currentVersion.",
        "INVALID_EMAIL": "This is no e-mail address.",
        "INVALID_PHONE": "This is no phone number of its country.",
        "INVALID_ADDRESS": "The postal rules of the country refuse this.",
        "INVALID_DOCUMENT_NUMBER": "This is no number of this kind of document.",
        "DOCUMENT_EXPIRED": "The document is past its expiry date.",
        "DOCUMENT_NOT_SCANNED": "The document's file has not been found free of malware, or not yet; see scan.",
        "UPLOAD_MISSING": "The file was not uploaded.",
        "UPLOAD_MISMATCH": "The file is not the one that was announced.",
        "FILE_TYPE_REJECTED": "Files of this type are not accepted, or the file is not of the type it claims.",
        "STATE": "Not possible in the present state.",
        "INVALID_CODE": "The one-time code is wrong.",
        "CODE_EXPIRED": "The one-time code is too old.",
        "TOO_MANY_ATTEMPTS": "Too many wrong codes, or too many codes asked for; the message says how long to wait.",
        "INVALID_CSV": "The file, or this row of it, is not CSV as it should be.",
        "UNSUPPORTED_ENCODING": "The text is not UTF-8 (or UTF-16 with a byte order mark).",
        "MISSING_COLUMN": "A column that is needed is not in the file.",
        "DUPLICATE_ROW": "An earlier row of the same file has the same identifier.",
        "SOURCE_CHANGED": "The file was replaced while it was being imported.",
        "UNPROCESSED": "The import ended before the row was attempted; only in reports.",
        "IDEMPOTENCY_KEY_REUSED": "The key was used before, for something else.",
        "LEGAL_HOLD": "The customer is on legal hold: nothing of it may be destroyed.",
        "INTERNAL": "A fault of the service; it has been recorded.",
    },
)
_described(
    MergeBlockCode,
    {
        "SAME_CUSTOMER": "Both ids are one customer's.",
        "NOT_FOUND": "One of them is nobody you can see, or the two are customers of different sellers.",
        "ALREADY_MERGED": "One of them was merged into another customer; the message names that one.",
        "ERASURE_PLANNED": "One of them is going to be erased.",
        "ON_LEGAL_HOLD": "The one that would go is on legal hold.",
        "TOO_MANY_TAGS": "Together they have more tags than a customer may have.",
        "TOO_MANY_ATTRIBUTES": "Together they have more attributes than a customer may have.",
        "TOO_MANY_ADDRESSES": "Together they have more addresses than a customer may have.",
        "TOO_MANY_DOCUMENTS": "Together they have more documents than a customer may have.",
    },
)
_described(
    DuplicateReason,
    {
        "SAME_NAME": "Both have the same names, in whatever order and spelling of umlauts, or the same company.",
        "SIMILAR_NAME": "Their names differ by a slip of the pen, an abbreviation, or a name that one of them lacks.",
        "SAME_PHONE": "A phone number of one, its own or of an address, is one of the other's.",
        "SAME_MAILBOX": "Their e-mail addresses lead to one mailbox: they differ by a +tag, or by dots that do not count.",
        "SIMILAR_EMAIL": "The name in front of the @ is the same at two providers, or differs by one character at one.",
        "SAME_ADDRESS": "They have an address in common.",
        "SAME_DATE_OF_BIRTH": "They were born on the same day.",
    },
)
