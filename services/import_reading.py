"""Rows of an import out of the object store and into it: batches from a checkpoint on, and the error report."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from core.files import ObjectTruncated
from core.tenancy import Tenant
from core.vocabulary import Severity
from models.bulk_import import BulkImport, ImportRowOutcome, ImportSegment
from repositories.unit_of_work import Repositories
from services.csv.records import Record, RecordReader
from services.csv.report import report_header, report_row
from services.import_states import file_format
from services.ports import ObjectStore

_RANGE_BYTES = 256 * 1024
"""Read at once. A file that is replaced meanwhile is noticed with the next range, some 2,000 rows later."""

_REPORT_PAGE = 500
_COUNTED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Some records, the offset and number of the one that comes next, and whether none does."""

    records: Sequence[Record]
    offset: int
    row: int
    last: bool = False


async def row_batches(store: ObjectStore, record: BulkImport, segment: ImportSegment, *, size: int) -> AsyncGenerator[RowBatch]:
    """Yield the rows of a segment from its checkpoint on, *size* at a time; the last batch may be smaller, or empty.

    Raises:
        ObjectMissing: the file is gone.
        ObjectChanged: the file is not the one the import was started with.
        ObjectTruncated: the store sent less than the file has.
    """
    reader = RecordReader(file_format(record), offset=segment.offset, row=segment.row)
    waiting: list[Record] = []
    position = segment.offset
    while position < segment.end:
        stop = min(position + _RANGE_BYTES, segment.end)
        data = await _range(store, record, position, stop)
        position = stop
        waiting += reader.feed(data)
        if position == segment.end:
            waiting += reader.finish()
        # One record is always held back, so that the last batch knows that it is the last.
        while len(waiting) > size:
            batch, waiting = waiting[:size], waiting[size:]
            yield RowBatch(batch, offset=batch[-1].end, row=batch[-1].row + 1)
    yield RowBatch(waiting, offset=segment.end, row=reader.row, last=True)


async def count_rows(store: ObjectStore, record: BulkImport) -> int | None:
    """Return how many rows the file has; None for a file over 64 MiB, whose rows take more than a second to count.

    Raises:
        ObjectMissing: the file is gone.
        ObjectChanged: the file is not the one the import was started with.
        ObjectTruncated: the store sent less than the file has.
    """
    found = file_format(record)
    size = cast("int", record.source.size)
    if size > _COUNTED_BYTES:
        return None
    reader = RecordReader(found, offset=found.data_offset, row=1)
    for start in range(found.data_offset, size, _RANGE_BYTES):
        reader.feed(await _range(store, record, start, min(start + _RANGE_BYTES, size)))
    reader.finish()
    return reader.row - 1


async def _range(store: ObjectStore, record: BulkImport, start: int, stop: int) -> bytes:
    reading = store.read(record.source.key, etag=cast("str", record.source.etag), start=start, end=stop)
    async with aclosing(reading) as chunks:
        data = b"".join([chunk async for chunk in chunks])
    if len(data) != stop - start:
        message = f"The file of import {record.id} broke off at byte {start + len(data)} of {stop}."
        raise ObjectTruncated(message)
    return data


async def write_error_report(store: ObjectStore, record: BulkImport) -> str:
    """Write the rejected rows, in the order of the file, with the reasons; return the key. Doing it again changes nothing."""
    key = f"imports/{record.seller_id}/{record.id}/errors.csv"
    header = file_format(record).header
    outcomes = Repositories(Tenant(record.seller_id)).bulk_imports.outcomes
    async with store.write(key, content_type="text/csv") as report:
        await report.write(report_header(header))
        row = 0
        while page := await outcomes.of_import(record.id, from_row=row, severity=Severity.ERROR, limit=_REPORT_PAGE):
            await report.write(b"".join(_report_line(outcome, header) for outcome in page))
            row = page[-1].row + 1
    return key


def _report_line(outcome: ImportRowOutcome, header: Sequence[str]) -> bytes:
    """Return the line of one rejected row: column and code of its first error, and what is wrong with all of it."""
    errors = [problem for problem in outcome.problems if problem.severity is Severity.ERROR]
    first = errors[0]
    said = [f"{one.column}: {one.message}" if one.column else one.message for one in errors]
    message = first.message if len(errors) == 1 else " ".join(said)
    return report_row(outcome.cells, outcome.row, first.column, first.code, message, header=header)
