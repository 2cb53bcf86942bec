"""The GraphQL schema, put together."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import graphql.validation.rules.overlapping_fields_can_be_merged as overlapping
import strawberry
from graphql import GraphQLArgument, GraphQLError, GraphQLInputField, GraphQLInputObjectType, GraphQLObjectType, Undefined
from strawberry.extensions import ParserCache, SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import StreamResult
from strawberry.types.execution import ExecutionResult
from strawberry.types.graphql import OperationType

from app.graphql_extensions import CachedValidation, OneAuthMutation, OneContextPerOperation, OneOperation, ParseLimits
from app.public_errors import published
from resolvers.address import AddressMutation, AddressQuery
from resolvers.bulk_import import BulkImportMutation, BulkImportQuery
from resolvers.customer import CustomerMutation, CustomerQuery
from resolvers.document import DocumentMutation, DocumentQuery
from resolvers.node import NodeQuery
from resolvers.session import SessionMutation, SessionQuery
from schema.context import Context
from schema.scalars import SCALARS
from subscriptions.bulk_import import BulkImportSubscription

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
    """The schema, which publishes errors in its own way: see `app.public_errors`."""

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


class DuplicateField(Exception):
    """Two features claim the same root field; inheritance would silently prefer one of them."""


def root(name: str, description: str, *parts: type) -> type:
    """Join the root fields of all features.

    Raises:
        DuplicateField: naming the field and both features.
    """
    owners: dict[str, str] = {}
    for part in parts:
        for field in part.__strawberry_definition__.fields:  # type: ignore[attr-defined]  # every part is a Strawberry type
            if earlier := owners.setdefault(field.name, part.__name__) != part.__name__:
                message = f"{part.__name__} and another feature both define {field.name}: {earlier}"
                raise DuplicateField(message)
    return strawberry.type(type(name, parts, {}), name=name, description=description)


def build_schema() -> Schema:
    """Return the schema of this service."""
    schema = Schema(
        query=root(
            "Query",
            "Everything that can be read.",
            NodeQuery,
            CustomerQuery,
            AddressQuery,
            DocumentQuery,
            BulkImportQuery,
            SessionQuery,
        ),
        mutation=root(
            "Mutation",
            "Everything that can be changed. A mutation reports all its problems at once as userErrors, and changes nothing "
            "when there is one.",
            CustomerMutation,
            AddressMutation,
            DocumentMutation,
            BulkImportMutation,
            SessionMutation,
        ),
        subscription=root("Subscription", "Everything that can be followed live.", BulkImportSubscription),
        extensions=EXTENSIONS,
        config=StrawberryConfig(scalar_map=dict(SCALARS), disable_field_suggestions=True),
    )
    _forget_null_defaults(schema)
    return schema


def _forget_null_defaults(schema: Schema) -> None:
    """Leave "= null" out of the schema: Python's None as a default means that nothing was given, which needs no default."""
    for type_ in schema._schema.type_map.values():  # noqa: SLF001  Strawberry has no public way to the schema it builds
        if isinstance(type_, GraphQLInputObjectType):
            inputs: list[GraphQLArgument | GraphQLInputField] = list(type_.fields.values())
        elif isinstance(type_, GraphQLObjectType):
            inputs = [argument for field in type_.fields.values() for argument in field.args.values()]
        else:
            continue
        for one in inputs:
            if one.default_value is None:
                one.default_value = Undefined
