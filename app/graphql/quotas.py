"""How much each seller may ask for in a while: leaky buckets of points, in this process alone.

With n processes a seller has n times as much. The defaults are a fuse against clients that run away, no fair share.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import RateLimited
from schema.context import Context

MAX_BUCKETS = 10_000
"""Buckets in memory, 300 bytes each. Full ones are forgotten: a new one is full too."""

Key = tuple[str, str]
"""Whose bucket it is: ``("seller", id)``, ``("service", subject)`` or ``("network", address)``."""


@dataclass(slots=True)
class _Bucket:
    points: float
    at: float


class Quotas:
    """Buckets of so many *points*, to which so many come back *per_second*. *clock* counts seconds and never runs back."""

    def __init__(self, points: int, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.points = points
        self.per_second = per_second
        self._clock = clock
        # The bucket that was used last is last.
        self._buckets: OrderedDict[Key, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Return how many buckets are in memory."""
        return len(self._buckets)

    def spend(self, key: Key, cost: int) -> None:
        """Take *cost* out of a bucket.

        Raises:
            RateLimited: there is less in it; says when there will be enough. Nothing is taken.
        """
        now = self._clock()
        available = self._available(key, now)
        if cost > available:
            raise RateLimited(max(1, math.ceil((cost - available) / self.per_second)))
        self._buckets[key] = _Bucket(available - cost, now)
        self._buckets.move_to_end(key)
        self._forget(now)

    def available(self, key: Key) -> int:
        """Return how many points are in a bucket now."""
        return int(self._available(key, self._clock()))

    def _available(self, key: Key, now: float) -> float:
        bucket = self._buckets.get(key)
        return self.points if bucket is None else min(self.points, bucket.points + (now - bucket.at) * self.per_second)

    def _forget(self, now: float) -> None:
        """Forget the oldest buckets while they are full again, or more than `MAX_BUCKETS`."""
        while True:
            key = next(iter(self._buckets))
            if len(self._buckets) <= MAX_BUCKETS and self._available(key, now) < self.points:
                return
            del self._buckets[key]
            if not self._buckets:
                return


def bucket_of(context: Context) -> Key:
    """Return whose points a call spends: its seller's, a service's own when it spans sellers, else its network's."""
    principal = context.principal
    if principal is None:
        return ("network", context.device.network)
    if principal.seller_id is not None:
        return ("seller", principal.seller_id)
    return ("service", principal.subject)
