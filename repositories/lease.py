"""Leases: work that one process at a time may do. Time is the database's, so that clocks of machines may differ."""

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from models.lease import Lease
from repositories.errors import translated

_MILLISECONDS = 1000


async def hold(work: str, holder: str, seconds: float) -> bool:
    """Take or renew the lease of *work* for *seconds*; False while somebody else has it."""
    free = {"$or": [{"$eq": ["$holder", holder]}, {"$lt": ["$until", "$$NOW"]}]}
    until = {"$add": ["$$NOW", int(seconds * _MILLISECONDS)]}
    take = {"holder": {"$cond": [free, holder, "$holder"]}, "until": {"$cond": [free, until, "$until"]}}
    with translated():
        try:
            # A lease that is not there has no end, which lies before every moment: it is free.
            stored = await Lease.get_pymongo_collection().find_one_and_update(
                {"_id": work}, [{"$set": take}], upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:
            # Two took it for the first time at once, and the other one was faster.
            return False
    return stored is not None and bool(stored["holder"] == holder)


async def holder_of(work: str) -> str | None:
    """Return who took the lease last."""
    with translated():
        stored = await Lease.get_pymongo_collection().find_one({"_id": work})
    return None if stored is None else str(stored["holder"])


async def release(work: str, holder: str) -> None:
    """Give a lease back, if it is still ours."""
    with translated():
        await Lease.get_pymongo_collection().delete_one({"_id": work, "holder": holder})
