"""How an operation is executed, on whatever wire it came: what happens around it, and what clients learn of errors."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import graphql.validation.rules.overlapping_fields_can_be_merged as overlapping
import strawberry
from graphql import GraphQLError
from strawberry.extensions import ParserCache, SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import StreamResult
from strawberry.types.execution import ExecutionResult
from strawberry.types.graphql import OperationType

from app.graphql.errors import published
from app.graphql.extensions import CachedValidation, OneAuthMutation, OneContextPerOperation, OneOperation, ParseLimits
from schema.context import Context

# graphql-core's own 500,000 lets a 2 KB document cost half a second; with this it is 60 ms, and 60 fields still pass.
overlapping.MAX_COMPLEXITY_BUDGET = 20_000

_CACHED_DOCUMENTS = 1000
_STREAMED = (OperationType.QUERY, OperationType.SUBSCRIPTION)

EXTENSIONS: Sequence[type[SchemaExtension] | Callable[[], SchemaExtension]] = (
    OneContextPerOperation,
    ParseLimits,
    lambda: ParserCache(maxsize=_CACHED_DOCUMENTS),
    OneAuthMutation,
    OneOperation,
    lambda: CachedValidation(maxsize=_CACHED_DOCUMENTS),
)
"""What happens around every operation. The order matters: what refuses a document comes before its validation."""

R = TypeVar("R")


class Schema(strawberry.Schema):
    """The schema, which publishes errors in its own way: see `app.graphql.errors`."""

    def process_errors(self, *_: object, **__: object) -> None:
        """Log nothing here: Strawberry's own way prints sources and values."""

    async def execute(self, *args: Any, **kwargs: Any) -> ExecutionResult:
        """Execute a query or a mutation."""
        result = await super().execute(*args, **kwargs)
        return _publish(result, kwargs["context_value"])

    async def stream(self, *args: Any, **kwargs: Any) -> StreamResult:
        """Execute a query or a subscription as a stream of results; a mutation is refused, it is for POST."""
        kwargs["allowed_operation_types"] = _STREAMED
        return _published_stream(await super().stream(*args, **kwargs), kwargs["context_value"])


async def _published_stream(source: Any, context: Context) -> AsyncGenerator[Any, None]:
    async with aclosing(source):
        async for result in source:
            yield _publish(result, context)


def _publish(result: R, context: Context) -> R:
    errors = getattr(result, "errors", None)
    if errors:
        result.errors = published([_understandable(error) for error in errors], context.request_id)  # type: ignore[attr-defined]  # it has errors
    return result


def _understandable(error: GraphQLError) -> GraphQLError:
    """Say in words what Strawberry says by a type of its own, which would pass for a fault of ours."""
    if isinstance(error.original_error, InvalidOperationTypeError):
        return GraphQLError("Mutations do not run here. Send them by POST to the same address.")
    if isinstance(error.original_error, CannotGetOperationTypeError):
        return GraphQLError("The document has no operation with this name. Say which one to run with operationName.")
    return error
