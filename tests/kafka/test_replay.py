"""``customer-service events replay`` on Apache Kafka: what consumers get once more, and how an operator goes on."""

import asyncio
import json
import shlex
import signal
from typing import Any

import pytest_asyncio

from app.container import Container
from app.topics import event_topics
from core.clock import SystemClock
from events.customer import EventTopics
from infra.kafka import Received, consume, open_producer
from infra.kafka_topics import open_topics
from repositories.customer_event import MongoOutbox
from tests.api import Api
from tests.event_promise import faults
from tests.events_command import CommandLine
from tests.graphql.operations import DELETE, UPDATE, create, payload
from tests.journeys.events import body, header
from tests.kafka.broker import Broker
from workers.relay import Relay


@pytest_asyncio.fixture(name="published")
async def _published(
    container: Container, broker: Broker, topics: EventTopics, command_line: CommandLine, execute: Api, seller: str
) -> list[dict[str, Any]]:
    """What happened to three customers of the seller, published by the relay; as it is stored, in the order of moments."""
    assert event_topics(container.settings.kafka.topics) != topics
    assert 0 == (await asyncio.to_thread(command_line, "topics")).returncode
    customers = [await create(execute) for _ in range(3)]
    for customer in customers:
        for tag in ("a", "b"):
            await payload(execute, UPDATE, {"id": customer["id"], "patch": {"tags": [tag]}})
    await payload(execute, DELETE, {"id": customers[0]["id"]})
    outbox = MongoOutbox(SystemClock(), holder="test-kafka")
    async with open_producer([broker.address], client_id="relay") as producer:
        while await Relay(outbox, producer, topics).step():
            pass
    await outbox.release()
    cursor = container.mongo.database["customer_events"].find({"seller_id": seller})
    return await cursor.sort([("occurred_at", 1), ("_id", 1)]).to_list()


async def on_kafka(broker: Broker, topics: EventTopics, seller: str, count: int) -> tuple[list[Received], list[Received]]:
    """Read until *count* of the seller's records were there; return the first publications, and the repetitions."""
    found: list[Received] = []
    names = [topics.created, topics.updated, topics.deleted]
    async with asyncio.timeout(30), consume([broker.address], names, from_beginning=True) as records:
        while len(found) < count:
            record = await anext(records)
            if header(record, "seller_id") == seller:
                found.append(record)
    again = [record for record in found if "replay" in dict(record.headers)]
    return [record for record in found if record not in again], again


async def test_events_come_once_more_as_they_were_and_marked(
    broker: Broker, topics: EventTopics, command_line: CommandLine, published: list[dict[str, Any]], seller: str
) -> None:
    counted = await asyncio.to_thread(command_line, "replay", "--since", "1h", "--seller", seller, "--dry-run", "--json")
    answer = await asyncio.to_thread(command_line, "replay", "--since", "1h", "--seller", seller, "--json")
    first, again = await on_kafka(broker, topics, seller, 20)

    numbers = {topics.created: 3, topics.updated: 6, topics.deleted: 1}
    assert (0, numbers, True) == (counted.returncode, *(json.loads(counted.stdout)[key] for key in ("topics", "dryRun")))
    assert (0, numbers, True) == (answer.returncode, *(json.loads(answer.stdout)[key] for key in ("topics", "complete")))
    assert published[-1]["_id"] == json.loads(answer.stdout)["last"]
    by_id = {header(record, "ce_id"): record for record in first}
    assert {event["_id"] for event in published} == by_id.keys() == {header(record, "ce_id") for record in again}
    for record in again:
        original = by_id[header(record, "ce_id")]
        assert (original.topic, original.partition, original.key, original.value) == (
            record.topic, record.partition, record.key, record.value,
        )  # fmt: skip
        assert [*original.headers, ("replay", dict(record.headers)["replay"])] == list(record.headers)
        assert [] == faults(record.value or b"")
    for customer in {event["customer_id"] for event in published}:
        told = [body(record) for record in again if record.topic == topics.updated]
        assert [2, 3] == [one["version"] for one in told if one["customerId"] == customer]


async def test_one_that_is_interrupted_says_how_to_go_on(
    broker: Broker, topics: EventTopics, command_line: CommandLine, published: list[dict[str, Any]], seller: str
) -> None:
    slow = command_line.start("replay", "--since", "1h", "--seller", seller, "--rate", "2")
    try:
        await on_kafka(broker, topics, seller, len(published) + 1)
        slow.send_signal(signal.SIGINT)
        _, complaints = await asyncio.to_thread(slow.communicate, timeout=30)
    finally:
        slow.kill()
    hint = next(line for line in complaints.splitlines() if "Go on with" in line)
    rest = shlex.split(hint.partition(": ")[2])
    published_before = len((await on_kafka(broker, topics, seller, len(published) + 1))[1])

    finished = await asyncio.to_thread(command_line, *rest[2:], "--rate", "1000", "--json")
    _, again = await on_kafka(broker, topics, seller, 2 * len(published))

    assert 130 == slow.returncode
    assert ["customer-service", "events", "replay"] == rest[:3]
    assert (0, True) == (finished.returncode, json.loads(finished.stdout)["complete"])
    assert json.loads(finished.stdout)["events"] < len(published)
    assert published_before < len(again)
    assert {event["_id"] for event in published} == {header(record, "ce_id") for record in again}


async def test_what_a_caller_gets_wrong_publishes_nothing(
    command_line: CommandLine, container: Container, broker: Broker, topics: EventTopics
) -> None:
    unknown = await asyncio.to_thread(command_line, "replay", "--since", "1h", "--after", "evt_nowhere")
    topic = await asyncio.to_thread(command_line, "replay", "--since", "1h", "--topic", "orders")
    backwards = await asyncio.to_thread(command_line, "replay", "--since", "2026-11-02", "--until", "2026-11-01")
    async with open_topics([broker.address]) as manager:
        there = await manager.find([topics.created, topics.updated, topics.deleted])

    assert [2, 2, 2] == [unknown.returncode, topic.returncode, backwards.returncode]
    assert "there is no event 'evt_nowhere'" in unknown.stderr
    assert "no event goes to the topic 'orders'" in topic.stderr
    assert "nothing lies between" in backwards.stderr
    assert {} == there
