"""Bulk imports, as clients see them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from core.clock import SystemClock
from core.drafts import BulkImportDraft
from models import bulk_import as models
from schema.context import Info
from schema.document import UploadTarget
from schema.download import DownloadTarget
from schema.enums import (
    BulkImportEncoding,
    BulkImportMatch,
    BulkImportMode,
    BulkImportStatus,
    BulkImportValidation,
    ErrorCode,
    Severity,
)
from schema.node import Node, presents
from schema.paging import After, Connection
from schema.user_error import UserError
from services import import_progress
from services.bulk_import import DEFAULT_PROBLEMS, ImportProblem

FirstErrors = Annotated[int | None, strawberry.argument(description="How many to return, 1 to 100; 50 if absent.")]


@strawberry.type(description="What was wrong with a row.")
class BulkImportError:
    row: int = strawberry.field(description="The row; 1 is the first after the header.")
    column: str | None = strawberry.field(description="The column, as the file's header calls it; null for the whole row.")
    severity: Severity = strawberry.field(description="Whether the row was refused.")
    code: ErrorCode = strawberry.field(description="Why, for programs.")
    message: str = strawberry.field(description="Why, and what to do about it, for people.")

    @classmethod
    def from_problem(cls, problem: ImportProblem) -> Self:
        """Return a row's problem as clients see it."""
        return cls(
            row=problem.row,
            column=problem.column,
            severity=problem.severity,
            code=problem.code,
            message=problem.message,
        )


@strawberry.type(description="Why a whole import came to nothing.")
class BulkImportFailure:
    code: ErrorCode = strawberry.field(description="Why, for programs.")
    message: str = strawberry.field(description="Why, and what to do about it, for people.")


@presents(models.BulkImport)
@strawberry.type(description="A file of customers on its way into the database. Needs `imports:read`; not for customers.")
class BulkImport(Node):
    record: strawberry.Private[models.BulkImport]
    seller_id: strawberry.ID = strawberry.field(description="The seller whose customers these are.")
    status: BulkImportStatus = strawberry.field(description="Where it stands.")
    mode: BulkImportMode = strawberry.field(description="What a row does to a customer that exists already.")
    match_by: BulkImportMatch = strawberry.field(description="With UPSERT: by what a row finds its customer.")
    validation: BulkImportValidation = strawberry.field(description="How much imperfection it takes.")
    dry_run: bool = strawberry.field(description="Whether everything is checked and nothing is written.")
    file_name: str = strawberry.field(description="What the uploaded file was called.")
    file_size: int | None = strawberry.field(description="The file's size in bytes, once known.")
    total_rows: int | None = strawberry.field(description="How many rows the file has; null until known.")
    processed_rows: int = strawberry.field(description="Rows attempted: created + updated + unchanged + failed.")
    created_rows: int = strawberry.field(description="Rows that made a new customer.")
    updated_rows: int = strawberry.field(description="Rows that changed a customer.")
    unchanged_rows: int = strawberry.field(description="Rows that found their customer just as they describe it.")
    failed_rows: int = strawberry.field(description="Rows that were refused; see errors.")
    warning_rows: int = strawberry.field(description="Rows that were taken with at least one warning.")
    unprocessed_rows: int | None = strawberry.field(
        description="Rows never attempted after a cancel or a failure; processed + unprocessed = total. Null until known."
    )
    progress: float = strawberry.field(description="How far it is, 0 to 1; never decreases.")
    rows_per_second: float | None = strawberry.field(description="How fast it goes; null before the start.")
    estimated_completion_at: datetime | None = strawberry.field(description="When it will be done at this pace, while it runs.")
    requested_by: str = strawberry.field(description="Who asked for it.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When the first worker took it up.")
    finished_at: datetime | None = strawberry.field(description="When it reached its final state.")
    content_removed_at: datetime | None = strawberry.field(
        description="When its file, its reports and what was wrong with its rows were removed, because the seller keeps them "
        "no longer; its figures stay."
    )

    @strawberry.field(
        description="What was wrong with which row, in the order of rows: errors and warnings. To callers without "
        "`customers:read` no message quotes a row. Needs `imports:read`; not for customers."
    )
    async def errors(
        self, info: Info, first: FirstErrors = DEFAULT_PROBLEMS, after: After = None
    ) -> Connection[BulkImportError]:
        """Return one page of problems."""
        page = await info.context.services.bulk_imports.errors(info.context.viewer, self.record, first, after)
        return Connection.from_page(page, BulkImportError.from_problem, lambda problem: problem.cursor)

    @strawberry.field(
        description="The rejected rows exactly as they came, plus `_row`, `_column`, `_code` and `_message`: mend and "
        "import it again. After a cancel or a failure also the rows never attempted, as UNPROCESSED; it is then written some "
        "moments after the final state. Null while it runs, and when no row is left. Callers without `customers:read` get it "
        "with masked cells. Needs `imports:read`; not for customers."
    )
    async def error_report(self, info: Info) -> DownloadTarget | None:
        """Return a link to the error report."""
        ticket = await info.context.services.bulk_imports.error_report(info.context.viewer, self.record)
        return None if ticket is None else DownloadTarget.from_ticket(ticket)

    @strawberry.field(
        description="Every row of the file in order: `row,outcome,customer_id`. Null until it has been written, which after a "
        "cancel or a failure is some moments after the final state. Needs `imports:read`; not for customers."
    )
    async def result_report(self, info: Info) -> DownloadTarget | None:
        """Return a link to the result report."""
        return await self._download(info, self.record.result_report_key)

    @strawberry.field(description="With FAILED: why.")
    def failure(self) -> BulkImportFailure | None:
        """Return why the import failed."""
        stored = self.record.failure
        return None if stored is None else BulkImportFailure(code=stored.code, message=stored.message)

    async def _download(self, info: Info, key: str | None) -> DownloadTarget | None:
        if key is None:
            return None
        ticket = await info.context.services.bulk_imports.download(info.context.viewer, self.record, key)
        return DownloadTarget.from_ticket(ticket)

    @classmethod
    def from_model(cls, record: models.BulkImport) -> Self:
        """Return a stored import as clients see it."""
        counts = record.counts
        now = SystemClock().now()
        return cls(
            record=record,
            id=strawberry.ID(record.id),
            seller_id=strawberry.ID(record.seller_id),
            status=record.status,
            mode=record.mode,
            match_by=record.match_by,
            validation=record.validation,
            dry_run=record.dry_run,
            file_name=record.file_name,
            file_size=import_progress.file_size(record),
            total_rows=record.total_rows,
            processed_rows=counts.processed,
            created_rows=counts.created,
            updated_rows=counts.updated,
            unchanged_rows=counts.unchanged,
            failed_rows=counts.failed,
            warning_rows=counts.warning,
            unprocessed_rows=import_progress.unprocessed_rows(record),
            progress=import_progress.progress(record),
            rows_per_second=import_progress.rows_per_second(record, now),
            estimated_completion_at=import_progress.estimated_completion_at(record, now),
            requested_by=record.requested_by,
            created_at=record.created_at,
            started_at=record.started_at,
            finished_at=record.finished_at,
            content_removed_at=record.content_removed_at,
        )


@strawberry.input(description="Which column of the file goes where.")
class ColumnMapping:
    from_: str = strawberry.field(name="from", description="The column, as the file's header calls it.")
    to: str = strawberry.field(description="Where it goes: `email`, `shipping_city`, `attribute.vip`; the guide lists all.")


@strawberry.input(description="A new import.")
class BulkImportInput:
    file_name: str = strawberry.field(description="What the file is called.")
    size: int | None = strawberry.field(default=None, description="The file's size in bytes, to be checked on arrival.")
    mode: BulkImportMode | None = strawberry.field(
        default=BulkImportMode.CREATE, description="What a row does to a customer that exists already."
    )
    match_by: BulkImportMatch | None = strawberry.field(
        default=BulkImportMatch.EXTERNAL_ID, description="With UPSERT: by what a row finds its customer."
    )
    validation: BulkImportValidation | None = strawberry.field(
        default=BulkImportValidation.LENIENT, description="How much imperfection it takes."
    )
    dry_run: bool | None = strawberry.field(default=False, description="Check everything, write nothing.")
    columns: list[ColumnMapping] | None = strawberry.field(
        default=None, description="Columns that are not recognised by their names, or meant differently."
    )
    delimiter: str | None = strawberry.field(
        default=None, description="What separates cells: comma, semicolon, tab or bar; recognised when absent."
    )
    encoding: BulkImportEncoding | None = strawberry.field(
        default=None, description="How its characters are written; recognised when absent, if it is UTF-8 or UTF-16."
    )

    def to_draft(self) -> BulkImportDraft:
        """Return what the caller wants done; null means the default."""
        return BulkImportDraft(
            file_name=self.file_name,
            size=self.size,
            mode=self.mode or BulkImportMode.CREATE,
            match_by=self.match_by or BulkImportMatch.EXTERNAL_ID,
            validation=self.validation or BulkImportValidation.LENIENT,
            dry_run=bool(self.dry_run),
            columns=tuple((column.from_, column.to) for column in self.columns or ()),
            delimiter=self.delimiter,
            encoding=self.encoding,
        )


@strawberry.type(description="What became of a change of an import.")
class BulkImportPayload:
    bulk_import: BulkImport | None = strawberry.field(description="The import as it is now; null when nothing was changed.")
    upload: UploadTarget | None = strawberry.field(description="Where to send its file, when one is expected.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was changed; empty on success.")
