"""What was worked out for objects that many share, kept for as long as it is asked for."""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")


class ByIdentity(Generic[V]):
    """Values that belong to certain objects (not to their equals), those of the *most* that were asked for last."""

    def __init__(self, most: int) -> None:
        self._most = most
        # With the objects: as long as they are held, nothing else has their identities.
        self._kept: OrderedDict[tuple[int, ...], tuple[V, tuple[object, ...]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, *of: object) -> V | None:
        """Return what belongs to these objects together, None when nothing is known."""
        key = tuple(map(id, of))
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, value: V, *of: object) -> V:
        """Keep *value* for these objects together, and return it."""
        self._kept[tuple(map(id, of))] = (value, of)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return value
