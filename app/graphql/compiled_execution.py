"""The executor that operations take when they can be compiled; how many cannot, and why, is counted."""

from collections.abc import Sequence
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLSchema, OperationType
from prometheus_client import Counter
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from app.graphql.bounded_execution import Bounds
from app.graphql.rules import OperationRules
from compiled_graphql.contract import Unsupported
from compiled_graphql.operation import Call, CompiledOperation

_FALLBACKS = Counter("graphql_fallback", "Operations left to the reference executor, by reason.", ["reason"])


class Compilation:
    """One operation, compiled, or the reason why it cannot be."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> None:
        self._operation: CompiledOperation | None = None
        self._reason = ""
        try:
            self._operation = CompiledOperation(schema, document, name)
        except Unsupported as unsupported:
            self._reason = unsupported.reason

    def call(self, variables: dict[str, Any] | None) -> Call | None:
        """Return the operation, asked with these *variables*, as it can be executed with others; None when it cannot."""
        return None if self._operation is None else self._operation.call(variables)

    @property
    def type(self) -> OperationType | None:
        """What kind of operation it is; None when it is left to the reference executor."""
        return None if self._operation is None else self._operation.type

    async def execute(
        self,
        rules: OperationRules,
        context: object,
        variables: dict[str, Any] | None,
        *,
        root_value: object = None,
        extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult | None:
        """Return the result of the operation; None when the reference executor has to execute it."""
        if self._operation is None:
            _FALLBACKS.labels(self._reason).inc()
            return None
        bounds = Bounds(rules.deadline, self._operation.type)
        return await bounds.within(self._operation.execute(root_value, context, variables, watch=bounds, **_how(extensions)))

    async def execute_within(self, bounds: Bounds, context: object, variables: dict[str, Any] | None) -> ExecutionResult:
        """Return the result of an operation that can be executed here, inside of bounds that are watched already."""
        return await self._compiled().execute(None, context, variables, watch=bounds, **_how(None))

    async def execute_together(self, bounds: Bounds, context: object, calls: Sequence[Call]) -> list[Any] | None:
        """Return the data of several calls that are alike; None when each has to be executed by itself."""
        return await self._compiled().execute_together(calls, None, context, watch=bounds, **_how(None))

    def _compiled(self) -> CompiledOperation:
        if self._operation is None:
            raise Unsupported(self._reason)
        return self._operation


def _how(extensions: dict[str, Any] | None) -> dict[str, Any]:
    """Return what every execution is given."""
    return {
        "executor_class": StrawberryGraphQLCoreExecutionContext,
        "is_awaitable": optimized_is_awaitable,
        "operation_extensions": extensions,
    }
