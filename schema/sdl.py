"""The schema as text: for the clients of the API, and for the gateway of a federated graph."""

from functools import lru_cache
from typing import Any

from graphql import (
    DefinitionNode,
    DocumentNode,
    GraphQLObjectType,
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    is_specified_directive,
    parse,
    print_ast,
    print_schema,
)
from strawberry.schema import BaseSchema
from strawberry.schema import Schema as StrawberrySchema

PLUMBING_FIELDS = frozenset({"_entities", "_service"})
"""Root fields that gateways call and clients do not."""

_PLUMBING_TYPES = ("_", "link__")
"""What the names of Federation's own types begin with. Clients may use none of them."""

_FOR_CLIENTS = """\
# What clients of the API may use, written by `make schema`. The fields with which the gateway of a federated graph talks to
# this service (_entities and _service) are left out; schema/subgraph.graphql is what such a gateway is composed from.

"""
_FOR_GATEWAYS = """\
# This service as a subgraph of Apollo Federation 2, written by `make schema`; the same as Query._service.sdl.
# Gateways add _entities and _service themselves. What clients may use is in schema/schema.graphql.

"""


def client_sdl(schema: StrawberrySchema) -> str:
    """Return what clients may use: types by name, nothing of Federation, no directive that GraphQL itself does not have."""
    served: GraphQLSchema = schema._schema  # noqa: SLF001  Strawberry has no public way to the schema it builds
    kept: dict[str, Any] = {**served.to_kwargs()}
    query = served.query_type
    if query is not None:
        described: dict[str, Any] = {**query.to_kwargs()}
        described["fields"] = {name: field for name, field in query.fields.items() if name not in PLUMBING_FIELDS}
        kept["query"] = GraphQLObjectType(**described)
    kept["types"] = [type_ for name, type_ in served.type_map.items() if type_ is not query and not _is_plumbing(name)]
    kept["directives"] = [directive for directive in served.directives if is_specified_directive(directive)]
    shown = GraphQLSchema(**kept)
    shown.type_map = dict(sorted(shown.type_map.items()))
    return f"{_FOR_CLIENTS}{print_schema(shown)}\n"


@lru_cache(maxsize=1)
def subgraph_sdl(schema: BaseSchema) -> str:
    """Return what gateways compose: with ``@link`` and ``@key``, without what they add themselves. Printed once."""
    printed = parse(schema.as_str())
    kept = tuple(_without_plumbing(one) for one in printed.definitions if not _defines_plumbing(one))
    return f"{_FOR_GATEWAYS}{print_ast(DocumentNode(definitions=kept))}\n"


def _is_plumbing(name: str) -> bool:
    return name.startswith(_PLUMBING_TYPES)


def _defines_plumbing(definition: DefinitionNode) -> bool:
    return isinstance(definition, TypeDefinitionNode) and _is_plumbing(definition.name.value)


def _without_plumbing(definition: DefinitionNode) -> DefinitionNode:
    if not isinstance(definition, ObjectTypeDefinitionNode) or definition.name.value != "Query":
        return definition
    fields = tuple(field for field in definition.fields or () if field.name.value not in PLUMBING_FIELDS)
    return ObjectTypeDefinitionNode(**{**{key: getattr(definition, key) for key in definition.keys}, "fields": fields})
