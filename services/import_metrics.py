"""What is counted of the rows of imports, once they are in the database."""

from prometheus_client import Counter

from models.bulk_import import RowCounts

_ROWS = Counter("import_rows", "Rows of imports, by what became of them.", ["outcome"])
_OUTCOMES = ("created", "updated", "unchanged", "failed")


def note_rows(before: RowCounts, after: RowCounts) -> None:
    """Count what was written between two checkpoints of a segment."""
    for outcome in _OUTCOMES:
        done = getattr(after, outcome) - getattr(before, outcome)
        if done > 0:
            _ROWS.labels(outcome).inc(done)
