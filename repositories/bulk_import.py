"""Every query about imports, the outcomes of their rows and the identifiers these claimed."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.asynchronous.client_session import AsyncClientSession

from core.paging import Page, PageRequest
from core.tenancy import Reach
from core.vocabulary import BulkImportStatus, Severity
from models.bulk_import import BulkImport, ImportKey, ImportRowOutcome, RowCounts, StoredEnding, StoredPlan
from repositories.base import LiveRepository, Repository, change_update
from repositories.change_stream import ChangeStream
from repositories.import_order import ImportDeferredRepository, ImportDigestRepository
from repositories.import_result import ImportResultRepository
from repositories.import_segment import ImportSegmentRepository

_ACTIVE = {"status": {"$in": [BulkImportStatus.QUEUED, BulkImportStatus.RUNNING]}}

Key = tuple[str, str]
"""A field and the value that may be held once."""


class ImportOutcomeRepository(Repository[ImportRowOutcome]):
    """What became of the rows that were refused or taken with remarks."""

    model = ImportRowOutcome

    async def insert_many(self, outcomes: Sequence[ImportRowOutcome]) -> None:
        """Store the outcomes of a batch."""
        await self._insert_many(outcomes)

    async def of_import(
        self, import_id: str, *, from_row: int = 0, severity: Severity | None = None, limit: int
    ) -> list[ImportRowOutcome]:
        """Return outcomes from a row on, in the order of the file."""
        conditions: dict[str, Any] = {"import_id": import_id, "row": {"$gte": from_row}}
        if severity is not None:
            conditions["severity"] = severity
        return await self._find(conditions, sort=[("row", ASCENDING)], limit=limit)


class ImportKeyRepository(Repository[ImportKey]):
    """Which row of an import claimed which identifier first."""

    model = ImportKey

    async def claimed(self, import_id: str, keys: Collection[Key]) -> dict[Key, int]:
        """Return the rows that claimed any of *keys*."""
        if not keys:
            return {}
        ids = {_key_id(import_id, key): key for key in keys}
        return {ids[found.id]: found.row for found in await self._find({"_id": {"$in": list(ids)}})}

    async def claim(self, seller_id: str, import_id: str, claims: Mapping[Key, int], at: datetime) -> None:
        """Remember claims; each key can be claimed once."""
        await self._insert_many(
            [
                ImportKey(id=_key_id(import_id, key), seller_id=seller_id, import_id=import_id, row=row, created_at=at)
                for key, row in claims.items()
            ]
        )

    async def forget(self, import_id: str) -> None:
        """Remove the claims of an import that has ended."""
        await self._delete_many({"import_id": import_id})


class BulkImportRepository(LiveRepository[BulkImport]):
    """Imports of one tenant, and what belongs to them. Every change raises the version."""

    model = BulkImport

    def __init__(self, tenant: Reach, session: AsyncClientSession | None = None) -> None:
        super().__init__(tenant, session)
        self.segments = ImportSegmentRepository(tenant, session)
        self.outcomes = ImportOutcomeRepository(tenant, session)
        self.keys = ImportKeyRepository(tenant, session)
        self.digests = ImportDigestRepository(tenant, session)
        self.deferred = ImportDeferredRepository(tenant, session)
        self.results = ImportResultRepository(tenant, session)

    async def list(self, status: BulkImportStatus | None, request: PageRequest) -> Page[BulkImport]:
        """Return one page, newest first."""
        conditions = {} if status is None else {"status": status}
        page = await self.page(conditions, request, field="created_at", descending=True)
        return page.of(lambda row: row.record)

    async def unfinished(self, limit: int) -> Sequence[BulkImport]:
        """Return imports that are not over, newest first."""
        states = [status for status in BulkImportStatus if not status.final]
        return await self._find({"status": {"$in": states}}, sort=[("created_at", -1), ("_id", -1)], limit=limit)

    async def move(
        self, id_: str, before: Iterable[BulkImportStatus], at: datetime, values: Mapping[str, object]
    ) -> BulkImport | None:
        """Write *values* (None removes a field) if the import is in one of the states *before*; else None."""
        return await self._change_one({"_id": id_, "status": {"$in": list(before)}}, change_update(at, values))

    async def planned(self, record: BulkImport, plan: StoredPlan, at: datetime, nudge_at: datetime) -> BulkImport | None:
        """Carry the plan of an import on from where *record* has it. None: somebody else did, or the import is ending.

        It runs from its first plan on, and knows its rows once the plan is done.
        """
        known = {"plan": None} if record.plan is None else {"plan.segments": record.plan.segments, "plan.done": False}
        values: dict[str, object] = {"plan": plan.model_dump(), "status": BulkImportStatus.RUNNING, "nudge_at": nudge_at}
        if record.plan is None:
            values["started_at"] = at
        if plan.done:
            values["total_rows"] = plan.row - 1
        return await self._change_one({"_id": record.id, "ending": None, **_ACTIVE, **known}, change_update(at, values))

    async def complete(self, id_: str, at: datetime, values: Mapping[str, object]) -> BulkImport | None:
        """Write the final state of a running import that nobody is ending otherwise; else None."""
        conditions = {"_id": id_, "status": BulkImportStatus.RUNNING, "ending": None}
        return await self._change_one(conditions, change_update(at, values))

    async def begin_ending(
        self, id_: str, before: Iterable[BulkImportStatus], at: datetime, ending: StoredEnding, nudge_at: datetime
    ) -> BulkImport | None:
        """Decide how an import ends, unless that is decided already; if its end is not reached by *nudge_at*, others see to it.

        Returns the import with its ending, this or an earlier one; None when it is over.
        """
        values = {"ending": ending.model_dump(exclude_none=True), "nudge_at": nudge_at}
        conditions = {"_id": id_, "status": {"$in": list(before)}}
        changed = await self._change_one({**conditions, "ending": None}, change_update(at, values))
        return changed or await self._find_one(conditions)

    async def show_progress(self, id_: str, at: datetime, counts: RowCounts, bytes_done: int) -> None:
        """Let the counts of a running import catch up with its segments; they never go back."""
        further = [{"bytes_done": {"$lt": bytes_done}}, {"counts.processed": {"$lt": counts.processed}}]
        await self._change_one(
            {
                "_id": id_,
                "status": BulkImportStatus.RUNNING,
                "bytes_done": {"$lte": bytes_done},
                "counts.processed": {"$lte": counts.processed},
                "$or": further,
            },
            change_update(at, {"counts": counts.model_dump(), "bytes_done": bytes_done}),
        )

    async def nudge(self, id_: str, nudge_at: datetime) -> None:
        """Put off the moment at which the sweep looks at this import."""
        await self._change_many({"_id": id_, "nudge_at": {"$exists": True}}, {"$set": {"nudge_at": nudge_at}})

    async def due(self, now: datetime, look_again: datetime) -> BulkImport | None:
        """Return one import that the sweep has to look at; it is due again at *look_again*."""
        return await self._change_one({"nudge_at": {"$lt": now}}, {"$set": {"nudge_at": look_again}})

    async def reported(self, id_: str, at: datetime, values: Mapping[str, object]) -> bool:
        """Add where the reports of an import lie that ended early; False when that is known already."""
        ended = {"$in": [BulkImportStatus.FAILED, BulkImportStatus.CANCELED]}
        conditions = {"_id": id_, "status": ended, "nudge_at": {"$exists": True}}
        return await self._change_one(conditions, change_update(at, {**values, "nudge_at": None})) is not None

    async def expire(self, expired_before: datetime, at: datetime) -> int:
        """End the imports whose file never came, and return how many there were."""
        return await self._change_many(
            {"status": BulkImportStatus.AWAITING_UPLOAD, "upload_expires_at": {"$lt": expired_before}},
            change_update(at, {"status": BulkImportStatus.EXPIRED, "finished_at": at}),
        )


class ImportChanges(ChangeStream[BulkImport]):
    """Every import that changes, as it is after the change."""

    def __init__(self) -> None:
        super().__init__(
            BulkImport.get_pymongo_collection(),
            [{"$match": {"operationType": {"$in": ["insert", "update", "replace"]}}}],
            BulkImport.model_validate,
            full_document="updateLookup",
        )


def _key_id(import_id: str, key: Key) -> str:
    return f"{import_id}:{hashlib.blake2b(chr(31).join(key).encode(), digest_size=16).hexdigest()}"
