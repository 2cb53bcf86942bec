"""The relay: nothing lost, nothing overtaken, whatever Kafka does."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import orjson
import pytest
from structlog.testing import capture_logs

from core.errors import Unavailable
from core.vocabulary import CustomerEventType
from events.customer import CustomerEvent, EventTopics
from infra import kafka as kafka_module
from infra.kafka import Record, RecordRefused, consume, open_producer
from tests.infra.servers import MockKafka, kafka_server, proxy_to
from workers.relay import Relay, rounds

TOPICS = EventTopics(created="customer.created", updated="customer.updated", deleted="customer.deleted")


def event(customer: str, version: int, **changes: object) -> CustomerEvent:
    fields: dict[str, object] = {
        "id": f"evt_{customer}_{version}",
        "seller_id": "demo",
        "customer_id": customer,
        "type": CustomerEventType.CREATED if version == 1 else CustomerEventType.UPDATED,
        "version": version,
        "actor": "test",
        "changed": ("email",),
        "occurred_at": datetime(2026, 11, 22, tzinfo=UTC),
        "data": {"id": customer},
    }
    return CustomerEvent(**(fields | changes))  # type: ignore[arg-type]


class MemoryOutbox:
    """Events in order; published ones are taken out."""

    def __init__(self, events: Sequence[CustomerEvent] = ()) -> None:
        self.events = {each.id: each for each in events}
        self.marks: list[list[str]] = []
        self.lost = False

    async def pending(self, limit: int) -> Sequence[CustomerEvent]:
        return list(self.events.values())[:limit]

    def still_ours(self) -> bool:
        return not self.lost

    async def mark_published(self, ids: Sequence[str]) -> None:
        self.marks.append(list(ids))
        for each in ids:
            del self.events[each]


class ScriptedProducer:
    """Takes everything but what `refuse` answers for; remembers what it took, and asserts the one-in-flight rule."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, int]] = []
        self.sent: list[bytes] = []
        self.down: set[tuple[str, int]] = set()
        self.refused: set[tuple[str, int]] = set()
        self.flaky: random.Random | None = None

    async def publish(self, records: Sequence[Record]) -> Sequence[Exception | None]:
        keys = [each.key for each in records]
        assert len(set(keys)) == len(keys)
        await asyncio.sleep(0)
        return [self._take(each) for each in records]

    def _take(self, record: Record) -> Exception | None:
        self.sent.append(record.value)
        name = (record.key.decode(), orjson.loads(record.value)["version"])
        if name in self.refused:
            return RecordRefused("too large")
        if name in self.down or (self.flaky and self.flaky.random() < 0.3):
            return Unavailable("down")
        self.taken.append((record.key, name[1]))
        return None


@pytest.fixture(name="producer")
def _producer() -> ScriptedProducer:
    return ScriptedProducer()


def test_rounds_keep_each_customers_order() -> None:
    events = [event("a", 1), event("b", 1), event("a", 2), event("a", 3), event("c", 1)]

    assert [["evt_a_1", "evt_b_1", "evt_c_1"], ["evt_a_2"], ["evt_a_3"]] == [
        [each.id for each in each_round] for each_round in rounds(events)
    ]


async def test_a_batch_is_published_in_order_and_marked_with_one_call(producer: ScriptedProducer) -> None:
    outbox = MemoryOutbox([event("a", 1), event("b", 1), event("a", 2)])
    relay = Relay(outbox, producer, TOPICS)

    assert await relay.step()
    assert not await relay.step()
    assert [(b"a", 1), (b"b", 1), (b"a", 2)] == producer.taken
    assert [["evt_a_1", "evt_b_1", "evt_a_2"]] == outbox.marks


async def test_a_failed_event_is_never_overtaken(producer: ScriptedProducer) -> None:
    outbox = MemoryOutbox([event("a", 1), event("a", 2), event("b", 1), event("b", 2)])
    relay = Relay(outbox, producer, TOPICS)
    producer.down = {("a", 1)}

    with pytest.raises(Unavailable, match="took 1 of 4"):
        await relay.step()
    assert [(b"b", 1)] == producer.taken
    assert [["evt_b_1"]] == outbox.marks

    producer.down = set()
    assert await relay.step()
    assert [(b"b", 1), (b"a", 1), (b"b", 2), (b"a", 2)] == sorted(producer.taken, key=producer.taken.index)
    assert {} == outbox.events


async def test_a_repetition_has_the_same_bytes(producer: ScriptedProducer) -> None:
    outbox = MemoryOutbox([event("a", 1)])
    relay = Relay(outbox, producer, TOPICS)
    producer.down = {("a", 1)}
    for _ in range(2):
        with pytest.raises(Unavailable):
            await relay.step()

    assert 2 == len(producer.sent)
    assert 1 == len(set(producer.sent))


async def test_what_was_taken_is_marked_even_when_the_rest_goes_wrong(producer: ScriptedProducer) -> None:
    """
    Otherwise a bug in one event would publish all others again and again.
    """
    outbox = MemoryOutbox([event("a", 1), event("a", 2)])
    publish = producer.publish

    async def fail_second(records: Sequence[Record]) -> Sequence[Exception | None]:
        if producer.taken:
            raise ZeroDivisionError
        return await publish(records)

    producer.publish = fail_second  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        await Relay(outbox, producer, TOPICS).step()

    assert [["evt_a_1"]] == outbox.marks


async def test_a_relay_that_loses_its_lease_begins_nothing_more(producer: ScriptedProducer) -> None:
    """
    What is on its way is marked; the rest is left to whoever has the lease now.
    """
    outbox = MemoryOutbox([event("a", 1), event("b", 1), event("a", 2), event("a", 3)])
    publish = producer.publish

    async def lose(records: Sequence[Record]) -> Sequence[Exception | None]:
        outbox.lost = len(producer.taken) == 2
        return await publish(records)

    producer.publish = lose  # type: ignore[method-assign]
    assert await Relay(outbox, producer, TOPICS).step()

    assert [(b"a", 1), (b"b", 1), (b"a", 2)] == producer.taken
    assert [["evt_a_1", "evt_b_1", "evt_a_2"]] == outbox.marks
    assert ["evt_a_3"] == list(outbox.events)


async def test_an_event_that_kafka_will_never_take_stops_its_customer_and_nobody_else(producer: ScriptedProducer) -> None:
    """
    Even when what waits behind it fills more than a batch.
    """
    outbox = MemoryOutbox([event("a", version) for version in range(1, 11)] + [event("b", 1), event("c", 1)])
    relay = Relay(outbox, producer, TOPICS, batch=4)
    producer.refused = {("a", 1)}
    with capture_logs() as logs:
        for _ in range(10):
            await relay.step()

    assert [(b"b", 1), (b"c", 1)] == producer.taken
    assert frozenset({"evt_a_1"}) == relay.refused
    assert ["relay.event_refused"] == [each["event"] for each in logs if each["event"].startswith("relay.")]

    producer.refused = set()
    while await relay.step():
        pass
    assert [(b"a", version) for version in range(1, 11)] == producer.taken[2:]
    assert frozenset() == relay.refused


async def test_an_event_that_is_no_json_is_refused_and_the_others_go_on(producer: ScriptedProducer) -> None:
    outbox = MemoryOutbox([event("a", 1, data={"x": object()}), event("b", 1)])
    relay = Relay(outbox, producer, TOPICS)
    await relay.step()

    assert [(b"b", 1)] == producer.taken
    assert frozenset({"evt_a_1"}) == relay.refused


@pytest.mark.parametrize("seed", range(5))
async def test_no_failure_pattern_loses_or_reorders(seed: int, producer: ScriptedProducer) -> None:
    """
    Three in ten publications fail, at random, in batches of random size.
    """
    chance = random.Random(seed)
    versions: defaultdict[str, int] = defaultdict(int)
    events = []
    for _ in range(300):
        customer = f"cus_{chance.randrange(12)}"
        versions[customer] += 1
        events.append(event(customer, versions[customer]))
    outbox = MemoryOutbox(events)
    relay = Relay(outbox, producer, TOPICS, batch=chance.randrange(1, 60))
    producer.flaky = chance
    while outbox.events:
        try:
            await relay.step()
        except Unavailable:
            continue

    assert {key.encode(): list(range(1, last + 1)) for key, last in versions.items()} == {
        key: [version for other, version in producer.taken if other == key] for key, _ in producer.taken
    }


class TestOnKafka:
    @pytest.fixture(name="kafka")
    def _kafka(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockKafka]:
        monkeypatch.setattr(kafka_module, "PUBLISH_SECONDS", 1)
        monkeypatch.setattr(kafka_module, "STOP_SECONDS", 1)
        with kafka_server() as server:
            yield server

    async def test_an_outage_loses_nothing_and_is_two_lines_in_the_log(self, kafka: MockKafka) -> None:
        outbox = MemoryOutbox()
        stop = asyncio.Event()
        with capture_logs() as logs:
            async with proxy_to(kafka.brokers[0]) as proxy, open_producer([proxy.address], client_id="relay") as producer:
                running = asyncio.create_task(Relay(outbox, producer, TOPICS).run(stop))
                outbox.events |= {each.id: each for each in [event("warm", 1)]}
                await drained(outbox)
                kafka.kill()
                for version in range(1, 6):
                    outbox.events |= {each.id: each for each in [event(f"cus_{n}", version) for n in range(20)]}
                    await asyncio.sleep(0.2)
                with kafka_server() as back:
                    host, _, port = back.brokers[0].rpartition(":")
                    proxy.target = (host, int(port))
                    await drained(outbox)
                    found = await versions_in(back.brokers, 100)
                stop.set()
                await running

        assert {f"cus_{n}": [1, 2, 3, 4, 5] for n in range(20)} == found
        # The application of other tests lives in this process too, and says other things.
        assert ["step.failed", "step.recovered"] == [each["event"] for each in logs if each["event"].startswith("step.")]

    async def test_an_event_is_on_kafka_within_a_tenth_of_a_second(self, kafka: MockKafka) -> None:
        outbox = MemoryOutbox()
        stop = asyncio.Event()
        async with open_producer(kafka.brokers, client_id="relay") as producer:
            running = asyncio.create_task(Relay(outbox, producer, TOPICS).run(stop))
            outbox.events["evt_warm_1"] = event("warm", 1)
            await drained(outbox)
            delays = []
            for n in range(10):
                began = asyncio.get_running_loop().time()
                outbox.events[f"evt_{n}_1"] = event(str(n), 1)
                await drained(outbox)
                delays.append(asyncio.get_running_loop().time() - began)
            stop.set()
            await running

        # The median, because the machine that runs the tests has other things to do.
        assert sorted(delays)[5] < 0.1


async def drained(outbox: MemoryOutbox) -> None:
    async with asyncio.timeout(30):
        while outbox.events:  # noqa: ASYNC110 - a dictionary rings no bell
            await asyncio.sleep(0.002)


async def versions_in(brokers: Sequence[str], count: int) -> dict[str, list[int]]:
    """Return each customer's versions in the order of the topics, repetitions dropped, once *count* have been seen."""
    topics = [TOPICS.created, TOPICS.updated]
    seen: defaultdict[str, list[int]] = defaultdict(list)
    total = 0
    async with asyncio.timeout(20), consume(brokers, topics, from_beginning=True) as records:
        while total < count:
            body = orjson.loads((await anext(records)).value or b"{}")
            if body["version"] not in seen[body["customerId"]]:
                seen[body["customerId"]].append(body["version"])
                total += 1
    # Created and updated are two topics, and read in any order relative to each other.
    return {
        customer: sorted(v for v in versions if v == 1) + [v for v in versions if v > 1] for customer, versions in seen.items()
    }
