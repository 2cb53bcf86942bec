"""Events published again, for a consumer that lost or misread them: same ids, same keys, in order per customer."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from core.clock import rfc3339
from core.errors import Unavailable
from events.contract import REPLAY_HEADER
from events.customer import CustomerEvent, EventTopics, topic_of, wire
from infra.kafka import Record, RecordRefused
from repositories.event_replay import Place, Stretch
from workers.relay import Producer, rounds

BATCH_EVENTS = 500
PATIENCE_SECONDS = 60.0
"""How long Kafka may take nothing at all before a replay gives up."""

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


class Recorded(Protocol):
    """Where published events are found again; `repositories.event_replay.RecordedEvents` is one."""

    async def next(self, stretch: Stretch, after: Place | None, limit: int) -> Sequence[CustomerEvent]:
        """Return the first events behind a place."""


@dataclass(slots=True)
class Replayed:
    """How far a replay is. It may be stopped anywhere, and gone on with behind `place`."""

    place: Place | None = None
    published: Counter[str] = field(default_factory=Counter)
    """Events by topic."""
    refused: list[str] = field(default_factory=list)
    """Ids of events that Kafka will never take."""
    complete: bool = False

    @property
    def events(self) -> int:
        """How many events are done with."""
        return self.published.total() + len(self.refused)


class Replay:
    """Publishes recorded events again, at most *rate* a second.

    A customer never has two events in flight, as in the relay. What the relay publishes meanwhile is newer, and comes in
    between: `version` tells consumers which is which.
    """

    def __init__(self, recorded: Recorded, producer: Producer, topics: EventTopics, *, began: datetime, rate: int) -> None:
        self._recorded = recorded
        self._producer = producer
        self._topics = topics
        self._marker = (REPLAY_HEADER, rfc3339(began).encode())
        self._rate = rate

    async def run(self, stretch: Stretch, done: Replayed, tell: Callable[[Replayed], None]) -> None:
        """Publish *stretch*, from behind the place of *done*, which is kept up to date, batch by batch.

        Raises:
            Unavailable: Kafka took nothing for a minute, or the database did not answer.
        """
        clock = asyncio.get_running_loop().time
        began, before = clock(), done.events
        # A batch is no more than what a second allows, so that a low rate is no burst followed by silence.
        size = min(BATCH_EVENTS, self._rate)
        while events := await self._recorded.next(stretch, done.place, size):
            await self._publish(events, done)
            done.place = (events[-1].occurred_at, events[-1].id)
            tell(done)
            await asyncio.sleep(began + (done.events - before) / self._rate - clock())
        done.complete = True

    async def _publish(self, events: Sequence[CustomerEvent], done: Replayed) -> None:
        """Publish a batch, however often it takes."""
        clock = asyncio.get_running_loop().time
        left, pause, last_success = list(events), _FIRST_PAUSE, clock()
        while True:
            taken, failure = await self._attempt(left, done)
            left = [event for event in left if event.id not in taken]
            if failure is None:
                return
            if taken:
                pause, last_success = _FIRST_PAUSE, clock()
            elif clock() - last_success > PATIENCE_SECONDS:
                raise Unavailable("Kafka took no event for a minute. Check the brokers, and go on from here.") from failure
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    async def _attempt(self, events: Sequence[CustomerEvent], done: Replayed) -> tuple[set[str], Exception | None]:
        """Publish what can be published now; return the ids of what is done with, and why the rest is not."""
        taken: set[str] = set()
        for together in rounds(events):
            failure: Exception | None = None
            outcomes = await self._producer.publish([self._record(event) for event in together])
            for event, outcome in zip(together, outcomes, strict=True):
                if outcome is None:
                    done.published[topic_of(event.type, self._topics)] += 1
                elif isinstance(outcome, RecordRefused):
                    done.refused.append(event.id)
                else:
                    failure = outcome
                    continue
                taken.add(event.id)
            if failure is not None:
                # The next round may hold the next event of a customer whose event failed in this one.
                return taken, failure
        return taken, None

    def _record(self, event: CustomerEvent) -> Record:
        written = wire(event)
        return Record(topic_of(event.type, self._topics), written.key, written.value, (*written.headers, self._marker))
