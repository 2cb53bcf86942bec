"""Every query about customers."""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import UpdateOne

from core.filters import CustomerFilter, CustomerSort, TimeRange
from core.paging import Page, PageRequest
from models.customer import SORTED_BY, Customer
from models.row import Row
from models.stored import Fields
from repositories.base import LiveRepository, change_update

FEW = 1_000
"""Customers that are read one by one, rather than that a list is walked in which they may be anywhere: some milliseconds."""

_SEVERAL = 2
_MOST_TERMS = 8
_SURE = frozenset({"_id", "email", "phone", "external_id", "document_keys"})
"""What is found by an index of its own in any case."""


class CustomerRepository(LiveRepository[Customer]):
    """Customers of one tenant."""

    model = Customer
    customer_field = "_id"
    UNREAD = ("document_keys", "search_words", "source", "chain", "access_chain")

    async def holders(self, keys: Mapping[str, Collection[str]]) -> list[Customer]:
        """Return the customers that hold any of these values; *keys* maps a unique field to values."""
        alternatives = [{field: {"$in": list(values)}} for field, values in keys.items() if values]
        if not alternatives:
            return []
        # One index scan per field; each alternative repeats the tenant so that it can use its own unique index.
        wall = self._inside({})
        return await self._find({"$or": [{**wall, **alternative} for alternative in alternatives]})

    async def change_many(self, changes: Sequence[tuple[Customer, datetime, Mapping[str, object]]]) -> int:
        """Write many changes (customer as it was read, moment, values) with one command, in this order.

        Returns how many were made: one of a customer that somebody changed meanwhile is not.
        """
        if not changes:
            return 0
        updates = [
            UpdateOne(self._inside({"_id": customer.id, "version": customer.version}), change_update(at, values))
            for customer, at, values in changes
        ]
        with self._guard():
            return (await self._collection.bulk_write(updates, session=self._session)).modified_count

    async def find(self, field: str, values: Collection[str]) -> Customer | None:
        """Return the customer that holds one of *values* in a unique field."""
        return await self._find_one({field: {"$in": list(values)}})

    async def read(self, field: str, values: Collection[str], *, fields: Fields = None) -> Row[Customer] | None:
        """Return the customer that `find` finds, to be read and not changed; with these *fields* or with all."""
        return next(iter(await self._rows({field: {"$in": list(values)}}, limit=1, fields=fields)), None)

    async def list(
        self,
        chosen: CustomerFilter,
        sort: CustomerSort,
        request: PageRequest,
        *,
        document_keys: Collection[str] | None,
        fields: Fields = None,
    ) -> Page[Row[Customer]]:
        """Return one page. *document_keys* are the blind indexes the filter's document number may have."""
        field, descending = SORTED_BY[sort]
        conditions, hint = await self._narrowed(_conditions(chosen, document_keys))
        return await self.page(conditions, request, field=field, descending=descending, fields=fields, hint=hint)

    async def count(self, chosen: CustomerFilter, *, document_keys: Collection[str] | None) -> int:
        """Return how many customers meet the filter."""
        conditions, hint = await self._narrowed(_conditions(chosen, document_keys))
        return await self._count(conditions, hint=hint)

    async def _narrowed(self, conditions: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        """Return conditions that find the same, and which index to find it by, None for the planner's choice.

        Of several tags or words the planner enters the index by the first, though a million customers may have that one and
        ten the other. So it is asked first which is rare. Who has that one is read by id, and all else looked at there.
        """
        terms = _terms(conditions)
        if len(terms) < _SEVERAL or self._session is not None or _SURE & conditions.keys():
            return conditions, None
        numbers = await asyncio.gather(*(self._count(term, limit=FEW + 1) for term in terms))
        fewest = min(numbers)
        if fewest > FEW:
            return conditions, None
        ids = await self._ids(terms[numbers.index(fewest)])
        return {**conditions, "_id": {"$in": ids}}, "_id_"


def _terms(conditions: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what is asked of lists inside of customers, each by itself, no more than can be looked at."""
    tags = [{"tags": tag} for tag in conditions.get("tags", {}).get("$all", ())]
    return [*tags, *conditions.get("$and", ())][:_MOST_TERMS]


def _conditions(chosen: CustomerFilter, document_keys: Collection[str] | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        field: value
        for field, value in (
            ("email", chosen.email),
            ("phone", chosen.phone),
            ("external_id", chosen.external_id),
            ("kind", chosen.kind),
        )
        if value is not None
    }
    if document_keys is not None:
        found["document_keys"] = {"$in": list(document_keys)}
    if chosen.ids is not None:
        found["_id"] = {"$in": list(chosen.ids)}
    if chosen.status is not None:
        found["status"] = {"$in": list(chosen.status)}
    if chosen.tags:
        found["tags"] = {"$all": list(chosen.tags)}
    for field, moments in (("created_at", chosen.created_at), ("updated_at", chosen.updated_at)):
        if limits := _limits(moments):
            found[field] = limits
    if chosen.search and (words := chosen.search.split()):
        # Anchored and escaped: each word is one range of the index.
        found["$and"] = [{"search_words": {"$regex": f"^{re.escape(word)}"}} for word in words]
    return found


def _limits(moments: TimeRange | None) -> dict[str, datetime]:
    if moments is None:
        return {}
    limits = (("$gte", moments.start), ("$lt", moments.end))
    return {operator: moment for operator, moment in limits if moment is not None}
