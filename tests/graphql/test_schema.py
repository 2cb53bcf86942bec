"""What the schema says of itself."""

from collections.abc import Iterator

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    is_specified_scalar_type,
)

from tests.house import ROOT

SCHEMA = build_schema((ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8"))


def parts(type_: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    """Yield every name in a type with its description."""
    yield type_.name, type_.description
    if isinstance(type_, GraphQLEnumType):
        yield from ((f"{type_.name}.{name}", value.description) for name, value in type_.values.items())
    elif isinstance(type_, GraphQLInputObjectType):
        yield from ((f"{type_.name}.{name}", field.description) for name, field in type_.fields.items())
    elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in type_.fields.items():
            yield f"{type_.name}.{name}", field.description
            yield from ((f"{type_.name}.{name}({key})", argument.description) for key, argument in field.args.items())


def test_everything_has_a_description() -> None:
    ours = [
        type_ for name, type_ in SCHEMA.type_map.items() if not name.startswith("__") and not is_specified_scalar_type(type_)
    ]

    assert [] == [name for type_ in ours for name, description in parts(type_) if not description]
    assert len(ours) > 50
