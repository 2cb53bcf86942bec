"""A queue in which lanes take turns: however many wait in one, whoever is next in another waits for one turn only."""

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Who waits, by lane. Lanes take turns; within a lane it is first come, first served."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[Hashable, deque[T]] = OrderedDict()
        self._number = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return self._number

    def length(self, lane: Hashable) -> int:
        """Return how many wait in *lane*."""
        return len(self._lanes.get(lane, ()))

    def longest(self) -> Hashable:
        """Return the lane in which most wait. Raises `ValueError` when nobody waits."""
        return max(self._lanes, key=self.length)

    def add(self, lane: Hashable, item: T) -> None:
        """Put *item* at the end of its *lane*. A lane that was empty has its turn after all others."""
        self._lanes.setdefault(lane, deque()).append(item)
        self._number += 1

    def remove(self, lane: Hashable, item: T) -> None:
        """Take *item* out, if it still waits."""
        waiting = self._lanes.get(lane)
        if waiting is not None and item in waiting:
            waiting.remove(item)
            self._left(lane)

    def take(self) -> T:
        """Take out whoever is next. Raises `StopIteration` when nobody waits."""
        lane = next(iter(self._lanes))
        item = self._lanes[lane].popleft()
        self._lanes.move_to_end(lane)
        self._left(lane)
        return item

    def drop(self, lane: Hashable) -> T:
        """Take out whoever came to *lane* last."""
        item = self._lanes[lane].pop()
        self._left(lane)
        return item

    def _left(self, lane: Hashable) -> None:
        self._number -= 1
        if not self._lanes[lane]:
            del self._lanes[lane]
