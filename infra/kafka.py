"""The event log: one producer that survives its own death, and a reader for people.

Every setting that decides about loss or order is said out loud, because aiokafka's defaults decide otherwise.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from core.errors import Unavailable

_log = structlog.get_logger(__name__)

REQUEST_SECONDS = 10
"""How long the client tries one request; its own default of 40 s may double to 80 s."""

PUBLISH_SECONDS = 15
"""How long `KafkaProducer.publish` takes at most; afterwards the outcome counts as unknown."""

STOP_SECONDS = 10
RECORD_BYTES = 1 << 20
"""The largest record a broker takes unless told otherwise."""

BATCH_BYTES = 128 << 10
"""Many records per request and partition. Three runs on a busy two-core machine, bodies of 546 bytes: 6,500 to 12,700
events/s, against 2,900 to 4,200 with the client's own 16 KiB."""

LEAST_BATCH_BYTES = 4 << 10


class Record(NamedTuple):
    """What is written to one topic."""

    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


class RecordRefused(Exception):
    """The record itself is at fault; repeating it will not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A record as it was read; `at` is when the broker or the producer stamped it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    at: datetime


@asynccontextmanager
async def open_producer(brokers: Sequence[str], *, client_id: str) -> AsyncIterator["KafkaProducer"]:
    """Open a producer for *brokers* (``host:port``). They need not be up: it connects when it first publishes."""
    producer = KafkaProducer(brokers, client_id=client_id)
    try:
        yield producer
    finally:
        await producer.close()


class KafkaProducer:
    """Publishes records durably. After any failure it starts afresh with a new identity, so it never stays broken."""

    def __init__(self, brokers: Sequence[str], *, client_id: str) -> None:
        self._brokers = list(brokers)
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._batch_bytes = BATCH_BYTES
        self._limits: dict[str, int] = {}

    async def publish(self, records: Sequence[Record]) -> list[Exception | None]:
        """Publish *records* in any order and return, for each, None or why it failed.

        None means that every in-sync replica has it. `Unavailable` means unknown: it may arrive yet, or have arrived, and
        has to be repeated. `RecordRefused` means never. Two records of one key belong into two calls. Never raises.
        """
        outcomes = await self._attempt(records)
        too_large = [position for position, outcome in enumerate(outcomes) if isinstance(outcome, MessageSizeTooLargeError)]
        if too_large:
            # A broker refuses a whole batch for its size, innocent records included. Alone, each gets an answer of its own.
            for position in too_large:
                [outcomes[position]] = await self._attempt([records[position]])
            self._learn(records, [(position, outcomes[position]) for position in too_large])
            await self._discard()
        return [
            None if outcome is None else _translated(outcome, record) for outcome, record in zip(outcomes, records, strict=True)
        ]

    async def close(self) -> None:
        """Let what was accepted arrive, for a few seconds at most, and disconnect."""
        if self._producer is None:
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._producer.flush()
        except TimeoutError:
            _log.warning("kafka.flush_timed_out", seconds=STOP_SECONDS)
        await self._discard()

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._brokers,
            client_id=self._client_id,
            acks="all",  # an event counts as published when it survives the loss of a broker
            enable_idempotence=True,  # the client's own retries neither repeat nor reorder within a partition
            request_timeout_ms=REQUEST_SECONDS * 1000,
            linger_ms=0,  # a round is handed over in one go, so that waiting for more would only delay it
            max_batch_size=self._batch_bytes,
            max_request_size=RECORD_BYTES,
            compression_type=None,  # events are small; compressing them costs more here than it saves
        )
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._producer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            await self._discard()
            raise Unavailable("Kafka cannot be reached. Check kafka.brokers and the brokers themselves.") from error
        except BaseException:
            await self._discard()
            raise
        return self._producer

    async def _attempt(self, records: Sequence[Record]) -> list[BaseException | None]:
        """Send *records* once and return what became of each, in the client's own errors."""
        try:
            producer = await self._ready()
        except Unavailable as error:
            return [error] * len(records)
        sends = [asyncio.ensure_future(self._send(producer, record)) for record in records]
        try:
            await asyncio.wait(sends, timeout=PUBLISH_SECONDS)
        finally:
            for send in sends:
                send.cancel()
        outcomes = [send.exception() if send.done() and not send.cancelled() else TimeoutError() for send in sends]
        if not all(outcome is None or isinstance(outcome, RecordRefused) for outcome in outcomes):
            # A batch that failed leaves a gap in the sequence numbers of an idempotent producer, and brokers refuse whatever
            # follows a gap. A fenced one is dead altogether. Both are cured by a new producer id.
            await self._discard()
        return outcomes

    async def _send(self, producer: AIOKafkaProducer, record: Record) -> None:
        limit = self._limits.get(record.topic, RECORD_BYTES)
        if _size(record) > limit:
            raise RecordRefused(f"The record has {_size(record)} bytes and topic {record.topic!r} takes {limit}.")
        # A list, because the client's compiled encoder takes nothing else.
        accepted = await producer.send(record.topic, key=record.key, value=record.value, headers=list(record.headers))
        await accepted

    def _learn(self, records: Sequence[Record], alone: Sequence[tuple[int, BaseException | None]]) -> None:
        """Draw conclusions from records that were too large together and have been sent alone."""
        refused = [records[position] for position, outcome in alone if isinstance(outcome, MessageSizeTooLargeError)]
        for record in refused:
            # From now on refused here, at no cost: the relay asks again with every batch.
            self._limits[record.topic] = min(self._limits.get(record.topic, RECORD_BYTES), _size(record) - 1)
        if not refused:
            self._batch_bytes = max(self._batch_bytes // 2, LEAST_BATCH_BYTES)
        _log.warning("kafka.too_large", refused=len(refused), limits=self._limits, batch_bytes=self._batch_bytes)

    async def _discard(self) -> None:
        """Get rid of the producer with whatever it holds, without waiting for brokers that may be gone."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        # stop() alone would flush, and so publish records from the past behind the back of the next producer; and it would
        # do so without a time limit. What is pending fails first, then connections and sender end, and stop() only tidies up.
        producer._message_accumulator.fail_all(KafkaError("The producer was replaced."))  # noqa: SLF001
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await producer.client.close()
                await _end(producer._sender.sender_task)  # noqa: SLF001
                await producer.stop()


async def _end(sender: asyncio.Task[None] | None) -> None:
    """Cancel the client's sender. It waits for its requests when cancelled once, and drops them when cancelled again."""
    while sender is not None and not sender.done():
        sender.cancel()
        await asyncio.wait([sender], timeout=0.5)


def _size(record: Record) -> int:
    """Return about how many bytes *record* takes, never too few: lengths and the batch around it need less than 100 more."""
    return 100 + len(record.key) + len(record.value) + sum(len(name) + len(value) + 10 for name, value in record.headers)


def _translated(error: BaseException, record: Record) -> Exception:
    if isinstance(error, RecordRefused | Unavailable):
        return error
    if isinstance(error, MessageSizeTooLargeError):
        return RecordRefused(f"Topic {record.topic!r} does not take a record of {_size(record)} bytes.")
    if not isinstance(error, KafkaError | OSError | TimeoutError):
        # No outage but a mistake, ours or the client's; said of the record, it is seen at once instead of waited out.
        return RecordRefused(f"The client failed on the record: {error!r}")
    unavailable = Unavailable(f"Kafka did not confirm a record for topic {record.topic!r}: {type(error).__name__}.")
    unavailable.__cause__ = error
    return unavailable


@asynccontextmanager
async def consume(
    brokers: Sequence[str], topics: Sequence[str], *, group_id: str | None = None, from_beginning: bool = False
) -> AsyncIterator[AsyncIterator[Received]]:
    """Read *topics* for as long as the context is open: what comes from now on, or everything *from_beginning*.

    "Now" is the moment the context is entered: whatever is published after that will be seen. Without a *group_id* the
    reader is on its own, sees every partition and leaves no trace; with one, members share the partitions.

    Raises:
        Unavailable: no broker could be reached.
    """
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=list(brokers),
        group_id=group_id,
        enable_auto_commit=False,  # committed positions would say "handled" for what was only fetched
        auto_offset_reset="earliest" if from_beginning else "latest",
        isolation_level="read_uncommitted",  # the relay publishes without transactions
        request_timeout_ms=REQUEST_SECONDS * 1000,
        metadata_max_age_ms=5000,  # topics and partitions that appear later are noticed within seconds, not after 5 min
    )
    try:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await consumer.start()
                # Resolved here, because "latest" would otherwise mean the moment of the first fetch.
                for partition in consumer.assignment():
                    await consumer.position(partition)
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable("Kafka cannot be reached. Check kafka.brokers and the brokers themselves.") from error
        yield _received(consumer)
    finally:
        await consumer.stop()


async def _received(consumer: AIOKafkaConsumer) -> AsyncIterator[Received]:
    async for message in consumer:
        yield Received(
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            key=message.key,
            value=message.value,
            headers=tuple(message.headers),
            at=datetime.fromtimestamp(message.timestamp / 1000, UTC),
        )
