"""From event records to Kafka: at least once, in order per customer.

The rule that order rests on: **a customer never has two events in flight, and a failed event is never overtaken.** A batch
is therefore published in rounds, each with at most one event per customer; a customer whose event failed sits out the rest.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from core.errors import Unavailable
from events.customer import CustomerEvent, EventTopics, topic_of, wire
from infra.kafka import Record, RecordRefused
from workers.loop import run_until

_log = structlog.get_logger(__name__)

BATCH_EVENTS = 1000
IDLE_SECONDS = 0.05
"""Pause when nothing is pending: an event waits this long at most before it is on its way."""

HELD_EVENTS = 20_000
"""How far the relay reads past events that it cannot publish; bounds its memory."""


class Outbox(Protocol):
    """Event records that are not published yet.

    An implementation hands out only customers that no other relay may hand out at the same time: one relay, or a lease per
    range of customers.
    """

    async def pending(self, limit: int) -> Sequence[CustomerEvent]:
        """Return up to *limit* events in the order to publish them: the events of one customer by version, without gaps."""

    def still_ours(self) -> bool:
        """Say whether what was handed out last is this relay's to publish, for as long as one more round may take."""

    async def mark_published(self, ids: Sequence[str]) -> None:
        """Remember that these events have been published."""


class Producer(Protocol):
    """Where events go; `infra.kafka.KafkaProducer` is one."""

    async def publish(self, records: Sequence[Record]) -> Sequence[Exception | None]:
        """Publish *records*, of different keys, and return for each None, `RecordRefused` or another failure."""


Observer = Callable[[Sequence[CustomerEvent]], None]
"""Is told what was published and marked. It returns at once and never raises: nothing waits for it."""


@dataclass(slots=True)
class _Batch:
    """What became of a batch so far; customers in `waiting` sit out the rest of it."""

    published: list[str] = field(default_factory=list)
    refused: dict[str, Exception] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    failure: Exception | None = None
    cut_short: bool = False

    def note(self, events: Sequence[CustomerEvent], outcomes: Sequence[Exception | None]) -> None:
        """Take note of one round."""
        for event, outcome in zip(events, outcomes, strict=True):
            if outcome is None:
                self.published.append(event.id)
                continue
            self.waiting.add(event.customer_id)
            if isinstance(outcome, RecordRefused):
                self.refused[event.id] = outcome
            else:
                self.failure = outcome


class Relay:
    """Publishes what an outbox holds, and tells an *observer* what it has published."""

    def __init__(
        self,
        outbox: Outbox,
        producer: Producer,
        topics: EventTopics,
        *,
        batch: int = BATCH_EVENTS,
        observer: Observer | None = None,
    ) -> None:
        self._outbox = outbox
        self._producer = producer
        self._topics = topics
        self._batch = batch
        self._observer = observer
        self._held = 0
        self._refused: frozenset[str] = frozenset()

    @property
    def refused(self) -> frozenset[str]:
        """Ids of the events that Kafka will never take. Their customers' later events wait behind them for a person."""
        return self._refused

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until *stop*, whatever happens to Kafka or the database meanwhile."""
        await run_until(stop, self.step, idle=IDLE_SECONDS)

    async def step(self) -> bool:
        """Publish one batch. Say whether anything was published.

        Raises:
            Unavailable: Kafka did not take everything. What it took is marked, the rest is still pending.
        """
        # What waits behind a refused event comes first in every batch: read past it, or it would crowd out all others.
        limit = self._batch + min(self._held, HELD_EVENTS)
        events = await self._outbox.pending(limit)
        if not events:
            self._held, self._refused = 0, frozenset()
            return False
        batch = _Batch()
        try:
            for candidates in rounds(events):
                ready = [event for event in candidates if event.customer_id not in batch.waiting]
                if not ready:
                    break
                if not self._outbox.still_ours():
                    # The rest is somebody else's by now, or about to be.
                    batch.cut_short = True
                    break
                batch.note(ready, await self._publish(ready))
                if batch.failure is not None:
                    break
        finally:
            if batch.published:
                await self._outbox.mark_published(batch.published)
                self._tell(events, batch.published)
        done = len(batch.published)
        whole = batch.failure is None and not batch.cut_short
        self._hold(batch.refused, len(events) - done if whole else 0)
        if batch.failure is not None:
            raise Unavailable(f"Kafka took {done} of {len(events)} events; the others stay pending.") from batch.failure
        return done > 0

    def _tell(self, events: Sequence[CustomerEvent], published: Sequence[str]) -> None:
        if self._observer is not None:
            done = frozenset(published)
            self._observer([event for event in events if event.id in done])

    async def _publish(self, events: Sequence[CustomerEvent]) -> list[Exception | None]:
        outcomes: list[Exception | None] = [None] * len(events)
        records: list[Record] = []
        positions: list[int] = []
        for position, event in enumerate(events):
            try:
                record = self._record(event)
            except (TypeError, ValueError) as error:
                outcomes[position] = RecordRefused(f"The event cannot be written as JSON: {error}")
            else:
                records.append(record)
                positions.append(position)
        if records:
            answers = await self._producer.publish(records)
            for position, answer in zip(positions, answers, strict=True):
                outcomes[position] = answer
        return outcomes

    def _record(self, event: CustomerEvent) -> Record:
        written = wire(event)
        return Record(topic_of(event.type, self._topics), written.key, written.value, written.headers)

    def _hold(self, refused: dict[str, Exception], held: int) -> None:
        for event_id, reason in refused.items():
            if event_id not in self._refused:
                _log.error("relay.event_refused", event_id=event_id, reason=str(reason))
        self._held, self._refused = held, frozenset(refused)


def rounds(events: Sequence[CustomerEvent]) -> Iterator[list[CustomerEvent]]:
    """Split *events* so that each round holds at most one per customer, and every customer's own order is kept."""
    by_round: defaultdict[int, list[CustomerEvent]] = defaultdict(list)
    seen: defaultdict[str, int] = defaultdict(int)
    for event in events:
        by_round[seen[event.customer_id]].append(event)
        seen[event.customer_id] += 1
    yield from by_round.values()
