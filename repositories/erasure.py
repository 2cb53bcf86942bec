"""What is left of customers, deleted ones too, for whoever destroys it, and the notes about files that are still to go.

Everything here looks past deletion, which every other query takes for the end; only `services.erasure` may, and
`services.legal_hold`, which forbids it.
"""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pymongo import ASCENDING, ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from core.data_map import COLLECTIONS, owned
from core.personal_data import Ending
from core.tenancy import Reach
from core.vocabulary import PrincipalKind
from events.fields import LEFT_OF_ERASED
from models.base import StoredModel
from models.bulk_import import ImportRowOutcome
from models.customer import Customer
from models.document import Document
from models.erasure import Erasure
from models.erasure_receipt import ErasureReceipt
from models.otp_challenge import OtpChallenge
from models.registry import STORED_MODELS
from models.session import Session
from repositories import throttle
from repositories.base import M, Repository, stored_form
from repositories.errors import translated

_LIVE_OR_NOT = ({"live": True}, {"live": False})
"""Asked one after the other: the indexes are partial, and no index holds both."""


class _All(Repository[M]):
    """A collection of one tenant, deleted records included."""

    async def matching(self, conditions: dict[str, Any]) -> list[M]:
        """Return the records that meet *conditions*, deleted or not."""
        return [record for half in _LIVE_OR_NOT for record in await self._find({**conditions, **half})]

    async def remove(self, conditions: dict[str, Any]) -> int:
        """Destroy the records that meet *conditions*, deleted or not; return how many there were."""
        removed = 0
        for half in _LIVE_OR_NOT if issubclass(self.model, StoredModel) else ({},):
            result = await self._collection.delete_many(self._inside({**conditions, **half}), session=self._session)
            removed += result.deleted_count
        return removed

    async def empty(self, conditions: dict[str, Any], values: Mapping[str, object]) -> int:
        """Put *values*, expressions of an aggregation, into the records that meet *conditions*; return how many there are."""
        result = await self._collection.update_many(self._inside(conditions), [{"$set": dict(values)}], session=self._session)
        return result.matched_count

    async def every(self, conditions: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the records that meet *conditions*, deleted or not, as they are stored."""
        with self._guard():
            return await self._collection.find(self._inside(conditions), session=self._session).to_list()

    async def each(self, conditions: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the records that meet *conditions*, deleted or not, as they are stored."""
        for half in _LIVE_OR_NOT if issubclass(self.model, StoredModel) else ({},):
            with self._guard():
                async for record in self._collection.find(self._inside({**conditions, **half}), session=self._session):
                    yield record


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


@cache
def _all_of(collection: str, owner: str) -> type[_All[Any]]:
    """Return the repository of a collection whose *owner* field says whose a record is."""
    (model,) = (one for one in STORED_MODELS if one.Settings.name == collection)
    return type(f"_All_{collection}", (_All,), {"model": model, "customer_field": _stored(owner)})


_REFERENCES = {"$filter": {"input": {"$objectToArray": "$data"}, "cond": {"$in": ["$$this.k", list(LEFT_OF_ERASED)]}}}
EMPTY: Mapping[str, Mapping[str, object]] = {
    "customer_events": {
        "data": {"$arrayToObject": _REFERENCES},
        **dict.fromkeys(("reason", "changes", "origin", "salt"), "$$REMOVE"),
    },
    "customer_accesses": dict.fromkeys(("origin", "salt"), "$$REMOVE"),
    "idempotency_records": {"request_digest": {"$literal": ""}},
}
"""What stands, after an erasure, in the fields of records that stay."""


class _Notes(Repository[Erasure]):
    model = Erasure

    async def leave(self, note: Erasure) -> None:
        await self._insert(note)


class _Receipts(Repository[ErasureReceipt]):
    model = ErasureReceipt
    customer_field = "_id"

    async def leave(self, receipt: ErasureReceipt) -> None:
        await self._insert(receipt)

    async def get(self, customer_id: str) -> ErasureReceipt | None:
        return await self._find_one({"_id": customer_id})


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
        return await _Sessions(self._tenant, self._session).matching(_owned_by(customer, Session.Settings.name, "subject"))

    async def bury(self, customer: Customer, at: datetime) -> Customer | None:
        """Put a tombstone in a customer's place; None when it no longer has the version that was read."""
        stays = COLLECTIONS["customers"].names(lambda field: field.stays)
        tombstone = {
            **{name: value for name, value in stored_form(customer).items() if name in stays},
            "version": customer.version + 1,
            "live": False,
            "updated_at": at,
            "deleted_at": customer.deleted_at or at,
            "erased_at": at,
            # Empty texts, because every customer has them; they are in no index once it is not live.
            "full_name": "",
            "sort_name": "",
        }
        return await _Customers(self._tenant, self._session).bury(customer, tombstone)

    async def destroy_belongings(self, customer: Customer, accounts: Sequence[str], traces: Collection[str]) -> dict[str, int]:
        """Destroy what is stored about a customer anywhere but in its own record; return how many records of each collection.

        By the map of personal data: records that are removed, and records that keep references. Besides them go the remarks
        about the row of an import that wrote it last, and the counters *traces* of `repositories.throttle`. *accounts* are
        the names under which codes were sent to it.
        """
        tenant, session = self._tenant, self._session
        swept: dict[str, int] = {}
        for collection, owner in owned(Ending.REMOVED).items():
            swept[collection] = await _all_of(collection, owner)(tenant, session).remove(_owned_by(customer, collection, owner))
        # Codes that went to its destination when nobody, or nobody any more, had it.
        swept["otp_challenges"] += await _Challenges(tenant, session).remove(
            {"account": {"$in": list(accounts)}, "customer_id": None}
        )
        await throttle.forget(traces, session)
        for collection, owner in owned(Ending.EMPTIED).items():
            emptied = _all_of(collection, owner)(tenant, session)
            swept[collection] = await emptied.empty(_owned_by(customer, collection, owner), EMPTY[collection])
        if customer.source is not None:
            row = f"{customer.source.import_id}:{customer.source.row}"
            swept[ImportRowOutcome.Settings.name] = await _Outcomes(tenant, session).remove(
                {"_id": row, "seller_id": customer.seller_id}
            )
        return swept

    async def records(self, customer: Customer, collection: str, owner: str) -> list[dict[str, Any]]:
        """Return everything of a customer in one collection, deleted or not, as it is stored; *owner*: see the map."""
        return await _all_of(collection, owner)(self._tenant, self._session).every(_owned_by(customer, collection, owner))

    async def each(self, customer: Customer, collection: str, owner: str) -> AsyncGenerator[dict[str, Any], None]:
        """Yield what `records` returns, one by one, and without a scan. Close the iterator when leaving it early."""
        conditions = _owned_by(customer, collection, owner)
        async with aclosing(_all_of(collection, owner)(self._tenant, self._session).each(conditions)) as found:
            async for record in found:
                yield record

    async def remarks(self, customer: Customer) -> AsyncGenerator[dict[str, Any], None]:
        """Yield what was said about the row of an import that wrote a customer last: one record, or none."""
        if customer.source is not None:
            row = {"_id": f"{customer.source.import_id}:{customer.source.row}", "seller_id": customer.seller_id}
            for record in await _Outcomes(self._tenant, self._session).every(row):
                yield record

    async def leave_receipt(self, receipt: ErasureReceipt) -> None:
        """Keep what an erasure did."""
        await _Receipts(self._tenant, self._session).leave(receipt)

    async def receipt(self, customer_id: str) -> ErasureReceipt | None:
        """Return what the erasure of a customer did; None when there was none, or when it is another tenant's."""
        return await _Receipts(self._tenant, self._session).get(customer_id)

    async def note(self, note: Erasure) -> None:
        """Leave a note about files to remove, for whoever comes by."""
        await _Notes(self._tenant, self._session).leave(note)


class ErasureNotes:
    """The notes about files to remove, of every seller: whoever keeps house is nobody's, and reads keys of files only.

    Beside them, the receipts that say what was removed, and who is to be erased by now.
    """

    def __init__(self) -> None:
        self._notes = Erasure.get_pymongo_collection()
        self._receipts = ErasureReceipt.get_pymongo_collection()
        self._customers = Customer.get_pymongo_collection()

    async def due(self, now: datetime, limit: int) -> list[Customer]:
        """Return customers who are to be erased by *now*, the longest due first."""
        with translated():
            # An erasure that was asked for waits while its customer is on legal hold.
            asked = {"erasure_due_at": {"$lte": now}, "legal_hold_at": None}
            found = self._customers.find(asked).sort("erasure_due_at", ASCENDING)
            return [Customer.model_validate(one) for one in await found.limit(limit).to_list()]

    async def receipt(self, customer_id: str) -> ErasureReceipt | None:
        """Return the receipt of the erasure that a note belongs to."""
        with translated():
            stored = await self._receipts.find_one({"_id": customer_id})
        return None if stored is None else ErasureReceipt.model_validate(stored)

    async def complete(self, receipt: ErasureReceipt) -> None:
        """Put a receipt in the place of the one that said less."""
        with translated():
            await self._receipts.replace_one({"_id": receipt.id}, stored_form(receipt))

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


def _owned_by(customer: Customer, collection: str, owner: str) -> dict[str, Any]:
    # Of an operator whose name is a customer's id, the sessions are its own.
    kind = {"kind": PrincipalKind.CUSTOMER.value} if collection == Session.Settings.name else {}
    return {"seller_id": customer.seller_id, _stored(owner): customer.id, **kind}


def _stored(field: str) -> str:
    return "_id" if field == "id" else field
