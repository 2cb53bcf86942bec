"""Event records that have been published, in the order in which they happened, to be published again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING

from core.vocabulary import CustomerEventType
from events.customer import CustomerEvent
from models.customer_event import CustomerEvent as StoredEvent
from repositories.customer_event import UNTOLD, read_event
from repositories.errors import translated

Place = tuple[datetime, str]
"""Where an event is among all: when it happened, and its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Which events: those that happened from *since* on and before *until*, of some types, perhaps of one seller."""

    since: datetime
    until: datetime
    types: frozenset[CustomerEventType]
    seller_id: str | None = None


class RecordedEvents:
    """What was published, of every seller. What is still pending is left to the relay."""

    async def count(self, stretch: Stretch, after: Place | None = None) -> int:
        """Return how many events there are, behind a place if there is one."""
        with translated():
            return await StoredEvent.get_pymongo_collection().count_documents(_conditions(stretch, after))

    async def count_by_type(self, stretch: Stretch) -> dict[CustomerEventType, int]:
        """Return how many events there are of each type that has some."""
        pipeline = [{"$match": _conditions(stretch, None)}, {"$group": {"_id": "$type", "events": {"$sum": 1}}}]
        with translated():
            cursor = await StoredEvent.get_pymongo_collection().aggregate(pipeline)
            return {CustomerEventType(one["_id"]): one["events"] for one in await cursor.to_list()}

    async def next(self, stretch: Stretch, after: Place | None, limit: int) -> Sequence[CustomerEvent]:
        """Return the first events, behind a place if there is one: each customer's in order of version."""
        with translated():
            cursor = StoredEvent.get_pymongo_collection().find(_conditions(stretch, after), UNTOLD)
            stored = await cursor.sort([("occurred_at", ASCENDING), ("_id", ASCENDING)]).limit(limit).to_list()
        return [read_event(StoredEvent.model_validate(one)) for one in stored]

    async def place_of(self, event_id: str) -> Place | None:
        """Return where an event is; None when there is none of this id."""
        with translated():
            stored = await StoredEvent.get_pymongo_collection().find_one({"_id": event_id}, {"occurred_at": 1})
        return None if stored is None else (stored["occurred_at"], event_id)


def _conditions(stretch: Stretch, after: Place | None) -> dict[str, Any]:
    conditions: dict[str, Any] = {
        "occurred_at": {"$gte": stretch.since, "$lt": stretch.until},
        "published_at": {"$exists": True},
    }
    if stretch.types != frozenset(CustomerEventType):
        conditions["type"] = {"$in": sorted(stretch.types)}
    if stretch.seller_id is not None:
        conditions["seller_id"] = stretch.seller_id
    if after is not None:
        moment, event_id = after
        # The range in front lets the index skip ahead.
        conditions["occurred_at"]["$gte"] = max(stretch.since, moment)
        conditions["$or"] = [{"occurred_at": {"$gt": moment}}, {"occurred_at": moment, "_id": {"$gt": event_id}}]
    return conditions
