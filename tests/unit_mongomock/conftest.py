"""A database in memory for every test of this folder."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.mock_mongo import mock_mongo


@pytest_asyncio.fixture(name="finds", autouse=True)
async def _finds() -> AsyncIterator[list[str]]:
    """An empty database; the names of the collections that finds go to from here on."""
    async with mock_mongo() as finds:
        yield finds
