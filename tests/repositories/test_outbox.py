"""Several relays, and no customer whose events two of them publish."""

import asyncio

import pytest_asyncio

from app.container import Container
from core.clock import SystemClock
from core.ids import IdKind, new_id
from core.tenancy import Tenant
from core.vocabulary import CustomerEventType
from events.customer import CustomerEvent
from models.customer_event import CustomerEvent as StoredEvent
from models.lease import Lease
from repositories import lease
from repositories.customer_event import MongoOutbox
from repositories.key_ranges import KEEP_SECONDS, KEY_RANGES, LAST_ROUND_SECONDS, KeyRanges, key_range_of
from repositories.unit_of_work import Repositories

ALL = set(range(KEY_RANGES))


class Watch:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest_asyncio.fixture(name="waiting")
async def _waiting(container: Container) -> list[str]:
    """Events of twenty customers that no relay has published, and nobody who holds a lease."""
    await Lease.get_pymongo_collection().delete_many({})
    events = [
        CustomerEvent(
            id=new_id(IdKind.EVENT),
            seller_id="outbox",
            customer_id=new_id(IdKind.CUSTOMER),
            type=CustomerEventType.CREATED,
            version=1,
            actor="operator:test",
            changed=("email",),
            occurred_at=SystemClock().now(),
            data={"n": number},
        )
        for number in range(20)
    ]
    await Repositories(Tenant("outbox")).events.append(events)
    return [event.id for event in events]


async def seen(outbox: MongoOutbox, events: list[str]) -> set[str]:
    return {found.id for found in await outbox.pending(10_000)} & set(events)


def _outbox(holder: str, watch: Watch | None = None) -> MongoOutbox:
    return MongoOutbox(SystemClock(), holder=holder, ranges=None if watch is None else KeyRanges(holder, monotonic=watch))


async def test_one_relay_alone_publishes_everything(waiting: list[str]) -> None:
    outbox = _outbox("first")

    assert set(waiting) == await seen(outbox, waiting)
    assert outbox.still_ours()
    assert outbox.first


async def test_a_second_relay_gets_half_and_never_what_the_first_has(waiting: list[str]) -> None:
    watch = Watch()
    first, second = _outbox("first", watch), _outbox("second", watch)
    assert set(waiting) == await seen(first, waiting)

    assert set() == await seen(second, waiting)
    watch.now += KEEP_SECONDS
    of_first = await seen(first, waiting)
    of_second = await seen(second, waiting)

    assert set(waiting) == of_first | of_second
    assert set() == of_first & of_second
    assert [KEY_RANGES // 2] * 2 == [
        await Lease.find({"_id": {"$regex": "^relay:"}, "holder": one}).count() for one in ("first", "second")
    ]
    assert [True, False] == sorted((first.first, second.first), reverse=True)


async def test_parts_of_one_relay_share_its_ranges_and_no_customer(waiting: list[str]) -> None:
    parts = _outbox("first").split(2)

    of_one, of_other = await asyncio.gather(*(seen(part, waiting) for part in parts))

    assert set(waiting) == of_one | of_other
    assert set() == of_one & of_other
    assert [True, True] == [part.still_ours() for part in parts]


async def test_a_relay_that_stops_hands_over_at_once(waiting: list[str]) -> None:
    first, second = _outbox("first"), _outbox("second")
    assert set(waiting) == await seen(first, waiting)

    await first.release()

    assert not first.still_ours()
    assert set(waiting) == await seen(second, waiting)


async def test_a_relay_that_died_is_replaced_when_its_leases_end(waiting: list[str]) -> None:
    assert set(waiting) == await seen(_outbox("dead"), waiting)
    await Lease.get_pymongo_collection().update_many({}, [{"$set": {"until": {"$subtract": ["$$NOW", 1]}}}])

    assert set(waiting) == await seen(_outbox("heir"), waiting)


async def test_a_relay_that_is_known_to_be_dead_is_replaced_at_once(waiting: list[str]) -> None:
    assert set(waiting) == await seen(_outbox("dead"), waiting)
    heir = _outbox("heir")

    await heir.inherit(lambda holder: holder == "dead")

    assert set(waiting) == await seen(heir, waiting)


async def test_a_relay_gives_back_only_its_own_leases(waiting: list[str]) -> None:
    first, second = _outbox("first"), _outbox("second")
    assert set(waiting) == await seen(first, waiting)

    await second.release()

    assert set() == await seen(second, waiting)


async def test_a_relay_that_was_frozen_begins_nothing_it_held_before(waiting: list[str]) -> None:
    watch = Watch()
    frozen, heir = _outbox("frozen", watch), _outbox("heir")
    assert set(waiting) == await seen(frozen, waiting)
    assert frozen.still_ours()

    watch.now += LAST_ROUND_SECONDS
    assert not frozen.still_ours()

    await lease.release_all("frozen")
    assert set(waiting) == await seen(heir, waiting)
    assert set() == await seen(frozen, waiting)


async def test_another_part_renewing_the_leases_does_not_bring_back_what_was_lost(waiting: list[str]) -> None:
    watch = Watch()
    one, other = _outbox("frozen", watch).split(2)
    assert await seen(one, waiting)
    await lease.release_all("frozen")
    assert set(waiting) == await seen(_outbox("heir"), waiting)

    watch.now += KEEP_SECONDS
    await seen(other, waiting)

    assert not one.still_ours()


async def test_a_relay_of_the_version_before_and_this_one_never_publish_together(waiting: list[str]) -> None:
    """
    It held one lease of everything.
    """
    before = await lease.hold("relay", "host:1", 30)
    now = _outbox("now")

    assert before
    assert set() == await seen(now, waiting)
    await now.release()
    await lease.release("relay", "host:1")
    assert set(waiting) == await seen(now, waiting)
    assert not await lease.hold("relay", "host:1", 30)


async def test_events_that_were_recorded_without_a_range_are_published_by_whoever_has_it(waiting: list[str]) -> None:
    await StoredEvent.get_pymongo_collection().update_many({"_id": {"$in": waiting}}, {"$unset": {"key_range": ""}})
    one, other = _outbox("first").split(2)

    of_one, of_other = await seen(one, waiting), await seen(other, waiting)

    assert set(waiting) == of_one | of_other
    assert set() == of_one & of_other


async def test_what_is_published_is_pending_no_more(waiting: list[str]) -> None:
    outbox = _outbox("first")
    assert set(waiting) == await seen(outbox, waiting)

    await outbox.mark_published(waiting[:1])

    assert set(waiting[1:]) == await seen(outbox, waiting)
    stored = await StoredEvent.get_pymongo_collection().find_one({"_id": waiting[0]})
    assert stored is not None
    assert {"pending", "key_range"}.isdisjoint(stored)


def test_ranges_of_customers_stay_what_they_are() -> None:
    """
    They are stored, and every version has to say the same.
    """
    ids = [f"cus_01kat5x2p3f8m9rj4t6vwy7z{number:02}" for number in range(64)]

    assert [12, 10] == [key_range_of(one) for one in ids[:2]]
    assert ALL == {key_range_of(one) for one in ids}
