"""Fields that are answered for all objects of a level of an answer at once.

The field itself stays what clients see, with its type, its arguments and its description; beside it stands one function that
answers many. Where the field is asked for one object, it is that function with one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from compiled_graphql.contract import BATCH, CALLS, LEAVES_TRACE, NEEDS, TAKES_ROWS
from compiled_graphql.needed import needed_of, selected_of
from schema.context import Info

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

Values = Sequence[R | Exception]
Many = Callable[Concatenate[Sequence[S], Info, P], Awaitable[Values[R]] | Values[R]]
"""Returns as many values as it is given objects, in their order; an exception is the error of that object's field."""


def batched(many: Many[S, P, R], *needs: str, rows: bool = False, leaves_trace: bool = False) -> Mapping[str, Any]:
    """Return the ``metadata`` of a field that *many* answers for many objects at once; *needs*: see `reading`.

    With *rows*, it looks at nothing of them but `record`, `owner` and ids, which rows have too, and is given rows if there are
    some. What *leaves a trace* of the request is done for one request at a time.
    """
    return {BATCH: many, TAKES_ROWS: rows, LEAVES_TRACE: leaves_trace, **(reading(*needs) if needs else {})}


def called(of_calls: Callable[[Sequence[Mapping[str, Any]], Info], Any]) -> Mapping[str, Any]:
    """Return the ``metadata`` of a root field that *of_calls* answers for several calls of it at once, each with its arguments.

    They are calls of one caller: what differs between them are the arguments, and nothing else may decide what is answered.
    """
    return {CALLS: of_calls}


def reading(*needs: str) -> Mapping[str, Any]:
    """Return the ``metadata`` of a field for which these fields of its object's stored record have to be read.

    A field that is an attribute of the same name need not say so; for any other one that says nothing all of the record is.
    """
    return {NEEDS: frozenset(needs)}


def needed(info: Info, type_: str) -> frozenset[str] | None:
    """Return which fields of records an operation needs for its objects of a type; None for all of them."""
    return needed_of(info._raw_info.field_nodes, type_)  # noqa: SLF001  Strawberry keeps the nodes to itself


def selected_below(info: Info, type_: str) -> frozenset[str]:
    """Return which fields of a type, as the schema calls them, are selected of what a resolver returns."""
    return selected_of(info._raw_info.field_nodes, type_)  # noqa: SLF001  as above


async def alone(many: Many[S, P, R], source: S, info: Info, *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what *many* answers for one object."""
    found = many([source], info, *args, **kwargs)
    (value,) = await found if isinstance(found, Awaitable) else found
    if isinstance(value, Exception):
        raise value
    return value
