"""What is left of customers, deleted ones too, for whoever destroys it, and the notes about files that are still to go.

Everything here looks past deletion, which every other query takes for the end; only `services.erasure` may.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from core.tenancy import Reach
from core.vocabulary import PrincipalKind
from events.fields import LEFT_OF_ERASED
from models.address import Address
from models.bulk_import import ImportRowOutcome
from models.customer import Customer
from models.customer_event import CustomerEvent
from models.document import Document
from models.erasure import Erasure
from models.idempotency import IdempotencyRecord
from models.otp_challenge import OtpChallenge
from models.session import Session
from repositories import throttle
from repositories.base import M, Repository
from repositories.errors import translated

_LIVE_OR_NOT = ({"live": True}, {"live": False})
"""Asked one after the other: the indexes are partial, and no index holds both."""


class _All(Repository[M]):
    """A collection of one tenant, deleted records included."""

    async def matching(self, conditions: dict[str, Any]) -> list[M]:
        """Return the records that meet *conditions*, deleted or not."""
        return [record for half in _LIVE_OR_NOT for record in await self._find({**conditions, **half})]

    async def remove(self, conditions: dict[str, Any]) -> None:
        """Destroy the records that meet *conditions*."""
        await self._delete_many(conditions)


class _Customers(_All[Customer]):
    model = Customer
    customer_field = "_id"

    async def get(self, id_: str) -> Customer | None:
        return await self._find_one({"_id": id_})

    async def merged_into(self, seller_id: str, ids: Collection[str]) -> list[Customer]:
        return await self._find({"seller_id": seller_id, "merged_into": {"$in": list(ids)}})

    async def bury(self, customer: Customer, tombstone: dict[str, Any]) -> Customer | None:
        # Replaced, not emptied field by field: a field that is added to customers one day goes as well.
        stored = await self._collection.find_one_and_replace(
            self._inside({"_id": customer.id, "version": customer.version}),
            tombstone,
            session=self._session,
            return_document=ReturnDocument.AFTER,
        )
        return None if stored is None else self._load(stored)


class _Addresses(_All[Address]):
    model = Address


class _Documents(_All[Document]):
    model = Document

    async def existing(self, ids: Collection[str]) -> set[str]:
        return {document.id for document in await self._find({"_id": {"$in": list(ids)}})}


class _Sessions(_All[Session]):
    model = Session
    customer_field = "subject"


class _Challenges(_All[OtpChallenge]):
    model = OtpChallenge


class _Outcomes(_All[ImportRowOutcome]):
    model = ImportRowOutcome


class _Calls(_All[IdempotencyRecord]):
    model = IdempotencyRecord

    async def blank(self, seller_id: str, customer_id: str) -> None:
        await self._change_many({"seller_id": seller_id, "customer_id": customer_id}, {"$set": {"request_digest": ""}})


class _Events(_All[CustomerEvent]):
    model = CustomerEvent

    async def blank(self, seller_id: str, customer_id: str) -> None:
        kept = {"$filter": {"input": {"$objectToArray": "$data"}, "cond": {"$in": ["$$this.k", list(LEFT_OF_ERASED)]}}}
        await self._collection.update_many(
            self._inside({"seller_id": seller_id, "customer_id": customer_id}),
            [{"$set": {"data": {"$arrayToObject": kept}}}],
            session=self._session,
        )


class _Notes(Repository[Erasure]):
    model = Erasure

    async def leave(self, note: Erasure) -> None:
        await self._insert(note)


class Remains:
    """What is stored about customers of one tenant, whether they are live or not."""

    def __init__(self, tenant: Reach, session: AsyncClientSession | None = None) -> None:
        self._tenant = tenant
        self._session = session

    async def customer(self, id_: str) -> Customer | None:
        """Return a customer, deleted or not; None for an unknown id and another tenant's."""
        return await _Customers(self._tenant, self._session).get(id_)

    async def merged_into(self, customer: Customer) -> list[Customer]:
        """Return everybody who was merged into *customer*, and into those, the nearest first."""
        customers = _Customers(self._tenant, self._session)
        found: dict[str, Customer] = {}
        newest = {customer.id}
        while newest:
            earlier = await customers.merged_into(customer.seller_id, newest)
            newest = {one.id for one in earlier} - found.keys() - {customer.id}
            found |= {one.id: one for one in earlier}
        return list(found.values())

    async def documents(self, customer: Customer) -> list[Document]:
        """Return all documents of a customer, deleted ones too."""
        return await _Documents(self._tenant, self._session).matching(_of(customer))

    async def existing_documents(self, ids: Collection[str]) -> set[str]:
        """Return which of these documents there are, deleted ones too."""
        return await _Documents(self._tenant, self._session).existing(ids)

    async def sessions(self, customer: Customer) -> list[Session]:
        """Return all sessions of a customer, ended ones too."""
        return await _Sessions(self._tenant, self._session).matching(_of_subject(customer))

    async def bury(self, customer: Customer, at: datetime) -> Customer | None:
        """Put a tombstone in a customer's place; None when it no longer has the version that was read."""
        tombstone = {
            "seller_id": customer.seller_id,
            "kind": customer.kind.value,
            "status": customer.status.value,
            "version": customer.version + 1,
            "live": False,
            "created_at": customer.created_at,
            "updated_at": at,
            "deleted_at": customer.deleted_at or at,
            "erased_at": at,
            # Empty texts, because every customer has them; they are in no index once it is not live.
            "full_name": "",
            "sort_name": "",
        }
        if customer.merged_into is not None:
            tombstone["merged_into"] = customer.merged_into
        return await _Customers(self._tenant, self._session).bury(customer, tombstone)

    async def destroy_belongings(self, customer: Customer, accounts: Sequence[str], traces: Collection[str]) -> None:
        """Destroy what is stored about a customer anywhere but in its own record.

        Addresses, documents, sessions and codes are removed, and so are the remarks about the row of an import that wrote
        it last and the counters *traces* of `repositories.throttle`; events keep references, and idempotency keys stay
        taken. *accounts* are the names under which codes were sent to it.
        """
        tenant, session = self._tenant, self._session
        for half in _LIVE_OR_NOT:
            await _Addresses(tenant, session).remove({**_of(customer), **half})
            await _Documents(tenant, session).remove({**_of(customer), **half})
            await _Sessions(tenant, session).remove({**_of_subject(customer), **half})
        challenges = _Challenges(tenant, session)
        await challenges.remove({"seller_id": customer.seller_id, "customer_id": customer.id})
        # Those that went to its destination when nobody, or nobody any more, had it.
        await challenges.remove({"account": {"$in": list(accounts)}, "customer_id": None})
        await throttle.forget(traces, session)
        await _Calls(tenant, session).blank(customer.seller_id, customer.id)
        await _Events(tenant, session).blank(customer.seller_id, customer.id)
        if customer.source is not None:
            row = f"{customer.source.import_id}:{customer.source.row}"
            await _Outcomes(tenant, session).remove({"_id": row, "seller_id": customer.seller_id})

    async def note(self, note: Erasure) -> None:
        """Leave a note about files to remove, for whoever comes by."""
        await _Notes(self._tenant, self._session).leave(note)


class ErasureNotes:
    """The notes about files to remove, of every seller: whoever keeps house is nobody's, and reads keys of files only."""

    def __init__(self) -> None:
        self._notes = Erasure.get_pymongo_collection()

    async def claim(self, now: datetime, patience: timedelta) -> Erasure | None:
        """Take the note that is due longest; unless it is dealt with, it is due again after *patience*."""
        with translated():
            stored = await self._notes.find_one_and_update(
                {"due_at": {"$lte": now}},
                {"$set": {"due_at": now + patience}},
                sort=[("due_at", ASCENDING)],
                return_document=ReturnDocument.AFTER,
            )
        return None if stored is None else Erasure.model_validate(stored)

    async def put_off(self, note: Erasure, due_at: datetime) -> None:
        """Look again at *due_at*."""
        with translated():
            await self._notes.update_one({"_id": note.id}, {"$set": {"due_at": due_at}})

    async def forget(self, note: Erasure) -> None:
        """Remove a note: nothing is left to do."""
        with translated():
            await self._notes.delete_one({"_id": note.id})


def _of(customer: Customer) -> dict[str, Any]:
    return {"seller_id": customer.seller_id, "customer_id": customer.id}


def _of_subject(customer: Customer) -> dict[str, Any]:
    return {"seller_id": customer.seller_id, "subject": customer.id, "kind": PrincipalKind.CUSTOMER.value}
