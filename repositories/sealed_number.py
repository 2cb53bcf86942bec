"""The numbers of all documents of all sellers, as they are stored, for chores that seal them or index them anew.

A pass goes over the collection in order of ids, some documents at a time: no index is as good for reading everything.
"""

from collections.abc import Callable
from typing import Any

from pymongo import ASCENDING

from models.customer import Customer
from models.document import Document
from repositories.base import Repository
from repositories.errors import translated

SOME = 200
"""Documents that are read at once."""


class NumberedDocuments:
    """All documents that have a number, deleted ones too, behind a place."""

    def __init__(self) -> None:
        self._documents = Document.get_pymongo_collection()

    async def behind(self, place: str) -> list[Document]:
        """Return the next documents with a number behind the id *place*."""
        with translated():
            conditions = {"_id": {"$gt": place}, "number_key": {"$gt": ""}}
            stored = await self._documents.find(conditions).sort("_id", ASCENDING).limit(SOME).to_list()
        return [Document.model_validate(one) for one in stored]

    async def count(self, conditions: dict[str, Any]) -> int:
        """Return how many documents meet *conditions*."""
        with translated():
            return await self._documents.count_documents(conditions)

    async def drop_old_seals(self) -> int:
        """Remove what an earlier version sealed wherever the same number is sealed anew; return how many documents that was."""
        with translated():
            result = await self._documents.update_many(
                {"number_sealed": {"$exists": True}, "number_box": {"$exists": True}}, {"$unset": {"number_sealed": ""}}
            )
        return int(result.modified_count)


class SealedNumbers(Repository[Document]):
    """The numbers of one tenant's documents. Writing one is no change of the document, so that its version stays."""

    model = Document

    async def put(self, document: Document, **values: Any) -> bool:
        """Write *values* to a document whose number is as it was read (None removes one); say whether it was."""
        kept = {name: value for name, value in values.items() if value is not None}
        update: dict[str, Any] = {"$set": kept} if kept else {}
        if gone := [name for name, value in values.items() if value is None]:
            update["$unset"] = dict.fromkeys(gone, "")
        same = {name: getattr(document, name) for name in ("number_sealed", "number_box", "number_key", "number_key_next")}
        with self._guard():
            result = await self._collection.update_one(
                self._inside({"_id": document.id, "customer_id": document.customer_id, **same}), update, session=self._session
            )
        return result.matched_count > 0


class NumberHolders(Repository[Customer]):
    """Which blind indexes one tenant's customers hold. Writing them is no change of a customer, so that its version stays."""

    model = Customer
    customer_field = "_id"

    async def add(self, customer_id: str, index: str, beside: str) -> None:
        """Let a customer that holds the index *beside* hold *index* as well."""
        await self._change_many({"_id": customer_id, "document_keys": beside}, {"$addToSet": {"document_keys": index}})

    async def keep(self, customer_id: str, wanted: Callable[[str], bool]) -> None:
        """Let a customer hold only those of its indexes that are *wanted*."""
        customer = await self._find_one({"_id": customer_id})
        if customer is None:
            return
        left = [index for index in customer.document_keys if wanted(index)]
        if left != customer.document_keys:
            await self._change_many({"_id": customer_id}, {"$set": {"document_keys": left}})
