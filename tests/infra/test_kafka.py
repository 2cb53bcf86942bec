"""The producer against a broker that freezes, dies and comes back."""

import asyncio
import itertools

import pytest
from aiokafka.errors import MessageSizeTooLargeError, OutOfOrderSequenceNumber

from core.errors import Unavailable
from infra import kafka as module
from infra.kafka import RECORD_BYTES, KafkaProducer, Record, RecordRefused, consume, open_producer
from tests.infra.servers import MockKafka, kafka_server, proxy_to

_numbers = itertools.count()


def record(topic: str, key: str, value: bytes = b"{}") -> Record:
    return Record(topic, key.encode(), value, [("event", b"customer.created")])


@pytest.fixture(name="topic")
def _topic() -> str:
    return f"topic-{next(_numbers)}"


async def read(kafka: MockKafka, topic: str, count: int) -> list[tuple[bytes | None, bytes | None]]:
    async with asyncio.timeout(20), consume(kafka.brokers, [topic], from_beginning=True) as records:
        found = [await anext(records) for _ in range(count)]
    return [(each.key, each.value) for each in found]


async def test_what_is_published_is_read_with_key_value_and_headers(kafka: MockKafka, topic: str) -> None:
    async with open_producer(kafka.brokers, client_id="test") as producer:
        assert [None] == await producer.publish([record(topic, "cus_1", b'{"a":1}')])
    async with asyncio.timeout(20), consume(kafka.brokers, [topic], from_beginning=True) as records:
        received = await anext(records)

    assert (topic, b"cus_1", b'{"a":1}') == (received.topic, received.key, received.value)
    assert (("event", b"customer.created"),) == received.headers


async def test_a_reader_sees_everything_from_the_moment_it_is_open(kafka: MockKafka, topic: str) -> None:
    async with open_producer(kafka.brokers, client_id="test") as producer:
        await producer.publish([record(topic, "before")])
        async with asyncio.timeout(20), consume(kafka.brokers, [topic]) as records:
            await producer.publish([record(topic, "after")])
            received = await anext(records)

    assert b"after" == received.key


async def test_a_record_that_is_too_large_is_refused_alone(kafka: MockKafka, topic: str) -> None:
    async with open_producer(kafka.brokers, client_id="test") as producer:
        outcomes = await producer.publish([record(topic, "a"), record(topic, "b", bytes(RECORD_BYTES + 1)), record(topic, "c")])

    assert [None, RecordRefused, None] == [outcome and type(outcome) for outcome in outcomes]
    assert {b"a", b"c"} == {key for key, _ in await read(kafka, topic, 2)}


async def test_a_batch_too_large_for_the_broker_is_sent_record_by_record(
    kafka: MockKafka, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A broker answers for a whole batch; only the guilty record may pay for it, and only once.
    """
    attempts: list[list[bytes]] = []
    attempt = KafkaProducer._attempt

    async def strict(self: KafkaProducer, records: list[Record]) -> list[BaseException | None]:
        attempts.append([each.key for each in records])
        if any(len(each.value) > 1000 and len(each.value) + 200 < self._limits.get(topic, 2000) for each in records):
            return [MessageSizeTooLargeError() for _ in records]
        return await attempt(self, records)

    monkeypatch.setattr(KafkaProducer, "_attempt", strict)
    records = [record(topic, "a"), record(topic, "b", bytes(1500)), record(topic, "c")]
    async with open_producer(kafka.brokers, client_id="test") as producer:
        first = await producer.publish(records)
        second = await producer.publish(records)

    assert [None, RecordRefused, None] == [outcome and type(outcome) for outcome in first]
    assert [None, RecordRefused, None] == [outcome and type(outcome) for outcome in second]
    assert [[b"a", b"b", b"c"], [b"a"], [b"b"], [b"c"], [b"a", b"b", b"c"]] == attempts


async def test_nobody_there_is_unavailable_and_never_an_exception() -> None:
    async with open_producer(["127.0.0.1:1"], client_id="test") as producer:
        outcomes = await producer.publish([record("t", "a"), record("t", "b")])

    assert [Unavailable, Unavailable] == [type(outcome) for outcome in outcomes]


async def test_reading_from_nobody_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        async with consume(["127.0.0.1:1"], ["t"]):
            raise AssertionError


async def test_a_dead_sender_is_replaced(kafka: MockKafka, topic: str) -> None:
    """
    aiokafka's sender dies of such an error, and every later send with it.
    """
    async with open_producer(kafka.brokers, client_id="test") as producer:
        await producer.publish([record(topic, "a")])
        assert producer._producer is not None
        producer._producer._message_accumulator.fail_all(OutOfOrderSequenceNumber())
        [broken] = await producer.publish([record(topic, "b")])
        [mended] = await producer.publish([record(topic, "b")])

    assert Unavailable is type(broken)
    assert mended is None


async def test_a_frozen_broker_costs_one_deadline_and_then_goes_on(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PUBLISH_SECONDS", 1)
    monkeypatch.setattr(module, "STOP_SECONDS", 1)
    with kafka_server() as kafka:
        async with open_producer(kafka.brokers, client_id="test") as producer:
            await producer.publish([record(topic, "a", b"1")])
            kafka.freeze()
            async with asyncio.timeout(5):
                [frozen] = await producer.publish([record(topic, "a", b"2")])
            kafka.thaw()
            [thawed] = await producer.publish([record(topic, "a", b"2")])
            await producer.publish([record(topic, "a", b"3")])
            # The one that was given up may have arrived as well: at least once, in order.
            values = [value for _, value in await read(kafka, topic, 3)]

    assert Unavailable is type(frozen)
    assert thawed is None
    assert values in ([b"1", b"2", b"2"], [b"1", b"2", b"3"])


async def test_a_broker_that_died_is_found_again_where_it_comes_back(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PUBLISH_SECONDS", 1)
    monkeypatch.setattr(module, "STOP_SECONDS", 1)
    with kafka_server() as first:
        async with proxy_to(first.brokers[0]) as proxy, open_producer([proxy.address], client_id="test") as producer:
            assert [None] == await producer.publish([record(topic, "a")])
            first.kill()
            [gone] = await producer.publish([record(topic, "b")])
            with kafka_server() as second:
                host, _, port = second.brokers[0].rpartition(":")
                proxy.target = (host, int(port))
                [back] = await producer.publish([record(topic, "b")])
                found = await read(second, topic, 1)

    assert Unavailable is type(gone)
    assert back is None
    assert [(b"b", b"{}")] == found
