"""The GraphQL schema, put together."""

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_specified_directive,
    is_specified_scalar_type,
)
from strawberry.schema.config import StrawberryConfig

from app.graphql.execution import Schema
from app.graphql.one_of import declare_one_of
from app.graphql.rules import OperationRules
from resolvers.address import AddressMutation, AddressQuery
from resolvers.bulk_import import BulkImportMutation, BulkImportQuery
from resolvers.consent import ConsentMutation
from resolvers.customer import CustomerMutation, CustomerQuery
from resolvers.data_export import DataExportMutation, DataExportQuery
from resolvers.document import DocumentMutation, DocumentQuery
from resolvers.entity import EntityQuery
from resolvers.erasure import ErasureMutation, ErasureQuery
from resolvers.merging import MergingMutation, MergingQuery
from resolvers.node import NodeQuery
from resolvers.retention import RetentionMutation
from resolvers.session import SessionMutation, SessionQuery
from schema.entity import FEDERATION_SCALARS
from schema.scalars import SCALARS
from subscriptions.bulk_import import BulkImportSubscription
from subscriptions.customer import CustomerSubscription

_DEVELOPMENT = OperationRules()


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
            if (earlier := owners.setdefault(field.name, part.__name__)) != part.__name__:
                message = f"{earlier} and {part.__name__} both define {field.name}"
                raise DuplicateField(message)
    return strawberry.type(type(name, parts, {}), name=name, description=description)


def build_schema(rules: OperationRules = _DEVELOPMENT) -> Schema:
    """Return the schema of this service."""
    schema = Schema(
        query=root(
            "Query",
            "Everything that can be read.",
            NodeQuery,
            CustomerQuery,
            MergingQuery,
            ErasureQuery,
            DataExportQuery,
            AddressQuery,
            DocumentQuery,
            BulkImportQuery,
            SessionQuery,
            EntityQuery,
        ),
        mutation=root(
            "Mutation",
            "Everything that can be changed. A mutation reports all its problems at once as userErrors, and changes nothing "
            "when there is one.",
            CustomerMutation,
            MergingMutation,
            ErasureMutation,
            DataExportMutation,
            ConsentMutation,
            RetentionMutation,
            AddressMutation,
            DocumentMutation,
            BulkImportMutation,
            SessionMutation,
        ),
        subscription=root(
            "Subscription", "Everything that can be followed live.", BulkImportSubscription, CustomerSubscription
        ),
        rules=rules,
        scalar_overrides=FEDERATION_SCALARS,
        federation_version="2.0",  # @key and @shareable are as old as that, and old gateways refuse what is newer
        config=StrawberryConfig(scalar_map=dict(SCALARS)),
    )
    served = schema._schema  # noqa: SLF001  Strawberry has no public way to the schema it builds
    declare_one_of(served)
    _forget_null_defaults(served)
    _hide_directives_of_federation(served)
    return schema


def _forget_null_defaults(served: GraphQLSchema) -> None:
    """Leave "= null" out of the schema: Python's None as a default means that nothing was given, which needs no default."""
    for type_ in served.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            inputs: list[GraphQLArgument | GraphQLInputField] = list(type_.fields.values())
        elif isinstance(type_, GraphQLObjectType):
            inputs = [argument for field in type_.fields.values() for argument in field.args.values()]
        else:
            continue
        for one in inputs:
            if one.default_value is None:
                one.default_value = Undefined


def _hide_directives_of_federation(served: GraphQLSchema) -> None:
    """Leave ``@key`` and its like out of introspection: no client can use them. The subgraph's SDL has them all the same."""
    hidden = [directive for directive in served.directives if not is_specified_directive(directive)]
    for directive in hidden:
        for argument in directive.args.values():
            if not is_specified_scalar_type(type_ := get_named_type(argument.type)):
                served.type_map.pop(type_.name, None)
    served.directives = tuple(directive for directive in served.directives if directive not in hidden)
