"""No operation takes longer than it may: whatever is still running then is cancelled, and the answer is TIMEOUT."""

import asyncio
from datetime import timedelta
from typing import Any, ClassVar

from graphql import ExecutionResult, GraphQLError, OperationType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from core.errors import TimedOut

_READ = "Ask for less at once, or try again."
_CHANGED = "It may have been completed: read before you repeat it."


class _Executor(StrawberryGraphQLCoreExecutionContext):
    """Executes an operation, or an operation's selections on one event of a subscription, within `deadline`.

    The time between two events is nobody's work, and has no deadline. A resolver is cancelled where it waits; the
    transactions of the unit of work are shielded and run on to their own limit.
    """

    deadline: ClassVar[timedelta]

    def execute_operation(self, serially: bool | None = None) -> Any:  # noqa: FBT001  graphql-core's signature
        """Return the result, or what will become it."""
        result = super().execute_operation(serially)
        return self._in_time(result) if self.is_awaitable(result) else result

    async def _in_time(self, result: Any) -> Any:
        patience = asyncio.timeout(self.deadline.total_seconds())
        try:
            async with patience:
                return await result
        except TimeoutError:
            if not patience.expired():
                raise
        changed = self.operation.operation is OperationType.MUTATION
        late = TimedOut(f"This took longer than {self.deadline.total_seconds():g} seconds. {_CHANGED if changed else _READ}")
        return ExecutionResult(None, [GraphQLError(str(late), original_error=late)])


def executor_within(deadline: timedelta) -> type[StrawberryGraphQLCoreExecutionContext]:
    """Return the class that executes operations within *deadline*, for a schema's ``execution_context_class``."""
    return type("Executor", (_Executor,), {"deadline": deadline})
