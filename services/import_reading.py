"""Rows of an import out of the object store: batches of a segment from its checkpoint on, and of the rows put off."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

from core.files import ObjectTruncated
from core.tenancy import Tenant
from models.bulk_import import BulkImport, ImportSegment
from models.import_order import ImportDeferredRow
from repositories.unit_of_work import Repositories
from services.csv.records import Record, RecordReader
from services.import_states import file_format
from services.ports import ObjectStore

_RANGE_BYTES = 256 * 1024
"""Read at once. A file that is replaced meanwhile is noticed with the next range, some 2,000 rows later."""

_GROUP_BYTES = 64 * 1024
"""Rows that were put off are read together when they lie this close."""


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Some records, the offset and number of the one that comes next, and whether none does.

    `put_off` are those, by their numbers, that have to wait for others. All records of a batch that is `deferred` have waited.
    """

    records: Sequence[Record]
    offset: int
    row: int
    last: bool = False
    deferred: bool = False
    put_off: Mapping[int, ImportDeferredRow] = field(default_factory=dict)

    def alone(self, record: Record) -> "RowBatch":
        """Return a batch of one record of this one, behind which the next one follows."""
        last = self.last and record is self.records[-1]
        offset = self.offset if last or self.deferred else record.end
        row = self.row if last else record.row + 1
        return RowBatch([record], offset, row, last=last, deferred=self.deferred, put_off=self.put_off)


async def record_pages(
    store: ObjectStore, record: BulkImport, start: int, end: int, *, row: int
) -> AsyncGenerator[list[Record]]:
    """Yield the records that begin between two boundaries, some thousand at a time; the first has number *row*.

    Raises:
        ObjectMissing: the file is gone.
        ObjectChanged: the file is not the one the import was started with.
        ObjectTruncated: the store sent less than the file has.
    """
    reader = RecordReader(file_format(record), offset=start, row=row)
    size = cast("int", record.source.size)
    position = start
    # Where a broken record ends shows before the boundary; what is wrong with it perhaps only behind.
    while position < end or (reader.offset < end and position < size):
        stop = min(position + _RANGE_BYTES, end if position < end else size)
        found = reader.feed(await _range(store, record, position, stop))
        position = stop
        if position == size:
            found += reader.finish()
        yield [one for one in found if one.offset < end] if position >= end else found


async def row_batches(store: ObjectStore, record: BulkImport, segment: ImportSegment, *, size: int) -> AsyncGenerator[RowBatch]:
    """Yield the rows of a segment from its checkpoint on, *size* at a time; the last batch may be smaller, or empty.

    Raises: as `record_pages`.
    """
    waiting: list[Record] = []
    async with aclosing(record_pages(store, record, segment.offset, segment.end, row=segment.row)) as pages:
        async for page in pages:
            waiting += page
            # One record is always held back, so that the last batch knows that it is the last.
            while len(waiting) > size:
                batch, waiting = waiting[:size], waiting[size:]
                yield RowBatch(batch, offset=batch[-1].end, row=batch[-1].row + 1)
    yield RowBatch(waiting, offset=segment.end, row=segment.first_row + segment.rows, last=True)


async def deferred_batches(
    store: ObjectStore, record: BulkImport, segment: ImportSegment, *, size: int
) -> AsyncGenerator[RowBatch]:
    """Yield the rows that were put off, from a checkpoint on, *size* at a time; the last batch may be smaller, or empty.

    Raises: as `record_pages`.
    """
    deferred = Repositories(Tenant(record.seller_id)).bulk_imports.deferred
    row = segment.row
    while True:
        found = await deferred.waiting(record.id, from_row=row, limit=size + 1)
        page, last = found[:size], len(found) <= size
        row = page[-1].row + 1 if page else row
        records = await read_again(store, record, page)
        yield RowBatch(records, offset=segment.offset, row=row, last=last, deferred=True)
        if last:
            return


async def read_again(store: ObjectStore, record: BulkImport, rows: Sequence[ImportDeferredRow]) -> list[Record]:
    """Read rows that were put off once more; those that lie close together with one request.

    Raises: as `record_pages`.
    """
    groups: list[list[ImportDeferredRow]] = []
    for row in rows:
        if groups and row.end - groups[-1][0].offset <= _GROUP_BYTES:
            groups[-1].append(row)
        else:
            groups.append([row])
    read = await asyncio.gather(*(_range(store, record, group[0].offset, group[-1].end) for group in groups))
    records = []
    for group, data in zip(groups, read, strict=True):
        for row in group:
            reader = RecordReader(file_format(record), offset=row.offset, row=row.row)
            start = row.offset - group[0].offset
            records += reader.feed(data[start : row.end - group[0].offset])
            records += reader.finish()
    return records


async def _range(store: ObjectStore, record: BulkImport, start: int, stop: int) -> bytes:
    reading = store.read(record.source.key, etag=cast("str", record.source.etag), start=start, end=stop)
    async with aclosing(reading) as chunks:
        data = b"".join([chunk async for chunk in chunks])
    if len(data) != stop - start:
        message = f"The file of import {record.id} broke off at byte {start + len(data)} of {stop}."
        raise ObjectTruncated(message)
    return data
