"""The one place where a query that returns a mapping becomes a DataLoader."""

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import TypeVar

from strawberry.dataloader import DataLoader

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_BATCH = 500
"""Keys in one query. Strawberry's default is no limit."""


def by_key(fetch: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> DataLoader[K, V | None]:
    """Adapt *fetch* to a loader: order and gaps are handled here, once."""

    async def load(keys: list[K]) -> list[V | None]:
        found = await fetch(keys)
        return [found.get(key) for key in keys]

    return DataLoader(load_fn=load, max_batch_size=MAX_BATCH)
