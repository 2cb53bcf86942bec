"""Every query about imports, their segments, the outcomes of their rows and the identifiers these claimed."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.asynchronous.client_session import AsyncClientSession

from core.paging import Page, PageRequest
from core.tenancy import Reach
from core.vocabulary import BulkImportStatus, Severity
from models.bulk_import import BulkImport, ImportKey, ImportRowOutcome, ImportSegment, RowCounts
from repositories.base import LiveRepository, Repository, change_update
from repositories.change_stream import ChangeStream
from repositories.import_result import ImportResultRepository

Key = tuple[str, str]
"""A field and the value that may be held once."""


class ImportSegmentRepository(Repository[ImportSegment]):
    """Segments and their leases. A lease is good as long as its token is the segment's."""

    model = ImportSegment

    async def insert_many(self, segments: Sequence[ImportSegment]) -> None:
        """Store the segments of a new plan."""
        await self._insert_many(segments)

    async def of_import(self, import_id: str) -> list[ImportSegment]:
        """Return the segments of an import in the order of the file."""
        return await self._find({"import_id": import_id}, sort=[("number", ASCENDING)])

    async def take(self, import_id: str, number: int, *, holder: str, now: datetime, until: datetime) -> ImportSegment | None:
        """Lease a segment that nobody holds; None when somebody does, when it is done, and when there is none."""
        return await self._change_one(
            {
                "import_id": import_id,
                "number": number,
                "done": False,
                "$or": [{"holder": None}, {"leased_until": {"$lt": now}}],
            },
            {"$set": {"holder": holder, "leased_until": until}, "$inc": {"token": 1, "attempts": 1}},
        )

    async def extend(self, segment: ImportSegment, until: datetime) -> bool:
        """Keep a lease; False when it is lost."""
        return await self._change_one(_held(segment), {"$set": {"leased_until": until}}) is not None

    async def release(self, segment: ImportSegment, until: datetime, *, blameless: bool) -> None:
        """Give a lease up; the sweep offers the segment again after *until*. A *blameless* attempt is not counted."""
        attempts = max(segment.attempts - 1, 0) if blameless else segment.attempts
        await self._change_one(
            _held(segment), {"$set": {"leased_until": until, "attempts": attempts}, "$unset": {"holder": "", "session": ""}}
        )

    async def write_in(self, segment: ImportSegment, session: str) -> bool:
        """Note the session in which the holder of a lease is going to write; False when the lease is lost."""
        return await self._change_one(_held(segment), {"$set": {"session": session}}) is not None

    async def advance(
        self, segment: ImportSegment, *, offset: int, row: int, counts: RowCounts, done: bool = False
    ) -> ImportSegment | None:
        """Move the checkpoint behind a batch and add its counts. None: the lease is lost, or the import has ended."""
        added = {f"counts.{name}": value for name, value in counts.model_dump().items() if value}
        update: dict[str, Any] = {"$set": {"offset": offset, "row": row, "attempts": 0, "done": done}}
        if added:
            update["$inc"] = added
        return await self._change_one(_held(segment), update)

    async def close(self, import_id: str) -> None:
        """End all work on an import: what is under way changes nothing any more."""
        await self._change_many({"import_id": import_id, "done": False}, {"$set": {"done": True}, "$inc": {"token": 1}})

    async def offered(self, segment: ImportSegment, until: datetime) -> None:
        """Note that a message about a free segment is under way; if nobody takes it, the segment is overdue at *until*."""
        await self._change_one({**_held(segment), "holder": None}, {"$set": {"leased_until": until}})

    async def abandoned(self, now: datetime, *, import_id: str | None = None, limit: int = 100) -> list[ImportSegment]:
        """Return segments whose lease has ended, as their holders left them; of one import, or of any."""
        conditions: dict[str, Any] = {"done": False, "leased_until": {"$lt": now}}
        if import_id is not None:
            conditions["import_id"] = import_id
        return await self._find(conditions, sort=[("leased_until", ASCENDING)], limit=limit)

    async def reclaim(self, segment: ImportSegment, now: datetime, look_again: datetime) -> ImportSegment | None:
        """Take a segment from a holder whose lease has ended, for anybody to lease; it is abandoned again at *look_again*.

        None: somebody else was faster.
        """
        return await self._change_one(
            {**_held(segment), "leased_until": {"$lt": now}},
            {"$set": {"leased_until": look_again}, "$unset": {"holder": "", "session": ""}, "$inc": {"token": 1}},
        )


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
        self.results = ImportResultRepository(tenant, session)

    async def list(self, status: BulkImportStatus | None, request: PageRequest) -> Page[BulkImport]:
        """Return one page, newest first."""
        conditions = {} if status is None else {"status": status}
        return await self.page(conditions, request, field="created_at", descending=True)

    async def unfinished(self, limit: int) -> Sequence[BulkImport]:
        """Return imports that are not over, newest first."""
        states = [status for status in BulkImportStatus if not status.final]
        return await self._find({"status": {"$in": states}}, sort=[("created_at", -1), ("_id", -1)], limit=limit)

    async def move(
        self, id_: str, before: Iterable[BulkImportStatus], at: datetime, values: Mapping[str, object]
    ) -> BulkImport | None:
        """Write *values* (None removes a field) if the import is in one of the states *before*; else None."""
        return await self._change_one({"_id": id_, "status": {"$in": list(before)}}, change_update(at, values))

    async def segment_done(self, id_: str, at: datetime, nudge_at: datetime) -> BulkImport | None:
        """Count one segment less; whoever is not heard of by *nudge_at* is assumed dead, and the finish offered again."""
        update = change_update(at, {"nudge_at": nudge_at})
        update["$inc"]["pending_segments"] = -1
        return await self._change_one({"_id": id_, "status": BulkImportStatus.RUNNING}, update)

    async def show_progress(self, id_: str, at: datetime, counts: RowCounts, bytes_done: int) -> None:
        """Let the counts of a running import catch up with its segments; they never go back."""
        await self._change_one(
            {"_id": id_, "status": BulkImportStatus.RUNNING, "bytes_done": {"$lt": bytes_done}},
            change_update(at, {"counts": counts.model_dump(), "bytes_done": bytes_done}),
        )

    async def nudge(self, id_: str, nudge_at: datetime) -> None:
        """Put off the moment at which the sweep sends a message about this import again."""
        await self._change_many({"_id": id_, "nudge_at": {"$exists": True}}, {"$set": {"nudge_at": nudge_at}})

    async def overdue(self, now: datetime, look_again: datetime) -> BulkImport | None:
        """Return one import whose plan, finish or reports are late; it is late again at *look_again*."""
        waiting = [BulkImportStatus.QUEUED, BulkImportStatus.RUNNING]
        ended = [BulkImportStatus.FAILED, BulkImportStatus.CANCELED]
        late = [{"status": {"$in": waiting}, "pending_segments": {"$in": [None, 0]}}, {"status": {"$in": ended}}]
        return await self._change_one(
            {"nudge_at": {"$lt": now}, "$or": late},
            {"$set": {"nudge_at": look_again}},
        )

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


def _held(segment: ImportSegment) -> dict[str, Any]:
    return {"_id": segment.id, "token": segment.token, "done": False}


def _key_id(import_id: str, key: Key) -> str:
    return f"{import_id}:{hashlib.blake2b(chr(31).join(key).encode(), digest_size=16).hexdigest()}"
