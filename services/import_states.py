"""From one state of an import to the next: what is stored at each step. Shared by the service and the worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from core.clock import Clock
from core.tenancy import Tenant
from core.vocabulary import BulkImportStatus
from models.bulk_import import BulkImport, ImportSegment, RowCounts, SourceFormat, StoredFailure
from repositories.unit_of_work import Repositories, UnitOfWork
from services.csv.dialect import Encoding, FileFormat

UNFINISHED = tuple(status for status in BulkImportStatus if not status.final)

OFFER_LIFETIME = timedelta(minutes=5)
"""How long a message may wait in the queue before the sweep sends another one."""

UPLOAD_MARGIN = timedelta(minutes=15)
"""An upload that began before its URL expired may end later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLimits:
    """How imports are worked through.

    The largest file in bytes, rows per transaction, pieces of work in flight per worker, seconds that a lease outlives its
    last heartbeat, and how often a segment may end its worker without any progress before its import is given up.
    """

    max_bytes: int = 1 << 30
    batch_size: int = 100
    max_workers: int = 5
    lease_seconds: float = 10.0
    max_attempts: int = 5


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


def segments_of(record: BulkImport, now: datetime) -> list[ImportSegment]:
    """Cut an import that has been started into segments: so far, one for the whole file."""
    start = file_format(record).data_offset
    number = 0
    return [
        ImportSegment(
            id=f"{record.id}:{number}",
            seller_id=record.seller_id,
            import_id=record.id,
            number=number,
            start=start,
            end=cast("int", record.source.size),
            offset=start,
            row=1,
            leased_until=now + OFFER_LIFETIME,
        )
    ]


def sums(segments: Sequence[ImportSegment]) -> tuple[RowCounts, int]:
    """Return what became of all rows so far, and how many bytes of the file they were."""
    totals = {name: sum(getattr(one.counts, name) for one in segments) for name in RowCounts.model_fields}
    header = min((one.start for one in segments), default=0)
    return RowCounts(**totals), header + sum(one.offset - one.start for one in segments)


async def end_early(
    units: UnitOfWork, record: BulkImport, status: BulkImportStatus, clock: Clock, failure: StoredFailure | None = None
) -> BulkImport | None:
    """End an import before its last row; None when it is over already.

    A batch of rows that is under way is either counted, or changes nothing. The reports are still to be written: that is what
    `nudge_at` says in a final state.
    """
    tenant = Tenant(record.seller_id)
    for segment in await Repositories(tenant).bulk_imports.segments.of_import(record.id):
        if not segment.done and segment.session is not None:
            # What is under way is rolled back rather than waited for: its worker may be dead.
            await units.abort(segment.session)

    async def body(work: Repositories) -> BulkImport | None:
        imports = work.bulk_imports
        await imports.segments.close(record.id)
        counts, done = sums(await imports.segments.of_import(record.id))
        at = clock.now()
        values = {
            "status": status,
            "counts": counts.model_dump(),
            "bytes_done": done,
            "failure": None if failure is None else failure.model_dump(),
            "nudge_at": at,
            "finished_at": at,
        }
        return await imports.move(record.id, UNFINISHED, at, values)

    return await units.run(tenant, body)
