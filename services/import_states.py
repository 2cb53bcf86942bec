"""From one state of an import to the next: what is stored at each step. Shared by the service and the worker."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from core.clock import Clock
from core.tenancy import Tenant
from core.vocabulary import BulkImportStatus
from models.bulk_import import BulkImport, RowCounts, SourceFormat, StoredEnding, StoredFailure
from repositories.bulk_import import BulkImportRepository
from repositories.unit_of_work import Repositories, UnitOfWork
from services.csv.dialect import Encoding, FileFormat

UNFINISHED = tuple(status for status in BulkImportStatus if not status.final)

OFFER_LIFETIME = timedelta(minutes=5)
"""How long a message may wait in the queue before the sweep sends another one."""

ENDING_PATIENCE = timedelta(seconds=5)
"""After so long the sweep carries on with the end of an import whose ender has gone."""

SEGMENT_BYTES = 1 << 20
SEGMENT_ROWS = 5_000
"""Where segments are cut, whichever comes first: some seconds of work, so that what a dead worker had in hand is soon taken up,
and a gigabyte is a thousand or two, whose sums the database adds up in milliseconds."""

WINDOW = 10
"""How many segments of an import wait in the queue at most, in front of whoever comes after it."""

_ABORT_SECONDS = 0.2

UPLOAD_MARGIN = timedelta(minutes=15)
"""An upload that began before its URL expired may end later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLimits:
    """How imports are worked through.

    The largest file in bytes, rows per transaction, pieces of work in flight per worker, seconds that a lease outlives its
    last heartbeat, how often a segment may end its worker without any progress before its import is given up, and where
    segments are cut.
    """

    max_bytes: int = 1 << 30
    batch_size: int = 100
    max_workers: int = 5
    lease_seconds: float = 10.0
    max_attempts: int = 5
    segment_bytes: int = SEGMENT_BYTES
    segment_rows: int = SEGMENT_ROWS


def stored_format(found: FileFormat) -> SourceFormat:
    """Return a format as it is stored."""
    return SourceFormat(
        encoding=found.encoding,
        bom_bytes=found.bom_bytes,
        delimiter=found.delimiter,
        header=list(found.header),
        data_offset=found.data_offset,
        newline=found.newline,
    )


def file_format(record: BulkImport) -> FileFormat:
    """Return the format of an import that has been started."""
    stored = cast("SourceFormat", record.format)
    return FileFormat(
        encoding=cast("Encoding", stored.encoding),
        bom_bytes=stored.bom_bytes,
        delimiter=stored.delimiter,
        header=tuple(stored.header),
        data_offset=stored.data_offset,
        newline=stored.newline,
    )


async def sums(imports: BulkImportRepository, record: BulkImport, *, settled: bool = False) -> tuple[RowCounts, int]:
    """Return what became of all rows so far, and how many bytes are done with; *settled* when nothing moves any more."""
    found = await imports.segments.sums(record.id, settled=settled)
    header = 0 if record.plan is None else file_format(record).data_offset
    return found.counts, header + found.bytes_done


async def end_early(
    units: UnitOfWork, record: BulkImport, status: BulkImportStatus, clock: Clock, failure: StoredFailure | None = None
) -> BulkImport | None:
    """End an import before its last row; None when it is over already, or somebody else ended it, in whichever way.

    A batch of rows that is under way is either counted, or changes nothing. The reports are still to be written: that is what
    `nudge_at` says in a final state. Whoever dies in between leaves an import with an `ending`, for anybody to call this again.
    """
    imports = Repositories(Tenant(record.seller_id)).bulk_imports
    now = clock.now()
    ending = StoredEnding(status=status, failure=failure)
    begun = await imports.begin_ending(record.id, UNFINISHED, now, ending, now + ENDING_PATIENCE)
    if begun is None or begun.ending is None:
        return None
    await _close(units, imports, record.id)
    counts, done = await sums(imports, begun, settled=True)
    at = clock.now()
    values = {
        "status": begun.ending.status,
        "counts": counts.model_dump(),
        "bytes_done": done,
        "failure": None if begun.ending.failure is None else begun.ending.failure.model_dump(),
        "nudge_at": at,
        "finished_at": at,
    }
    ended = await imports.move(record.id, UNFINISHED, at, values)
    return ended if begun.ending == ending else None


async def _close(units: UnitOfWork, imports: BulkImportRepository, import_id: str) -> None:
    """End all work on the segments of an import.

    Not in a transaction: every batch that commits meanwhile would send it back to its start. What is under way is rolled back
    rather than waited for, again and again until all are closed: its worker may be dead, or about to begin its next batch.
    """
    closing = asyncio.ensure_future(imports.segments.close(import_id))
    try:
        while True:
            for session in await imports.segments.sessions(import_id):
                await units.abort(session)
            await asyncio.wait({closing}, timeout=_ABORT_SECONDS)
            if closing.done():
                break
        closing.result()
    finally:
        closing.cancel()
