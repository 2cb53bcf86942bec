"""What would become of a file before it is imported, as clients see it."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

import strawberry

from core.drafts import AddressDraft, CustomerDraft, DocumentDraft
from core.vocabulary import BulkImportEncoding as Encodings
from core.vocabulary import CustomerKind as Kinds
from core.vocabulary import CustomerStatus as Statuses
from schema.bulk_import import ColumnMapping
from schema.customer import Attribute
from schema.enums import (
    AddressKind,
    BulkImportColumnUse,
    BulkImportEncoding,
    BulkImportMatch,
    BulkImportMode,
    BulkImportNewline,
    BulkImportValidation,
    CustomerKind,
    CustomerStatus,
    DocumentType,
    ErrorCode,
    Severity,
)
from schema.user_error import UserError
from services import import_preview as previews
from services.csv.dialect import FileFormat
from services.records import derived_names, last_digits

_ENCODINGS = {
    "utf-8": Encodings.UTF_8,
    "utf-16-le": Encodings.UTF_16,
    "utf-16-be": Encodings.UTF_16,
    "latin-1": Encodings.LATIN_1,
    "cp1252": Encodings.WINDOWS_1252,
}
_NEWLINES = {"\r\n": BulkImportNewline.CRLF, "\n": BulkImportNewline.LF, "\r": BulkImportNewline.CR}


@strawberry.input(
    description="Another way to read the rows of an import, or other things to do with them. An absent field stays as it is; "
    "null means the default, as in `BulkImportInput`."
)
class BulkImportPatch:
    mode: strawberry.Maybe[BulkImportMode | None] = strawberry.field(description="What a row does to a customer that exists.")
    match_by: strawberry.Maybe[BulkImportMatch | None] = strawberry.field(
        description="With UPSERT: by what a row finds its customer."
    )
    validation: strawberry.Maybe[BulkImportValidation | None] = strawberry.field(description="How much imperfection it takes.")
    dry_run: strawberry.Maybe[bool | None] = strawberry.field(description="Check everything, write nothing.")
    columns: strawberry.Maybe[list[ColumnMapping] | None] = strawberry.field(
        description="All columns that are not recognised by their names, or meant differently; replaces those given before."
    )
    delimiter: strawberry.Maybe[str | None] = strawberry.field(description="What separates cells; null to have it recognised.")
    encoding: strawberry.Maybe[BulkImportEncoding | None] = strawberry.field(
        description="How its characters are written; null to have it recognised."
    )

    def to_changes(self) -> Mapping[str, Any]:
        """Return the fields of a draft that are given, with defaults for null."""
        defaults: Mapping[str, Any] = {
            "mode": BulkImportMode.CREATE,
            "match_by": BulkImportMatch.EXTERNAL_ID,
            "validation": BulkImportValidation.LENIENT,
            "dry_run": False,
            "columns": [],
            "delimiter": None,
            "encoding": None,
        }
        given = {name: some.value for name in defaults if (some := getattr(self, name)) is not None}
        changes = {name: defaults[name] if value is None else value for name, value in given.items()}
        if "columns" in changes:
            changes["columns"] = tuple((column.from_, column.to) for column in changes["columns"])
        return changes


@strawberry.type(description="How a file is written.")
class BulkImportFormat:
    encoding: BulkImportEncoding = strawberry.field(description="How its characters are written.")
    byte_order_mark: bool = strawberry.field(description="Whether it begins with a byte order mark.")
    delimiter: str = strawberry.field(description="What separates its cells.")
    newline: BulkImportNewline = strawberry.field(description="What ends its header.")
    header: list[str] = strawberry.field(description="The names of its columns.")

    @classmethod
    def from_format(cls, found: FileFormat) -> Self:
        """Return a recognised format as clients see it."""
        return cls(
            encoding=_ENCODINGS[found.encoding],
            byte_order_mark=found.bom_bytes > 0,
            delimiter=found.delimiter,
            newline=_NEWLINES[found.newline],
            header=list(found.header),
        )


@strawberry.type(description="Where a column of a file goes.")
class BulkImportColumn:
    name: str = strawberry.field(description="The column, as the file's header calls it.")
    target: str | None = strawberry.field(description="Where it goes, as in `ColumnMapping.to`; null: nowhere.")
    use: BulkImportColumnUse = strawberry.field(description="Why.")


@strawberry.type(description="An address as it would be stored.")
class BulkImportPreviewAddress:
    recipient: str | None = strawberry.field(description="Who receives there, when not the customer.")
    company: str | None = strawberry.field(description="The company at this address.")
    line1: str = strawberry.field(description="Street and number.")
    line2: str | None = strawberry.field(description="What street and number leave open.")
    city: str | None = strawberry.field(description="Town or city.")
    region: str | None = strawberry.field(description="State, province or the like.")
    postal_code: str | None = strawberry.field(description="As the country's post writes it.")
    country_code: str = strawberry.field(description="ISO 3166-1 alpha-2.")
    phone: str | None = strawberry.field(description="A number to call on delivery.")

    @classmethod
    def from_draft(cls, draft: AddressDraft) -> Self:
        """Return an address of a checked row as clients see it."""
        return cls(
            recipient=draft.recipient,
            company=draft.company,
            line1=draft.line1,
            line2=draft.line2,
            city=draft.city,
            region=draft.region,
            postal_code=draft.postal_code,
            country_code=draft.country_code,
            phone=draft.phone,
        )


@strawberry.type(description="A document as it would be stored.")
class BulkImportPreviewDocument:
    type: DocumentType = strawberry.field(description="What it is.")
    number: str | None = strawberry.field(description="The last four characters of its number, never more than half of it.")
    issuing_country: str | None = strawberry.field(description="Who issued it, ISO 3166-1 alpha-2.")
    expires_on: date | None = strawberry.field(description="The last day it is valid.")

    @classmethod
    def from_draft(cls, draft: DocumentDraft) -> Self:
        """Return a document of a checked row as clients see it."""
        number = None if draft.number is None else f"••••{last_digits(draft.number)}"
        return cls(type=draft.type, number=number, issuing_country=draft.issuing_country, expires_on=draft.expires_on)


@strawberry.type(description="A customer as it would be stored.")
class BulkImportPreviewCustomer:
    external_id: str | None = strawberry.field(description="The seller's own reference.")
    kind: CustomerKind = strawberry.field(description="A person or an organisation.")
    status: CustomerStatus = strawberry.field(description="Where it stands with the seller.")
    email: str | None = strawberry.field(description="E-mail address, in the one spelling that is kept.")
    phone: str | None = strawberry.field(description="Phone number, E.164.")
    first_name: str | None = strawberry.field(description="Given name.")
    last_name: str | None = strawberry.field(description="Family name.")
    full_name: str = strawberry.field(description="What to call it.")
    company: str | None = strawberry.field(description="Name of the organisation.")
    date_of_birth: date | None = strawberry.field(description="When it was born, for persons.")
    locale: str | None = strawberry.field(description="Preferred language, BCP 47.")
    tags: list[str] = strawberry.field(description="Labels.")
    attributes: list[Attribute] = strawberry.field(description="What else the row says, under keys of the seller.")
    shipping_address: BulkImportPreviewAddress | None = strawberry.field(description="Where to deliver, if the row says it.")
    billing_address: BulkImportPreviewAddress | None = strawberry.field(description="Whom to bill, if the row says it.")
    document: BulkImportPreviewDocument | None = strawberry.field(description="What proves who it is, if the row has it.")

    @classmethod
    def from_draft(cls, draft: CustomerDraft) -> Self:
        """Return the customer of a checked row as clients see it."""
        names = derived_names(
            first_name=draft.first_name,
            last_name=draft.last_name,
            company=draft.company,
            email=draft.email,
            phone=draft.phone,
            external_id=draft.external_id,
        )
        # A row has room for one of each.
        addresses = {one.kind: BulkImportPreviewAddress.from_draft(one) for one in draft.addresses}
        return cls(
            external_id=draft.external_id,
            kind=draft.kind or Kinds.INDIVIDUAL,
            status=draft.status or Statuses.ACTIVE,
            email=draft.email,
            phone=draft.phone,
            first_name=draft.first_name,
            last_name=draft.last_name,
            full_name=str(names["full_name"]),
            company=draft.company,
            date_of_birth=draft.date_of_birth,
            locale=draft.locale,
            tags=list(draft.tags),
            attributes=[Attribute(key=one.key, value=one.value) for one in draft.attributes],
            shipping_address=addresses.get(AddressKind.SHIPPING),
            billing_address=addresses.get(AddressKind.BILLING),
            document=next((BulkImportPreviewDocument.from_draft(one) for one in draft.documents), None),
        )


@strawberry.type(description="What is wrong with a row by itself.")
class BulkImportPreviewProblem:
    column: str | None = strawberry.field(description="The column, as the file's header calls it; null for the whole row.")
    severity: Severity = strawberry.field(description="Whether the row would be refused.")
    code: ErrorCode = strawberry.field(description="Why, for programs.")
    message: str = strawberry.field(description="Why, and what to do about it, for people.")


@strawberry.type(description="One of the first rows of a file.")
class BulkImportPreviewRow:
    row: int = strawberry.field(description="The row; 1 is the first after the header.")
    customer: BulkImportPreviewCustomer | None = strawberry.field(
        description="The customer as it would be stored; null when the row would be refused."
    )
    problems: list[BulkImportPreviewProblem] = strawberry.field(description="What is wrong with it: errors, then warnings.")

    @classmethod
    def from_row(cls, row: previews.PreviewedRow) -> Self:
        """Return a row as clients see it."""
        problems = [
            BulkImportPreviewProblem(column=one.column, severity=one.severity, code=one.code, message=one.message)
            for one in row.problems
        ]
        customer = None if row.customer is None else BulkImportPreviewCustomer.from_draft(row.customer)
        return cls(row=row.row, customer=customer, problems=problems)


@strawberry.type(
    description="How an uploaded file would be read. Rows are judged by themselves; whether others hold their identifiers, a "
    "dry run tells. Needs `imports:read`; not for customers."
)
class BulkImportPreview:
    format: BulkImportFormat | None = strawberry.field(description="How it is written; null when that cannot be told.")
    columns: list[BulkImportColumn] = strawberry.field(description="Its columns in order, and where each goes.")
    rows: list[BulkImportPreviewRow] = strawberry.field(description="Its first rows, at most 20.")
    user_errors: list[UserError] = strawberry.field(
        description="Why it could not be started like this; what could not be told then is missing. Empty when it can."
    )

    @classmethod
    def from_preview(cls, preview: previews.ImportPreview) -> Self:
        """Return a preview as clients see it."""
        return cls(
            format=None if preview.format is None else BulkImportFormat.from_format(preview.format),
            columns=[BulkImportColumn(name=one.name, target=one.target, use=one.use) for one in preview.columns],
            rows=[BulkImportPreviewRow.from_row(one) for one in preview.rows],
            user_errors=[UserError.from_problem(one) for one in preview.problems],
        )
