"""How many items the lists of an operation may have: as its arguments say, in the document or in the variables of a call."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLList,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    value_from_ast_untyped,
)

from core.errors import BadInput
from core.paging import page_request

_LISTED_BY = ("ids", "representations")
"""Arguments that say which objects a list has."""

Variables = Mapping[str, Any]
Read = Callable[[Variables], Any]
"""How to get something from the variables of a call."""


class ListSizes:
    """Reads sizes off arguments; *defaults* are those of the operation's variables."""

    def __init__(self, defaults: Mapping[str, Any]) -> None:
        self._defaults = defaults

    def page(self, definition: GraphQLField, node: FieldNode) -> "int | Read":
        """Return how many items a page has at most, or how to tell from the variables."""
        first, last = (self.given(definition, node, name) for name in ("first", "last"))
        given = self.given(definition, node, "filter", "ids")
        if callable(first) or callable(last) or callable(given):
            return lambda variables: _page_size(_value(first, variables), _value(last, variables), _value(given, variables))
        try:
            return _page_size(first, last, given)
        except BadInput as error:
            # The document is what is wrong, and every call of it is told so.
            refusal = error
            return lambda _: _raise(refusal)

    def items(self, definition: GraphQLField, node: FieldNode, assumed: int) -> "int | Read":
        """Return how many items a list has, *assumed* where nobody says it; 1 for what is no list."""
        if not isinstance(get_nullable_type(definition.type), GraphQLList):
            return 1
        if is_unsized(definition):
            return assumed
        if "first" in definition.args:
            return self.page(definition, node)
        name = next((name for name in _LISTED_BY if name in definition.args), None)
        if name is None:
            # The types of introspection are in memory, and as many as they are.
            return 1
        given = self.given(definition, node, name)
        return (lambda variables: _length(given(variables))) if callable(given) else _length(given)

    def given(self, definition: GraphQLField, node: FieldNode, name: str, *path: str) -> Any:
        """Return what is given for an argument, or at *path* inside it: a value, or how to get it from the variables."""
        if name not in definition.args:
            return None
        default = definition.args[name].default_value
        default = None if default is Undefined else default
        for argument in node.arguments or ():
            if argument.name.value == name:
                return self._literal(argument.value, default, path)
        return _at(default, path)

    def _literal(self, value: ValueNode, default: Any, path: Sequence[str]) -> Any:
        if isinstance(value, VariableNode):
            name = value.name.value
            otherwise = self._defaults.get(name, default)
            return lambda variables: _at(variables.get(name, otherwise), path)
        if path:
            if not isinstance(value, ObjectValueNode):
                return None
            inner = next((one.value for one in value.fields if one.name.value == path[0]), None)
            return None if inner is None else self._literal(inner, None, path[1:])
        # Of a list with variables in it, only the length matters.
        return list(value.values) if isinstance(value, ListValueNode) else value_from_ast_untyped(value)


def is_unsized(definition: GraphQLField) -> bool:
    """Say whether a field is a list of objects from the database that nobody gives a size for."""
    return (
        isinstance(get_nullable_type(definition.type), GraphQLList)
        and not any(name in definition.args for name in (*_LISTED_BY, "first"))
        and not get_named_type(definition.type).name.startswith("__")
    )


def _value(given: Any, variables: Variables) -> Any:
    return given(variables) if callable(given) else given


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _raise(error: BadInput) -> int:
    raise BadInput(str(error))


def _page_size(first: Any, last: Any, ids: Any) -> int:
    """Return how many items a page has at most.

    Raises:
        BadInput: it is a size that no page has; in the words of `core.paging`.
    """
    size = page_request("", first=_whole(first), last=_whole(last)).size
    return size if ids is None else min(size, _length(ids))


def _whole(value: Any) -> int | None:
    """Return *value* if GraphQL takes it for an Int; what it does not take is refused when the operation begins."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _length(value: Any) -> int:
    """Return the length of a list as GraphQL understands it: one thing is a list of one."""
    if value is None:
        return 0
    return len(value) if isinstance(value, list) else 1
