"""What was done lately, counted so that many processes can keep one limit.

Counters are atomic updates of MongoDB: they survive a restart and hold across processes. The rate-limit library of choice
(limits 5.8) keeps its asynchronous MongoDB storage on Motor, which has reached its end of life, and everything else it
offers would be one more server to run.
"""

import secrets
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from auth.limits import Hit, Limit, longest, seconds_until_free
from models.throttle import Budget, KnownNetwork, Throttle
from repositories.errors import translated


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether something may be done. If so, it has been counted under `hit`; if not, it may be in `retry_after` seconds."""

    subject: str
    hit: str | None
    retry_after: int = 0


async def admit(subject: str, limits: tuple[Limit, ...], at: datetime, *, what: str | None = None) -> Admission:
    """Count one more for *subject*, if that is within all *limits*; look and write are one step.

    *what* says of which kind it is, for limits on distinct kinds.
    """
    hit = secrets.token_hex(8)
    update = _admission(limits, at, {"id": hit, "at": at, "what": what}, what)
    collection = Throttle.get_pymongo_collection()
    with translated():
        try:
            stored = await _apply(collection, subject, update)
        except DuplicateKeyError:
            # Two were the first of this subject at once: now there is something to update.
            stored = await _apply(collection, subject, update)
    if stored.get("admitted") == hit:
        return Admission(subject, hit)
    hits = [Hit(one["at"], one.get("what")) for one in stored.get("hits", ())]
    return Admission(subject, None, max(1, seconds_until_free(hits, limits, at, what)))


async def take_back(admission: Admission) -> None:
    """Forget what *admission* counted: it turned out not to count."""
    if admission.hit is None:
        return
    with translated():
        await Throttle.get_pymongo_collection().update_one(
            {"_id": admission.subject}, {"$pull": {"hits": {"id": admission.hit}}}
        )


async def clear(subject: str) -> None:
    """Forget everything that was counted for *subject*."""
    with translated():
        await Throttle.get_pymongo_collection().delete_one({"_id": subject})


async def forget(ids: Collection[str], session: AsyncClientSession | None = None) -> None:
    """Forget counters and known networks by their ids, as part of a transaction when there is one."""
    for model in (Throttle, KnownNetwork):
        with nullcontext() if session is not None else translated():
            await model.get_pymongo_collection().delete_many({"_id": {"$in": list(ids)}}, session=session)


async def spend(allowance: str, limit: int, period: timedelta, at: datetime) -> int:
    """Use up one of *limit* in the clock period around *at*. Returns 0, or in how many seconds the next period begins."""
    seconds = int(period.total_seconds())
    begun = int(at.timestamp()) // seconds * seconds
    left = begun + seconds - int(at.timestamp())
    collection = Budget.get_pymongo_collection()
    with translated():
        stored: Any = await collection.find_one_and_update(
            {"_id": f"{allowance}:{seconds}:{begun}"},
            {"$inc": {"used": 1}, "$setOnInsert": {"expires_at": at + 2 * period}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
    return 0 if stored["used"] <= limit else max(1, left)


async def knows(network: str, at: datetime) -> bool:
    """Say whether the account has signed in from a network lately; *network* is a keyed digest of both."""
    with translated():
        return await KnownNetwork.get_pymongo_collection().find_one({"_id": network, "expires_at": {"$gt": at}}) is not None


async def remember(network: str, until: datetime) -> None:
    """Remember that an account has signed in from a network."""
    with translated():
        await KnownNetwork.get_pymongo_collection().update_one({"_id": network}, {"$max": {"expires_at": until}}, upsert=True)


async def _apply(collection: Any, subject: str, update: Sequence[dict[str, Any]]) -> dict[str, Any]:
    stored: dict[str, Any] = await collection.find_one_and_update(
        {"_id": subject}, list(update), upsert=True, return_document=ReturnDocument.AFTER
    )
    return stored


def _admission(limits: tuple[Limit, ...], at: datetime, hit: dict[str, Any], what: str | None) -> list[dict[str, Any]]:
    """Return the pipeline that drops what is too old, and adds *hit* if every limit has room for it."""
    kept = longest(limits)
    admitted = {"$eq": ["$admitted", hit["id"]]}
    return [
        {"$set": {"hits": _since({"$ifNull": ["$hits", []]}, at - kept)}},
        {"$set": {"admitted": {"$cond": [{"$and": [_room(limit, at, what) for limit in limits]}, hit["id"], None]}}},
        {
            "$set": {
                "hits": {"$cond": [admitted, {"$concatArrays": ["$hits", [{"$literal": hit}]]}, "$hits"]},
                "expires_at": at + kept,
            }
        },
    ]


def _room(limit: Limit, at: datetime, what: str | None) -> dict[str, Any]:
    recent = _since("$hits", at - limit.within)
    if not limit.distinct:
        return {"$lt": [{"$size": recent}, limit.count]}
    kinds = {"$setDifference": [{"$map": {"input": recent, "in": "$$this.what"}}, [None]]}
    return {"$lte": [{"$size": {"$setUnion": [kinds, [] if what is None else [what]]}}, limit.count]}


def _since(hits: Any, moment: datetime) -> dict[str, Any]:
    return {"$filter": {"input": hits, "cond": {"$gt": ["$$this.at", moment]}}}
