"""Which events are published again: those that were published, of a stretch of time, of whom and what was asked for."""

from datetime import timedelta

import pytest_asyncio

from core.clock import SystemClock
from core.ids import IdKind, new_id
from core.tenancy import Tenant
from core.vocabulary import CustomerEventType
from events.customer import CustomerEvent
from repositories.customer_event import MongoOutbox
from repositories.event_replay import RecordedEvents, Stretch
from repositories.unit_of_work import Repositories
from tests.repositories.plans import Database

NOW = SystemClock().now()
ALL = frozenset(CustomerEventType)


def made(seller: str, customer: str, version: int, minutes: int) -> CustomerEvent:
    return CustomerEvent(
        id=new_id(IdKind.EVENT),
        seller_id=seller,
        customer_id=customer,
        type=CustomerEventType.CREATED if version == 1 else CustomerEventType.UPDATED,
        version=version,
        actor="operator:test",
        changed=(),
        occurred_at=NOW - timedelta(minutes=minutes),
        data={"id": customer},
    )


@pytest_asyncio.fixture(name="happened")
async def _happened(database: Database, seller: str) -> list[CustomerEvent]:
    """What happened to two customers of a seller, all of it published but the last one; ids in another order than time."""
    last = made(seller, "a", 3, 1)
    events = [made(seller, "a", 1, 9), made(seller, "b", 1, 7), made(seller, "a", 2, 5), last]
    await Repositories(Tenant(seller)).events.append(list(reversed(events)))
    await MongoOutbox(SystemClock(), holder="test").mark_published([event.id for event in events[:-1]])
    return events


def stretch(seller: str, *, since: int = 60, until: int = 0, types: frozenset[CustomerEventType] = ALL) -> Stretch:
    return Stretch(since=NOW - timedelta(minutes=since), until=NOW - timedelta(minutes=until), types=types, seller_id=seller)


async def test_they_come_in_the_order_in_which_they_happened_without_what_is_pending(
    happened: list[CustomerEvent], seller: str
) -> None:
    recorded = RecordedEvents()

    assert happened[:3] == list(await recorded.next(stretch(seller), None, 10))
    assert 3 == await recorded.count(stretch(seller))


async def test_they_can_be_gone_on_with(happened: list[CustomerEvent], seller: str) -> None:
    recorded = RecordedEvents()

    place = await recorded.place_of(happened[0].id)

    assert (happened[0].occurred_at, happened[0].id) == place
    assert happened[1:3] == list(await recorded.next(stretch(seller), place, 10))
    assert 2 == await recorded.count(stretch(seller), place)
    assert await recorded.place_of("evt_nowhere") is None


async def test_a_place_between_events_of_one_moment_skips_none(database: Database, seller: str) -> None:
    events = sorted((made(seller, str(number), 1, 5) for number in range(4)), key=lambda event: event.id)
    await Repositories(Tenant(seller)).events.append(events)
    await MongoOutbox(SystemClock(), holder="test").mark_published([event.id for event in events])
    recorded = RecordedEvents()

    behind = await recorded.next(stretch(seller), (events[1].occurred_at, events[1].id), 10)

    assert events[2:] == list(behind)


async def test_the_stretch_begins_with_since_and_ends_before_until(happened: list[CustomerEvent], seller: str) -> None:
    assert happened[:1] == list(await RecordedEvents().next(stretch(seller, since=9, until=7), None, 10))


async def test_only_what_was_asked_for_is_among_them(happened: list[CustomerEvent], seller: str) -> None:
    recorded = RecordedEvents()
    created = stretch(seller, types=frozenset({CustomerEventType.CREATED}))

    assert happened[:2] == list(await recorded.next(created, None, 10))
    assert [] == list(await recorded.next(stretch(f"{seller}-other"), None, 10))
    assert {CustomerEventType.CREATED: 2, CustomerEventType.UPDATED: 1} == await recorded.count_by_type(stretch(seller))
