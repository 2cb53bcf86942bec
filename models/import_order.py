"""How it is stored which rows of an import may depend on others, so that they are decided in the order of the file."""

from datetime import datetime

import beanie
from pymongo import ASCENDING, IndexModel

_WEEK = 7 * 86_400
"""Seconds after which the database clears up behind an import that was cancelled or failed."""


class ImportDigest(beanie.Document):
    """The identifiers in one segment of a file: 64-bit hashes, eight bytes each, of every key that its rows may claim."""

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is import id and number
    seller_id: str
    import_id: str
    number: int
    hashes: bytes
    created_at: datetime

    class Settings:
        name = "import_digests"
        indexes = [
            IndexModel([("import_id", ASCENDING), ("number", ASCENDING)], name="unique_number", unique=True),
            IndexModel([("created_at", ASCENDING)], name="expiry", expireAfterSeconds=_WEEK),
        ]


class ImportDeferredRow(beanie.Document):
    """A row that may depend on an earlier one, put off until all others are done.

    `offset` and `end` are its bytes in the file, `hashes` those of its keys, as in `ImportDigest`. `outcome` is the letter of
    what became of it (see `ImportBatchResult`), None while it waits.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is import id and row
    seller_id: str
    import_id: str
    row: int
    offset: int
    end: int
    hashes: bytes
    outcome: str | None = None
    customer_id: str = ""
    created_at: datetime

    class Settings:
        name = "import_deferred_rows"
        keep_nulls = False
        indexes = [
            IndexModel([("import_id", ASCENDING), ("row", ASCENDING)], name="unique_row", unique=True),
            IndexModel([("created_at", ASCENDING)], name="expiry", expireAfterSeconds=_WEEK),
        ]
