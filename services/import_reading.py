"""Rows of an import out of the object store: batches from a checkpoint on, and how many there are."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from core.files import ObjectTruncated
from models.bulk_import import BulkImport, ImportSegment
from services.csv.boundaries import RecordCutter
from services.csv.records import Record, RecordReader
from services.import_states import file_format
from services.ports import ObjectStore

_RANGE_BYTES = 256 * 1024
"""Read at once. A file that is replaced meanwhile is noticed with the next range, some 2,000 rows later."""

_COUNTED_BYTES = 256 * 1024 * 1024
_COUNTED_AT_ONCE = 1 << 20


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


async def records_between(store: ObjectStore, record: BulkImport, start: int, stop: int, *, row: int) -> AsyncGenerator[Record]:
    """Yield the records that begin at byte *start*, which is that of row number *row*, and end at *stop*.

    Raises:
        ObjectMissing: the file is gone.
        ObjectChanged: the file is not the one the import was started with.
        ObjectTruncated: the store sent less than the file has.
    """
    reader = RecordReader(file_format(record), offset=start, row=row)
    for position in range(start, stop, _RANGE_BYTES):
        for one in reader.feed(await _range(store, record, position, min(position + _RANGE_BYTES, stop))):
            yield one
    for one in reader.finish():
        yield one


async def count_rows(store: ObjectStore, record: BulkImport) -> int | None:
    """Return how many rows the file has; None for a file over 256 MiB, which takes more than a second to fetch and count.

    Raises:
        ObjectMissing: the file is gone.
        ObjectChanged: the file is not the one the import was started with.
        ObjectTruncated: the store sent less than the file has.
    """
    found = file_format(record)
    size = cast("int", record.source.size)
    if size > _COUNTED_BYTES:
        return None
    cutter = RecordCutter(found, offset=found.data_offset, row=1, part_bytes=size, part_rows=size)
    for start in range(found.data_offset, size, _COUNTED_AT_ONCE):
        cutter.feed(await _range(store, record, start, min(start + _COUNTED_AT_ONCE, size)))
    cutter.finish()
    return cutter.row - 1


async def _range(store: ObjectStore, record: BulkImport, start: int, stop: int) -> bytes:
    reading = store.read(record.source.key, etag=cast("str", record.source.etag), start=start, end=stop)
    async with aclosing(reading) as chunks:
        data = b"".join([chunk async for chunk in chunks])
    if len(data) != stop - start:
        message = f"The file of import {record.id} broke off at byte {start + len(data)} of {stop}."
        raise ObjectTruncated(message)
    return data
