"""Rows: what objects would be made of, executed without making them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInt,
    GraphQLOutputType,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from compiled_graphql.contract import RowField
from compiled_graphql.leaves import Quick, kept_as_they_are, serialised

FEW = 6
"""Rows up to which it is faster to go through them row by row, each with all of its fields, than field by field."""

Row = Mapping[str, Any]

_INTEGERS = range(-(2**31), 2**31)
_ABSENT = object()


class Rows(list[Any]):
    """The sources of a level that are rows; `objects` are for those fields that cannot be read off rows."""

    __slots__ = ("_made", "_make")

    def __init__(self, rows: Iterable[Any], make: Callable[[Any], Any]) -> None:
        super().__init__(rows)
        self._make = make
        self._made: list[Any] | None = None

    def objects(self) -> list[Any]:
        """Return an object for each row, made when they are first asked for."""
        if self._made is None:
            self._made = list(map(self._make, self))
        return self._made


def column_of(field: RowField) -> Callable[[Sequence[Row]], list[Any]]:
    """Return what reads a field off many rows."""
    key, otherwise, convert = field
    if convert is None:
        return lambda rows: [row.get(key, otherwise) for row in rows]
    return lambda rows: [convert(row[key]) if key in row else otherwise for row in rows]


def names_of(field: RowField, serialise: Quick) -> Callable[[Sequence[Row]], list[Any] | None]:
    """Return what reads a field of an enumeration off many rows; of each stored value it is found out once what it is called.

    A column of it is None when a value has to be looked at more closely.
    """
    key, otherwise, convert = field
    known: dict[Any, Any] = {}

    def column(rows: Sequence[Row]) -> list[Any] | None:
        stored = [row.get(key, _ABSENT) for row in rows]
        try:
            return [known[value] for value in stored]
        except (KeyError, TypeError):
            pass
        try:
            for value in set(stored) - known.keys():
                member = otherwise if value is _ABSENT else value if convert is None else convert(value)
                names = serialise([member])
                if names is None:
                    return None
                # Only values of the enumeration come so far: there are as many as it has.
                (known[value],) = names
            return [known[value] for value in stored]
        except Exception:  # noqa: BLE001  whatever it is, it is met again when the values are looked at one by one
            return None

    return column


class PlainFields:
    """Fields of one selection set that are read off rows and end there: leaves, and lists of texts and the like."""

    def __init__(self, fields: Sequence[tuple[RowField, GraphQLOutputType]]) -> None:
        self._fields = [_read(field, type_) for field, type_ in fields]

    def columns(self, rows: Sequence[Row]) -> list[list[Any]] | None:
        """Return for each field what stands in the answer for the rows; None when one has to be looked at more closely."""
        try:
            return [list(column) for column in zip(*map(self._values, rows), strict=True)]
        except Exception:  # noqa: BLE001  whatever it is, it is met again when the fields are looked at one by one
            return None

    def _values(self, row: Row) -> list[Any]:
        values = []
        for key, otherwise, fitting, finish in self._fields:
            value = row.get(key, otherwise)
            if finish is not None:
                value = finish(value)
            elif type(value) not in fitting:
                raise _Odd
            values.append(value)
        return values


class _Odd(Exception):
    """A value that does not fit its field as it is."""


_NONE: frozenset[type] = frozenset()


def is_plain(type_: GraphQLOutputType) -> bool:
    """Say whether fields of a type can be among `PlainFields`."""
    inner = get_nullable_type(type_)
    return is_leaf_type(inner) or (is_list_type(inner) and _kept(inner.of_type) is not None)


def _read(field: RowField, type_: GraphQLOutputType) -> tuple[str, Any, frozenset[type], Callable[[Any], Any] | None]:
    """Return key, value otherwise, and either the types that stay as they are, or what makes of a value what is answered."""
    key, otherwise, convert = field
    if convert is None and (fitting := _kept(type_)) is not None:
        return key, otherwise, fitting, None
    nullable, inner = not is_non_null_type(type_), get_nullable_type(type_)
    finish = _items(_kept(inner.of_type) or _NONE) if is_list_type(inner) else _leaf(inner)

    def found(stored: Any) -> Any:
        value = otherwise if stored is _ABSENT else stored if convert is None else convert(stored)
        if value is None and nullable:
            return None
        return finish(value)

    if not isinstance(inner, GraphQLEnumType):
        return key, _ABSENT, _NONE, found
    known: dict[Any, Any] = {}

    def remembered(stored: Any) -> Any:
        if stored not in known:
            # Only values of the enumeration come so far: there are as many as it has.
            known[stored] = found(stored)
        return known[stored]

    return key, _ABSENT, _NONE, remembered


def _kept(type_: GraphQLOutputType) -> frozenset[type] | None:
    return kept_as_they_are(get_nullable_type(type_), nullable=not is_non_null_type(type_))


def _items(fitting: frozenset[type]) -> Callable[[Any], Any]:
    def items(value: Any) -> Any:
        if type(value) is not list or not fitting.issuperset(map(type, value)):
            raise _Odd
        return value

    return items


def _leaf(type_: Any) -> Callable[[Any], Any]:
    if type_ is GraphQLInt:
        return _integer
    return lambda value: serialised(type_, value)


def _integer(value: Any) -> int:
    if type(value) is int and value in _INTEGERS:
        return value
    raise _Odd
