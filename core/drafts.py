"""What a caller wants to be stored, before and after the rules have looked at it.

Every wire (GraphQL, REST, a row of an import) builds the same drafts. The rules return a draft with normalised values and
a list of problems; they never change the one they were given.
"""

from dataclasses import dataclass
from datetime import date

from core.vocabulary import (
    AddressKind,
    BulkImportEncoding,
    BulkImportMatch,
    BulkImportMode,
    BulkImportValidation,
    CustomerKind,
    CustomerStatus,
    DocumentType,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeDraft:
    """One of the seller's own key/value pairs."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressDraft:
    """A postal address; `country_code` is ISO 3166-1 alpha-2. ``is_default=None`` lets the service decide."""

    kind: AddressKind
    line1: str
    country_code: str
    is_default: bool | None = None
    label: str | None = None
    recipient: str | None = None
    company: str | None = None
    line2: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDraft:
    """A file somebody is about to upload: its size in bytes, its SHA-256 in hexadecimal if known."""

    name: str
    content_type: str
    size: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDraft:
    """A document that proves something about a customer."""

    type: DocumentType
    number: str | None = None
    issuing_country: str | None = None
    issued_on: date | None = None
    expires_on: date | None = None
    file: FileDraft | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDraft:
    """A customer to be. None means "not given"."""

    external_id: str | None = None
    kind: CustomerKind | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    date_of_birth: date | None = None
    locale: str | None = None
    tags: tuple[str, ...] = ()
    attributes: tuple[AttributeDraft, ...] = ()
    status: CustomerStatus | None = None
    addresses: tuple[AddressDraft, ...] = ()
    documents: tuple[DocumentDraft, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkImportDraft:
    """An import to be: a file of *size* bytes, and how its rows are to be read.

    `columns` are pairs of a column's name and its target; a `delimiter` of None is found out from the header, an
    `encoding` of None from the first bytes.
    """

    file_name: str
    size: int | None = None
    mode: BulkImportMode = BulkImportMode.CREATE
    match_by: BulkImportMatch = BulkImportMatch.EXTERNAL_ID
    validation: BulkImportValidation = BulkImportValidation.LENIENT
    dry_run: bool = False
    columns: tuple[tuple[str, str], ...] = ()
    delimiter: str | None = None
    encoding: BulkImportEncoding | None = None


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file that lies in the object store already: its bucket, and its path there."""

    bucket: str
    path: str
