"""What is planned for customers that are no longer needed, and what keeps them all the same, as clients see it."""

from datetime import datetime
from typing import Self

import strawberry

from models import customer as models


@strawberry.type(description="That a customer has been inactive for as long as its seller keeps such: see docs/retention.md.")
class CustomerRetention:
    flagged_at: datetime = strawberry.field(description="When it was found to be inactive.")
    due_at: datetime = strawberry.field(description="When it is going to be anonymised, unless it becomes active before.")

    @classmethod
    def of(cls, record: models.Customer) -> Self | None:
        """Return what is planned for a stored customer."""
        flagged_at, due_at = record.retention_flagged_at, record.retention_due_at
        return None if flagged_at is None or due_at is None else cls(flagged_at=flagged_at, due_at=due_at)


@strawberry.type(
    description="That nothing of a customer may be destroyed: it is neither anonymised nor erased, and keeps its files. Needs "
    "`legal_hold`; not for customers."
)
class LegalHold:
    since: datetime = strawberry.field(description="Since when.")
    by: str | None = strawberry.field(description="Who said so last: `operator:ada`.")
    reason: str | None = strawberry.field(description="Why; null for callers with `customers:read_masked` only.")

    @classmethod
    def of(cls, record: models.Customer) -> Self | None:
        """Return the hold of a stored customer."""
        if record.legal_hold_at is None:
            return None
        return cls(since=record.legal_hold_at, by=record.legal_hold_by, reason=record.legal_hold_reason)
