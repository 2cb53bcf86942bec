"""What the compiler of operations is told of our schema: how Strawberry's fields are read, and which are answered in batches.

Strawberry wraps every field in a resolver. What the resolver of a plain field does is to read an attribute, and that of a
method without arguments is to call it; said so, both are done for whole columns of objects.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo
from strawberry.schema import Schema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.field import StrawberryField

from compiled_graphql.contract import BATCH, CALLS, CLASSES, IN_ROW, NEEDS, READ, ROWS, TAKES_ROWS, RowField, RowType
from models.row import row_class
from schema.node import Node

_DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF
_TAKEN_AS_THEY_ARE = (str, int, float, bool, strawberry.ID)


def declare_for_compiler(schema: Schema) -> None:
    """Tell the compiler what it may know of the schema's types and fields."""
    served = schema._schema  # noqa: SLF001  Strawberry has no public way to the schema it builds
    for type_ in served.type_map.values():
        definition = type_.extensions.get(_DEFINITION)
        if not isinstance(type_, GraphQLObjectType) or not isinstance(definition, StrawberryObjectDefinition):
            continue
        if definition.concrete_of is None:  # the classes of generic types stand for several GraphQL types
            type_.extensions[CLASSES] = (definition.origin,)
        node = definition.origin if issubclass(definition.origin, Node) and definition.origin.presented is not None else None
        if node is not None and node.presented is not None:
            type_.extensions[ROWS] = RowType(row_class(node.presented), node.from_row)
        for field in type_.fields.values():
            _declare_field(schema, field, node)


def _declare_field(schema: Schema, served: GraphQLField, node: type[Node] | None) -> None:
    field = served.extensions.get(_DEFINITION)
    if not isinstance(field, StrawberryField) or field.is_subscription or field.extensions:
        return
    if NEEDS in field.metadata:
        served.extensions[NEEDS] = field.metadata[NEEDS]
    elif field.is_basic_field:
        served.extensions[NEEDS] = frozenset([field.python_name])
    if CALLS in field.metadata:
        served.extensions[CALLS] = _calls(schema, field, field.metadata[CALLS])
    elif BATCH in field.metadata:
        served.extensions[BATCH] = _batch(schema, field, field.metadata[BATCH])
        served.extensions[TAKES_ROWS] = field.metadata[TAKES_ROWS]
    elif field.is_basic_field:
        served.extensions[READ] = attrgetter(field.python_name)
        if node is not None and (found := node.in_row(field.python_name)) is not None:
            served.extensions[IN_ROW] = RowField(*found)
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
    plain = _plain_names(schema, field)

    def batch(sources: Sequence[Any], raw: GraphQLResolveInfo[Any], **given: Any) -> Any:
        info = config.info_class(_raw_info=raw, _field=field)
        if not given:
            return many(sources, info)
        if plain is not None:
            return many(sources, info, **{plain[name]: value for name, value in given.items()})
        arguments: Mapping[str, Any] = convert_arguments(
            given, field.arguments, scalar_registry=registry, config=config, info=info
        )
        return many(sources, info, **arguments)

    return batch


def _calls(schema: Schema, field: StrawberryField, of_calls: Callable[..., Any]) -> Callable[..., Any]:
    """Return what answers several calls of a field, given what Strawberry gives to resolvers."""
    config, registry = schema.config, schema.schema_converter.scalar_registry
    plain = _plain_names(schema, field)

    def answer(calls: Sequence[dict[str, Any]], raw: GraphQLResolveInfo[Any]) -> Any:
        info = config.info_class(_raw_info=raw, _field=field)
        if plain is not None:
            return of_calls([{plain[name]: value for name, value in given.items()} for given in calls], info)
        arguments = field.arguments
        return of_calls(
            [convert_arguments(given, arguments, scalar_registry=registry, config=config, info=info) for given in calls], info
        )

    return answer


def _plain_names(schema: Schema, field: StrawberryField) -> dict[str, str] | None:
    """Return the Python names of a field's arguments by those that clients use; None when one has to be converted."""
    types = [argument.type for argument in field.arguments]
    inner = [type_.of_type if type(type_) is StrawberryOptional else type_ for type_ in types]
    if not all(type_ in _TAKEN_AS_THEY_ARE or _is_enum(type_) for type_ in inner):
        return None
    name = schema.config.name_converter.from_argument
    return {name(argument): argument.python_name for argument in field.arguments}


def _is_enum(type_: Any) -> bool:
    return isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_)
