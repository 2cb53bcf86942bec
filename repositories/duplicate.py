"""Every query that looks for customers who may be others: each reads so much of one index that there is, and no more."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from pymongo import ASCENDING, DESCENDING

from core.vocabulary import CustomerKind, CustomerStatus
from models.customer import Customer
from models.row import Row
from repositories.base import LiveRepository
from repositories.customer import CustomerRepository

MOST_FOUND = 200
"""Customers that are looked at for one: what is found beyond is left."""

_AROUND, _EACH = 14, 30


class DuplicateCandidates(LiveRepository[Customer]):
    """Customers of one tenant that are near to one of them."""

    model = Customer
    customer_field = "_id"
    UNREAD = CustomerRepository.UNREAD

    async def near(
        self, seller_id: str, *, names: Sequence[str], words: Collection[str], phones: Collection[str]
    ) -> list[Row[Customer]]:
        """Return customers of a seller who are near, at most `MOST_FOUND`, in an order that is always the same.

        Near are those who come right before and behind one of *names* in the order of names, who have one of *words* to be
        found by, and who have one of *phones*.
        """
        # The index of names has each status and kind by itself: named one by one, they are read side by side, in order.
        beside = {
            "seller_id": seller_id,
            "status": {"$in": [one.value for one in CustomerStatus]},
            "kind": {"$in": [one.value for one in CustomerKind]},
        }
        asked = [part for name in names for part in (self._behind(beside, name), self._before(beside, name))]
        if words:
            having = {"seller_id": seller_id, "search_words": {"$in": sorted(words)}}
            asked.append(self._rows(having, limit=_EACH))
        if phones:
            asked.append(self._rows({"seller_id": seller_id, "phone": {"$in": sorted(phones), "$gt": ""}}, limit=_EACH))
        found: dict[str, Row[Customer]] = {}
        for some in reversed(await asyncio.gather(*asked)):
            # Phones and words first: they say more than a neighbourhood, and are never what is left out.
            found.update({row["_id"]: row for row in some if row["_id"] not in found})
        return list(found.values())[:MOST_FOUND]

    async def _behind(self, beside: dict[str, Any], name: str) -> list[Row[Customer]]:
        order = [("sort_name", ASCENDING), ("_id", ASCENDING)]
        return await self._rows({**beside, "sort_name": {"$gte": name}}, sort=order, limit=_AROUND)

    async def _before(self, beside: dict[str, Any], name: str) -> list[Row[Customer]]:
        order = [("sort_name", DESCENDING), ("_id", DESCENDING)]
        return await self._rows({**beside, "sort_name": {"$lt": name}}, sort=order, limit=_AROUND)
