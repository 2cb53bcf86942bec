"""Scalars and enumerations: whole columns at a time where the types of the values say that nothing is left to do."""

import math
from collections.abc import Callable
from enum import Enum, Flag
from functools import lru_cache
from typing import Any

from graphql import GraphQLBoolean, GraphQLEnumType, GraphQLFloat, GraphQLID, GraphQLInt, GraphQLString, Undefined
from graphql.pyutils import inspect
from graphql.type import GraphQLLeafType

_SMALLEST_INT, _LARGEST_INT = -(2**31), 2**31 - 1

_KEPT_TYPES = 512
"""What serialises a type serves all fields of it; schemas come and go in tests only."""

Quick = Callable[[list[Any]], list[Any] | None]
"""Returns the serialised column, or None when its values have to be looked at one by one."""


def kept_as_they_are(type_: object, *, nullable: bool) -> frozenset[type] | None:
    """Return which values of a scalar stand in the answer as they are, by their types; None when types do not tell."""
    if type_ is GraphQLString or type_ is GraphQLID:
        kept: type = str
    elif type_ is GraphQLBoolean:
        kept = bool
    else:
        return None
    return frozenset((kept, type(None)) if nullable else (kept,))


@lru_cache(maxsize=_KEPT_TYPES)
def quick(type_: GraphQLLeafType, *, nullable: bool) -> Quick:
    """Return what serialises whole columns of a leaf type."""
    if (kept := kept_as_they_are(type_, nullable=nullable)) is not None:
        return _unchanged(kept)
    nothing: tuple[type, ...] = (type(None),) if nullable else ()
    if type_ is GraphQLInt:
        return _checked(frozenset((int, *nothing)), lambda value: _SMALLEST_INT <= value <= _LARGEST_INT)
    if type_ is GraphQLFloat:
        return _checked(frozenset((float, *nothing)), math.isfinite)
    if isinstance(type_, GraphQLEnumType):
        return _named(type_, nullable=nullable)
    return _each(type_, nullable=nullable)


def serialised(type_: GraphQLLeafType, value: Any) -> Any:
    """Return one serialised value, as the reference executor does it.

    Raises:
        Exception: whatever the type says of a value that it cannot represent.
    """
    coerced = type_.coerce_output_value(value)
    if coerced is Undefined or coerced is None:
        raise TypeError(
            f"Expected `{inspect(type_)}.coerce_output_value({inspect(value)})` to return non-nullable value, returned: "
            f"{inspect(coerced)}"
        )
    return coerced


def _unchanged(fitting: frozenset[type]) -> Quick:
    def column(values: list[Any]) -> list[Any] | None:
        return values if fitting.issuperset(map(type, values)) else None

    return column


def _checked(fitting: frozenset[type], is_within: Callable[[Any], bool]) -> Quick:
    def column(values: list[Any]) -> list[Any] | None:
        if not fitting.issuperset(map(type, values)):
            return None
        return values if all(value is None or is_within(value) for value in values) else None

    return column


def _named(type_: GraphQLEnumType, *, nullable: bool) -> Quick:
    """Serialise members of Python's enumerations by looking them up; each is there once, so that its identity will do."""
    names: dict[int, Any] = {id(None): None} if nullable else {}
    members: list[Enum] = []  # keeps them, and with them their identities

    def column(values: list[Any]) -> list[Any] | None:
        try:
            return [names[id(value)] for value in values]
        except KeyError:
            pass
        try:
            for value in values:
                if isinstance(value, Enum) and not isinstance(value, Flag) and id(value) not in names:
                    members.append(value)
                    names[id(value)] = serialised(type_, value)
            return [names[id(value)] for value in values]
        except Exception:  # noqa: BLE001  it is raised again for the value it is about
            return None

    return column


def _each(type_: GraphQLLeafType, *, nullable: bool) -> Quick:
    coerce = type_.coerce_output_value

    def column(values: list[Any]) -> list[Any] | None:
        try:
            column = [None if value is None else coerce(value) for value in values]
        except Exception:  # noqa: BLE001  as above
            return None
        wanting = sum(value is None or value is Undefined for value in column)
        expected = sum(value is None for value in values)
        return column if wanting == (expected if nullable else 0) else None

    return column
