"""Every query about what sellers have said for themselves."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from core.clock import Clock
from core.seller import SellerRules
from models.seller import Seller
from repositories.errors import translated


class SellerRecords:
    """What all sellers have said. Rules, no data: every process knows those of all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def since(self, moment: datetime | None) -> list[Seller]:
        """Return what was said since a moment, or ever."""
        conditions: dict[str, Any] = {} if moment is None else {"updated_at": {"$gte": moment}}
        with translated():
            stored = await Seller.get_pymongo_collection().find(conditions).to_list()
        return [Seller.model_validate(one) for one in stored]

    async def say(self, seller_id: str, rules: SellerRules) -> Seller:
        """Store what a seller says to us, in place of what it said before."""
        return await self._store(seller_id, {"own": _plain(rules)})

    async def tell(self, seller_id: str, rules: SellerRules) -> Seller:
        """Store what the tenant service tells of a seller."""
        return await self._store(seller_id, {"told": _plain(rules), "told_at": self._clock.now()})

    async def _store(self, seller_id: str, values: dict[str, Any]) -> Seller:
        with translated():
            stored = await Seller.get_pymongo_collection().find_one_and_update(
                {"_id": seller_id}, {"$set": {**values, "updated_at": self._clock.now()}}, upsert=True, return_document=True
            )
        found: Seller = Seller.model_validate(stored)
        return found


def _plain(rules: SellerRules) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(rules).items() if value is not None
    }
