"""Two relays, one publishes."""

import pytest_asyncio

from app.container import Container
from core.clock import SystemClock
from core.ids import IdKind, new_id
from core.tenancy import Tenant
from core.vocabulary import CustomerEventType
from events.customer import CustomerEvent
from models.lease import Lease
from repositories.customer_event import MongoOutbox
from repositories.unit_of_work import Repositories


@pytest_asyncio.fixture(name="waiting")
async def _waiting(container: Container) -> str:
    """An event that no relay has published, and nobody who holds the lease."""
    await Lease.get_pymongo_collection().delete_many({})
    event = CustomerEvent(
        id=new_id(IdKind.EVENT),
        seller_id="outbox",
        customer_id=new_id(IdKind.CUSTOMER),
        type=CustomerEventType.CREATED,
        version=1,
        actor="operator:test",
        changed=(),
        occurred_at=SystemClock().now(),
        data={},
    )
    await Repositories(Tenant("outbox")).events.append([event])
    return event.id


def _outbox(holder: str) -> MongoOutbox:
    return MongoOutbox(SystemClock(), holder=holder)


async def _sees(outbox: MongoOutbox, event: str) -> bool:
    return event in {found.id for found in await outbox.pending(10_000)}


async def test_a_second_relay_stands_by(waiting: str) -> None:
    first, second = _outbox("first"), _outbox("second")

    assert await _sees(first, waiting)
    assert not await _sees(second, waiting)
    assert await _sees(first, waiting)


async def test_a_relay_that_stops_hands_over_at_once(waiting: str) -> None:
    first, second = _outbox("first"), _outbox("second")
    assert await _sees(first, waiting)

    await first.release()

    assert await _sees(second, waiting)


async def test_a_relay_that_died_is_replaced_when_its_lease_ends(waiting: str) -> None:
    assert await _sees(_outbox("dead"), waiting)
    await Lease.get_pymongo_collection().update_one({}, [{"$set": {"until": "$$NOW"}}])

    assert await _sees(_outbox("heir"), waiting)


async def test_a_relay_gives_back_only_its_own_lease(waiting: str) -> None:
    first, second = _outbox("first"), _outbox("second")
    assert await _sees(first, waiting)

    await second.release()

    assert not await _sees(second, waiting)


async def test_what_is_published_is_pending_no_more(waiting: str) -> None:
    outbox = _outbox("first")
    assert await _sees(outbox, waiting)

    await outbox.mark_published([waiting])

    assert not await _sees(outbox, waiting)
