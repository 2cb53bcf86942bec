"""``customer-service events replay`` and ``topics`` as they are typed; what Apache Kafka makes of them is in tests/kafka."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.container import Container
from app.settings import Settings
from core.clock import SystemClock, rfc3339
from core.tenancy import Tenant
from events.customer import EventTopics, wire
from infra.kafka import Received, consume
from repositories.customer_event import MongoOutbox
from repositories.event_replay import RecordedEvents
from tests.api import Api, fresh
from tests.events_command import CommandLine
from tests.graphql.operations import UPDATE, create, payload
from tests.servers import Servers


@pytest.fixture(name="topics")
def _topics() -> EventTopics:
    return EventTopics(created=fresh("created"), updated=fresh("updated"), deleted=fresh("deleted"))


@pytest.fixture(name="command_line")
def _command_line(settings: Settings, servers: Servers, topics: EventTopics, tmp_path: Path) -> CommandLine:
    return CommandLine(settings, servers.kafka_brokers, topics, tmp_path / "no-stack-here")


@pytest_asyncio.fixture(name="published")
async def _published(container: Container, execute: Api, seller: str) -> list[dict[str, Any]]:
    """The events of a customer that was created and changed, published long ago."""
    customer = await create(execute)
    await payload(execute, UPDATE, {"id": customer["id"], "patch": {"tags": ["vip"]}})
    cursor = container.mongo.database["customer_events"].find({"seller_id": seller}).sort("version", 1)
    events = await cursor.to_list()
    await MongoOutbox(SystemClock(), holder="test").mark_published([event["_id"] for event in events])
    return events


async def read(servers: Servers, topic: str) -> Received:
    """Return the first record of a topic."""
    async with asyncio.timeout(20), consume(servers.kafka_brokers.split(","), [topic], from_beginning=True) as records:
        return await anext(records)


async def test_one_sellers_events_of_one_topic_go_there_once_more(
    command_line: CommandLine, topics: EventTopics, published: list[dict[str, Any]], servers: Servers, seller: str
) -> None:
    asked = ("replay", "--since", "1h", "--seller", seller, "--topic", topics.updated)

    counted = await asyncio.to_thread(command_line, *asked, "--dry-run")
    done = await asyncio.to_thread(command_line, *asked)
    received = await read(servers, topics.updated)

    assert (0, f"  {topics.updated}: 1") == (counted.returncode, counted.stdout.splitlines()[1])
    assert "would be published again" in counted.stdout
    assert (0, f"  {topics.updated}: 1") == (done.returncode, done.stdout.splitlines()[1])
    assert "1 of 1 events" in done.stderr
    place = await RecordedEvents().place_of(published[1]["_id"])
    assert place is not None
    headers = dict(received.headers)
    assert published[1]["_id"].encode() == headers["ce_id"]
    assert rfc3339(place[0]).encode() == headers["ce_time"]
    assert "replay" in headers
    assert published[1]["customer_id"].encode() == received.key


async def test_what_is_published_again_is_what_was_published(
    command_line: CommandLine, topics: EventTopics, published: list[dict[str, Any]], servers: Servers, seller: str,
    container: Container,
) -> None:  # fmt: skip
    done = await asyncio.to_thread(command_line, "replay", "--since", "1h", "--seller", seller, "--json")
    received = [await read(servers, topic) for topic in (topics.created, topics.updated)]
    page = await container.units.run(Tenant(seller), lambda work: work.events.since(seller, published[0]["customer_id"], 0, 10))

    assert 0 == done.returncode
    said = json.loads(done.stdout)
    assert (True, 2, [], published[1]["_id"]) == (said["complete"], said["events"], said["refused"], said["last"])
    assert [wire(event).value for event in page] == [record.value for record in received]


def test_brokers_that_manage_no_topics_are_told_of_as_such(command_line: CommandLine, topics: EventTopics) -> None:
    """
    The broker of the development stack, which makes its topics when it starts.
    """
    answer = command_line("topics", "--json")

    told = {topic["name"]: topic for topic in json.loads(answer.stdout)["topics"]}
    assert 1 == answer.returncode
    assert {topics.created, topics.updated, topics.deleted} == told.keys()
    assert {"refused"} == {topic["result"] for topic in told.values()}
    assert "development stack makes its own" in told[topics.created]["problems"][0]
