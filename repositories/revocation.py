"""What no longer holds before its time. About tokens, nobody's data: when they are checked, there is no tenant yet."""

from collections.abc import Collection, Sequence
from datetime import datetime

from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from models.revocation import Revocation
from repositories.errors import translated


async def revoke(ids: Sequence[str], at: datetime, expires_at: datetime, session: AsyncClientSession | None = None) -> None:
    """Take back the tokens of sessions, or all tokens of customers made until *at*; forget it after *expires_at*."""
    if not ids:
        return
    updates = [UpdateOne({"_id": id_}, {"$max": {"at": at, "expires_at": expires_at}}, upsert=True) for id_ in ids]
    collection = Revocation.get_pymongo_collection()
    if session is not None:
        # In a transaction the driver's own errors tell it whether to retry.
        await collection.bulk_write(updates, session=session)
        return
    with translated():
        await collection.bulk_write(updates)


class RevocationLog:
    """What was taken back, for a process that follows it. Stays with the database that was open when it was made."""

    def __init__(self) -> None:
        self._collection = Revocation.get_pymongo_collection()

    async def since(self, moment: datetime) -> dict[str, datetime]:
        """Return what was taken back since *moment*, and when."""
        with translated():
            found = await self._collection.find({"at": {"$gte": moment}}).to_list()
        return {str(one["_id"]): one["at"] for one in found}

    async def among(self, ids: Collection[str]) -> dict[str, datetime]:
        """Return which of *ids* were taken back, and when."""
        with translated():
            found = await self._collection.find({"_id": {"$in": list(ids)}}).to_list()
        return {str(one["_id"]): one["at"] for one in found}


class RevocationRepository:
    """Takes tokens back together with the change that makes it necessary, in one transaction."""

    def __init__(self, session: AsyncClientSession | None = None) -> None:
        self._session = session

    async def revoke(self, ids: Sequence[str], at: datetime, expires_at: datetime) -> None:
        """Take back the tokens of sessions, or all tokens of customers made until *at*; forget it after *expires_at*."""
        await revoke(ids, at, expires_at, self._session)
