"""Cursor paging in both directions, after the Relay connection specification."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

import orjson

from core.clock import rfc3339
from core.errors import BadInput

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
_LONGEST_CURSOR = 2048  # four times the 256 characters of the longest sort name, in base 64, and some room
_INTEGERS = range(-(1 << 63), 1 << 63)  # what MongoDB stores; a larger one would fail in the driver

T = TypeVar("T")
U = TypeVar("U")

SortValue = str | int | datetime


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a sorted list: the value sorted by, then the id that breaks ties."""

    value: SortValue
    id: str


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list is asked for: the first *size* after a place, or the last *size* before one."""

    size: int
    backward: bool
    after: Position | None
    before: Position | None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list, in the list's own order."""

    items: Sequence[T]
    has_next: bool
    has_previous: bool

    def of(self, change: Callable[[T], U]) -> "Page[U]":
        """Return the same part of the list, with what *change* makes of its items."""
        return Page([change(item) for item in self.items], self.has_next, self.has_previous)


def encode_cursor(order: str, position: Position) -> str:
    """Write a place in the list ordered by *order* as an opaque string."""
    value = {"t": rfc3339(position.value)} if isinstance(position.value, datetime) else position.value
    return base64.urlsafe_b64encode(orjson.dumps([order, value, position.id])).rstrip(b"=").decode()


def decode_cursor(order: str, cursor: str) -> Position:
    """Read back what `encode_cursor` wrote for the same order.

    Raises:
        BadInput: for anything else, including a cursor of a list sorted differently.
    """
    mistake = BadInput("This cursor does not belong to this list. Use a cursor from pageInfo or edges of the same query.")
    if len(cursor) > _LONGEST_CURSOR:
        raise mistake
    try:
        match orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)):
            case [found_order, {"t": str(moment)}, str(id_)] if found_order == order:
                return Position(datetime.fromisoformat(moment).astimezone(UTC), id_)
            case [found_order, str(text), str(id_)] if found_order == order:
                return Position(text, id_)
            case [found_order, int(number), str(id_)] if found_order == order and type(number) is int and number in _INTEGERS:
                return Position(number, id_)
    except (ValueError, OverflowError, binascii.Error):
        raise mistake from None
    raise mistake


def page_request(
    order: str,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> PageRequest:
    """Check the four paging arguments and turn them into a request.

    Raises:
        BadInput: for sizes outside 1..100, for first and last together, for a cursor that is none.
    """
    if first is not None and last is not None:
        raise BadInput("Give either first or last, not both.")
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 1 <= size <= MAX_PAGE_SIZE:
            message = f"{name} has to be between 1 and {MAX_PAGE_SIZE}; it is {size}. Page on with cursors."
            raise BadInput(message)
    return PageRequest(
        size=last or first or DEFAULT_PAGE_SIZE,
        backward=last is not None,
        after=None if after is None else decode_cursor(order, after),
        before=None if before is None else decode_cursor(order, before),
    )
