"""Every query about customers."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import UpdateOne

from core.filters import CustomerFilter, CustomerSort
from core.paging import Page, PageRequest
from core.vocabulary import CustomerKind, CustomerStatus
from models.customer import SORTED_BY, Customer
from models.row import Row
from models.stored import Fields
from repositories.base import LiveRepository, change_update
from repositories.customer_terms import Term, begins_with, limits, terms, words
from repositories.find import Stretch

FEW = 2_000
"""Customers that are all read, rather than that a list is walked in which they may be anywhere: some milliseconds."""

_SURE = frozenset({"_id", "email", "phone", "external_id", "document_keys"})
"""What is found by an index of its own in any case."""

_ANY = {"status": {"$in": list(CustomerStatus)}, "kind": {"$in": list(CustomerKind)}}
"""What every customer meets. The index of names has those of each status and kind by themselves: whoever names them all gets
their six lists merged, in the order of names."""


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
        conditions, asked = _conditions(chosen, document_keys), terms(chosen)
        # One thing whose index is in this order anyway is left to it.
        few = [] if [field] == [term.ordered_by for term in asked] else asked
        within = None if _SURE & conditions.keys() else await self._rarest(few)
        merged: list[dict[str, Any]] = []
        if field == "sort_name" and within is None and not _SURE & conditions.keys():
            kinds = list(CustomerKind) if chosen.kind is None else [chosen.kind]
            merged = [{"status": one, "kind": kind} for one in chosen.status or CustomerStatus for kind in kinds]
            conditions = {**_ANY, **conditions}
        return await self.page(
            conditions, request, field=field, descending=descending, fields=fields, within=within, merged=merged
        )

    async def count(self, chosen: CustomerFilter, *, document_keys: Collection[str] | None, at_most: int | None = None) -> int:
        """Return how many customers meet the filter; with *at_most*, that where it is that many or more."""
        conditions, asked, limit = _conditions(chosen, document_keys), terms(chosen), at_most or 0
        alone = len(asked) == 1 or _SURE & conditions.keys()
        within = None if alone else await self._rarest(asked)
        if within is None:
            return await self._count(conditions, limit=limit)
        return len(await self._ids(conditions, limit=limit, within=within))

    async def _rarest(self, asked: Sequence[Term]) -> Stretch | None:
        """Return where those lie who meet one thing that is asked, `FEW` at most; None to leave that to the planner.

        The planner goes by what it has found out about a query of the same form, which was another seller's or about something
        that many have, and so may walk past a million to find ten. So it is asked first what is rare.
        """
        seller_id = self._inside({}).get("seller_id")
        if not asked or seller_id is None or self._session is not None:
            return None
        numbers = await asyncio.gather(*(self._count(term.condition, limit=FEW + 1) for term in asked))
        fewest = min(numbers)
        return None if fewest > FEW else asked[numbers.index(fewest)].stretch(seller_id)


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
        if condition := limits(moments):
            found[field] = condition
    if looked_for := words(chosen):
        found["$and"] = [begins_with(word) for word in looked_for]
    return found
