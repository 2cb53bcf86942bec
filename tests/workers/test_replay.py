"""A replay: everything once more, marked, in order per customer, no faster than allowed, and to be gone on with."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Unavailable
from core.vocabulary import CustomerEventType
from events.customer import CustomerEvent, wire
from infra.kafka import Record
from repositories.event_replay import Place, Stretch
from tests.workers.test_relay import TOPICS, ScriptedProducer, event
from workers import replay as module
from workers.replay import Replay, Replayed

BEGAN = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
START = datetime(2026, 11, 22, tzinfo=UTC)
EVERYTHING = Stretch(since=START, until=BEGAN, types=frozenset(CustomerEventType))


class MemoryRecords:
    """Published events, in order."""

    def __init__(self, events: Sequence[CustomerEvent]) -> None:
        self.events = list(events)
        self.limits: list[int] = []

    async def next(self, _: Stretch, after: Place | None, limit: int) -> Sequence[CustomerEvent]:
        self.limits.append(limit)
        behind = [one for one in self.events if after is None or (one.occurred_at, one.id) > after]
        return behind[:limit]


class KeepingProducer(ScriptedProducer):
    """Keeps whole records besides."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []

    async def publish(self, records: Sequence[Record]) -> Sequence[Exception | None]:
        self.records += records
        return await super().publish(records)


@pytest.fixture(name="producer")
def _producer() -> KeepingProducer:
    return KeepingProducer()


def happened(*names: tuple[str, int]) -> list[CustomerEvent]:
    return [
        event(customer, version, occurred_at=START + timedelta(seconds=number))
        for number, (customer, version) in enumerate(names)
    ]


async def run(
    events: Sequence[CustomerEvent], producer: ScriptedProducer, *, rate: int = 100_000, done: Replayed | None = None
) -> Replayed:
    done = Replayed() if done is None else done
    replay = Replay(MemoryRecords(events), producer, TOPICS, began=BEGAN, rate=rate)
    await replay.run(EVERYTHING, done, lambda _: None)
    return done


async def test_events_are_published_as_they_were_and_marked(producer: KeepingProducer) -> None:
    events = happened(("a", 1), ("a", 2))

    done = await run(events, producer)

    assert [(wire(one).key, wire(one).value) for one in events] == [(one.key, one.value) for one in producer.records]
    assert ["customer.created", "customer.updated"] == [one.topic for one in producer.records]
    for one, record in zip(events, producer.records, strict=True):
        assert (*wire(one).headers, ("replay", b"2026-11-28T06:00:00.000Z")) == record.headers
    assert {"customer.created": 1, "customer.updated": 1} == done.published
    assert (True, (events[-1].occurred_at, "evt_a_2")) == (done.complete, done.place)


async def test_order_is_kept_however_kafka_fails(producer: KeepingProducer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.0)
    monkeypatch.setattr(module, "BATCH_EVENTS", 7)
    producer.flaky = random.Random(1)
    names = [(customer, version) for version in range(1, 11) for customer in "abc"]

    done = await run(happened(*names), producer)

    assert 30 == done.events
    assert {key: list(range(1, 11)) for key in (b"a", b"b", b"c")} == {
        key: [version for other, version in producer.taken if other == key] for key in (b"a", b"b", b"c")
    }


async def test_what_was_done_is_not_done_again(producer: KeepingProducer) -> None:
    events = happened(("a", 1), ("b", 1), ("c", 1))

    done = await run(events, producer, done=Replayed(place=(events[0].occurred_at, events[0].id)))

    assert [(b"b", 1), (b"c", 1)] == producer.taken
    assert 2 == done.events


async def test_an_event_that_kafka_will_never_take_is_reported_and_the_rest_goes_on(producer: KeepingProducer) -> None:
    producer.refused = {("a", 1)}

    done = await run(happened(("a", 1), ("a", 2), ("b", 1)), producer)

    assert [(b"b", 1), (b"a", 2)] == producer.taken
    assert (["evt_a_1"], 3, True) == (done.refused, done.events, done.complete)


async def test_a_kafka_that_takes_nothing_ends_it_where_it_can_be_gone_on_with(
    producer: KeepingProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(module, "BATCH_EVENTS", 1)
    events = happened(("a", 1), ("a", 2), ("a", 3))
    producer.down = {("a", 2)}
    done = Replayed()

    with pytest.raises(Unavailable, match="took no event for a minute"):
        await run(events, producer, done=done)
    assert (False, events[0].id, 1) == (done.complete, done.place and done.place[1], done.events)

    producer.down = set()
    await run(events, producer, done=done)
    assert [(b"a", 1), (b"a", 2), (b"a", 3)] == producer.taken


async def test_it_is_no_faster_than_allowed(producer: KeepingProducer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Said in the clock of the loop, which stands still here: what is asked to be waited is what is looked at.
    """
    waits: list[float] = []
    sleep, ours = asyncio.sleep, asyncio.current_task()

    async def noted(seconds: float) -> None:
        # Whatever else runs in this process waits, too.
        if seconds and asyncio.current_task() is ours:
            waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 100.0)
    monkeypatch.setattr(asyncio, "sleep", noted)
    records = MemoryRecords(happened(*[(str(number), 1) for number in range(25)]))

    await Replay(records, producer, TOPICS, began=BEGAN, rate=10).run(EVERYTHING, Replayed(), lambda _: None)

    assert [10, 10, 10, 10] == records.limits
    assert [1.0, 2.0, 2.5] == waits
