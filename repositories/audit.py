"""What the verification of histories reads: of every seller, deleted and erased customers included, and no more than it needs.

Everything is read in the order of an index and one record at a time: how much there is costs time and no memory.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import beanie
from pymongo import ASCENDING, DESCENDING

from models.customer import Customer
from models.customer_access import CustomerAccess
from models.customer_event import CustomerEvent
from repositories.customer_access import contents_of_access, facts_of_access
from repositories.customer_event import contents_of, facts_of
from repositories.errors import translated

SOME = 200
"""Customers that are looked at at once."""

Stored = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A kind of chain: which records it has, what they are numbered by, and where their customer keeps head and last number."""

    name: str
    model: type[beanie.Document]
    number: str
    order: Sequence[str]
    index: str
    head: str
    last: str
    facts: Callable[[Stored], list[object]]
    contents: Callable[[Stored], list[object]]


CHANGES = Sealed(
    name="changes",
    model=CustomerEvent,
    number="version",
    order=("version",),
    index="unique_version",
    head="chain",
    last="version",
    facts=facts_of,
    contents=contents_of,
)
ACCESSES = Sealed(
    name="accesses",
    model=CustomerAccess,
    number="number",
    order=("version", "number"),
    index="unique_number",
    head="access_chain",
    last="accesses",
    facts=facts_of_access,
    contents=contents_of_access,
)
KINDS = (CHANGES, ACCESSES)

_OF_CUSTOMER = dict.fromkeys(("seller_id", "erased_at", *chain.from_iterable((kind.head, kind.last) for kind in KINDS)), True)


class AuditRecords:
    """Reads chains and where they should end."""

    def __init__(self) -> None:
        self._customers = Customer.get_pymongo_collection()

    async def customer(self, customer_id: str) -> Stored | None:
        """Return what a customer's record says of its chains."""
        with translated():
            return await self._customers.find_one({"_id": customer_id}, _OF_CUSTOMER)

    async def customers(self, seller_id: str | None) -> AsyncGenerator[list[Stored]]:
        """Yield the customers of a seller, or of all, in order of their ids, `SOME` at a time."""
        # A seller's are picked out of all: the index for them has live ones only, and this is about the others, too.
        of_seller = {} if seller_id is None else {"seller_id": seller_id}
        place = ""
        while True:
            with translated():
                found = self._customers.find({"_id": {"$gt": place}, **of_seller}, _OF_CUSTOMER)
                some = await found.sort("_id", ASCENDING).limit(SOME).to_list()
            if not some:
                return
            yield some
            place = some[-1]["_id"]

    async def records(self, kind: Sealed, customers: Sequence[Stored]) -> AsyncGenerator[Stored]:
        """Yield the records of some customers: customer by customer, the newest first."""
        with translated():
            found = kind.model.get_pymongo_collection().find(
                {
                    "seller_id": {"$in": sorted({one["seller_id"] for one in customers})},
                    "customer_id": {"$in": [one["_id"] for one in customers]},
                }
            )
            async with found.sort(_in_order(kind)) as cursor:
                async for stored in cursor:
                    yield stored

    async def owners(self, kind: Sealed, seller_id: str | None) -> AsyncIterator[tuple[str, str]]:
        """Yield whose records there are, each once: seller and customer. Reads nothing but the index."""
        of_seller = {} if seller_id is None else {"seller_id": seller_id}
        last: tuple[str, str] | None = None
        with translated():
            found = kind.model.get_pymongo_collection().find(
                of_seller, {"_id": False, "seller_id": True, "customer_id": True}, hint=kind.index
            )
            async with found.sort(_in_order(kind)) as cursor:
                async for stored in cursor:
                    owner = stored["seller_id"], stored["customer_id"]
                    if owner != last:
                        last = owner
                        yield owner

    async def missing(self, owners: Collection[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return those of whom there is no record."""
        with translated():
            found = await self._customers.find({"_id": {"$in": [id_ for _, id_ in owners]}}, {"seller_id": True}).to_list()
        there = {(one["seller_id"], one["_id"]) for one in found}
        return [owner for owner in owners if owner not in there]

    async def sellers_of(self, kind: Sealed, customer_id: str) -> list[str]:
        """Return whose customer it is by the records that there are of it. Reads the whole index."""
        return [seller_id async for seller_id, one in self.owners(kind, None) if one == customer_id]


def _in_order(kind: Sealed) -> list[tuple[str, int]]:
    return [("seller_id", ASCENDING), ("customer_id", ASCENDING), *((name, DESCENDING) for name in kind.order)]


def group_of(stored: Mapping[str, Any]) -> tuple[str, str]:
    """Return whose record it is."""
    return stored["seller_id"], stored["customer_id"]
