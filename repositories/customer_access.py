"""Every query about who read numbers and files of documents, and where the chains of these records end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import DESCENDING, UpdateOne

from core.clock import rfc3339
from core.history import Access, Read
from core.vocabulary import DocumentPart
from models.customer import Customer
from models.customer_access import CustomerAccess
from repositories.base import Repository


@dataclass(frozen=True, slots=True)
class AccessHead:
    """Where the accesses of a customer are: its version, how many there were, and the head of their chain."""

    seller_id: str
    version: int
    number: int
    chain: bytes | None


class AccessHeads(Repository[Customer]):
    """Where the chains of accesses end. Moving one is no change of a customer, so that its version stays."""

    model = Customer
    customer_field = "_id"

    async def of(self, customer_ids: Collection[str]) -> dict[str, AccessHead]:
        """Return those of the customers that are there."""
        with self._guard():
            found = self._collection.find(
                self._inside({"_id": {"$in": list(customer_ids)}, "live": True}),
                {"seller_id": True, "version": True, "accesses": True, "access_chain": True},
                session=self._session,
            )
            return {
                one["_id"]: AccessHead(one["seller_id"], one["version"], one.get("accesses", 0), one.get("access_chain"))
                for one in await found.to_list()
            }

    async def move(self, heads: Mapping[str, bytes]) -> None:
        """Let chains end with one access more, within the transaction that read where they ended."""
        updates = [
            UpdateOne(self._inside({"_id": id_}), {"$set": {"access_chain": head}, "$inc": {"accesses": 1}})
            for id_, head in heads.items()
        ]
        with self._guard():
            await self._collection.bulk_write(updates, session=self._session)


class CustomerAccessRepository(Repository[CustomerAccess]):
    """Accesses to one tenant's documents."""

    model = CustomerAccess

    async def before(self, seller_id: str, customer_id: str, conditions: Mapping[str, Any], limit: int) -> list[Access]:
        """Return the newest accesses of a customer that meet *conditions*."""
        chosen = {"seller_id": seller_id, "customer_id": customer_id, **conditions}
        with self._guard():
            found = self._collection.find(self._inside(chosen), _READ, session=self._session, limit=limit)
            return [_access(one) for one in await found.sort([("version", DESCENDING), ("number", DESCENDING)]).to_list()]


_READ = {"salt": False, "digest": False, "hash": False}


def facts_of_access(stored: Mapping[str, Any]) -> list[object]:
    """Return what of an access, as it is stored, never changes."""
    return [
        stored["_id"],
        stored["seller_id"],
        stored["customer_id"],
        stored["number"],
        stored["version"],
        stored["actor"],
        rfc3339(stored["occurred_at"]),
        [[one["document_id"], one["part"]] for one in stored["reads"]],
    ]


def contents_of_access(stored: Mapping[str, Any]) -> list[object]:
    """Return what of an access, as it is stored, is destroyed when its customer is erased."""
    return [stored.get("origin")]


def stored_reads(reads: Sequence[Read]) -> list[dict[str, str]]:
    """Return what was read as it is stored."""
    return [{"document_id": one.document_id, "part": one.part.value} for one in reads]


def _access(stored: Mapping[str, Any]) -> Access:
    return Access(
        id=stored["_id"],
        customer_id=stored["customer_id"],
        number=stored["number"],
        version=stored["version"],
        actor=stored["actor"],
        occurred_at=stored["occurred_at"],
        reads=[Read(one["document_id"], DocumentPart(one["part"])) for one in stored["reads"]],
        origin=stored.get("origin"),
    )
