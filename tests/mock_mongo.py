"""A database in memory, for tests that need stored shapes and reads and nothing that only a server can do.

mongomock-motor 0.0.36 imitates Motor. It serves Beanie 2.2 and our reads once two of its methods are mended, below. It has no
sessions, change streams, `explain` or partial indexes, and its `bulk_write` refuses what PyMongo 4.20 sends: all that is
tested on a real server.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from unittest.mock import patch

from beanie import init_beanie
from beanie.exceptions import CollectionWasNotInitialized
from mongomock_motor import AsyncMongoMockClient, AsyncMongoMockCollection, AsyncMongoMockDatabase
from pymongo.errors import InvalidOperation

from models.customer import Customer
from models.registry import STORED_MODELS

_aggregate = AsyncMongoMockCollection.aggregate
_find = AsyncMongoMockCollection.find
_list_collection_names = AsyncMongoMockDatabase.list_collection_names


@asynccontextmanager
async def mock_mongo() -> AsyncIterator[list[str]]:
    """Let the stored shapes live in memory. Yields the names of the collections that finds go to, as they happen.

    Beanie knows one database per process, so the one it knew before is given back at the end.
    """
    finds: list[str] = []

    def find(self: Any, *args: Any, **options: Any) -> Any:
        finds.append(self.name)
        return _find(self, *args, **options)

    async def aggregate(self: Any, *args: Any, **options: Any) -> Any:
        return _aggregate(self, *args, **options)

    async def list_collection_names(self: Any, *_: Any, **_options: Any) -> Any:
        # Beanie passes authorizedCollections, which mongomock does not know.
        return await _list_collection_names(self)

    before = _known_database()
    with (
        patch.multiple(AsyncMongoMockCollection, find=find, aggregate=aggregate),
        patch.object(AsyncMongoMockDatabase, "list_collection_names", list_collection_names),
    ):
        await _tell_beanie(AsyncMongoMockClient(tz_aware=True).get_database("mock"))
        try:
            yield finds
        finally:
            if before is not None:
                # Where the test that opened it is over, or the loop it was opened in, there is nothing to give back.
                with suppress(InvalidOperation, RuntimeError):
                    await _tell_beanie(before)


def _known_database() -> Any:
    try:
        return Customer.get_settings().pymongo_db
    except CollectionWasNotInitialized:
        return None


async def _tell_beanie(database: Any) -> None:
    await init_beanie(database=database, document_models=list(STORED_MODELS), skip_indexes=True)
