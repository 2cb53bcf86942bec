"""Every query about exports of everything about a customer."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ASCENDING, ReturnDocument

from core.vocabulary import DataExportStatus
from models.data_export import IN_FLIGHT, DataExport
from repositories.base import OwnedRepository
from repositories.errors import translated

# Word for word what the indexes are limited to, so that the planner sees that it may use them.
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_IN_FLIGHT: Mapping[str, Any] = {"status": {"$in": IN_FLIGHT}}


class DataExportRepository(OwnedRepository[DataExport]):
    """Exports of one tenant."""

    model = DataExport

    async def in_flight(self, seller_id: str, customer_id: str) -> DataExport | None:
        """Return the export of a customer that is still to be made, if there is one."""
        return await self._find_one({"seller_id": seller_id, "customer_id": customer_id, **_IN_FLIGHT})

    async def count_since(self, seller_id: str, customer_id: str, since: datetime) -> int:
        """Return how many exports of a customer were asked for since a moment."""
        return await self._count({"seller_id": seller_id, "customer_id": customer_id, "created_at": {"$gt": since}})


class DataExportJobs:
    """Exports that are to be made or removed, of every seller: whoever works on them is nobody's."""

    def __init__(self) -> None:
        self._exports = DataExport.get_pymongo_collection()

    async def claim(self, now: datetime, lease: timedelta) -> DataExport | None:
        """Take the export that waits longest; unless it is renewed or ended, it is anybody's again after *lease*."""
        taken = {
            "$set": {"status": DataExportStatus.RUNNING.value, "due_at": now + lease, "updated_at": now},
            "$min": {"started_at": now},
            "$inc": {"attempts": 1, "version": 1},
        }
        with translated():
            stored = await self._exports.find_one_and_update(
                {**_IN_FLIGHT, "due_at": {"$lte": now}},
                taken,
                sort=[("due_at", ASCENDING)],
                return_document=ReturnDocument.AFTER,
            )
        return None if stored is None else DataExport.model_validate(stored)

    async def renew(self, job: DataExport, until: datetime) -> bool:
        """Keep an export until a moment; False when it is somebody else's by now, or gone with its customer."""
        with translated():
            result = await self._exports.update_one(_held(job), {"$set": {"due_at": until}})
        return result.matched_count == 1

    async def is_held(self, job: DataExport) -> bool:
        """Say whether an export is still with whoever took it up."""
        with translated():
            return await self._exports.find_one(_held(job), {"_id": 1}) is not None

    async def put_back(self, job: DataExport, at: datetime, due_at: datetime) -> None:
        """Let anybody take an export up again at *due_at*."""
        waiting = {"status": DataExportStatus.QUEUED.value, "due_at": due_at, "updated_at": at}
        with translated():
            await self._exports.update_one(_held(job), {"$set": waiting, "$inc": {"version": 1}})

    async def end(self, job: DataExport, at: datetime, values: Mapping[str, object]) -> bool:
        """Write *values* to an export that nobody has to work on any more; False when it was not ours to end."""
        ended = {"$set": {**values, "finished_at": at, "updated_at": at}, "$unset": {"due_at": ""}, "$inc": {"version": 1}}
        with translated():
            result = await self._exports.update_one(_held(job), ended)
        return result.matched_count == 1

    async def drop(self, job: DataExport) -> None:
        """Forget an export whose customer is gone."""
        with translated():
            await self._exports.delete_one(_held(job))

    async def supersede(self, job: DataExport, at: datetime) -> None:
        """Let older archives of the same customer expire at once."""
        older = {
            "seller_id": job.seller_id,
            "customer_id": job.customer_id,
            "_id": {"$lt": job.id},
            "status": DataExportStatus.READY.value,
        }
        with translated():
            await self._exports.update_many(older, {"$min": {"expires_at": at}})

    async def expired(self, now: datetime, limit: int) -> list[DataExport]:
        """Return exports whose archives are to be removed by *now*, the longest due first."""
        with translated():
            found = self._exports.find({"status": DataExportStatus.READY.value, "expires_at": {"$lte": now}})
            return [DataExport.model_validate(one) for one in await found.sort("expires_at", ASCENDING).to_list(limit)]

    async def retire(self, export: DataExport, at: datetime, forget_at: datetime) -> None:
        """Note that an archive is gone."""
        gone = {"status": DataExportStatus.EXPIRED.value, "updated_at": at, "forget_at": forget_at}
        with translated():
            await self._exports.update_one(
                {"_id": export.id, "status": DataExportStatus.READY.value}, {"$set": gone, "$inc": {"version": 1}}
            )

    async def oldest(self) -> datetime | None:
        """Return since when the export waits that waits longest; None when none does."""
        with translated():
            # All of them are looked through: they are few, and the one that is due next need not be the oldest.
            found = self._exports.find({**_IN_FLIGHT, "due_at": {"$gt": _EVER}}, {"created_at": 1})
            waiting = [one["created_at"] async for one in found]
        return min(waiting, default=None)


def _held(job: DataExport) -> dict[str, Any]:
    """Return the condition that a job is still with whoever took it up as the *attempts*-th."""
    return {"_id": job.id, "status": DataExportStatus.RUNNING.value, "attempts": job.attempts}
