"""Every query about the segments of imports and their leases."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pymongo import ASCENDING, ReturnDocument
from pymongo.read_concern import ReadConcern

from models.bulk_import import ImportSegment, RowCounts
from repositories.base import Repository

_TOLD = {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}
"""A segment has a time in `leased_until` from its first message on."""


class SegmentSums(NamedTuple):
    """What became of the rows of an import so far, and how many bytes of its segments they were."""

    counts: RowCounts
    bytes_done: int


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

    async def put_back(self, segment: ImportSegment) -> None:
        """Give a lease up as if nobody had been told of the segment."""
        await self._change_one(
            _held(segment),
            {
                "$set": {"attempts": max(segment.attempts - 1, 0)},
                "$unset": {"holder": "", "session": "", "leased_until": ""},
                "$inc": {"token": 1},
            },
        )

    async def write_in(self, segment: ImportSegment, session: str) -> bool:
        """Note the session in which the holder of a lease is going to write; False when the lease is lost."""
        return await self._change_one(_held(segment), {"$set": {"session": session}}) is not None

    async def advance(
        self, segment: ImportSegment, *, offset: int, row: int, counts: RowCounts, done: bool = False
    ) -> ImportSegment | None:
        """Move the checkpoint from where *segment* has it behind a batch, and add its counts.

        None: the lease is lost, the import has ended, or the batch is in already, by a commit whose answer was lost.
        """
        added = {f"counts.{name}": value for name, value in counts.model_dump().items() if value}
        update: dict[str, Any] = {"$set": {"offset": offset, "row": row, "attempts": 0, "done": done}}
        if added:
            update["$inc"] = added
        return await self._change_one({**_held(segment), "row": segment.row}, update)

    async def close(self, import_id: str) -> None:
        """End all work on an import: what is under way changes nothing any more.

        Not to be done in a transaction, which every batch that commits meanwhile would send back to its start.
        """
        await self._change_many({"import_id": import_id, "done": False}, {"$set": {"done": True}, "$inc": {"token": 1}})

    async def sessions(self, import_id: str) -> list[str]:
        """Return the sessions in which somebody writes."""
        found = await self._find({"import_id": import_id, "done": False, "session": {"$ne": None}})
        return [segment.session for segment in found if segment.session is not None]

    async def waiting(self, import_id: str, limit: int) -> int:
        """Return how many segments have a message in the queue, and count no further than *limit*."""
        conditions = {"import_id": import_id, "done": False, "leased_until": _TOLD, "holder": None}
        return len(await self._find(conditions, limit=limit))

    async def unfinished(self, import_id: str, *, before: int | None = None) -> bool:
        """Say whether any segment is not done; with *before*, any in front of that one."""
        conditions: dict[str, Any] = {"import_id": import_id, "done": False}
        if before is not None:
            conditions["number"] = {"$lt": before}
        return await self._find_one(conditions) is not None

    async def in_hand(self, import_id: str) -> bool:
        """Say whether any segment is offered or worked on."""
        return await self._find_one({"import_id": import_id, "done": False, "leased_until": _TOLD}) is not None

    async def offer(self, import_id: str, until: datetime) -> ImportSegment | None:
        """Choose the first segment that nobody was told of, for a message; None when there is none."""
        with self._guard():
            stored = await self._collection.find_one_and_update(
                self._inside({"import_id": import_id, "done": False, "leased_until": None}),
                {"$set": {"leased_until": until}},
                sort=[("number", ASCENDING)],
                session=self._session,
                return_document=ReturnDocument.AFTER,
            )
        return None if stored is None else self._load(stored)

    async def withdraw(self, segment: ImportSegment) -> None:
        """Make an offered segment one again that nobody was told of, unless somebody has taken it."""
        await self._change_one({**_held(segment), "holder": None}, {"$unset": {"leased_until": ""}})

    async def get(self, import_id: str, number: int) -> ImportSegment | None:
        """Return one segment."""
        return await self._find_one({"import_id": import_id, "number": number})

    async def sums(self, import_id: str, *, settled: bool = False) -> SegmentSums:
        """Add up all segments of an import, in the database.

        As they were at one moment, so that any two answers can be told apart by their age; with *settled*, when nothing moves
        any more, as they are now.
        """
        added: dict[str, Any] = {name: {"$sum": f"$counts.{name}"} for name in RowCounts.model_fields}
        added["bytes_done"] = {"$sum": {"$subtract": ["$offset", "$start"]}}
        concern = ReadConcern() if settled else ReadConcern("snapshot")
        with self._guard():
            cursor = await self._collection.with_options(read_concern=concern).aggregate(
                [{"$match": self._inside({"import_id": import_id})}, {"$group": {"_id": None, **added}}]
            )
            found = await cursor.to_list()
        sums = found[0] if found else {}
        return SegmentSums(
            RowCounts(**{name: sums.get(name, 0) for name in RowCounts.model_fields}), int(sums.get("bytes_done", 0))
        )

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


def _held(segment: ImportSegment) -> dict[str, Any]:
    return {"_id": segment.id, "token": segment.token, "done": False}
