"""Every query about addresses."""

from datetime import datetime

from core.filters import AddressFilter
from core.paging import Page, PageRequest
from core.vocabulary import AddressKind
from models.address import Address
from models.row import Row
from models.stored import Fields
from repositories.base import OwnedRepository, change_update


class AddressRepository(OwnedRepository[Address]):
    """Addresses of one tenant."""

    model = Address
    ALWAYS_READ = ("id", "seller_id", "customer_id", "kind", "is_default")  # callers choose by the last two

    async def list(self, chosen: AddressFilter, request: PageRequest, *, fields: Fields = None) -> Page[Row[Address]]:
        """Return one page, newest first, with these *fields* or with all."""
        conditions = {
            field: value
            for field, value in (
                ("customer_id", chosen.customer_id),
                ("kind", chosen.kind),
                ("country_code", chosen.country_code),
                ("postal_code", chosen.postal_code),
                ("is_default", chosen.is_default),
            )
            if value is not None
        }
        return await self.page(conditions, request, field="created_at", descending=True, fields=fields)

    async def demote_default(self, seller_id: str, customer_id: str, kind: AddressKind, at: datetime) -> None:
        """Leave the customer without a default of this kind, for the moment."""
        await self._change_many(
            {"seller_id": seller_id, "customer_id": customer_id, "kind": kind, "is_default": True},
            change_update(at, {"is_default": False}),
        )
