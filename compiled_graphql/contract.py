"""What a schema may tell the compiler, and what the compiler says when it cannot help.

Everything here is optional: a schema that tells nothing is executed with its resolvers, called as GraphQL says.
"""

from asyncio import Future, ensure_future
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
U = TypeVar("U")

READ = "compiled_graphql.read"
"""In a field's ``extensions``: a function of the source alone that returns what the field's resolver would return.

It is neither given ``info`` nor arguments, and is not awaited: attributes, keys, and methods that look at nothing else.
"""

BATCH = "compiled_graphql.batch"
"""In a field's ``extensions``: ``(sources, info, **arguments) -> Sequence[value | Exception]``, a coroutine function or not.

It is called once for all objects of one level of the answer, and returns as many values as there are sources, in their
order. An exception among the values is the error of that source; one that is raised is the error of each. ``info`` is that
of the first source. It may return a `Promised` as well.
"""

CALLS = "compiled_graphql.calls"
"""In a root field's ``extensions``, in place of `BATCH`: ``(calls, info) -> Sequence[value | Exception]``.

*calls* are the arguments of calls of the field: one as a rule, and one for each operation when several are executed together
(see `together.OperationTogether`). All else is as with `BATCH`. ``info`` is that of the first call.
"""

LEAVES_TRACE = "compiled_graphql.leaves_trace"
"""In a field's ``extensions``, true: what is done for it tells of the request that it is done for, as a record of who was given
something does. No execution serves several operations that have it.
"""

TAKES_ROWS = "compiled_graphql.takes_rows"
"""In a field's ``extensions``, true: its `BATCH` takes rows for sources as well as objects; see `ROWS`."""

ROWS = "compiled_graphql.rows"
"""In an object type's ``extensions``, a `RowType`: a resolver may return rows instead of objects of this type.

A row is a mapping that an object would be made of, as it is stored. Fields that have an `IN_ROW` are read off rows, without
objects; for all others objects are made, once for a level.
"""

IN_ROW = "compiled_graphql.in_row"
"""In a field's ``extensions``, a `RowField`: where in a row stands what the field's resolver would return for its object."""

CLASSES = "compiled_graphql.classes"
"""In an object type's ``extensions``: the Python classes whose direct instances are always of this type.

Neither ``is_type_of`` nor ``resolve_type`` is asked about them.
"""


NEEDS = "compiled_graphql.needs"
"""In a field's ``extensions``: the names, a frozenset, of what the field reads of its object; see `needed.needed_of`."""


class RowType(NamedTuple):
    """The class of a type's rows, no other type's, and what makes an object of one."""

    class_: type
    make: Callable[[Any], Any]


class RowField(NamedTuple):
    """The key of a field in rows, its value where the key is not there, and what the stored value has to be converted by."""

    key: str
    otherwise: Any = None
    convert: Callable[[Any], Any] | None = None


class Promised(Generic[T]):
    """What a batch function has asked for already, and what makes its values of that.

    Several of these are waited for without a task for each. What was asked for goes on by itself, until it is cancelled.
    Where something else has to be asked for after all, `finish` returns another one of these instead of the values.
    """

    __slots__ = ("finish", "future")

    def __init__(self, asked: Awaitable[Any], finish: "Callable[[Any], T | Promised[T]]") -> None:
        self.future: Future[Any] = ensure_future(asked)
        self.finish = finish

    def then(self, finish: "Callable[[T], U | Promised[U]]") -> "Promised[U]":
        """Return the same, with what *finish* makes of its values."""

        def finished(found: Any) -> "U | Promised[U]":
            values = self.finish(found)
            return values.then(finish) if isinstance(values, Promised) else finish(values)

        return Promised(self.future, finished)

    def __await__(self) -> Generator[Any, None, T]:
        """Wait for the values."""
        found = self.finish((yield from self.future))
        return (yield from found.__await__()) if isinstance(found, Promised) else found


class Unsupported(Exception):
    """The operation has to be left to the reference executor. Carries the reason in one word, fit for a metric."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"This operation cannot be compiled: {reason}. Execute it with graphql-core.")
        self.reason = reason


class Watch(Protocol):
    """Watches an execution. Whatever it raises ends the execution, and leaves it as it is: it becomes no field's error."""

    def count(self, objects: int) -> None:
        """Take note that so many more objects are about to be made."""

    def look(self) -> None:
        """Take note that work is being done without a pause. Called at least once for every 64 resolvers."""


class Unwatched:
    """Lets everything pass."""

    def count(self, objects: int) -> None:
        """Let them be made."""

    def look(self) -> None:
        """Let it go on."""
