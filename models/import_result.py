"""How it is stored what became of every row of an import."""

from datetime import datetime

import beanie
from pymongo import ASCENDING, IndexModel


class ImportBatchResult(beanie.Document):
    """What became of some consecutive rows of a file, written in the transaction that wrote the rows.

    `outcomes` has one letter for each row from `first_row` on, `customer_ids` the id of the customer it made or met, or the
    empty text. A row whose letter is ``D`` was put off; what became of it stands in its `ImportDeferredRow`.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is import id and first row
    seller_id: str
    import_id: str
    first_row: int
    outcomes: str
    customer_ids: list[str]
    created_at: datetime

    class Settings:
        name = "import_batch_results"
        indexes = [
            IndexModel([("import_id", ASCENDING), ("first_row", ASCENDING)], name="unique_first_row", unique=True),
            # Reports are written when an import ends; this clears up behind those that are never written.
            IndexModel([("created_at", ASCENDING)], name="expiry", expireAfterSeconds=7 * 86_400),
        ]
