"""Who may be the same person as a customer, as clients see it."""

from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from schema.context import Info
from schema.enums import DuplicateReason
from schema.rows import shown
from services.duplicates import PossibleDuplicate as Found

if TYPE_CHECKING:
    from schema.customer import Customer


@strawberry.type(
    description="A customer that may be the same person as another one. Needs `customers:read`: it is found by what masked "
    "readers do not see."
)
class PossibleDuplicate:
    customer: Annotated["Customer", strawberry.lazy("schema.customer")] = strawberry.field(description="The other customer.")
    score: float = strawberry.field(
        description="How likely the two are one, from 0 to 1; what is below 0.5 is not listed. docs/merging.md has the weights."
    )
    reasons: list[DuplicateReason] = strawberry.field(description="What speaks for it.")

    @classmethod
    def of(cls, found: Found, info: Info) -> Self:
        """Return a possible duplicate as clients see it."""
        return cls(customer=shown(found.customer, info), score=found.score, reasons=list(found.reasons))
