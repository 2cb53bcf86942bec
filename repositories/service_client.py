"""The programs that may ask for tokens. They come before any tenant: who asks is not yet known to be anybody."""

from datetime import datetime
from typing import Any

from pymongo import ASCENDING, ReturnDocument

from models.service_client import ServiceClient
from repositories.errors import translated

_SECRETS = 2
"""How many secrets hold at once: the one in use, and the one that replaces it."""


async def insert(client: ServiceClient) -> None:
    """Store a new client."""
    with translated():
        await client.insert()


async def get(client_id: str) -> ServiceClient | None:
    """Return a client, disabled or not."""
    with translated():
        stored = await ServiceClient.get_pymongo_collection().find_one({"_id": client_id})
    return None if stored is None else ServiceClient.model_validate(stored)


async def every() -> list[ServiceClient]:
    """Return all clients; there are as many as programs that call us."""
    with translated():
        found = await ServiceClient.get_pymongo_collection().find({}).sort([("_id", ASCENDING)]).to_list()
    return [ServiceClient.model_validate(stored) for stored in found]


async def add_secret(client_id: str, digest: str) -> ServiceClient | None:
    """Give a client one more secret, at the cost of its older one when it has two; None where no client may use it."""
    change = {"$push": {"secrets": {"$each": [digest], "$slice": -_SECRETS}}}
    return await _change({"_id": client_id, "disabled_at": None}, change)


async def disable(client_id: str, at: datetime) -> ServiceClient | None:
    """Take away what a client could authenticate with; the moment of the first time stays. None for an unknown one."""
    # $min would call "never" the earliest moment, so this is a pipeline.
    return await _change({"_id": client_id}, [{"$set": {"disabled_at": {"$ifNull": ["$disabled_at", at]}, "secrets": []}}])


async def _change(conditions: dict[str, Any], update: Any) -> ServiceClient | None:
    with translated():
        stored = await ServiceClient.get_pymongo_collection().find_one_and_update(
            conditions, update, return_document=ReturnDocument.AFTER
        )
    return None if stored is None else ServiceClient.model_validate(stored)
