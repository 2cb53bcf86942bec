"""The database client: one per process, always against a replica set."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pymongo
from beanie import init_beanie
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from core.errors import StandaloneDatabase, Unavailable
from infra.mongo_pool import PoolGauges
from models.registry import RETIRED_INDEXES, STORED_MODELS
from repositories.errors import translated
from repositories.unit_of_work import UnitOfWork

PATIENCE = 5.0
"""Seconds that one command of a request may take; nobody waits longer."""


PROBE_SECONDS = 3.0
"""Whoever asks whether the database answers wants to know it sooner: load balancers ask every few seconds."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """What a server says of itself; `ahead` is by how many seconds its clock is before ours, negative when behind."""

    version: str
    kind: str
    ahead: float


@dataclass(frozen=True, slots=True)
class Mongo:
    """An open connection to one database."""

    database: AsyncDatabase[dict[str, Any]]

    @property
    def units(self) -> UnitOfWork:
        """What runs transactions there."""
        return UnitOfWork(self.database.client)

    async def answers(self) -> bool:
        """Say whether the database answers, within `PROBE_SECONDS`."""
        try:
            with pymongo.timeout(PROBE_SECONDS):
                await self.database.command("ping")
        except PyMongoError:
            return False
        return True

    async def describe(self) -> "ServerState":
        """Return what the server says of itself.

        Raises:
            Unavailable: it does not answer.
        """
        with translated():
            asked = datetime.now(UTC)
            hello = await self.database.client.admin.command("hello")
            answered = datetime.now(UTC)
            built = await self.database.client.admin.command("buildInfo")
        between = asked + (answered - asked) / 2
        local: datetime = hello["localTime"].replace(tzinfo=UTC)
        return ServerState(
            version=str(built["version"]),
            kind="a sharded cluster" if hello.get("msg") == "isdbgrid" else f"replica set {hello['setName']}",
            ahead=(local - between).total_seconds(),
        )

    async def try_transaction(self) -> None:
        """Read in a transaction, from a collection that nobody has, and commit it.

        Raises:
            Unavailable: it cannot be done; the cause says why.
        """
        try:
            async with self.database.client.start_session() as session, await session.start_transaction():
                await self.database.command({"find": "doctor", "limit": 1}, session=session)
        except PyMongoError as error:
            raise Unavailable("A transaction came to nothing.") from error


@asynccontextmanager
async def open_mongo(
    uri: str,
    database: str,
    *,
    max_pool_size: int = 100,
    min_pool_size: int = 0,
    listeners: Sequence[Any] = (),
    patience: float | None = PATIENCE,
) -> AsyncIterator[Mongo]:
    """Connect, check what is there, and tell Beanie about the stored shapes. Indexes are made by `database indexes`.

    *patience* is how many seconds one command may take, None for as long as it needs. *listeners* are the driver's own.

    Raises:
        StandaloneDatabase: with what to do about it.
        Unavailable: nobody answers at this address.
    """
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        uri,
        appname="customer-service",
        tz_aware=True,
        tzinfo=UTC,
        maxPoolSize=max_pool_size,
        minPoolSize=min_pool_size,
        # Each has a default of half a minute or for ever; a caller is gone by then.
        timeoutMS=None if patience is None else int(patience * 1000),
        waitQueueTimeoutMS=1000,
        serverSelectionTimeoutMS=3000,
        connectTimeoutMS=2000,
        # How often each server is looked at; one that went silent is noticed within this and the time to connect. The
        # default of 10 s would have callers wait for it for so long.
        heartbeatFrequencyMS=2000,
        event_listeners=[PoolGauges(), *listeners],
    )
    try:
        await _require_replica_set(client)
        opened = client.get_database(database, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC))
        await init_beanie(database=opened, document_models=list(STORED_MODELS), skip_indexes=True)
        yield Mongo(opened)
    finally:
        await client.close()


async def create_indexes() -> None:
    """Create every index that is missing. Run once per deployment, before the processes that need them."""
    for model in STORED_MODELS:
        indexes = getattr(model.Settings, "indexes", [])
        if indexes:
            await model.get_pymongo_collection().create_indexes(indexes)


async def drop_retired_indexes() -> list[str]:
    """Drop the indexes that only earlier versions read by; return them as ``collection.index``.

    To be run once no process of an earlier version runs: one that does reads whole collections afterwards.
    """
    dropped = []
    for model, names in RETIRED_INDEXES:
        collection = model.get_pymongo_collection()
        with translated():
            existing = await collection.index_information()
            for name in (name for name in names if name in existing):
                await collection.drop_index(name)
                dropped.append(f"{collection.name}.{name}")
    return dropped


async def missing_indexes() -> list[str]:
    """Return the declared indexes that do not exist, as ``collection.index``."""
    missing = []
    for model in STORED_MODELS:
        with translated():
            existing = await model.get_pymongo_collection().index_information()
        declared = [index.document["name"] for index in getattr(model.Settings, "indexes", [])]
        missing += [f"{model.Settings.name}.{name}" for name in declared if name not in existing]
    return missing


async def _require_replica_set(client: AsyncMongoClient[dict[str, Any]]) -> None:
    try:
        hello = await client.admin.command("hello")
    except PyMongoError as error:
        message = f"MongoDB does not answer at {', '.join(f'{host}:{port}' for host, port in client.nodes) or 'its address'}."
        raise Unavailable(message) from error
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        message = (
            "MongoDB runs as a standalone server. Start it with --replSet rs0 and run rs.initiate() once: "
            "transactions and change streams need a replica set, even one with a single member."
        )
        raise StandaloneDatabase(message)
