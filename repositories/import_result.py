"""Every query about what became of the rows of an import."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import NamedTuple

from pymongo import ASCENDING

from core.vocabulary import RowOutcome
from models.import_result import ImportBatchResult
from repositories.base import Repository

_LETTERS = {
    RowOutcome.CREATED: "C",
    RowOutcome.UPDATED: "U",
    RowOutcome.UNCHANGED: "=",
    RowOutcome.FAILED: "F",
}
_OUTCOMES = {letter: outcome for outcome, letter in _LETTERS.items()}

_PAGE = 100
"""Batches read at once: some 10,000 rows."""


class RowResult(NamedTuple):
    """What became of one row; `customer_id` is the customer that it made or met, empty when there is none."""

    row: int
    outcome: RowOutcome
    customer_id: str


class ImportResultRepository(Repository[ImportBatchResult]):
    """What became of every row of an import."""

    model = ImportBatchResult

    async def insert(self, seller_id: str, import_id: str, results: Sequence[RowResult], at: datetime) -> None:
        """Store what became of a batch of consecutive rows."""
        if not results:
            return
        await self._insert_many(
            [
                ImportBatchResult(
                    id=f"{import_id}:{results[0].row}",
                    seller_id=seller_id,
                    import_id=import_id,
                    first_row=results[0].row,
                    outcomes="".join(_LETTERS[one.outcome] for one in results),
                    customer_ids=[one.customer_id for one in results],
                    created_at=at,
                )
            ]
        )

    async def in_order(self, import_id: str) -> AsyncGenerator[list[RowResult]]:
        """Yield what became of all rows that were attempted, some thousand at a time, in the order of the file."""
        first_row = 0
        while batches := await self._find(
            {"import_id": import_id, "first_row": {"$gte": first_row}}, sort=[("first_row", ASCENDING)], limit=_PAGE
        ):
            first_row = batches[-1].first_row + 1
            yield [
                RowResult(row, _OUTCOMES[letter], customer_id)
                for batch in batches
                for row, (letter, customer_id) in enumerate(
                    zip(batch.outcomes, batch.customer_ids, strict=True), batch.first_row
                )
            ]

    async def forget(self, import_id: str) -> None:
        """Remove what is known of the rows of an import, once its report is written."""
        await self._delete_many({"import_id": import_id})
