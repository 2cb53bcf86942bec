"""The GraphQL schema, put together."""

import strawberry
from graphql import GraphQLArgument, GraphQLInputField, GraphQLInputObjectType, GraphQLObjectType, Undefined
from strawberry.schema.config import StrawberryConfig

from app.graphql.execution import EXTENSIONS, Schema
from resolvers.address import AddressMutation, AddressQuery
from resolvers.bulk_import import BulkImportMutation, BulkImportQuery
from resolvers.customer import CustomerMutation, CustomerQuery
from resolvers.document import DocumentMutation, DocumentQuery
from resolvers.node import NodeQuery
from resolvers.session import SessionMutation, SessionQuery
from schema.scalars import SCALARS
from subscriptions.bulk_import import BulkImportSubscription


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
