"""No operation takes longer, or makes more of, than it may: whatever is still running then ends, and nothing is answered of it.

What an operation costs is worked out before it runs, from what lists hold as a rule. Here is what it comes to.
"""

import asyncio
import time
from datetime import timedelta
from typing import Any, ClassVar

from graphql import ExecutionResult, GraphQLError, OperationType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from core.errors import QueryTooComplex, ServiceError, TimedOut

MAX_OBJECTS = 5_000
"""Objects in one answer: a page of 100 customers with 49 addresses and documents each. They keep the process busy for 0.3 s."""

_LOOK_EVERY = 64
"""Objects between two looks at the clock: a timer does not run while objects are made one after the other."""

_READ = "Ask for less at once, or try again."
_CHANGED = "It may have been completed: read before you repeat it."


class _Executor(StrawberryGraphQLCoreExecutionContext):
    """Executes an operation, or an operation's selections on one event of a subscription, within `deadline`.

    The time between two events is nobody's work, and has no deadline. A resolver is cancelled where it waits; the
    transactions of the unit of work are shielded and run on to their own limit.
    """

    deadline: ClassVar[timedelta]
    _objects = 0
    _ends = 0.0
    _stopped: ServiceError | None = None

    def execute_operation(self, serially: bool | None = None) -> Any:  # noqa: FBT001  graphql-core's signature
        """Return the result, or what will become it."""
        self._objects, self._stopped = 0, None
        self._ends = time.monotonic() + self.deadline.total_seconds()
        result = super().execute_operation(serially)
        return self._in_time(result) if self.is_awaitable(result) else self._unless_stopped(result)

    def complete_object_value(self, *args: Any, **kwargs: Any) -> Any:
        """Make one object of the answer, if it is not one too many or too late."""
        self._objects += 1
        if self._objects > MAX_OBJECTS:
            self._stopped = QueryTooComplex(
                f"The answer would have more than {MAX_OBJECTS:,} objects. Ask for smaller pages (first), or for less of each "
                f"item.{self._perhaps_done()}"
            )
        elif self._objects % _LOOK_EVERY == 0 and time.monotonic() > self._ends:
            self._stopped = self._late()
        if self._stopped is not None:
            raise self._stopped
        return super().complete_object_value(*args, **kwargs)

    async def _in_time(self, result: Any) -> Any:
        patience = asyncio.timeout(self.deadline.total_seconds())
        try:
            async with patience:
                return self._unless_stopped(await result)
        except TimeoutError:
            if not patience.expired():
                raise
        return _nothing_but(self._late())

    def _unless_stopped(self, result: Any) -> Any:
        return result if self._stopped is None else _nothing_but(self._stopped)

    def _late(self) -> TimedOut:
        what_to_do = self._perhaps_done() or f" {_READ}"
        return TimedOut(f"This took longer than {self.deadline.total_seconds():g} seconds.{what_to_do}")

    def _perhaps_done(self) -> str:
        return f" {_CHANGED}" if self.operation.operation is OperationType.MUTATION else ""


def _nothing_but(error: ServiceError) -> ExecutionResult:
    return ExecutionResult(None, [GraphQLError(str(error), original_error=error)])


def executor_within(deadline: timedelta) -> type[StrawberryGraphQLCoreExecutionContext]:
    """Return the class that executes operations within *deadline*, for a schema's ``execution_context_class``."""
    return type("Executor", (_Executor,), {"deadline": deadline})
