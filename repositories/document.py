"""Every query about documents."""

from typing import Any

from core.filters import DocumentFilter
from core.paging import Page, PageRequest
from models.document import Document
from repositories.base import OwnedRepository


class DocumentRepository(OwnedRepository[Document]):
    """Documents of one tenant."""

    model = Document

    async def list(self, chosen: DocumentFilter, request: PageRequest) -> Page[Document]:
        """Return one page, newest first."""
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
        return await self.page(conditions, request, field="created_at", descending=True)
