"""Every query about customers that were merged into others: who goes on in their place, and what they would get back.

It looks past deletion, for nothing else than that.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from pymongo import DESCENDING

from models.address import Address
from models.customer import Customer
from models.document import Document
from models.merge import Merge
from repositories.base import Repository, W, change_update

_MERGED = {"live": False, "merged_into": {"$gt": ""}}


class MergeRepository(Repository[Merge]):
    """What merges of one tenant's customers moved."""

    model = Merge
    customer_field = "_id"

    async def keep(self, merge: Merge) -> None:
        """Keep what a merge moved."""
        await self._insert(merge)

    async def get(self, customer_id: str) -> Merge | None:
        """Return what was moved when this customer was merged away; None when that cannot be undone any more, or never was."""
        return await self._find_one({"_id": customer_id})

    async def forget(self, customer_id: str) -> None:
        """Forget what was moved: it is back."""
        await self._delete_many({"_id": customer_id})


class RetiredCustomers(Repository[Customer]):
    """Customers of one tenant that were merged into others."""

    model = Customer
    customer_field = "_id"

    async def get(self, customer_id: str) -> Customer | None:
        """Return a customer, whether it was merged away, deleted, erased, or is live."""
        return await self._find_one({"_id": customer_id})

    async def survivors(self, ids: Collection[str]) -> dict[str, str]:
        """Return who is left in the end of those that were merged away, by their ids. Who is left may have been deleted since.

        A query for each merge that one survivor went through itself: hardly ever more than one.
        """
        found: dict[str, str] = {}
        asked = set(ids)
        while asked:
            # Nobody is merged into somebody who is gone, so that this ends; what is known already is not asked for again.
            nearest = await self._heirs(asked - found.keys())
            found |= nearest
            asked = set(nearest.values())
        return {id_: _last(found, id_) for id_ in ids if id_ in found}

    async def _heirs(self, ids: Collection[str]) -> dict[str, str]:
        if not ids:
            return {}
        with self._guard():
            cursor = self._collection.find(
                # By id: the planner would rather walk through all who were ever merged away.
                self._inside({"_id": {"$in": list(ids)}, **_MERGED}),
                {"merged_into": True},
                session=self._session,
                hint="_id_",
            )
            return {one["_id"]: one["merged_into"] for one in await cursor.to_list()}

    async def with_external_ids(self, values: Collection[str]) -> dict[str, str]:
        """Return who had these references of the seller when it was merged away: of several the last one."""
        with self._guard():
            cursor = self._collection.find(
                self._inside({"external_id": {"$in": list(values)}, **_MERGED}),
                {"external_id": True},
                session=self._session,
            ).sort([("deleted_at", DESCENDING), ("_id", DESCENDING)])
            newest_first = await cursor.to_list()
        return {one["external_id"]: one["_id"] for one in reversed(newest_first)}

    async def merged_into(self, owners: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
        """Return who was merged into customers, directly or by way of others, the nearest first.

        *owners* are pairs of seller id and customer id.
        """
        found: dict[tuple[str, str], list[str]] = {owner: [] for owner in owners}
        into = {owner: owner for owner in owners}
        while into:
            nearest = await self._nearest(into)
            into = {one: owner for one, owner in nearest.items() if one[1] not in found[owner]}
            for (_, id_), owner in into.items():
                found[owner].append(id_)
        return found

    async def _nearest(self, into: Mapping[tuple[str, str], tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
        """Return who was merged into the keys of *into*, each with what stands there beside its key."""
        conditions: dict[str, Any] = {
            # The sellers in front, for the index; a service may ask for several at once.
            "seller_id": {"$in": sorted({seller_id for seller_id, _ in into})},
            "merged_into": {"$in": [id_ for _, id_ in into], "$gt": ""},
        }
        with self._guard():
            cursor = self._collection.find(
                self._inside(conditions), {"seller_id": True, "merged_into": True}, session=self._session
            ).sort("_id")
            merged = await cursor.to_list()
        return {
            (one["seller_id"], one["_id"]): into[one["seller_id"], one["merged_into"]]
            for one in merged
            if (one["seller_id"], one["merged_into"]) in into
        }

    async def revive(self, customer: Customer, at: datetime, values: Mapping[str, object]) -> Customer | None:
        """Let a customer that was merged away be live again, with *values*, if it still is as it was read; else None."""
        back = {**values, "live": True, "deleted_at": None, "merged_into": None}
        same = {"_id": customer.id, "version": customer.version, "live": False}
        return await self._change_one(same, change_update(at, back))


class _Deleted(Repository[W]):
    """Deleted things that belong to customers."""

    async def hand_over(self, ids: Collection[str], owner: tuple[str, str], heir: str) -> None:
        """Give those of *owner* (seller id and customer id) that have these ids to somebody else, deleted as they are."""
        seller_id, customer_id = owner
        await self._change_many(
            {"seller_id": seller_id, "customer_id": customer_id, "live": False, "_id": {"$in": list(ids)}},
            {"$set": {"customer_id": heir}},
        )


class DeletedAddresses(_Deleted[Address]):
    """Deleted addresses of one tenant."""

    model = Address


class DeletedDocuments(_Deleted[Document]):
    """Deleted documents of one tenant."""

    model = Document


def _last(heirs: Mapping[str, str], id_: str) -> str:
    # Counted, so that not even records that somebody else has written can keep a process busy for ever.
    for _ in heirs:
        id_ = heirs.get(id_, id_)
    return id_
