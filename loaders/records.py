"""Loaders for those who need records and not rows: the same queries, and a record of each row that was found."""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel

from loaders.batch import Loader
from models.row import Row

K = TypeVar("K", bound=Hashable)
M = TypeVar("M", bound=BaseModel)


class Records(Generic[K, M]):
    """What a loader of rows finds, as records: to be read and not changed."""

    def __init__(self, rows: Loader[K, Row[M]]) -> None:
        self._rows = rows

    async def load(self, key: K) -> M | None:
        """Return the record of *key*; None when there is none."""
        row = await self._rows.load(key)
        return None if row is None else row.record

    async def load_many(self, keys: Sequence[K]) -> list[M | None]:
        """Return the records of *keys*, in their order, with None for gaps."""
        return [None if row is None else row.record for row in await self._rows.load_many(keys)]


class OwnedRecords(Generic[K, M]):
    """What a loader finds that has several rows for a key, as records: to be read and not changed."""

    def __init__(self, rows: Loader[K, list[Row[M]]]) -> None:
        self._rows = rows

    async def load(self, key: K) -> list[M] | None:
        """Return the records of *key*; None when nobody knows the key."""
        rows = await self._rows.load(key)
        return None if rows is None else [row.record for row in rows]

    async def load_many(self, keys: Sequence[K]) -> list[list[M] | None]:
        """Return the records of each of *keys*, in their order."""
        found = await self._rows.load_many(keys)
        return [None if rows is None else [row.record for row in rows] for rows in found]
