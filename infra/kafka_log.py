"""Everything that is on Kafka at the moment, read once from beginning to end. Implements `services.leftovers.EventLog`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from core.errors import Unavailable
from infra.kafka import REQUEST_SECONDS

_FETCH_MS = 1000
_IDLE_FETCHES = 30
"""Fetches without a record after which the rest counts as unreadable: half a minute."""


class KafkaLog:
    """The records of some topics. A topic that does not exist has none."""

    def __init__(self, brokers: Sequence[str], topics: Sequence[str]) -> None:
        self._brokers = list(brokers)
        self._topics = list(topics)

    async def every(self) -> AsyncGenerator[tuple[str, str, bytes], None]:
        """Yield topic, place (partition and offset) and bytes (key, headers, body) of each record that is there by now.

        Raises:
            Unavailable: no broker could be reached, or it stopped answering before the end.
        """
        try:
            # Asked for first: a reader that names a topic which does not exist would make some brokers create it.
            topics = await self._existing()
            if not topics:
                return
            async with self._reader(*topics) as consumer:
                async for record in _to_the_end(consumer):
                    yield record
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable("Kafka cannot be reached. Check kafka.brokers and the brokers themselves.") from error

    async def _existing(self) -> list[str]:
        async with self._reader() as consumer:
            known = await consumer.topics()
        return [topic for topic in self._topics if topic in known]

    @asynccontextmanager
    async def _reader(self, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            *topics,
            bootstrap_servers=self._brokers,
            group_id=None,
            enable_auto_commit=False,
            request_timeout_ms=REQUEST_SECONDS * 1000,
        )
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await consumer.start()
            yield consumer
        finally:
            await consumer.stop()


async def _to_the_end(consumer: AIOKafkaConsumer) -> AsyncGenerator[tuple[str, str, bytes], None]:
    """Yield what stands between the beginnings and the ends that the partitions have now."""
    partitions: list[TopicPartition] = sorted(consumer.assignment())
    starts, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    await consumer.seek_to_beginning(*partitions)
    left = {partition for partition in partitions if ends[partition] > starts[partition]}
    idle = 0
    while left:
        fetched = await consumer.getmany(*left, timeout_ms=_FETCH_MS, max_records=1000)
        idle = 0 if fetched else idle + 1
        if idle > _IDLE_FETCHES:
            raise Unavailable("Kafka stopped answering before its records were read to the end.")
        for partition, records in fetched.items():
            for record in records:
                parts = [record.key or b"", *(part for header in record.headers for part in _raw(header))]
                place = f"{partition.partition}:{record.offset}"
                yield partition.topic, place, b"\n".join([*parts, record.value or b""])
        left = {partition for partition in left if await consumer.position(partition) < ends[partition]}


def _raw(header: tuple[str, bytes]) -> tuple[bytes, bytes]:
    name, value = header
    return name.encode(), value or b""
