"""The broker speaks enough Kafka for everything that the service and its consumers do."""

import asyncio
import os
import signal
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from embedded.kafka import PARTITIONS, Kafka
from tests.embedded.conftest import running
from tests.servers import Servers


@pytest.fixture(name="topic")
def _topic() -> str:
    return f"test.{uuid.uuid4().hex}"


async def send(brokers: str, topic: str, values: list[bytes], *, key: bytes = b"cus_1") -> None:
    producer = AIOKafkaProducer(bootstrap_servers=brokers, enable_idempotence=True, acks="all")
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, key=key, headers=[("event", b"customer.created")])
    finally:
        await producer.stop()


def consumer_of(brokers: str, topic: str, group: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        topic, bootstrap_servers=brokers, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False
    )


async def test_messages_arrive_in_order_with_key_and_headers(servers: Servers, topic: str) -> None:
    await send(servers.kafka_brokers, topic, [b"1", b"2", b"3"])
    consumer = consumer_of(servers.kafka_brokers, topic, topic)
    await consumer.start()
    try:
        async with asyncio.timeout(20):
            found = [await consumer.getone() for _ in range(3)]
    finally:
        await consumer.stop()

    assert [b"1", b"2", b"3"] == [record.value for record in found]
    assert {b"cus_1"} == {record.key for record in found}
    assert (("event", b"customer.created"),) == found[0].headers


async def test_a_group_goes_on_where_it_committed(servers: Servers, topic: str) -> None:
    await send(servers.kafka_brokers, topic, [b"1", b"2"])
    first = consumer_of(servers.kafka_brokers, topic, topic)
    await first.start()
    async with asyncio.timeout(20):
        await first.getone()
        record = await first.getone()
    await first.commit()
    await first.stop()
    await send(servers.kafka_brokers, topic, [b"3"])

    second = consumer_of(servers.kafka_brokers, topic, topic)
    await second.start()
    try:
        async with asyncio.timeout(20):
            assert (b"2", b"3") == (record.value, (await second.getone()).value)
    finally:
        await second.stop()


async def test_the_topics_are_there_and_keep_an_import_of_many_thousand_rows(tmp_path: Path) -> None:
    """
    librdkafka keeps 5 MB per partition; 30 MB would not fit into the four that it makes by itself.
    """
    server = Kafka(tmp_path / "kafka.log", ("customer.created",))
    async with running(server) as kafka:
        producer = AIOKafkaProducer(bootstrap_servers=server.brokers(kafka.port), enable_idempotence=True)
        await producer.start()
        assert PARTITIONS == len(await producer.partitions_for("customer.created"))
        sent = [await producer.send("customer.created", b"x" * 1000, key=b"%d" % number) for number in range(30_000)]
        await asyncio.gather(*sent)
        await producer.stop()
        consumer = consumer_of(server.brokers(kafka.port), "customer.created", "late")
        await consumer.start()
        found = 0
        async with asyncio.timeout(60):
            while found < 30_000:
                found += sum(len(batch) for batch in (await consumer.getmany(timeout_ms=1000)).values())
        await consumer.stop()


async def test_it_is_back_at_the_same_address_after_kill_9(tmp_path: Path, topic: str) -> None:
    server = Kafka(tmp_path / "kafka.log", ("customer.created",))
    async with running(server) as kafka:
        await send(server.brokers(kafka.port), topic, [b"before"])
        os.kill(kafka.child.pid, signal.SIGKILL)
        await kafka.child.wait()
        await kafka.start_again()

        await send(server.brokers(kafka.port), topic, [b"after"])
        consumer = consumer_of(server.brokers(kafka.port), topic, topic)
        await consumer.start()
        async with asyncio.timeout(20):
            assert b"after" == (await consumer.getone()).value  # it keeps nothing over its death
        await consumer.stop()
