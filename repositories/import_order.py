"""Every query about the order of rows: which identifiers stand in which part of a file, and which rows have to wait."""

from collections.abc import Iterable, Sequence
from typing import Any

from pymongo import ASCENDING, UpdateOne

from models.import_order import ImportDeferredRow, ImportDigest
from repositories.base import Repository
from repositories.import_result import OUTCOME_LETTERS, OUTCOMES, RowResult


class ImportDigestRepository(Repository[ImportDigest]):
    """Which identifiers stand in which segment."""

    model = ImportDigest

    async def insert(self, digest: ImportDigest) -> None:
        """Store the digest of a segment.

        Raises:
            KeyTaken: it is there already.
        """
        await self._insert(digest)

    async def between(self, import_id: str, first: int, stop: int) -> Sequence[ImportDigest]:
        """Return the digests that there are from number *first* up to, not including, *stop*, in order."""
        return await self._find({"import_id": import_id, "number": {"$gte": first, "$lt": stop}}, sort=[("number", ASCENDING)])

    async def forget(self, import_id: str) -> None:
        """Remove the digests of an import that has ended."""
        await self._delete_many({"import_id": import_id})


class ImportDeferredRepository(Repository[ImportDeferredRow]):
    """Rows that were put off."""

    model = ImportDeferredRow

    async def insert_many(self, rows: Sequence[ImportDeferredRow]) -> None:
        """Put rows off."""
        await self._insert_many(rows)

    async def waiting(
        self, import_id: str, *, from_row: int = 0, before: int | None = None, limit: int = 0
    ) -> list[ImportDeferredRow]:
        """Return rows that nothing was decided about, in the order of the file: from one row on, and before another one."""
        conditions: dict[str, Any] = {"import_id": import_id, "row": {"$gte": from_row}, "outcome": None}
        if before is not None:
            conditions["row"]["$lt"] = before
        return await self._find(conditions, sort=[("row", ASCENDING)], limit=limit)

    async def decided(self, import_id: str, *, from_row: int, limit: int) -> list[RowResult]:
        """Return what became of rows that were put off, in the order of the file."""
        found = await self._find(
            {"import_id": import_id, "row": {"$gte": from_row}, "outcome": {"$ne": None}},
            sort=[("row", ASCENDING)],
            limit=limit,
        )
        return [RowResult(one.row, OUTCOMES[one.outcome], one.customer_id) for one in found if one.outcome is not None]

    async def decide(self, import_id: str, results: Iterable[RowResult]) -> None:
        """Note what became of rows that were put off."""
        changes = [
            UpdateOne(
                self._inside({"_id": f"{import_id}:{one.row}"}),
                {"$set": {"outcome": OUTCOME_LETTERS[one.outcome], "customer_id": one.customer_id}},
            )
            for one in results
        ]
        if changes:
            with self._guard():
                await self._collection.bulk_write(changes, ordered=False, session=self._session)

    async def forget(self, import_id: str) -> None:
        """Remove what is known of the rows that were put off, and what became of them."""
        await self._delete_many({"import_id": import_id})
