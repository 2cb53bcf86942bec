"""GraphQL: root fields and types, from the schema that clients see."""

from collections.abc import Iterable

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
)
from graphql.language import print_ast
from graphql.pyutils import Undefined
from graphql.utilities import ast_from_value

from app.reference.markdown import flowing, page, table

_INTRODUCTION = (
    "What clients may ask, field by field. How it is asked over HTTP is in [GraphQL over HTTP](../graphql-over-http.md), live "
    "in [Live](../live.md), who may ask what in [Permissions](../permissions.md), what it may cost in [Limits](../limits.md). "
    "The same as text: [schema.graphql](../../schema/schema.graphql)."
)


def graphql_page(sdl: str) -> str:
    """Return the page for a schema in SDL."""
    schema = build_schema(sdl)
    roots = [
        (title, root)
        for title, root in (
            ("Queries", schema.query_type),
            ("Mutations", schema.mutation_type),
            ("Subscriptions", schema.subscription_type),
        )
        if root is not None
    ]
    return page(
        "GraphQL",
        _INTRODUCTION,
        *(part for title, root in roots for part in (f"## {title}", *_root(root))),
        *(part for title, types in _groups(schema) for part in (f"## {title}", *map(_type, types))),
    )


def _root(root: GraphQLObjectType) -> Iterable[str]:
    for name, field in root.fields.items():
        yield f"### {root.name}.{name}"
        yield f"{flowing(field.description)} Returns {_linked(field)}."
        yield _arguments(field)


def _arguments(field: GraphQLField) -> str:
    return table(
        ("Argument", "Type", "", "Default"),
        ((f"`{name}`", _linked(one), one.description or "", _default(one)) for name, one in field.args.items()),
    )


def _groups(schema: GraphQLSchema) -> Iterable[tuple[str, list[GraphQLNamedType]]]:
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    own = [
        one
        for name, one in sorted(schema.type_map.items())
        if not name.startswith("__") and not is_specified_scalar_type(one) and one not in roots
    ]
    objects = [one for one in own if isinstance(one, GraphQLObjectType | GraphQLInterfaceType)]
    inputs = [one for one in own if isinstance(one, GraphQLInputObjectType)]
    enums = [one for one in own if isinstance(one, GraphQLEnumType)]
    others = [one for one in own if one not in (*objects, *inputs, *enums)]
    yield "Types", [*objects]
    yield "Inputs", [*inputs]
    yield "Words", [*enums]
    yield "Scalars and unions", others


def _type(one: GraphQLNamedType) -> str:
    parts = [f"### {one.name}", flowing(one.description)]
    if isinstance(one, GraphQLObjectType | GraphQLInterfaceType):
        parts.append(
            table(
                ("Field", "Type", ""),
                ((_called(name, field), _linked(field), _said(field)) for name, field in one.fields.items()),
            )
        )
    elif isinstance(one, GraphQLInputObjectType):
        rows = ((f"`{name}`", _linked(field), field.description or "", _default(field)) for name, field in one.fields.items())
        parts.append(table(("Field", "Type", "", "Default"), rows))
    elif isinstance(one, GraphQLEnumType):
        parts.append(table(("Word", ""), ((f"`{name}`", value.description or "") for name, value in one.values.items())))
    elif isinstance(one, GraphQLUnionType):
        parts.append(f"One of {', '.join(f'[{kind.name}](#{kind.name.lower()})' for kind in one.types)}.")
    return "\n\n".join(filter(None, parts))


def _called(name: str, field: GraphQLField) -> str:
    return f"`{name}({', '.join(field.args)})`" if field.args else f"`{name}`"


def _said(field: GraphQLField) -> str:
    """Return what a field is, and its arguments behind it."""
    arguments = "; ".join(
        f"`{name}`: {flowing(one.description)}" + (f" ({_default(one)})" if _default(one) else "")
        for name, one in field.args.items()
    )
    return " ".join(filter(None, [flowing(field.description), arguments]))


def _linked(field: GraphQLField | GraphQLArgument | GraphQLInputField) -> str:
    named = get_named_type(field.type)
    if is_specified_scalar_type(named):
        return f"`{field.type}`"
    return f"[`{field.type}`](#{named.name.lower()})"


def _default(one: GraphQLArgument | GraphQLInputField) -> str:
    if one.default_value is Undefined or one.default_value is None:
        return ""
    value = ast_from_value(one.default_value, one.type)
    return "" if value is None else f"`{print_ast(value)}`"
