"""What mutations and their events have to survive: the API and the relays killed and frozen while callers are at work."""

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from infra.kafka import Received
from infra.mongo import open_mongo
from tests.chaos.deployment import Deployment
from tests.chaos.history import Database, History, check_published, published
from tests.chaos.load import load
from tests.chaos.victims import Victims
from tests.journeys.outages import until


@dataclass(slots=True)
class Survived:
    """What was done to whom, and what is left."""

    history: History
    kills: dict[str, int]
    freezes: int
    events: int
    repeated: int


async def survives(
    deployment: Deployment, *, seed: int, kills: int, sellers: int = 2, callers: int = 3, freezes: int = 0, frozen: float = 30
) -> Survived:
    """Kill the API and one of two relays so often while callers are at work; compare what is left with what was said.

    With *freezes*, relays are also stopped so often: for *frozen* seconds, or half, or twice as long.
    """
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(Victims(partial(deployment.start, "serve"), chance, frozen=0, number=1, killed=1))
        relays = await stack.enter_async_context(
            Victims(partial(deployment.start, "relay"), chance, frozen=frozen, killed=0.5 if freezes else 1)
        )
        await deployment.ready()
        tokens = {name: deployment.token(name) for name in (f"{deployment.database}-{number}" for number in range(sellers))}
        async with load(deployment.url, tokens, callers=callers, seed=seed) as running:
            while api.kills < kills or relays.kills < kills or relays.freezes < freezes:
                await running.until(20)
                await asyncio.sleep(chance.uniform(0, 0.5))
                if relays.kills < kills or relays.freezes < freezes:
                    await relays.harm()
                if api.kills < kills:
                    await api.harm()
                    await deployment.ready()
            await running.until(20)
        async with open_mongo(deployment.servers.mongodb_uri, deployment.database) as mongo:
            records, events = await everything_published(deployment, mongo.database)
            findings = [
                *await running.history.check(mongo.database),
                *check_published(records, events),
            ]
    assert [] == findings, f"seed {seed}"
    return Survived(
        running.history,
        {"serve": api.kills, "relay": relays.kills},
        relays.freezes,
        len(events),
        len(records) - len(events),
    )


async def everything_published(
    deployment: Deployment, database: Database, *, within: float = 120
) -> tuple[list[Received], list[dict[str, object]]]:
    """Wait until no event is pending; return what is on Kafka, and the events as they are stored."""
    await until(lambda: database["customer_events"].count_documents({"pending": True}), lambda left: left == 0, within)
    events = await database["customer_events"].find().to_list()
    brokers = deployment.servers.kafka_brokers.split(",")
    return await published(brokers, deployment.topics, [event["_id"] for event in events], within=60), events
