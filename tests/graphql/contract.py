"""What a schema withholds from clients that rely on the contract."""

from collections.abc import Iterable, Iterator, Mapping

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
    is_introspection_type,
    is_specified_scalar_type,
    print_ast,
)

Taken = GraphQLArgument | GraphQLInputField
"""What clients give: an argument, or a field of an input."""


def differences(contract: GraphQLSchema, served: GraphQLSchema) -> list[str]:
    """Return a line for each promise of *contract* that *served* does not keep.

    Both have to come from SDL. More types, fields, enum values, interfaces and union members are fine, and so is more to
    give, as long as nobody has to.
    """
    found = [*_roots(contract, served)]
    for name, promised in sorted(contract.type_map.items()):
        if not is_introspection_type(promised) and not is_specified_scalar_type(promised):
            found.extend(_type(promised, served.type_map.get(name)))
    return found


def _roots(contract: GraphQLSchema, served: GraphQLSchema) -> Iterator[str]:
    for root in ("query", "mutation", "subscription"):
        promised, there = (getattr(schema, f"{root}_type") for schema in (contract, served))
        if promised is not None and (there is None or there.name != promised.name):
            yield f"the {root} type is {'missing' if there is None else there.name} instead of {promised.name}"


def _type(promised: GraphQLNamedType, there: GraphQLNamedType | None) -> Iterator[str]:
    name = promised.name
    if there is None:
        yield f"{name} is missing"
    elif _kind(promised) != _kind(there):
        yield f"{name} is of kind {_kind(there)} instead of {_kind(promised)}"
    elif isinstance(promised, GraphQLEnumType) and isinstance(there, GraphQLEnumType):
        yield from _missing(f"{name}.", promised.values, there.values)
    elif isinstance(promised, GraphQLUnionType) and isinstance(there, GraphQLUnionType):
        yield from _missing(f"{name} = ", (one.name for one in promised.types), {one.name for one in there.types})
    elif isinstance(promised, GraphQLInputObjectType) and isinstance(there, GraphQLInputObjectType):
        if promised.is_one_of is not there.is_one_of:
            yield f"{name} is {'no longer' if promised.is_one_of else 'now'} @oneOf"
        yield from _all_taken(f"{name}.{{}}", promised.fields, there.fields)
    elif isinstance(promised, GraphQLObjectType | GraphQLInterfaceType):
        assert isinstance(there, GraphQLObjectType | GraphQLInterfaceType)
        interfaces = {one.name for one in there.interfaces}
        yield from _missing(f"{name} implements ", (one.name for one in promised.interfaces), interfaces)
        for key, field in promised.fields.items():
            yield from _field(f"{name}.{key}", field, there.fields.get(key))


def _field(path: str, promised: GraphQLField, there: GraphQLField | None) -> Iterator[str]:
    if there is None:
        yield f"{path} is missing"
        return
    if str(promised.type) != str(there.type):
        yield f"{path} is {there.type} instead of {promised.type}"
    yield from _all_taken(f"{path}({{}})", promised.args, there.args)


def _all_taken(path: str, promised: Mapping[str, Taken], there: Mapping[str, Taken]) -> Iterator[str]:
    yield from _missing(path, promised, there)
    for name in (one for one in promised if one in there):
        if str(promised[name].type) != str(there[name].type):
            yield f"{path.format(name)} is {there[name].type} instead of {promised[name].type}"
        defaults = [_default(one[name]) for one in (promised, there)]
        if defaults[0] != defaults[1]:
            yield f"{path.format(name)} is {defaults[1] or 'nothing'} by default instead of {defaults[0] or 'nothing'}"
    for name in (one for one in there if one not in promised):
        if str(there[name].type).endswith("!") and _default(there[name]) is None:
            yield f"{path.format(name)} is new and has to be given"


def _missing(path: str, promised: Iterable[str], there: Iterable[str]) -> Iterator[str]:
    known = set(there)
    for name in promised:
        if name not in known:
            yield f"{path.format(name) if '{}' in path else path + name} is missing"


def _default(one: Taken) -> str | None:
    # Of the text, in which the enum value, the number and the list all stand as they were written.
    node = one.ast_node
    return None if node is None or node.default_value is None else print_ast(node.default_value)


def _kind(type_: GraphQLNamedType) -> str:
    return type(type_).__name__.removeprefix("GraphQL").removesuffix("Type").lower()
