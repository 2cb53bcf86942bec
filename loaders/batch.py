"""Many loads, few queries: what is asked for in one turn of the event loop, by whichever operations, becomes one batch.

    operation ── Loader ─┐                       ┌─ batch, under way
    operation ── Loader ─┼─ Lane (waiting keys) ─┤
    operation ── Loader ─┘                       └─ batch, under way

A `Lane` belongs to everything that changes the answer: the query, and the tenant it is asked inside. A `Loader` is one
operation's view of a lane; it keeps what it loaded, and nothing else does. There is no timer: a load that finds nobody to
join goes out alone at the end of the turn, and one that finds two batches under way joins all others that wait for them.
A batch never holds a key that was asked for after its query had begun, so nobody reads what was true before he asked.
"""

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from prometheus_client import Histogram

from core.errors import Unavailable
from core.trace import TRACEPARENT

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_BATCH = 500
"""Keys in one query."""

MAX_UNDER_WAY = 2
"""Queries of one lane at a time. With one, half of a round trip goes by in waiting; more than two only make them smaller."""

MAX_TURNS = 8
"""Turns of the event loop that a query waits at most while each of them brings it more keys."""

Fetch = Callable[[Collection[K]], Awaitable[Mapping[K, V]]]

_KEYS = Histogram(
    "loader_batch_keys", "Keys in one query of a loader.", ["query"], buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500)
)
_SECONDS = Histogram(
    "loader_batch_seconds",
    "How long one query of a loader took.",
    ["query"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)


class Lane(Generic[K, V]):
    """Turns the loads of many into queries by *fetch*, at most `MAX_UNDER_WAY` at a time, of at most *most* keys each."""

    def __init__(self, fetch: Fetch[K, V], query: str = "alone", *, most: int = MAX_BATCH) -> None:
        self._fetch = fetch
        self._most = most
        # What a batch costs is measured under the name of the *query*, which is the program's.
        self._keys, self._seconds = _KEYS.labels(query), _SECONDS.labels(query)
        self._waiting: deque[_Group[K, V]] = deque()
        self._under_way: set[_Batch[K, V]] = set()
        self._woken = False
        self._seen = 0
        self._turns = 0

    def add(self, group: "_Group[K, V]") -> None:
        """Let *group* go with the next batch."""
        group.trace = TRACEPARENT.get()
        self._waiting.append(group)
        if not self._woken and len(self._under_way) < MAX_UNDER_WAY:
            self._woken = True
            self._seen = len(self._waiting)
            self._turns = 0
            # In nobody's context: a batch is no part of the request that happened to be the first, of its deadline neither.
            asyncio.get_running_loop().call_soon(self._wake, context=contextvars.Context())

    def _wake(self) -> None:
        if self._turns < MAX_TURNS and len(self._waiting) > self._seen:
            # Somebody joined in this turn, so that others may in the next one; who is alone has not waited.
            self._seen = len(self._waiting)
            self._turns += 1
            asyncio.get_running_loop().call_soon(self._wake, context=contextvars.Context())
            return
        self._woken = False
        while len(self._under_way) < MAX_UNDER_WAY and (groups := self._next()):
            batch = _Batch(groups)
            self._under_way.add(batch)
            context = contextvars.Context()
            if groups[0].trace is not None:
                # Of the one that waits longest: a batch can be seen in one trace only.
                context.run(TRACEPARENT.set, groups[0].trace)
            batch.task = asyncio.get_running_loop().create_task(self._run(batch), context=context)

    def _next(self) -> "list[_Group[K, V]]":
        taken: list[_Group[K, V]] = []
        room = self._most
        while self._waiting and len(self._waiting[0].keys) <= room:
            group = self._waiting.popleft()
            if not group.abandoned:
                taken.append(group)
                room -= len(group.keys)
        return taken

    async def _run(self, batch: "_Batch[K, V]") -> None:
        try:
            # Once each, in the order they were asked for in.
            keys = list(dict.fromkeys(key for group in batch.groups for key in group.keys))
            self._keys.observe(len(keys))
            begun = time.perf_counter()
            found = await self._fetch(keys)
            self._seconds.observe(time.perf_counter() - begun)
        except asyncio.CancelledError:
            # This task ends here either way; whoever still waits would wait for ever.
            batch.settle({}, Unavailable("What this needs could not be read in time. Try again."))
        except Exception as error:  # noqa: BLE001  whatever it is, it is for those who wait
            batch.settle({}, error)
        else:
            batch.settle(found, None)
        finally:
            self._under_way.discard(batch)
            self._wake()


class Loader(Generic[K, V]):
    """Loads for one operation. Each key is asked for once; what was loaded stays what it was, errors too.

    Who is cancelled takes nobody along. Keys that cannot be one (*possible* says no) are nobody's, without asking: what is
    made up by one caller must not spoil the query of others.
    """

    def __init__(self, lane: Lane[K, V], possible: Callable[[K], bool] | None = None) -> None:
        self._lane = lane
        self._possible = possible
        self._groups: dict[K, _Group[K, V]] = {}

    def load(self, key: K) -> Awaitable[V | None]:
        """Return what becomes the value of *key*; None when there is none."""
        group = self._groups.get(key)
        if group is None or group.abandoned:
            group = self._ask([key])
        return cast("Awaitable[V | None]", group.join(key, many=False))

    def load_many(self, keys: Sequence[K]) -> Awaitable[list[V | None]]:
        """Return what becomes the values of *keys*, in their order, with None for gaps. Costs little more than one load."""
        missing = [key for key in dict.fromkeys(keys) if (known := self._groups.get(key)) is None or known.abandoned]
        for start in range(0, len(missing), MAX_BATCH):
            self._ask(missing[start : start + MAX_BATCH])
        groups = list(dict.fromkeys(self._groups[key] for key in keys))
        if len(groups) == 1:
            return cast("Awaitable[list[V | None]]", groups[0].join(keys, many=True))
        return self._gathered(keys, groups)

    def know(self, found: Mapping[K, V]) -> None:
        """Take over what was found in another way, together with something else; what was asked for already stays."""
        known = {key: value for key, value in found.items() if key not in self._groups}
        if known:
            group: _Group[K, V] = _Group(list(known))
            group.settle(known, None)
            self._groups.update(dict.fromkeys(known, group))

    def _ask(self, keys: "Sequence[K]") -> "_Group[K, V]":
        group: _Group[K, V] = _Group(keys)
        self._groups.update(dict.fromkeys(keys, group))
        asked = keys if self._possible is None else [key for key in keys if self._possible(key)]
        if asked:
            group.keys = asked
            self._lane.add(group)
        else:
            group.settle({}, None)
        return group

    async def _gathered(self, keys: Sequence[K], groups: "Sequence[_Group[K, V]]") -> list[V | None]:
        mine = [[key for key in keys if self._groups[key] is group] for group in groups]
        parts = await asyncio.gather(*(group.join(some, many=True) for group, some in zip(groups, mine, strict=True)))
        found = {key: value for some, values in zip(mine, parts, strict=True) for key, value in zip(some, values, strict=True)}
        return [found[key] for key in keys]


def by_key(fetch: Fetch[K, V]) -> Loader[K, V]:
    """Adapt *fetch* to a loader that shares its queries with nobody."""
    return Loader(Lane(fetch))


class _Waiter(asyncio.Future[Any]):
    """What one caller waits for; it tells its group when it is given up, which a callback would do for each that is not."""

    def __init__(self, group: "_Group[Any, Any]", wanted: Any, *, many: bool) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._group = group
        self._wanted = wanted
        self._many = many

    def settle(self, found: Mapping[Any, Any], error: Exception | None) -> None:
        if self.done():
            return
        if error is not None:
            self.set_exception(error)
        elif self._many:
            self.set_result([found.get(key) for key in self._wanted])
        else:
            self.set_result(found.get(self._wanted))

    def cancel(self, msg: Any | None = None) -> bool:
        given_up = super().cancel(msg)
        if given_up:
            self._group.leave(self)
        return given_up


class _Group(Generic[K, V]):
    """Keys that one operation asked for together, and who waits for them there."""

    __slots__ = ("_error", "_found", "_waiters", "abandoned", "batch", "keys", "trace")

    def __init__(self, keys: Sequence[K]) -> None:
        self.keys = keys
        self.batch: _Batch[K, V] | None = None
        self.abandoned = False
        self.trace: str | None = None
        self._waiters: list[_Waiter] = []
        self._found: Mapping[K, V] | None = None
        self._error: Exception | None = None

    def join(self, wanted: K | Sequence[K], *, many: bool) -> _Waiter:
        waiter = _Waiter(self, wanted, many=many)
        if self._found is None:
            self._waiters.append(waiter)
        else:
            waiter.settle(self._found, self._error)
        return waiter

    def settle(self, found: Mapping[K, V], error: Exception | None) -> None:
        # Only its own: the rest of a batch is other operations'.
        self._found = {key: found[key] for key in self.keys if key in found}
        self._error = error
        # What refers to each other in a circle stays in memory until Python looks for circles.
        self.batch = None
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.settle(self._found, error)

    def leave(self, waiter: _Waiter) -> None:
        """Forget one who gave up; without anybody left, the keys are not asked for any more."""
        if waiter not in self._waiters:
            return
        self._waiters.remove(waiter)
        if not self._waiters:
            self.abandoned = True
            if self.batch is not None:
                self.batch.leave()


class _Batch(Generic[K, V]):
    """One query, and the groups it is for."""

    __slots__ = ("_left", "groups", "task")

    def __init__(self, groups: "Sequence[_Group[K, V]]") -> None:
        self.groups = groups
        self.task: asyncio.Task[None] | None = None
        self._left = len(groups)
        for group in groups:
            group.batch = self

    def settle(self, found: Mapping[K, V], error: Exception | None) -> None:
        for group in self.groups:
            group.settle(found, error)

    def leave(self) -> None:
        """Note that nobody waits for one of the groups any more; end the query when that was the last."""
        self._left -= 1
        if self._left == 0 and self.task is not None:
            self.task.cancel()
