"""Every query about the keys that others are wrapped by, and those of blind indexes: nobody's data, encrypted anyway."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from pymongo import ASCENDING

from models.vault_key import VaultKey
from repositories.base import stored_form
from repositories.errors import translated


class VaultKeys:
    """The stored keys of the service."""

    def __init__(self) -> None:
        self._keys = VaultKey.get_pymongo_collection()

    async def every(self) -> list[VaultKey]:
        """Return all keys, oldest first."""
        with translated():
            stored = await self._keys.find({}).sort("_id", ASCENDING).to_list()
        return [VaultKey.model_validate(one) for one in stored]

    async def add(self, key: VaultKey) -> None:
        """Store a new key."""
        with translated():
            await self._keys.insert_one(stored_form(key))

    async def change(self, name: str, at: datetime, **values: Any) -> None:
        """Note how far the work is that a key gives, or what the key has become."""
        with translated():
            await self._keys.update_one({"_id": name}, {"$set": {**values, "updated_at": at}})

    async def forget(self, names: Collection[str]) -> None:
        """Destroy keys that nothing is encrypted or found by any more."""
        with translated():
            await self._keys.delete_many({"_id": {"$in": list(names)}})
