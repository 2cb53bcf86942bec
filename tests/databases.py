"""Databases of tests, and their end."""

import asyncio
from typing import Any

from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.errors import AutoReconnect

_ATTEMPTS = 5


async def drop(client: AsyncMongoClient[Any], name: str) -> None:
    """Drop a database, again when the connection broke: on busy machines the driver gives up a server that is slow to greet."""
    for left in reversed(range(_ATTEMPTS)):
        try:
            await client.drop_database(name)
        except AutoReconnect:
            if not left:
                raise
            await asyncio.sleep(1)
        else:
            return
