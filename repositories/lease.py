"""Leases: work that one process at a time may do. Time is the database's, so that clocks of machines may differ."""

from collections.abc import Collection

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


async def renew(works: Collection[str], holder: str, seconds: float) -> set[str]:
    """Renew the leases of *works* that are still the holder's, and return which these are."""
    if not works:
        return set()
    mine = {"_id": {"$in": list(works)}, "holder": holder}
    until = {"$add": ["$$NOW", int(seconds * _MILLISECONDS)]}
    with translated():
        leases = Lease.get_pymongo_collection()
        await leases.update_many(mine, [{"$set": {"until": until}}])
        return {one["_id"] async for one in leases.find(mine, {"_id": 1})}


async def held(prefix: str) -> set[str]:
    """Return the work, of all whose name begins with *prefix*, that somebody has the lease of; forget what ran out."""
    begins = {"_id": {"$gte": prefix, "$lt": f"{prefix}\uffff"}}
    with translated():
        leases = Lease.get_pymongo_collection()
        await leases.delete_many({**begins, "$expr": {"$lt": ["$until", "$$NOW"]}})
        return {one["_id"] async for one in leases.find(begins, {"_id": 1})}


async def holders(prefix: str) -> set[str]:
    """Return who took a lease last of work whose name begins with *prefix*."""
    begins = {"_id": {"$gte": prefix, "$lt": f"{prefix}\uffff"}}
    with translated():
        return {str(one["holder"]) async for one in Lease.get_pymongo_collection().find(begins, {"holder": 1})}


async def release(work: str, holder: str) -> None:
    """Give a lease back, if it is still ours."""
    with translated():
        await Lease.get_pymongo_collection().delete_one({"_id": work, "holder": holder})


async def release_all(holder: str) -> None:
    """Give back every lease of a holder."""
    with translated():
        await Lease.get_pymongo_collection().delete_many({"holder": holder})
