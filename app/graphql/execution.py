"""How an operation is executed, on whatever wire it came: what happens around it, and what clients learn of errors."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, TypeVar, cast

import graphql
import graphql.validation.rules.overlapping_fields_can_be_merged as overlapping
import strawberry.federation
import structlog
from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import StreamResult
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from app.graphql.bounded_execution import executor_within
from app.graphql.compilation import declare_for_compiler
from app.graphql.errors import published
from app.graphql.extensions import Gate, OneContextPerOperation, note_operation, refused, spend
from app.graphql.input_reading import read_inputs_quickly
from app.graphql.introspection import is_open
from app.graphql.quotas import Quotas
from app.graphql.rules import OperationRules
from app.graphql.screened import Ready, ScreenedDocuments
from app.graphql.together import Together
from core.errors import ServiceError
from core.request_facts import CURRENT
from schema.context import Context

# graphql-core's own 500,000 lets a 2 KB document cost half a second; with this it is 60 ms, and 60 fields still pass.
overlapping.MAX_COMPLEXITY_BUDGET = 20_000

_STREAMED = (OperationType.QUERY, OperationType.SUBSCRIPTION)
_DEVELOPMENT = OperationRules()
_ORDINARY = frozenset({"variable_values", "context_value", "operation_name", "allowed_operation_types"})

R = TypeVar("R")


class Schema(strawberry.federation.Schema):
    """The schema, which lets operations through by *rules*, and publishes errors in its own way: see `app.graphql.errors`."""

    def __init__(self, *args: Any, rules: OperationRules = _DEVELOPMENT, **kwargs: Any) -> None:
        # Factories: Strawberry makes new ones for each operation.
        kwargs["extensions"] = (OneContextPerOperation, self._gate)
        kwargs["execution_context_class"] = executor_within(rules.deadline)
        super().__init__(*args, **kwargs)
        declare_for_compiler(self)
        read_inputs_quickly(self)
        self._rules = rules
        self._documents = ScreenedDocuments(self._schema)
        self._together = Together(rules)
        self.quotas = Quotas(rules.seller_points, rules.seller_points_per_second)

    def _gate(self) -> Gate:
        return Gate(self._rules, self._documents, self.quotas)

    def process_errors(self, *_: object, **__: object) -> None:
        """Log nothing here: Strawberry's own way prints sources and values."""

    async def execute(self, query: str | None, **kwargs: Any) -> ExecutionResult:  # type: ignore[override]  # as it is called here
        """Execute a query or a mutation."""
        context: Context = kwargs["context_value"]
        operation = kwargs.get("operation_name")
        ready = self._ready(query, operation, kwargs)
        if ready is None:
            result = await super().execute(query, **kwargs)
        else:
            result = await self._straight(ready, context.for_operation(), kwargs.get("variable_values"))
        return self._publish(result, context, operation)

    def _ready(self, query: str | None, name: str | None, given: Mapping[str, Any]) -> Ready | None:
        """Return the operation, if nothing of it has to be looked at before it is executed, and nothing is special about it."""
        known = None if query is None or not given.keys() <= _ORDINARY else self._documents.find(query)
        ready = None if known is None else known.ready(name)
        allowed = given.get("allowed_operation_types")
        return None if ready is None or (allowed is not None and ready.type not in allowed) else ready

    async def _straight(self, ready: Ready, context: Context, variables: dict[str, Any] | None) -> ExecutionResult:
        """Execute an operation that is known.

        What `OneContextPerOperation` and `Gate` do around it is done here, without Strawberry's machinery for extensions,
        which makes context managers out of each hook of each: 250 of the 1,000 microseconds that Q1 took.
        """
        facts = CURRENT.get()
        # Whatever is logged of a request has its id from there; one of a socket's operations has nobody else to say it.
        alone = facts is None or facts.request_id != context.request_id
        if alone:
            structlog.contextvars.bind_contextvars(request_id=context.request_id)
        try:
            note_operation(ready.label)
            try:
                spent = spend(self.quotas, context, ready.cost, variables)
            except ServiceError as error:
                return PreExecutionError(data=None, errors=[refused(error)])
            if ready.type is OperationType.QUERY:
                result = await self._together.execute(ready.compilation, context, variables)
            else:
                # What is ready is compiled, so that there is a result.
                result = cast("graphql.ExecutionResult", await ready.compilation.execute(self._rules, context, variables))
            return ExecutionResult(result.data, result.errors, spent.told(self.quotas))
        except Exception as error:  # noqa: BLE001  as Strawberry does with whatever comes out of an execution
            told = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
            return PreExecutionError(data=None, errors=[told])
        finally:
            # An executor refers to itself, and so to all that was loaded, until Python looks for circles.
            context.forget_loaded()
            if alone:
                structlog.contextvars.unbind_contextvars("request_id")

    async def stream(self, *args: Any, **kwargs: Any) -> StreamResult:
        """Execute a query or a subscription as a stream of results; a mutation is refused, it is for POST."""
        kwargs["allowed_operation_types"] = _STREAMED
        source = await super().stream(*args, **kwargs)
        return self._published_stream(source, kwargs["context_value"], kwargs.get("operation_name"))

    async def _published_stream(self, source: Any, context: Context, operation: str | None) -> AsyncGenerator[Any, None]:
        async with aclosing(source):
            async for result in source:
                yield self._publish(result, context, operation)

    def _publish(self, result: R, context: Context, operation: str | None) -> R:
        errors = getattr(result, "errors", None)
        if errors:
            result.errors = published(  # type: ignore[attr-defined]  # it has errors
                [_understandable(error) for error in errors],
                context.request_id,
                hints=is_open(context.principal, to_everybody=self._rules.open_introspection),
                operation=operation,
            )
        return result


def _understandable(error: GraphQLError) -> GraphQLError:
    """Say in words what Strawberry says by a type of its own, which would pass for a fault of ours."""
    if isinstance(error.original_error, InvalidOperationTypeError):
        return GraphQLError("Mutations do not run here. Send them by POST to the same address.")
    if isinstance(error.original_error, CannotGetOperationTypeError):
        return GraphQLError("The document has no operation with this name. Say which one to run with operationName.")
    return error
