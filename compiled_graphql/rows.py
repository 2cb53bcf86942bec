"""Rows: what objects would be made of, executed without making them."""

from collections.abc import Callable, Iterable
from typing import Any


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
