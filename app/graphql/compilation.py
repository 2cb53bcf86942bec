"""What the compiler of operations is told of our schema: how Strawberry's fields are read, and which are answered in batches.

Strawberry wraps every field in a resolver. What the resolver of a plain field does is to read an attribute, and that of a
method without arguments is to call it; said so, both are done for whole columns of objects.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo
from strawberry.schema import Schema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from compiled_graphql.contract import BATCH, CLASSES, NEEDS, READ

_DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF


def declare_for_compiler(schema: Schema) -> None:
    """Tell the compiler what it may know of the schema's types and fields."""
    served = schema._schema  # noqa: SLF001  Strawberry has no public way to the schema it builds
    for type_ in served.type_map.values():
        definition = type_.extensions.get(_DEFINITION)
        if not isinstance(type_, GraphQLObjectType) or not isinstance(definition, StrawberryObjectDefinition):
            continue
        if definition.concrete_of is None:  # the classes of generic types stand for several GraphQL types
            type_.extensions[CLASSES] = (definition.origin,)
        for field in type_.fields.values():
            _declare_field(schema, field)


def _declare_field(schema: Schema, served: GraphQLField) -> None:
    field = served.extensions.get(_DEFINITION)
    if not isinstance(field, StrawberryField) or field.is_subscription or field.extensions:
        return
    if NEEDS in field.metadata:
        served.extensions[NEEDS] = field.metadata[NEEDS]
    elif field.is_basic_field:
        served.extensions[NEEDS] = frozenset([field.python_name])
    if BATCH in field.metadata:
        served.extensions[BATCH] = _batch(schema, field, field.metadata[BATCH])
    elif field.is_basic_field:
        served.extensions[READ] = attrgetter(field.python_name)
    elif _looks_at_its_object_only(field):
        served.extensions[READ] = field.base_resolver


def _looks_at_its_object_only(field: StrawberryField) -> bool:
    resolver = field.base_resolver
    if resolver is None or resolver.is_async or field.arguments or resolver.self_parameter is None:
        return False
    return resolver.info_parameter is None and resolver.root_parameter is None and resolver.parent_parameter is None


def _batch(schema: Schema, field: StrawberryField, many: Callable[..., Any]) -> Callable[..., Any]:
    """Return the batch function of a field, given what Strawberry gives to resolvers: its own info, Python's arguments."""
    config, registry = schema.config, schema.schema_converter.scalar_registry

    def batch(sources: Sequence[Any], raw: GraphQLResolveInfo[Any], **given: Any) -> Any:
        info = config.info_class(_raw_info=raw, _field=field)
        arguments: Mapping[str, Any] = (
            convert_arguments(given, field.arguments, scalar_registry=registry, config=config, info=info) if given else {}
        )
        return many(sources, info, **arguments)

    return batch
