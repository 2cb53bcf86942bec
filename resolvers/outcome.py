"""How a refusal becomes part of a mutation's answer."""

from collections.abc import Awaitable
from typing import TypeVar

from core.errors import Refused
from schema.user_error import UserError

T = TypeVar("T")


async def attempt(call: Awaitable[T]) -> tuple[T | None, list[UserError]]:
    """Await a service call: its result and no errors, or no result and every reason why."""
    try:
        return await call, []
    except Refused as refusal:
        return None, [UserError.from_problem(problem) for problem in refusal.problems]
