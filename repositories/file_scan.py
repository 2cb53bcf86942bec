"""Files of documents that somebody has to look after: those without a verdict, and infected ones that are still there.

Over all sellers, because whoever scans is nobody's. Nothing here is a change of a document, so that versions stay as they are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, ReturnDocument

from core.vocabulary import ScanVerdict
from models.document import Document, FileScan, StoredFile
from repositories.errors import translated

WITH_FILES: Mapping[str, Any] = {"live": True, "file.key": {"$exists": True}}
"""Word for word what the index is limited to, so that the planner sees that it may use it."""

Order = Sequence[tuple[str, int]]
LONGEST_DUE: Order = [("file.scan.due_at", ASCENDING), ("_id", ASCENDING)]
OLDEST: Order = [("_id", ASCENDING)]


class FileScans:
    """The files that are due, the longest due first. Whoever claims one has it for a while: another one tries after that."""

    def __init__(self) -> None:
        self._documents = Document.get_pymongo_collection()

    async def claim(self, now: datetime, patience: timedelta) -> Document | None:
        """Take the document whose file waits longest for its verdict; files of earlier versions come after all others."""
        waiting = {"file.scan.verdict": None}
        found = await self._claim({**waiting, "file.scan.due_at": {"$lte": now}}, LONGEST_DUE, now + patience)
        if found is None:
            # By their ids alone: the planner does not see that a time which is missing orders nothing, and would sort them all.
            found = await self._claim({**waiting, "file.scan.due_at": None}, OLDEST, now + patience)
        return found

    async def claim_infected(self, now: datetime, patience: timedelta) -> Document | None:
        """Take a document whose file is infected and has not been removed yet."""
        conditions = {"file.scan.verdict": ScanVerdict.INFECTED.value, "file.scan.due_at": {"$lte": now}}
        return await self._claim(conditions, LONGEST_DUE, now + patience)

    async def settle(self, document_id: str, file: StoredFile, scan: FileScan) -> bool:
        """Write what is known of a file, if it still is the document's; say whether it is."""
        with translated():
            result = await self._documents.update_one(
                {"_id": document_id, "file.key": file.key}, {"$set": {"file.scan": scan.model_dump(exclude_none=True)}}
            )
        return result.matched_count > 0

    async def backlog(self) -> int:
        """Return how many files wait for a verdict, counted up to 100,000."""
        with translated():
            return await self._documents.count_documents({**WITH_FILES, "file.scan.verdict": None}, limit=100_000)

    async def _claim(self, conditions: Mapping[str, Any], order: Order, until: datetime) -> Document | None:
        with translated():
            stored = await self._documents.find_one_and_update(
                {**WITH_FILES, **conditions},
                {"$set": {"file.scan.due_at": until}},
                sort=order,
                return_document=ReturnDocument.AFTER,
            )
        return None if stored is None else Document.model_validate(stored)
