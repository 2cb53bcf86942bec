"""Every query about event records: a customer's history, and the outbox that the relay empties."""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING

from core.clock import Clock
from core.paging import Page, PageRequest
from events.customer import CustomerEvent
from models.customer_event import CustomerEvent as StoredEvent
from repositories import lease
from repositories.base import Repository
from repositories.change_stream import ChangeStream
from repositories.errors import translated

# The moment is there for the index, which the planner leaves alone without a condition on its first field.
_PENDING = {"pending": True, "occurred_at": {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}}


LEASE_SECONDS = 30.0
_WORK = "relay"


HistoryPage = tuple[str, str, PageRequest]
"""A page of one customer's history: the seller's id, the customer's, and which part of it."""

AT_ONCE = 10
"""Queries of one operation that may be under way together: an operation shares the connections with all others."""


class CustomerEventRepository(Repository[StoredEvent]):
    """Event records of one tenant."""

    model = StoredEvent

    async def append(self, events: Sequence[CustomerEvent]) -> None:
        """Record what happened, to be published once the surrounding transaction has committed."""
        # Written as plain documents: a model each would cost an import 20 microseconds per row, and checks nothing new.
        await self._insert_plain([_stored(event) for event in events])

    async def histories(self, asked: Collection[HistoryPage]) -> dict[HistoryPage, Page[CustomerEvent]]:
        """Return pages of customers' histories, newest first; each is a query of its own, `AT_ONCE` of them at a time."""
        pages: dict[HistoryPage, Page[CustomerEvent]] = {}
        waiting = list(asked)
        for start in range(0, len(waiting), AT_ONCE):
            some = waiting[start : start + AT_ONCE]
            pages.update(zip(some, await asyncio.gather(*(self.history(*one) for one in some)), strict=True))
        return pages

    async def history(self, seller_id: str, customer_id: str, request: PageRequest) -> Page[CustomerEvent]:
        """Return one page of a customer's history, newest first."""
        conditions: dict[str, Any] = {"seller_id": seller_id, "customer_id": customer_id}
        if request.after is not None:
            conditions["version"] = {"$lt": request.after.value}
        found = await self._find(conditions, sort=[("version", DESCENDING)], limit=request.size + 1)
        items = [read_event(stored) for stored in found[: request.size]]
        return Page(items, has_next=len(found) > request.size, has_previous=request.after is not None)

    async def latest(self, seller_id: str, customer_id: str) -> CustomerEvent | None:
        """Return the last thing that happened to a customer; None when there is no such customer, and never was."""
        conditions = {"seller_id": seller_id, "customer_id": customer_id}
        found = await self._find(conditions, sort=[("version", DESCENDING)], limit=1)
        return read_event(found[0]) if found else None

    async def since(self, seller_id: str, customer_id: str, version: int, limit: int) -> list[CustomerEvent]:
        """Return what happened to a customer after it had a version, oldest first."""
        conditions = {"seller_id": seller_id, "customer_id": customer_id, "version": {"$gt": version}}
        return [read_event(one) for one in await self._find(conditions, sort=[("version", ASCENDING)], limit=limit)]


class CustomerEventChanges(ChangeStream[CustomerEvent]):
    """Every event that is recorded, in the order of the commits, without its `data`: what was changed, and not into what."""

    def __init__(self) -> None:
        super().__init__(
            StoredEvent.get_pymongo_collection(),
            [{"$match": {"operationType": "insert"}}, {"$unset": "fullDocument.data"}],
            lambda stored: read_event(StoredEvent.model_validate({**stored, "data": {}})),
        )


class MongoOutbox:
    """The event records that are not on Kafka yet, of every seller, for one relay at a time.

    *holder* names this relay. While another one has the lease there is nothing to publish, so that no event overtakes
    another of its customer; a relay that died loses the lease after 30 seconds.
    """

    def __init__(self, clock: Clock, *, holder: str) -> None:
        self._clock = clock
        self._holder = holder
        self._renewed = -math.inf

    async def pending(self, limit: int) -> Sequence[CustomerEvent]:
        """Return the oldest unpublished events, each customer's in order of version.

        The scan is over what is unpublished, never over what is newer than the last one seen: transactions commit in
        another order than they start.
        """
        if not await self._hold():
            return []
        with translated():
            cursor = StoredEvent.get_pymongo_collection().find({"pending": True})
            stored = await cursor.sort([("occurred_at", ASCENDING), ("_id", ASCENDING)]).limit(limit).to_list()
        return [read_event(StoredEvent.model_validate(one)) for one in stored]

    async def mark_published(self, ids: Sequence[str]) -> None:
        """Take events out of the outbox; they stay in the history."""
        with translated():
            await StoredEvent.get_pymongo_collection().update_many(
                {"_id": {"$in": list(ids)}}, {"$set": {"published_at": self._clock.now()}, "$unset": {"pending": ""}}
            )

    @property
    def held(self) -> bool:
        """Whether this relay is the one that publishes, as far as it knows."""
        return time.monotonic() - self._renewed < LEASE_SECONDS

    async def inherit(self, dead: Callable[[str], bool]) -> None:
        """Take over at once from a relay of which *dead* knows, by its name, that it lives no more."""
        holder = await lease.holder_of(_WORK)
        if holder is not None and dead(holder):
            await lease.release(_WORK, holder)

    async def release(self) -> None:
        """Let another relay take over at once."""
        self._renewed = -math.inf
        await lease.release(_WORK, self._holder)

    async def _hold(self) -> bool:
        # A batch is in flight for at most 15 s, so one begun within the first third of a lease ends within it.
        now = time.monotonic()
        if now - self._renewed < LEASE_SECONDS / 3:
            return True
        if not await lease.hold(_WORK, self._holder, LEASE_SECONDS):
            return False
        self._renewed = now
        return True

    async def backlog(self) -> int:
        """Return how many events wait, counted up to 100,000."""
        with translated():
            return await StoredEvent.get_pymongo_collection().count_documents(_PENDING, limit=100_000)

    async def oldest(self) -> datetime | None:
        """Return when the event happened that waits longest; None when none does."""
        with translated():
            found = await StoredEvent.get_pymongo_collection().find_one(
                _PENDING, {"occurred_at": 1}, sort=[("occurred_at", ASCENDING)]
            )
        return None if found is None else found["occurred_at"]


def _stored(event: CustomerEvent) -> dict[str, Any]:
    return {
        "_id": event.id,
        "seller_id": event.seller_id,
        "customer_id": event.customer_id,
        "type": event.type.value,
        "version": event.version,
        "actor": event.actor,
        "changed": list(event.changed),
        "occurred_at": event.occurred_at,
        "data": dict(event.data),
        "pending": True,
        **({} if event.trace is None else {"trace": event.trace}),
    }


def read_event(stored: StoredEvent) -> CustomerEvent:
    """Return the event that a record holds."""
    return CustomerEvent(
        id=stored.id,
        seller_id=stored.seller_id,
        customer_id=stored.customer_id,
        type=stored.type,
        version=stored.version,
        actor=stored.actor,
        changed=tuple(stored.changed),
        occurred_at=stored.occurred_at,
        data=stored.data,
        trace=stored.trace,
    )
