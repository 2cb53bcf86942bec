"""Cutting the file of an import into segments, beside the work on those that were found already."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import cast

from core.clock import Clock
from core.tenancy import Tenant
from core.vocabulary import BulkImportMode
from models.bulk_import import BulkImport, ImportSegment, StoredPlan
from repositories.unit_of_work import Repositories, UnitOfWork
from services.csv.boundaries import Part, RecordCutter
from services.import_states import ImportLimits, file_format
from services.ports import ObjectStore

_STORED_AT_ONCE = 50
_STORED_AFTER = 0.25
"""Segments that are found are stored when they are so many, or after so many seconds; the first one at once."""

LOOK_AGAIN = timedelta(seconds=5)
"""After so long the sweep looks at an import that runs, in case that the one who was to offer the next segment has gone."""


class Planner:
    """Finds the segments of imports. Two at once do no harm: what is stored next is decided by what is stored already."""

    def __init__(self, units: UnitOfWork, store: ObjectStore, clock: Clock, limits: ImportLimits) -> None:
        self._units = units
        self._store = store
        self._clock = clock
        self._limits = limits
        self._patience = timedelta(seconds=limits.lease_seconds)

    async def plan(self, record: BulkImport, found: Callable[[BulkImport], Awaitable[None]]) -> None:
        """Cut the file of an import, from where its plan stands, and call *found* whenever segments were stored.

        Ends early when somebody else plans it too and is further, or when the import is ending.

        Raises:
            ObjectMissing: the file is gone.
            ObjectChanged: the file is not the one the import was started with.
            ObjectTruncated: the store sent less than the file has.
            Unavailable: a system did not answer.
        """
        time = asyncio.get_running_loop().time
        stored = time()
        waiting: list[Part] = []
        async with aclosing(self._parts(record)) as pieces:
            async for parts, last in pieces:
                waiting += parts
                first = record.plan is None and bool(waiting)
                if not (last or first or len(waiting) >= _STORED_AT_ONCE or time() - stored >= _STORED_AFTER):
                    continue
                planned = await self._store_next(record, waiting, last=last)
                if planned is None:
                    return
                record, waiting, stored = planned, [], time()
                await found(record)

    async def _parts(self, record: BulkImport) -> AsyncGenerator[tuple[list[Part], bool]]:
        """Yield the parts of the file behind its plan, as they are found, and whether these are the last."""
        form = file_format(record)
        size = cast("int", record.source.size)
        start, row = (form.data_offset, 1) if record.plan is None else (record.plan.offset, record.plan.row)
        limits = self._limits
        cutter = RecordCutter(form, offset=start, row=row, part_bytes=limits.segment_bytes, part_rows=limits.segment_rows)
        if start < size:
            reading = self._store.read(record.source.key, etag=cast("str", record.source.etag), start=start, end=size)
            async with aclosing(reading) as chunks:
                async for chunk in chunks:
                    # In a thread: a megabyte takes 2 ms, but one that has to be read row by row takes a hundred times as long.
                    yield await asyncio.to_thread(cutter.feed, chunk), False
        yield await asyncio.to_thread(cutter.finish), True

    async def _store_next(self, record: BulkImport, parts: Sequence[Part], *, last: bool) -> BulkImport | None:
        """Store the next segments of an import, and how far its plan is; None when it is another plan by now."""
        before = record.plan or StoredPlan(segments=0, offset=file_format(record).data_offset, row=1)
        segments = [_segment(record, before.segments + index, part) for index, part in enumerate(parts)]
        if last and record.mode is BulkImportMode.CREATE and before.segments + len(parts) > 1:
            rest = Part(cast("int", record.source.size), cast("int", record.source.size), 1, 0)
            segments.append(_segment(record, before.segments + len(parts), rest, deferred=True))
        plan = StoredPlan(
            segments=before.segments + len(segments),
            offset=parts[-1].end if parts else before.offset,
            row=parts[-1].row + parts[-1].rows if parts else before.row,
            done=last,
        )

        async def body(work: Repositories) -> BulkImport | None:
            now = self._clock.now()
            nudge_at = now + (LOOK_AGAIN if last else self._patience)
            planned = await work.bulk_imports.planned(record, plan, now, nudge_at)
            if planned is not None:
                await work.bulk_imports.segments.insert_many(segments)
            return planned

        return await self._units.run(Tenant(record.seller_id), body)


def _segment(record: BulkImport, number: int, part: Part, *, deferred: bool = False) -> ImportSegment:
    return ImportSegment(
        id=f"{record.id}:{number}",
        seller_id=record.seller_id,
        import_id=record.id,
        number=number,
        start=part.start,
        end=part.end,
        first_row=part.row,
        rows=part.rows,
        offset=part.start,
        row=part.row,
        deferred=deferred,
    )
