"""Where things stand in the answer: worked out backwards, and only for those that somebody asks about.

A level of the answer is executed as columns, one for each selected field, so that nothing carries its own path. What is kept
is how the columns hang together.
"""

from bisect import bisect_right
from collections.abc import Sequence

from graphql.pyutils import Path

Order = tuple[int, ...]
"""A place as numbers, which compare as the places follow one another in the answer."""


class Places:
    """The places of a column of values."""

    __slots__ = ("nullable",)

    nullable: bool
    """Whether null may stand there."""

    def path(self, index: int) -> Path:
        """Return the path of a value."""
        raise NotImplementedError

    def order(self, index: int) -> Order:
        """Return where a value stands among all others."""
        raise NotImplementedError

    def around(self, index: int) -> "Place | None":
        """Return the place that becomes null when this one has to and must not; None when that is the whole answer."""
        raise NotImplementedError

    def field(self, index: int) -> "tuple[FieldPlaces, int]":
        """Return the place of the field that a value belongs to, as a whole or as an item."""
        raise NotImplementedError


Place = tuple[Places, int]


class Level:
    """The objects of one selection set, each the value at a place; the root object is at none."""

    __slots__ = ("_places",)

    def __init__(self, places: Places | None = None) -> None:
        self._places = places

    def place(self, row: int) -> Place | None:
        """Return where an object stands; None for the root."""
        return None if self._places is None else (self._places, row)


class FieldPlaces(Places):
    """One field of all objects of a level."""

    __slots__ = ("_key", "_level", "_nth", "_typename")

    def __init__(self, level: Level, key: str, nth: int, typename: str, *, nullable: bool) -> None:
        self.nullable = nullable
        self._level = level
        self._key = key
        self._nth = nth
        self._typename = typename

    def path(self, index: int) -> Path:
        """Return the path of a value."""
        place = self._level.place(index)
        return Path(None if place is None else place[0].path(place[1]), self._key, self._typename)

    def order(self, index: int) -> Order:
        """Return where a value stands among all others."""
        place = self._level.place(index)
        return (self._nth,) if place is None else (*place[0].order(place[1]), self._nth)

    def around(self, index: int) -> Place | None:
        """Return the place of the object."""
        return self._level.place(index)

    def field(self, index: int) -> "tuple[FieldPlaces, int]":
        """Return the place itself."""
        return self, index


class ItemPlaces(Places):
    """The items of a column of lists, one list after the other; *starts* says where each begins."""

    __slots__ = ("_lists", "_starts")

    def __init__(self, lists: Places, starts: Sequence[int], *, nullable: bool) -> None:
        self.nullable = nullable
        self._lists = lists
        self._starts = starts

    def path(self, index: int) -> Path:
        """Return the path of an item."""
        nth = self._list(index)
        return Path(self._lists.path(nth), index - self._starts[nth], None)

    def order(self, index: int) -> Order:
        """Return where an item stands among all others."""
        nth = self._list(index)
        return (*self._lists.order(nth), index - self._starts[nth])

    def around(self, index: int) -> Place | None:
        """Return the place of the list."""
        return self._lists, self._list(index)

    def field(self, index: int) -> tuple[FieldPlaces, int]:
        """Return the place of the field whose value the list is."""
        return self._lists.field(self._list(index))

    def _list(self, index: int) -> int:
        # Empty lists begin where the next one does; the last one that begins here is the one with items.
        return bisect_right(self._starts, index) - 1


class PickedPlaces(Places):
    """Some places of a column: those of the values that are objects, or objects of one type."""

    __slots__ = ("_among", "_picked")

    def __init__(self, among: Places, picked: Sequence[int]) -> None:
        self.nullable = among.nullable
        self._among = among
        self._picked = picked

    def path(self, index: int) -> Path:
        """Return the path of a value."""
        return self._among.path(self._picked[index])

    def order(self, index: int) -> Order:
        """Return where a value stands among all others."""
        return self._among.order(self._picked[index])

    def around(self, index: int) -> Place | None:
        """Return the place around a value."""
        return self._among.around(self._picked[index])

    def field(self, index: int) -> tuple[FieldPlaces, int]:
        """Return the place of the field that a value belongs to."""
        return self._among.field(self._picked[index])


def nulled_by(place: Place) -> Place | None:
    """Return the place that becomes null when there is no value for *place*; None when that is the whole answer."""
    places, index = place
    while not places.nullable:
        around = places.around(index)
        if around is None:
            return None
        places, index = around
    return places, index


def covers(outer: Place | None, inner: Place | None) -> bool:
    """Say whether *inner* is *outer* or stands inside it; None is the whole answer."""
    if outer is None:
        return True
    while inner is not None:
        if inner[1] == outer[1] and inner[0] is outer[0]:
            return True
        inner = inner[0].around(inner[1])
    return False
