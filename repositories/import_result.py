"""Every query about what became of the rows of an import."""

from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from pymongo import ASCENDING

from core.vocabulary import RowOutcome
from models.import_result import ImportBatchResult
from repositories.base import Repository

OUTCOME_LETTERS = {
    RowOutcome.CREATED: "C",
    RowOutcome.UPDATED: "U",
    RowOutcome.UNCHANGED: "=",
    RowOutcome.FAILED: "F",
}
OUTCOMES = {letter: outcome for outcome, letter in OUTCOME_LETTERS.items()}
"""What the letters in stored results stand for."""

_PUT_OFF = "D"

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

    async def insert(
        self, seller_id: str, import_id: str, rows: Sequence[int], results: Collection[RowResult], at: datetime
    ) -> None:
        """Store what became of a batch of consecutive *rows*; those without a result were put off."""
        if not rows:
            return
        found = {one.row: one for one in results}
        await self._insert(
            ImportBatchResult(
                id=f"{import_id}:{rows[0]}",
                seller_id=seller_id,
                import_id=import_id,
                first_row=rows[0],
                outcomes="".join(OUTCOME_LETTERS[found[row].outcome] if row in found else _PUT_OFF for row in rows),
                customer_ids=[found[row].customer_id if row in found else "" for row in rows],
                created_at=at,
            )
        )

    async def in_order(self, import_id: str) -> AsyncGenerator[list[RowResult]]:
        """Yield what became of all rows that were attempted, some thousand at a time, in the order of the file.

        Rows that were put off are left out, whatever became of them.
        """
        first_row = 0
        while batches := await self._find(
            {"import_id": import_id, "first_row": {"$gte": first_row}}, sort=[("first_row", ASCENDING)], limit=_PAGE
        ):
            first_row = batches[-1].first_row + 1
            yield [
                RowResult(row, OUTCOMES[letter], customer_id)
                for batch in batches
                for row, (letter, customer_id) in enumerate(
                    zip(batch.outcomes, batch.customer_ids, strict=True), batch.first_row
                )
                if letter != _PUT_OFF
            ]

    async def forget(self, import_id: str) -> None:
        """Remove what is known of the rows of an import, once its report is written."""
        await self._delete_many({"import_id": import_id})
