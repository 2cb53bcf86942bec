"""Expected refusals, as data."""

from typing import Self

import strawberry

from core.errors import Problem
from schema.enums import ErrorCode


@strawberry.type(description="One reason why a mutation changed nothing. A mutation reports all of them at once.")
class UserError:
    code: ErrorCode = strawberry.field(description="Why, for programs.")
    message: str = strawberry.field(description="Why, and what to do about it, for people.")
    field: list[str] | None = strawberry.field(
        description='Path into the input, such as `["addresses", "0", "postalCode"]`; null when it is about the whole input.'
    )
    current_version: int | None = strawberry.field(description="With CONFLICT: the version it has now.")
    merged_into: strawberry.ID | None = strawberry.field(
        description="With MERGED: the customer that goes on in the place of the one you meant."
    )

    @classmethod
    def from_problem(cls, problem: Problem) -> Self:
        """Return the error that tells of one problem."""
        return cls(
            code=problem.code,
            message=problem.message,
            field=list(problem.field) or None,
            current_version=problem.current_version,
            merged_into=None if problem.merged_into is None else strawberry.ID(problem.merged_into),
        )
