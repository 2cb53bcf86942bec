"""The files that tell what became of an import, written when it is over, in the order of the rows.

The error report has the rejected rows as they came and is itself a valid input; beside it lies the same with masked cells, for
those who may not see customers. The result report has every row with its
outcome and its customer. An import that ended early has both too; the rows that it never attempted are UNPROCESSED in either,
so that importing the error report goes on where it stopped, and the two reports together still account for every row.
"""

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar, cast

import structlog

from core.errors import ErrorCode, ServiceError
from core.files import ObjectChanged, ObjectMissing, ObjectTruncated
from core.tenancy import Tenant
from core.vocabulary import BulkImportStatus, Severity
from models.bulk_import import BulkImport, ImportRowOutcome, ImportSegment, RowProblem
from repositories.bulk_import import BulkImportRepository
from repositories.unit_of_work import Repositories
from services.csv.records import Record
from services.csv.report import report_header, report_row, result_header, result_row
from services.import_reading import read_again, record_pages
from services.import_states import file_format
from services.masked_rows import RowMask, masked_message
from services.ports import ObjectStore

_log = structlog.get_logger(__name__)

_REPORT_PAGE = 500
_WRITTEN_AT_ONCE = 1000
_NOT_ATTEMPTED = "The import ended before this row was attempted. Import this file to go on."
ENDED_EARLY = frozenset({BulkImportStatus.CANCELED, BulkImportStatus.FAILED})

T = TypeVar("T")


class _Rejected(NamedTuple):
    """The line of a row in the error report, and in the one for those who may not see customers."""

    whole: bytes
    masked: bytes


@dataclass(slots=True)
class Reports:
    """Where the reports of an import lie; no `errors`, and no `masked` ones, when no row was refused or left.

    `unprocessed` counts the rows never attempted; None when they could not be read, because the file is gone or another one.
    """

    errors: str | None
    masked: str | None
    results: str
    unprocessed: int | None


async def write_reports(store: ObjectStore, record: BulkImport, *, failed: int) -> Reports:
    """Write both reports of an import whose rows are all done, *failed* of them refused, or of one that ended early.

    Each call writes files of its own: only those that the import comes to name count, so that a writer who was overtaken
    cannot spoil what is there.

    Raises:
        Unavailable: the store or the database did not answer; nothing appeared that is not complete.
    """
    folder = f"imports/{record.seller_id}/{record.id}/{uuid.uuid4().hex}"
    header = file_format(record).header
    imports = Repositories(Tenant(record.seller_id)).bulk_imports
    left = _Left(store, record, imports)
    if failed or record.status in ENDED_EARLY:
        mask = RowMask(header, [(one.source, one.target) for one in record.columns])
        errors = _merged(_rejected(imports, record.id, header, mask), left.lines(header, mask))
        async with (
            store.write(f"{folder}/errors.csv", content_type="text/csv") as report,
            store.write(f"{folder}/errors-masked.csv", content_type="text/csv") as masked,
            aclosing(errors),
        ):
            await report.write(report_header(header))
            await masked.write(report_header(header))
            async for lines in _gathered(errors):
                await report.write(b"".join(one.whole for one in lines))
                await masked.write(b"".join(one.masked for one in lines))
    attempted = _merged(_results(imports, record.id), _deferred_results(imports, record.id))
    results = _merged(attempted, left.outcomes())
    async with store.write(f"{folder}/results.csv", content_type="text/csv") as report, aclosing(results):
        await report.write(result_header())
        async for some in _gathered(results):
            await report.write(b"".join(some))
    said = failed or left.count
    return Reports(
        f"{folder}/errors.csv" if said else None,
        f"{folder}/errors-masked.csv" if said else None,
        f"{folder}/results.csv",
        left.count,
    )


@dataclass(slots=True)
class _Left:
    """The rows that an import which ended early never attempted, read from its file once more."""

    store: ObjectStore
    record: BulkImport
    imports: BulkImportRepository
    count: int | None = field(default=0)

    async def lines(self, header: Sequence[str], mask: RowMask) -> AsyncGenerator[tuple[int, _Rejected]]:
        """Yield them as lines of the error report, by their rows."""
        async with aclosing(self._records()) as records:
            async for one in records:
                said = (one.row, None, ErrorCode.UNPROCESSED, _NOT_ATTEMPTED)
                whole = report_row(one.cells, *said, header=header)
                yield one.row, _Rejected(whole, report_row(mask.cells(one.cells), *said, header=header))

    async def outcomes(self) -> AsyncGenerator[tuple[int, bytes]]:
        """Yield them as lines of the result report."""
        async with aclosing(self._records()) as records:
            async for one in records:
                yield one.row, result_row(one.row, ErrorCode.UNPROCESSED.value, "")

    async def _records(self) -> AsyncGenerator[Record]:
        """Yield them in the order of the file: in each segment those put off, then those behind its checkpoint."""
        if self.record.status not in ENDED_EARLY:
            return
        count = 0
        try:
            async with aclosing(self._pages()) as pages:
                async for page in pages:
                    for one in page:
                        count += 1
                        yield one
        except (ObjectMissing, ObjectChanged, ObjectTruncated):
            self.count = None
        except ServiceError:
            raise
        except Exception as error:  # noqa: BLE001 - what ended the import may be in its file, and must not keep the report back
            _log.error("import.rest_unreadable", import_id=self.record.id, error=type(error).__name__)
            self.count = None
        else:
            self.count = count

    async def _pages(self) -> AsyncGenerator[Sequence[Record]]:
        """Yield them some at a time."""
        plan = self.record.plan
        for segment in await self.imports.segments.of_import(self.record.id):
            if segment.deferred:
                continue
            async with aclosing(self._put_off(segment)) as pages:
                async for page in pages:
                    yield page
            if segment.offset < segment.end:
                async with aclosing(self._between(segment.offset, segment.end, segment.row)) as pages:
                    async for page in pages:
                        yield page
        position, row = (file_format(self.record).data_offset, 1) if plan is None else (plan.offset, plan.row)
        async with aclosing(self._between(position, cast("int", self.record.source.size), row)) as pages:
            async for page in pages:
                yield page

    async def _put_off(self, segment: ImportSegment) -> AsyncGenerator[Sequence[Record]]:
        row = segment.first_row
        while found := await self.imports.deferred.waiting(
            self.record.id, from_row=row, before=segment.row, limit=_REPORT_PAGE
        ):
            yield await read_again(self.store, self.record, found)
            row = found[-1].row + 1

    def _between(self, start: int, stop: int, row: int) -> AsyncGenerator[list[Record]]:
        return record_pages(self.store, self.record, start, stop, row=row)


async def _rejected(
    imports: BulkImportRepository, import_id: str, header: Sequence[str], mask: RowMask
) -> AsyncGenerator[tuple[int, _Rejected]]:
    row = 0
    while page := await imports.outcomes.of_import(import_id, from_row=row, severity=Severity.ERROR, limit=_REPORT_PAGE):
        for outcome in page:
            yield outcome.row, _report_line(outcome, header, mask)
        row = page[-1].row + 1


async def _results(imports: BulkImportRepository, import_id: str) -> AsyncGenerator[tuple[int, bytes]]:
    async with aclosing(imports.results.in_order(import_id)) as pages:
        async for page in pages:
            for one in page:
                yield one.row, result_row(one.row, one.outcome.value, one.customer_id)


async def _deferred_results(imports: BulkImportRepository, import_id: str) -> AsyncGenerator[tuple[int, bytes]]:
    row = 0
    while page := await imports.deferred.decided(import_id, from_row=row, limit=_REPORT_PAGE):
        for one in page:
            yield one.row, result_row(one.row, one.outcome.value, one.customer_id)
        row = page[-1].row + 1


async def _merged(first: AsyncGenerator[tuple[int, T]], second: AsyncGenerator[tuple[int, T]]) -> AsyncGenerator[tuple[int, T]]:
    """Yield the lines of both in the order of their rows."""
    async with aclosing(first), aclosing(second):
        other = await anext(second, None)
        async for line in first:
            while other is not None and other[0] < line[0]:
                yield other
                other = await anext(second, None)
            yield line
        while other is not None:
            yield other
            other = await anext(second, None)


async def _gathered(lines: AsyncIterator[tuple[int, T]]) -> AsyncGenerator[list[T]]:
    """Yield lines by the thousand: a write of each would cost more than all the rest."""
    waiting: list[T] = []
    async for _, line in lines:
        waiting.append(line)
        if len(waiting) == _WRITTEN_AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _report_line(outcome: ImportRowOutcome, header: Sequence[str], mask: RowMask) -> _Rejected:
    """Return the lines of one rejected row: column and code of its first error, and what is wrong with all of it."""
    errors = [problem for problem in outcome.problems if problem.severity is Severity.ERROR]
    first = errors[0]
    place = (outcome.row, first.column, first.code)
    whole = report_row(outcome.cells, *place, _told(errors), header=header)
    untold = [one.model_copy(update={"message": masked_message(one.code, one.message)}) for one in errors]
    return _Rejected(whole, report_row(mask.cells(outcome.cells), *place, _told(untold), header=header))


def _told(errors: Sequence[RowProblem]) -> str:
    if len(errors) == 1:
        return errors[0].message
    return " ".join(f"{one.column}: {one.message}" if one.column else one.message for one in errors)
