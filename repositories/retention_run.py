"""Every query about rounds of retention, of all sellers: which is due, how far it is, and who has customers at all."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from models.bulk_import import BulkImport
from models.customer import Customer
from models.retention_run import RetentionReport, RetentionRun
from repositories.errors import translated


class RetentionRuns:
    """The rounds of all sellers. Nothing of anybody's data is read here but whose it is."""

    def __init__(self) -> None:
        self._runs = RetentionRun.get_pymongo_collection()
        self._owners = (
            (Customer.get_pymongo_collection(), "listed_by_created_at"),
            (BulkImport.get_pymongo_collection(), "by_created_at"),
        )

    async def of(self, seller_id: str) -> RetentionRun | None:
        """Return the rounds of one seller."""
        with translated():
            stored = await self._runs.find_one({"_id": seller_id})
        return None if stored is None else RetentionRun.model_validate(stored)

    async def after(self, seller_id: str, limit: int) -> list[RetentionRun]:
        """Return the rounds of sellers, in the order of their ids, behind one."""
        with translated():
            found = self._runs.find({"_id": {"$gt": seller_id}}).sort("_id", ASCENDING).limit(limit)
            return [RetentionRun.model_validate(one) for one in await found.to_list()]

    async def sellers_after(self, seller_id: str, limit: int) -> list[str]:
        """Return ids of sellers that have customers or imports, in order, behind one: a look into an index for each."""
        found: list[str] = []
        with translated():
            while len(found) < limit:
                nearest = [one["seller_id"] for one in await self._next(seller_id) if one is not None]
                if not nearest:
                    break
                seller_id = min(nearest)
                found.append(seller_id)
        return found

    async def _next(self, seller_id: str) -> Sequence[Mapping[str, Any] | None]:
        beyond, only = {"seller_id": {"$gt": seller_id}, "live": True}, {"seller_id": True}
        order = [("seller_id", ASCENDING)]
        return [await owners.find_one(beyond, only, sort=order, hint=index) for owners, index in self._owners]

    async def expect(self, seller_ids: Sequence[str], due_at: datetime) -> None:
        """See to it that these sellers have rounds."""
        with translated():
            for seller_id in seller_ids:
                try:
                    await self._runs.update_one(
                        {"_id": seller_id}, {"$setOnInsert": {"due_at": due_at, "step": 0}}, upsert=True
                    )
                except DuplicateKeyError:
                    # Two found the seller at once, and the other one was faster.
                    continue

    async def hurry(self, seller_id: str, at: datetime) -> None:
        """Let the next round of a seller begin now, or the one that is under way go on."""
        with translated():
            change = {"$min": {"due_at": at}, "$setOnInsert": {"step": 0}}
            await self._runs.update_one({"_id": seller_id}, change, upsert=True)

    async def claim(self, now: datetime, patience: timedelta) -> RetentionRun | None:
        """Take the run that is due longest; unless it is put down, it is due again after *patience*."""
        with translated():
            stored = await self._runs.find_one_and_update(
                {"due_at": {"$lte": now}},
                {"$set": {"due_at": now + patience}, "$inc": {"step": 1}},
                sort=[("due_at", ASCENDING)],
                return_document=ReturnDocument.AFTER,
            )
        return None if stored is None else RetentionRun.model_validate(stored)

    async def put_down(self, run: RetentionRun, due_at: datetime, values: Mapping[str, object]) -> bool:
        """Write how far a run is that was taken; None removes a value. False: somebody else has taken it meanwhile."""
        update: dict[str, Any] = {"$set": {"due_at": due_at}, "$inc": {"step": 1}}
        for name, value in values.items():
            plain = value.model_dump(exclude_none=True) if isinstance(value, RetentionReport) else value
            if plain is None:
                update.setdefault("$unset", {})[name] = ""
            else:
                update["$set"][name] = plain
        with translated():
            return (await self._runs.update_one({"_id": run.id, "step": run.step}, update)).modified_count > 0
