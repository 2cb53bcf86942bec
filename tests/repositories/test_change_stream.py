"""The stream of changes of a real database: it goes on where it broke off, and says so when it cannot."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

import pytest

from core.clock import SystemClock
from core.ids import IdKind, new_id
from core.vocabulary import CustomerEventType
from events.customer import CustomerEvent
from repositories.change_stream import ChangeStream, Place, PlaceLost
from repositories.customer_event import CustomerEventChanges
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_watching import JOINED
from services.live import open_live
from tests.repositories.plans import Database

Steps = AsyncGenerator[tuple[Place, CustomerEvent | None], None]


@pytest.fixture(name="happen")
def _happen(mine: Repositories, seller: str) -> Callable[..., Any]:
    """Records an event."""

    async def happen(customer: str = "cus_1", version: int = 1) -> str:
        event = CustomerEvent(
            id=new_id(IdKind.EVENT),
            seller_id=seller,
            customer_id=customer,
            type=CustomerEventType.UPDATED,
            version=version,
            actor="operator:ada",
            changed=("email",),
            occurred_at=SystemClock().now(),
            data={"email": "ada@example.com"},
        )
        await mine.events.append([event])
        return event.id

    return happen


@asynccontextmanager
async def following(changes: ChangeStream[CustomerEvent], after: Place | None = None) -> AsyncIterator[tuple[Place, Steps]]:
    async with aclosing(cast("Steps", changes.follow(after))) as steps, asyncio.timeout(20):
        place, nothing = await anext(steps)
        assert nothing is None
        yield place, steps


async def next_event(steps: Steps, seller: str) -> tuple[Place, CustomerEvent]:
    """Return the next event of the test's own seller: others write too."""
    async for place, event in steps:
        if event is not None and event.seller_id == seller:
            return place, event
    raise AssertionError


async def all_of(steps: Steps) -> list[tuple[Place, CustomerEvent | None]]:
    return [step async for step in steps]


async def test_it_goes_on_after_any_place(database: Database, seller: str, happen: Callable[..., Any]) -> None:
    """
    Also after the one of its opening, before anything has changed.
    """
    changes = CustomerEventChanges()
    async with following(changes) as (opened, steps):
        first = await happen(version=1)
        place, event = await next_event(steps, seller)
    second = await happen(version=2)

    found = []
    for after in (opened, place):
        async with following(changes, after) as (_, steps):
            found.append((await next_event(steps, seller))[1].id)

    assert first == event.id
    assert [first, second] == found


async def test_the_data_of_events_stays_in_the_database(database: Database, seller: str, happen: Callable[..., Any]) -> None:
    async with following(CustomerEventChanges()) as (_, steps):
        id_ = await happen()
        _, event = await next_event(steps, seller)

    assert (id_, {}) == (event.id, event.data)


async def test_a_place_nobody_knows_any_more_is_lost(database: Database) -> None:
    with pytest.raises(PlaceLost):
        async with following(CustomerEventChanges(), {"_data": "82" + "0" * 20}):
            pass


async def test_a_collection_that_is_gone_is_a_place_lost(database: Database) -> None:
    collection = database["soon_gone"]
    await collection.insert_one({"a": 1})
    changes: ChangeStream[Any] = ChangeStream(collection, [], lambda stored: stored)

    async with aclosing(cast("Steps", changes.follow())) as steps, asyncio.timeout(20):
        await anext(steps)
        await collection.drop()
        with pytest.raises(PlaceLost):
            await all_of(steps)


async def test_a_watcher_misses_nothing_when_the_server_drops_the_cursor(
    database: Database, units: UnitOfWork, seller: str, happen: Callable[..., Any]
) -> None:
    """
    As a server does that restarts, or steps down.
    """
    async with open_live(CustomerEventChanges(), JOINED) as live:
        with live.watching(lambda event: event.seller_id == seller) as mailbox:
            await live.ready()
            for version in range(1, 4):
                ids = await cursors(database)
                assert ids
                await database.command({"killCursors": "customer_events", "cursors": ids})
                id_ = await happen("cus_1", version)
                async with asyncio.timeout(20):
                    event = await mailbox.next()

                assert event is not None
                assert (id_, version) == (event.id, event.version)


async def cursors(database: Database) -> list[int]:
    """Return the change streams that are open on the events of this database."""
    stages: list[dict[str, Any]] = [
        {"$currentOp": {"idleCursors": True, "allUsers": True}},
        {"$match": {"ns": f"{database.name}.customer_events", "cursor.tailable": True}},
    ]
    async with await database.client.admin.aggregate(stages) as found:
        return [one["cursor"]["cursorId"] async for one in found]
