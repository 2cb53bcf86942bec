"""Every query about the keys of customers. They are stored as they were wrapped; nothing here can open one."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from pymongo import ASCENDING

from core.vault import WrappedKey
from models.customer_key import CustomerKey
from repositories.base import Repository
from repositories.errors import translated


class CustomerKeyRepository(Repository[CustomerKey]):
    """Keys of one tenant's customers."""

    model = CustomerKey
    customer_field = "_id"

    async def of_customers(self, ids: Collection[str]) -> dict[str, WrappedKey]:
        """Return the keys of the customers that have one, by customer."""
        return {one.id: WrappedKey(one.wrapped, one.wrapped_with) for one in await self._find({"_id": {"$in": list(ids)}})}


def stored_key(customer_id: str, seller_id: str, key: WrappedKey, at: datetime) -> dict[str, Any]:
    """Return a new customer's key as it is stored."""
    return {
        "_id": customer_id,
        "seller_id": seller_id,
        "wrapped": key.wrapped,
        "wrapped_with": key.wrapped_with,
        "created_at": at,
    }


class WrappedKeys:
    """The keys of all customers of all sellers, for whoever wraps them anew: what is sealed with them is not looked at."""

    def __init__(self) -> None:
        self._keys = CustomerKey.get_pymongo_collection()

    async def not_wrapped_with(self, name: str, limit: int) -> dict[str, WrappedKey]:
        """Return some keys that another key than this one wraps, by customer."""
        with translated():
            # Two ranges of the index, where "not equal" would be a scan of it.
            others = {"$or": [{"wrapped_with": {"$lt": name}}, {"wrapped_with": {"$gt": name}}]}
            stored = await self._keys.find(others).sort("wrapped_with", ASCENDING).limit(limit).to_list()
        return {one["_id"]: WrappedKey(one["wrapped"], one["wrapped_with"]) for one in stored}

    async def replace(self, customer_id: str, old: WrappedKey, new: WrappedKey) -> None:
        """Store a key as it is wrapped now, unless it was destroyed or wrapped anew meanwhile."""
        with translated():
            await self._keys.update_one(
                {"_id": customer_id, "wrapped": old.wrapped},
                {"$set": {"wrapped": new.wrapped, "wrapped_with": new.wrapped_with}},
            )

    async def count_by_wrapping_key(self) -> Mapping[str, int]:
        """Return how many customers' keys each wrapping key wraps."""
        with translated():
            cursor = await self._keys.aggregate([{"$group": {"_id": "$wrapped_with", "keys": {"$sum": 1}}}])
            return {one["_id"]: one["keys"] for one in await cursor.to_list()}
