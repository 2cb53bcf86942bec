"""Every query about customers."""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import MaxKey, MinKey
from pymongo import UpdateOne

from core.filters import CustomerFilter, CustomerSort, TimeRange
from core.paging import Page, PageRequest
from core.vocabulary import CustomerKind, CustomerStatus
from models.customer import SORTED_BY, Customer
from models.row import Row
from models.stored import Fields
from repositories.base import LiveRepository, change_update
from repositories.find import Stretch

FEW = 1_000
"""Customers that are all read, rather than that a list is walked in which they may be anywhere: some milliseconds."""

_SEVERAL = 2
_MOST_TERMS = 8
_LAST = "\U0010ffff"
"""Stands behind whatever a word can go on with: words are letters and digits."""

_SURE = frozenset({"_id", "email", "phone", "external_id", "document_keys"})
"""What is found by an index of its own in any case."""

_ANY = {"status": {"$in": list(CustomerStatus)}, "kind": {"$in": list(CustomerKind)}}
"""What every customer meets. The index of names has those of each status and kind by themselves: whoever names them all gets
their six lists merged, in the order of names."""


class CustomerRepository(LiveRepository[Customer]):
    """Customers of one tenant."""

    model = Customer
    customer_field = "_id"
    UNREAD = ("document_keys", "search_words", "source", "chain")

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
        conditions = _conditions(chosen, document_keys)
        within = await self._rarest(chosen, conditions)
        if field == "sort_name":
            conditions = {**_ANY, **conditions}
        return await self.page(conditions, request, field=field, descending=descending, fields=fields, within=within)

    async def count(self, chosen: CustomerFilter, *, document_keys: Collection[str] | None, at_most: int | None = None) -> int:
        """Return how many customers meet the filter; with *at_most*, that where it is that many or more."""
        conditions, limit = _conditions(chosen, document_keys), at_most or 0
        within = await self._rarest(chosen, conditions)
        if within is None:
            return await self._count(conditions, limit=limit)
        return len(await self._ids(conditions, limit=limit, within=within))

    async def _rarest(self, chosen: CustomerFilter, conditions: Mapping[str, Any]) -> Stretch | None:
        """Return where all lies that meets *conditions*, no more than `FEW`; None to leave that to the planner.

        Of several tags or words the planner enters the index by the first, though a million customers may have that one and
        ten the other. So it is asked first which is rare.
        """
        seller_id = self._inside({}).get("seller_id")
        terms = _terms(chosen)
        if len(terms) < _SEVERAL or seller_id is None or self._session is not None or _SURE & conditions.keys():
            return None
        numbers = await asyncio.gather(*(self._count(term.condition, limit=FEW + 1) for term in terms))
        fewest = min(numbers)
        return None if fewest > FEW else terms[numbers.index(fewest)].stretch(seller_id)


@dataclass(frozen=True, slots=True)
class _Term:
    """A tag, or the beginning of a word, that a customer has to have; *low* and *high* are what it begins and ends with."""

    field: str
    condition: Mapping[str, Any]
    low: str
    high: str

    def stretch(self, seller_id: str) -> Stretch:
        """Return where the index of lists has a seller's customers who have it, the newest of each value first."""
        seller = {"seller_id": seller_id, "live": True}
        return Stretch(
            f"listed_by_{self.field}",
            {**seller, self.field: self.low, "created_at": MaxKey(), "_id": MaxKey()},
            {**seller, self.field: self.high, "created_at": MinKey(), "_id": MinKey()},
        )


def _terms(chosen: CustomerFilter) -> list[_Term]:
    """Return what is asked of lists inside of customers, each by itself, no more than can be looked at."""
    tags = [_Term("tags", {"tags": tag}, tag, tag) for tag in chosen.tags or ()]
    words = [_Term("search_words", _begins_with(word), word, word + _LAST) for word in _words(chosen)]
    return [*tags, *words][:_MOST_TERMS]


def _words(chosen: CustomerFilter) -> list[str]:
    return (chosen.search or "").split()


def _begins_with(word: str) -> dict[str, Any]:
    # Anchored and escaped: each word is one range of the index.
    return {"search_words": {"$regex": f"^{re.escape(word)}"}}


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
    if words := _words(chosen):
        found["$and"] = [_begins_with(word) for word in words]
    return found


def _limits(moments: TimeRange | None) -> dict[str, datetime]:
    if moments is None:
        return {}
    limits = (("$gte", moments.start), ("$lt", moments.end))
    return {operator: moment for operator, moment in limits if moment is not None}
