"""How far an import is, and when it will be done. Derived, never stored."""

from datetime import datetime, timedelta

from core.vocabulary import BulkImportStatus
from models.bulk_import import BulkImport

_ALL_ROWS = frozenset({BulkImportStatus.COMPLETED, BulkImportStatus.COMPLETED_WITH_ERRORS})


def file_size(record: BulkImport) -> int | None:
    """Return the size of the file in bytes: as it arrived, else as announced."""
    return record.declared_size if record.source.size is None else record.source.size


def progress(record: BulkImport) -> float:
    """Return how much of the file is done, 0 to 1; 1 only when all of it is."""
    if record.status in _ALL_ROWS:
        return 1.0
    size = file_size(record)
    return min(record.bytes_done / size, 0.999) if size else 0.0


def unprocessed_rows(record: BulkImport) -> int | None:
    """Return how many rows were never attempted, once that is known."""
    if record.total_rows is None or not record.status.final:
        return None
    return record.total_rows - record.counts.processed


def rows_per_second(record: BulkImport, now: datetime) -> float | None:
    """Return the pace since the start, or over the whole run once it is over."""
    if record.started_at is None:
        return None
    seconds = ((record.finished_at or now) - record.started_at).total_seconds()
    return round(record.counts.processed / seconds, 1) if seconds > 0 else None


def estimated_completion_at(record: BulkImport, now: datetime) -> datetime | None:
    """Return when the rest of the file will be done at the pace so far; None unless it runs and has a pace."""
    done = progress(record)
    if record.status is not BulkImportStatus.RUNNING or record.started_at is None or not record.counts.processed or done <= 0:
        return None
    elapsed = (now - record.started_at).total_seconds()
    return now + timedelta(seconds=elapsed * (1 - done) / done)
