"""The relay on Apache Kafka: what a broker acknowledged is there after it died, in order, whatever consumers do meanwhile."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

import orjson
import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from events.customer import CustomerEvent, EventTopics
from infra import kafka as kafka_module
from infra.kafka import Received, consume, open_producer
from tests.kafka.broker import Broker
from tests.workers.test_relay import MemoryOutbox, drained, event
from workers.relay import Relay

CUSTOMERS, VERSIONS = 40, 12


@pytest_asyncio.fixture(name="made_topics")
async def _made_topics(broker: Broker, topics: EventTopics) -> EventTopics:
    """Topics of four partitions each."""
    client = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await client.start()
    await client.create_topics([NewTopic(name, 4, 1) for name in (topics.created, topics.updated, topics.deleted)])
    await client.close()
    return topics


def history(versions: range) -> dict[str, CustomerEvent]:
    return {one.id: one for version in versions for number in range(CUSTOMERS) for one in [event(f"cus_{number}", version)]}


async def read(records: AsyncIterator[Received], count: int, seen: dict[str, list[int]]) -> None:
    """Note each customer's versions in the order in which they come, repetitions dropped, until *count* are there."""
    while sum(map(len, seen.values())) < count:
        body = orjson.loads((await anext(records)).value or b"{}")
        if body["version"] not in seen[body["customerId"]]:
            seen[body["customerId"]].append(body["version"])


async def test_a_broker_that_is_killed_and_comes_back_has_everything_in_order(
    broker: Broker, made_topics: EventTopics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The relay publishes on all the while; what it marked as published has to be there, and what was under way comes again.
    """
    monkeypatch.setattr(kafka_module, "PUBLISH_SECONDS", 2)
    monkeypatch.setattr(kafka_module, "STOP_SECONDS", 1)
    outbox, stop = MemoryOutbox([*history(range(2, 2 + VERSIONS // 3)).values()]), asyncio.Event()
    async with open_producer([broker.address], client_id="relay") as producer:
        relaying = asyncio.create_task(Relay(outbox, producer, made_topics, batch=60).run(stop))
        await drained(outbox)
        outbox.events |= history(range(2 + VERSIONS // 3, 2 + 2 * VERSIONS // 3))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(broker.kill)
        outbox.events |= history(range(2 + 2 * VERSIONS // 3, 2 + VERSIONS))
        waiting = len(outbox.events)
        await asyncio.to_thread(broker.start)
        await drained(outbox)
        stop.set()
        await relaying

    seen: defaultdict[str, list[int]] = defaultdict(list)
    async with asyncio.timeout(30), consume([broker.address], [made_topics.updated], from_beginning=True) as records:
        await read(records, CUSTOMERS * VERSIONS, seen)
    assert waiting >= CUSTOMERS * VERSIONS // 3
    assert {f"cus_{number}": list(range(2, 2 + VERSIONS)) for number in range(CUSTOMERS)} == seen


class Group:
    """A group of consumers, and what its members have seen."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._broker = broker
        self._topic = topic
        self._news = asyncio.Event()
        self.seen: defaultdict[str, set[int]] = defaultdict(set)
        self.partitions: defaultdict[str, set[int]] = defaultdict(set)

    async def member(self, name: str, leave: asyncio.Event) -> None:
        """Be a member until told to *leave*."""
        reading = consume([self._broker.address], [self._topic], group_id=f"group-{self._topic}", from_beginning=True)
        async with reading as records:
            left = asyncio.create_task(leave.wait())
            while not left.done():
                coming = asyncio.ensure_future(anext(records))
                await asyncio.wait({left, coming}, return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    self._note(name, coming.result())
                else:
                    coming.cancel()

    def _note(self, name: str, record: Received) -> None:
        body = orjson.loads(record.value or b"{}")
        self.seen[body["customerId"]].add(body["version"])
        self.partitions[name].add(record.partition)
        self._news.set()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something holds of what was seen."""
        async with asyncio.timeout(30):
            while not reached():
                self._news.clear()
                await self._news.wait()

    async def all_seen(self, versions: range) -> None:
        """Wait until every customer's events were seen."""
        await self.until(lambda: all(self.seen[f"cus_{number}"] >= set(versions) for number in range(CUSTOMERS)))


async def test_consumers_of_a_group_that_come_and_go_miss_nothing(broker: Broker, made_topics: EventTopics) -> None:
    """
    A second member takes over half of the partitions, and gives them back when it leaves; between them they see every event.
    """
    outbox, stop, group = MemoryOutbox(), asyncio.Event(), Group(broker, made_topics.updated)
    leave_first, leave_second = asyncio.Event(), asyncio.Event()
    version = 4
    async with open_producer([broker.address], client_id="relay") as producer, asyncio.TaskGroup() as tasks:
        tasks.create_task(Relay(outbox, producer, made_topics).run(stop))
        tasks.create_task(group.member("first", leave_first))
        outbox.events |= history(range(2, 4))
        await group.all_seen(range(2, 4))
        tasks.create_task(group.member("second", leave_second))
        async with asyncio.timeout(30):
            while len(group.partitions["second"]) < 2:
                outbox.events |= history(range(version, version + 1))
                await drained(outbox)
                version += 1
                await asyncio.sleep(0.2)
        leave_second.set()
        outbox.events |= history(range(version, version + 2))
        await group.all_seen(range(2, version + 2))
        leave_first.set()
        stop.set()

    assert {0, 1, 2, 3} == group.partitions["first"]
    assert 2 == len(group.partitions["second"])
