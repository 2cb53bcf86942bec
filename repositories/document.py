"""Every query about documents."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pymongo import ASCENDING

from core.filters import DocumentFilter
from core.paging import Page, PageRequest
from models.document import EXPIRING, Document
from models.row import Row
from models.stored import Fields
from repositories.base import OwnedRepository


class DocumentRepository(OwnedRepository[Document]):
    """Documents of one tenant."""

    model = Document
    ALWAYS_READ = ("id", "seller_id", "customer_id", "type", "status")  # callers choose by the last two

    async def list(self, chosen: DocumentFilter, request: PageRequest, *, fields: Fields = None) -> Page[Row[Document]]:
        """Return one page, newest first, with these *fields* or with all."""
        conditions: dict[str, Any] = {
            field: value
            for field, value in (
                ("customer_id", chosen.customer_id),
                ("type", chosen.type),
                ("status", chosen.status),
            )
            if value is not None
        }
        if chosen.expires_before is not None:
            conditions["expires_on"] = {"$lt": chosen.expires_before}
        return await self.page(conditions, request, field="created_at", descending=True, fields=fields)

    async def due(self, today: date, limit: int) -> Sequence[Document]:
        """Return documents that can still expire and whose last valid day was before *today*, longest over first."""
        conditions = {
            # Word for word what the index is limited to, so that the planner sees that it may use it.
            "status": {"$in": EXPIRING},
            "expires_on": {"$gt": "", "$lt": today.isoformat()},
        }
        return await self._find(conditions, sort=[("expires_on", ASCENDING), ("_id", ASCENDING)], limit=limit)

    async def unreminded(self, marks: Mapping[str, str], limit: int) -> Sequence[Document]:
        """Return documents that can still expire, the soonest first, that were not reminded of it as *marks* says.

        It says for each last valid day what a document that was has in `reminded`.
        """
        found: Sequence[Document] = ()
        for day, mark in sorted(marks.items()):
            if len(found) >= limit:
                break
            due = {"status": {"$in": EXPIRING}, "expires_on": day, "reminded": {"$ne": mark}}
            found = [*found, *await self._find(due, limit=limit - len(found))]
        return found

    async def note_reminder(self, document: Document, mark: str) -> bool:
        """Keep in mind that a document's end was told, which is no change of it; False when somebody was faster."""
        same = {"_id": document.id, "expires_on": document.expires_on, "reminded": document.reminded}
        return await self._change_one(same, {"$set": {"reminded": mark}}) is not None
