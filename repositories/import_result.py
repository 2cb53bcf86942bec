"""Every query about what became of the rows of an import."""

from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, NamedTuple

from pymongo import ASCENDING, UpdateOne

from core.vocabulary import RowOutcome
from models.import_order import ImportDeferredRow
from models.import_result import ImportBatchResult
from repositories.base import Repository

_LETTERS = {
    RowOutcome.CREATED: "C",
    RowOutcome.UPDATED: "U",
    RowOutcome.UNCHANGED: "=",
    RowOutcome.FAILED: "F",
}
_OUTCOMES = {letter: outcome for outcome, letter in _LETTERS.items()}
_PUT_OFF = "D"

_PAGE = 100
"""Batches, or rows that were put off, read at once: some 10,000 rows."""


class RowResult(NamedTuple):
    """What became of one row; `customer_id` is the customer that it made or met, empty when there is none."""

    row: int
    outcome: RowOutcome
    customer_id: str


class ImportDeferredRepository(Repository[ImportDeferredRow]):
    """Rows that were put off. They are read as they are stored: a pass may see all of a large file."""

    model = ImportDeferredRow

    async def insert_many(self, rows: Sequence[ImportDeferredRow]) -> None:
        """Put rows off."""
        await self._insert_many(rows)

    async def waiting(
        self, import_id: str, *, from_row: int = 0, before: int | None = None, segment: int | None = None, limit: int = 0
    ) -> list[ImportDeferredRow]:
        """Return undecided rows in the order of the file: from one row on, before another one, in one segment."""
        conditions: dict[str, Any] = {"import_id": import_id, "row": {"$gte": from_row}, "outcome": None}
        if before is not None:
            conditions["row"]["$lt"] = before
        if segment is not None:
            conditions["segment"] = segment
        return await self._find(conditions, sort=[("row", ASCENDING)], limit=limit)

    async def decided(self, import_id: str, *, from_row: int, limit: int) -> list[RowResult]:
        """Return what became of rows that were put off, in the order of the file."""
        found = await self._find(
            {"import_id": import_id, "row": {"$gte": from_row}, "outcome": {"$ne": None}},
            sort=[("row", ASCENDING)],
            limit=limit,
        )
        return [RowResult(one.row, _OUTCOMES[one.outcome], one.customer_id) for one in found if one.outcome is not None]

    async def decide(self, import_id: str, results: Iterable[RowResult]) -> None:
        """Note what became of rows that were put off."""
        changes = [
            UpdateOne(
                self._inside({"_id": f"{import_id}:{one.row}"}),
                {"$set": {"outcome": _LETTERS[one.outcome], "customer_id": one.customer_id}},
            )
            for one in results
        ]
        if changes:
            with self._guard():
                await self._collection.bulk_write(changes, ordered=False, session=self._session)

    async def forget(self, import_id: str) -> None:
        """Remove what is known of the rows that were put off, and what became of them."""
        await self._delete_many({"import_id": import_id})


class ImportResultRepository(Repository[ImportBatchResult]):
    """What became of every row of an import."""

    model = ImportBatchResult

    async def insert(
        self, seller_id: str, import_id: str, rows: Sequence[int], results: Collection[RowResult], at: datetime
    ) -> None:
        """Store what became of a batch of consecutive *rows*; those without a result were put off."""
        if not rows:
            return
        found = {one.row: one for one in results}
        await self._insert_many(
            [
                ImportBatchResult(
                    id=f"{import_id}:{rows[0]}",
                    seller_id=seller_id,
                    import_id=import_id,
                    first_row=rows[0],
                    outcomes="".join(_LETTERS[found[row].outcome] if row in found else _PUT_OFF for row in rows),
                    customer_ids=[found[row].customer_id if row in found else "" for row in rows],
                    created_at=at,
                )
            ]
        )

    async def in_order(self, import_id: str) -> AsyncGenerator[list[RowResult]]:
        """Yield what became of all rows, some thousand at a time, in the order of the file.

        A row that was put off and never decided (the import was cancelled, or failed) is left out, as are those never read.
        """
        async with aclosing(self._deferred(import_id)) as deferred:
            later = await anext(deferred, None)
            first_row = 0
            while batches := await self._find(
                {"import_id": import_id, "first_row": {"$gte": first_row}}, sort=[("first_row", ASCENDING)], limit=_PAGE
            ):
                first_row = batches[-1].first_row + 1
                page = []
                for batch in batches:
                    rows = zip(batch.outcomes, batch.customer_ids, strict=True)
                    for row, (letter, customer_id) in enumerate(rows, batch.first_row):
                        if letter != _PUT_OFF:
                            page.append(RowResult(row, _OUTCOMES[letter], customer_id))
                            continue
                        if later is not None and later.row == row:
                            page.append(later)
                            later = await anext(deferred, None)
                yield page

    async def _deferred(self, import_id: str) -> AsyncGenerator[RowResult]:
        deferred = ImportDeferredRepository(self._tenant, self._session)
        row = 0
        while page := await deferred.decided(import_id, from_row=row, limit=_PAGE):
            for one in page:
                yield one
            row = page[-1].row + 1

    async def forget(self, import_id: str) -> None:
        """Remove what is known of the rows of an import, once its report is written."""
        await self._delete_many({"import_id": import_id})
