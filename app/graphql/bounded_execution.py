"""No operation takes longer, or makes more of, than it may: whatever is still running then ends, and nothing is answered of it.

What an operation costs is worked out before it runs, from what lists hold as a rule. Here is what it comes to.
"""

import asyncio
import time
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from graphql import ExecutionResult, GraphQLError, OperationType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from app.graphql.shared_events import SharedEvents
from core.errors import QueryTooComplex, ServiceError, TimedOut

T = TypeVar("T")

MAX_OBJECTS = 5_000
"""Objects in one answer: a page of 100 customers with 49 addresses and documents each. They keep the process busy for 0.3 s."""

_LOOK_EVERY = 64
"""Objects between two looks at the clock: a timer does not run while objects are made one after the other."""

_READ = "Ask for less at once, or try again."
_CHANGED = "It may have been completed: read before you repeat it."


class Bounds:
    """How long one execution may take, and how much it may make. Counts for either executor, from the moment it is made."""

    def __init__(self, deadline: timedelta, operation: OperationType, begun: float | None = None) -> None:
        """Begin to count now, or at a moment of the monotonic clock."""
        self._seconds = deadline.total_seconds()
        self._ends = (time.monotonic() if begun is None else begun) + self._seconds
        self._perhaps_done = f" {_CHANGED}" if operation is OperationType.MUTATION else ""
        self._objects = 0
        self._stopped: ServiceError | None = None

    def count(self, objects: int) -> None:
        """Take note that so many more objects are about to be made.

        Raises:
            QueryTooComplex: they are more than there may be.
            TimedOut: it is too late for them.
        """
        before, self._objects = self._objects, self._objects + objects
        if self._objects > MAX_OBJECTS:
            self._stopped = QueryTooComplex(
                f"The answer would have more than {MAX_OBJECTS:,} objects. Ask for smaller pages (first), or for less of each "
                f"item.{self._perhaps_done}"
            )
        if self._stopped is not None:
            raise self._stopped
        if before // _LOOK_EVERY != self._objects // _LOOK_EVERY:
            self.look()

    def look(self) -> None:
        """Look at the clock.

        Raises:
            TimedOut: it is too late to go on.
        """
        if self._stopped is None and time.monotonic() > self._ends:
            self._stopped = self._late()
        if self._stopped is not None:
            raise self._stopped

    async def within(self, execution: Awaitable[ExecutionResult]) -> ExecutionResult:
        """Return the result of an execution, or that it was stopped."""
        try:
            return self.unless_stopped(await self.enforced(execution))
        except (QueryTooComplex, TimedOut) as error:
            if error is not self._stopped:
                raise
            return nothing_but(error)

    async def enforced(self, execution: Awaitable[T]) -> T:
        """Return what an execution returns.

        Raises:
            QueryTooComplex: it would make more than there may be.
            TimedOut: it takes too long.
        """
        patience = asyncio.timeout(max(0.0, self._ends - time.monotonic()))
        try:
            async with patience:
                return await execution
        except TimeoutError:
            if not patience.expired():
                raise
        self._stopped = self._late()
        raise self._stopped

    def unless_stopped(self, result: ExecutionResult) -> ExecutionResult:
        """Return a result, or that its execution was stopped, whatever it has become."""
        return result if self._stopped is None else nothing_but(self._stopped)

    def _late(self) -> TimedOut:
        return TimedOut(f"This took longer than {self._seconds:g} seconds.{self._perhaps_done or f' {_READ}'}")


class _Executor(StrawberryGraphQLCoreExecutionContext):
    """Executes an operation, or an operation's selections on one event of a subscription, within `deadline`.

    The time between two events is nobody's work, and has no deadline. A resolver is cancelled where it waits; the
    transactions of the unit of work are shielded and run on to their own limit.
    """

    deadline: ClassVar[timedelta]
    shared: ClassVar[SharedEvents]
    _bounds: Bounds

    def execute_operation(self, serially: bool | None = None) -> Any:  # noqa: FBT001  graphql-core's signature
        """Return the result, or what will become it."""
        if (made := self.shared.find(self)) is not None:
            return ExecutionResult(made, None)
        self._bounds = Bounds(self.deadline, self.operation.operation)
        result: Any = super().execute_operation(serially)
        if self.is_awaitable(result):
            return self._bounds.within(result)
        told = self._bounds.unless_stopped(result)
        if not told.errors:
            told.data = self.shared.keep(self, told.data)
        return told

    def complete_object_value(self, *args: Any, **kwargs: Any) -> Any:
        """Make one object of the answer, if it is not one too many or too late."""
        self._bounds.count(1)
        return super().complete_object_value(*args, **kwargs)


def nothing_but(error: ServiceError) -> ExecutionResult:
    """Return the result of an execution that was stopped."""
    return ExecutionResult(None, [GraphQLError(str(error), original_error=error)])


def executor_within(deadline: timedelta) -> type[StrawberryGraphQLCoreExecutionContext]:
    """Return the class that executes operations within *deadline*, for a schema's ``execution_context_class``."""
    return type("Executor", (_Executor,), {"deadline": deadline, "shared": SharedEvents()})
