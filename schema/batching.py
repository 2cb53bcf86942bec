"""Fields that are answered for all objects of a level of an answer at once.

The field itself stays what clients see, with its type, its arguments and its description; beside it stands one function that
answers many. Where the field is asked for one object, it is that function with one.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from compiled_graphql.contract import BATCH
from schema.context import Info

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

Many = Callable[Concatenate[Sequence[S], Info, P], Awaitable[Sequence[R | Exception]]]
"""Returns as many values as it is given objects, in their order; an exception is the error of that object's field."""


def batched(many: Many[S, P, R]) -> Mapping[str, Any]:
    """Return the ``metadata`` of a field that *many* answers for many objects at once."""
    return {BATCH: many}


async def alone(many: Many[S, P, R], source: S, info: Info, *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what *many* answers for one object."""
    (value,) = await many([source], info, *args, **kwargs)
    if isinstance(value, Exception):
        raise value
    return value
