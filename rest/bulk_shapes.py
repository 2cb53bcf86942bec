"""Many customers at once, as callers of REST see and send them: in the call itself, or in a file that lies in the store."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from core.drafts import BulkImportDraft, CustomerDraft, FileReference
from core.errors import Problem
from core.vocabulary import (
    BulkImportEncoding,
    BulkImportMatch,
    BulkImportMode,
    BulkImportStatus,
    BulkImportValidation,
)
from models import bulk_import as models
from rest.customer_shapes import CreatedCustomer, CustomerInput
from rest.problem import FieldProblem, misread
from rest.shape import Moment, Shape, StrictBool
from services.customer_bulk import MAX_CUSTOMERS


class Misread:
    """A customer that does not have the shape of one: it is refused, and those beside it are not."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems


def _or_misread(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return Misread(misread([{**one, "loc": ("body", *one["loc"])} for one in found]))


class CustomersInCall(Shape):
    """Customers to be created, each by itself."""

    customers: Annotated[
        list[Annotated[CustomerInput, WrapValidator(_or_misread)]],
        Field(description="The customers.", min_length=1, max_length=MAX_CUSTOMERS),
    ]

    def to_drafts(self) -> list[CustomerDraft | Sequence[Problem]]:
        """Return what the caller wants stored; what is no customer as the problems with it."""
        return [one.problems if isinstance(one, Misread) else one.to_draft() for one in self.customers]


class ColumnMapping(Shape):
    """Which column of the file goes where."""

    from_: str = Field(alias="from", description="The column, as the file's header calls it.")
    to: str = Field(description="Where it goes: `email`, `shipping_city`, `attribute.vip`; the guide lists all.")


class CustomersInFile(Shape):
    """Customers to be imported from a CSV file that lies in the object store already."""

    bucket: str = Field(description="The bucket of the file: the one of this service.", examples=["customer-documents"])
    file_path: str = Field(
        description="The path of the file, below `imports/` and the seller's id.", examples=["imports/demo/customers.csv"]
    )
    mode: BulkImportMode = Field(BulkImportMode.CREATE, description="What a row does to a customer that exists already.")
    match_by: BulkImportMatch = Field(BulkImportMatch.EXTERNAL_ID, description="With UPSERT: by what a row finds its customer.")
    validation: BulkImportValidation = Field(BulkImportValidation.LENIENT, description="How much imperfection it takes.")
    dry_run: StrictBool = Field(default=False, description="Check everything, write nothing.")
    columns: list[ColumnMapping] = Field(
        default=[], description="Columns that are not recognised by their names, or meant differently."
    )
    delimiter: str | None = Field(
        None, description="What separates cells: comma, semicolon, tab or bar; recognised when absent."
    )
    encoding: BulkImportEncoding | None = Field(
        None, description="How its characters are written; recognised when absent, if it is UTF-8 or UTF-16."
    )

    def to_reference(self) -> FileReference:
        """Return which file is meant."""
        return FileReference(self.bucket, self.file_path)

    def to_draft(self) -> BulkImportDraft:
        """Return how it is to be imported."""
        return BulkImportDraft(
            file_name=self.file_path,
            mode=self.mode,
            match_by=self.match_by,
            validation=self.validation,
            dry_run=self.dry_run,
            columns=tuple((column.from_, column.to) for column in self.columns),
            delimiter=self.delimiter,
            encoding=self.encoding,
        )


def _which(value: Any) -> str:
    names = value if isinstance(value, dict) else vars(value) if isinstance(value, Shape) else ()
    return "customersInFile" if "filePath" in names or "bucket" in names or "file_path" in names else "customersInCall"


BulkInput = Annotated[
    Annotated[CustomersInCall, Tag("customersInCall")] | Annotated[CustomersInFile, Tag("customersInFile")],
    Discriminator(_which),
]
"""Customers in the call, or in a file that is named."""


class CustomerOutcome(Shape):
    """What became of one of the customers of a call."""

    index: int = Field(description="Its place in the call, from 0.", examples=[0])
    outcome: Literal["CREATED", "FAILED"] = Field(description="Whether it was created.")
    customer: CreatedCustomer | None = Field(description="The customer, when it was created.")
    errors: list[FieldProblem] = Field(description="Why it was not, with paths into this customer.")


class BulkOutcome(Shape):
    """What became of the customers of a call, in its order."""

    created: int = Field(description="How many were created.")
    failed: int = Field(description="How many were not.")
    outcomes: list[CustomerOutcome] = Field(description="One for each.")


class StartedImport(Shape):
    """An import that has been handed to the workers. GraphQL's `bulkImport` and its subscription tell how far it is."""

    id: str = Field(description="Opaque, `imp_…`.", examples=["imp_01j9zs3w8zc8t9h2m5n7p8q4r6"])
    seller_id: str = Field(description="The seller whose customers these are.")
    status: BulkImportStatus = Field(description="Where it stands.")
    mode: BulkImportMode = Field(description="What a row does to a customer that exists already.")
    match_by: BulkImportMatch = Field(description="With UPSERT: by what a row finds its customer.")
    validation: BulkImportValidation = Field(description="How much imperfection it takes.")
    dry_run: bool = Field(description="Whether everything is checked and nothing is written.")
    file_name: str = Field(description="What the file is called.")
    file_size: int | None = Field(description="The file's size in bytes.")
    requested_by: str = Field(description="Who asked for it.")
    created_at: Moment = Field(description="When it was asked for.")

    @classmethod
    def from_model(cls, record: models.BulkImport) -> "StartedImport":
        """Return a stored import as callers see it."""
        stored = {name: getattr(record, name) for name in cls.model_fields if name != "file_size"}
        return cls(**stored, file_size=record.source.size)
