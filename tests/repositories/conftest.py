"""A real database for the repositories, with its indexes; a seller of its own for every test."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

import pytest
import pytest_asyncio
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient

from core.tenancy import Tenant
from infra.mongo import create_indexes
from models.customer import Customer
from repositories.unit_of_work import Repositories, UnitOfWork
from tests.databases import drop
from tests.repositories.plans import Asked, Database, tell_beanie
from tests.servers import Servers

_ASKED = Asked()


@pytest_asyncio.fixture(name="indexed", scope="session")
async def _indexed(servers: Servers) -> AsyncIterator[Database]:
    name = f"repositories-{uuid.uuid4().hex[:8]}"
    client = AsyncMongoClient[dict[str, Any]](
        servers.mongodb_uri, tz_aware=True, tzinfo=UTC, timeoutMS=5000, event_listeners=[_ASKED]
    )
    async with client:
        database = client.get_database(name, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC))
        await tell_beanie(database)
        await create_indexes()
        yield database
        await drop(client, name)


@pytest_asyncio.fixture(name="database")
async def _database(indexed: Database) -> Database:
    """The database that Beanie knows from here on."""
    if Customer.get_pymongo_collection().database.client is not indexed.client:
        await tell_beanie(indexed)
    return indexed


@pytest.fixture(name="asked")
def _asked(database: Database) -> Asked:
    """What is asked of the database from here on."""
    _ASKED.forget()
    return _ASKED


@pytest.fixture(name="seller")
def _seller() -> str:
    return f"seller-{uuid.uuid4().hex[:12]}"


@pytest.fixture(name="units")
def _units(database: Database) -> UnitOfWork:
    return UnitOfWork(database.client)


@pytest.fixture(name="mine")
def _mine(database: Database, seller: str) -> Repositories:
    """The repositories of the test's seller, outside any transaction."""
    return Repositories(Tenant(seller))
