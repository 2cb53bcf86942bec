"""The one place where a query that returns a mapping becomes a DataLoader."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from core.errors import Unavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_BATCH = 500
"""Keys in one query. Strawberry's default is no limit."""


class SharedLoader(DataLoader[K, V]):
    """A loader whose callers do not share each other's fate.

    Strawberry gives all of them the same future, so that one who is cancelled, because a field beside it failed, takes the
    others along, and with them the whole operation. Here a load is given up when nobody is left who waits for it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: Counter[asyncio.Future[V]] = Counter()

    def load(self, key: K) -> Awaitable[V]:
        """Return what becomes the value of *key*."""
        loading = asyncio.ensure_future(super().load(key))
        if loading.done():
            return loading
        self._waiting[loading] += 1
        mine = asyncio.shield(loading)
        mine.add_done_callback(lambda mine: self._settle(loading, given_up=mine.cancelled()))
        return mine

    def _settle(self, loading: "asyncio.Future[V]", *, given_up: bool) -> None:
        self._waiting[loading] -= 1
        if self._waiting[loading] == 0:
            del self._waiting[loading]
            if given_up:
                loading.cancel()


def by_key(fetch: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> DataLoader[K, V | None]:
    """Adapt *fetch* to a loader: order and gaps are handled here, once.

    Whatever goes wrong reaches everybody who waits for a key of the batch. For one operation only: a loader keeps what it
    loaded, errors too.
    """

    async def load(keys: list[K]) -> list[V | None]:
        try:
            found = await fetch(keys)
        except asyncio.CancelledError:
            # Strawberry would answer nobody, and whoever waits would wait for ever. This task ends here either way.
            raise Unavailable("What this needs could not be read in time. Try again.") from None
        return [found.get(key) for key in keys]

    return SharedLoader(load_fn=load, max_batch_size=MAX_BATCH)
