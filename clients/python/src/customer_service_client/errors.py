"""What can go wrong.

CustomerServiceError
├── Unreachable      no answer came, or none that can be understood
└── Refused          the service said no, and why
├── NotFound     there is no such thing, or not for you
└── Conflict     somebody else changed it first
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class CustomerServiceError(Exception):
    """Base of everything this package raises."""


class Unreachable(CustomerServiceError):
    """No answer came, or none that can be understood. What was asked for may have happened all the same."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One reason for a refusal: why, for programs and for people, and what it is about."""

    code: str
    message: str
    field: tuple[str, ...] = ()


class Refused(CustomerServiceError):
    """The service said no, and changed nothing. `code` is for programs; `request_id` is what to mention when asking why."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or f"Customer Service answered {status}."))
        self.status = status
        self.code = str(problem.get("code") or status)
        self.request_id: str | None = problem.get("requestId")
        self.errors = tuple(
            FieldError(str(one.get("code")), str(one.get("message")), tuple(one.get("field") or ()))
            for one in problem.get("errors") or ()
        )


class NotFound(Refused):
    """There is no such customer, or none that your token may see."""


class Conflict(Refused):
    """Somebody else changed it first. Read it again, and decide again."""
