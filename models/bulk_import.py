"""How an import, its segments and its rejected rows are stored."""

from datetime import datetime

import beanie
from pydantic import BaseModel
from pymongo import ASCENDING, DESCENDING, IndexModel

from core.errors import ErrorCode
from core.vocabulary import (
    BulkImportEncoding,
    BulkImportMatch,
    BulkImportMode,
    BulkImportStatus,
    BulkImportValidation,
    Severity,
)
from models.base import StoredModel


class StoredColumnMapping(BaseModel):
    """Which column of the file goes where, as the caller said."""

    source: str
    target: str


class SourceObject(BaseModel):
    """The uploaded file, pinned: an object with another ETag is another file."""

    key: str
    etag: str | None = None
    size: int | None = None


class SourceFormat(BaseModel):
    """How the file is written: found out once, from its first bytes; `data_offset` is where the first row begins."""

    encoding: str
    bom_bytes: int
    delimiter: str
    header: list[str]
    data_offset: int
    newline: str


class RowCounts(BaseModel):
    """What became of the rows so far; processed = created + updated + unchanged + failed."""

    processed: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    warning: int = 0


class StoredFailure(BaseModel):
    """Why a whole import came to nothing."""

    code: ErrorCode
    message: str


class StoredPlan(BaseModel):
    """How far a file has been cut: so many segments, up to this byte; `row` is the number of the row that begins there."""

    segments: int
    offset: int
    row: int
    done: bool = False


class StoredEnding(BaseModel):
    """How an import that is being ended before its last row is going to end."""

    status: BulkImportStatus
    failure: StoredFailure | None = None


class BulkImport(StoredModel):
    """One file of customers on its way into the database.

    While it runs, `counts` and `bytes_done` follow its segments, which hold the truth, with a delay of moments; in a final
    state they are exact. `total_rows` is known once the `plan` is done. An import with an `ending` has no other future.
    `nudge_at` is when the sweep looks at it next, in case that nobody else is at it: there from the start until its reports
    are written, and moved on by whoever works on it. `content_removed_at` is when its file, its reports and its refused rows
    went, because they had been kept for long enough.
    """

    status: BulkImportStatus
    mode: BulkImportMode
    match_by: BulkImportMatch
    validation: BulkImportValidation
    dry_run: bool
    file_name: str
    declared_size: int | None = None
    columns: list[StoredColumnMapping] = []
    delimiter: str | None = None
    encoding: BulkImportEncoding | None = None
    source: SourceObject
    format: SourceFormat | None = None
    counts: RowCounts = RowCounts()
    bytes_done: int = 0
    total_rows: int | None = None
    plan: StoredPlan | None = None
    ending: StoredEnding | None = None
    nudge_at: datetime | None = None
    error_report_key: str | None = None
    masked_report_key: str | None = None
    result_report_key: str | None = None
    failure: StoredFailure | None = None
    requested_by: str
    upload_expires_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    content_removed_at: datetime | None = None

    class Settings:
        name = "bulk_imports"
        keep_nulls = False
        indexes = [
            IndexModel([("seller_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="by_created_at"),
            IndexModel([("status", ASCENDING), ("upload_expires_at", ASCENDING)], name="by_status"),
            IndexModel([("nudge_at", ASCENDING)], name="by_nudge", sparse=True),
            IndexModel(
                [("seller_id", ASCENDING), ("finished_at", ASCENDING), ("_id", ASCENDING)],
                name="by_end",
                partialFilterExpression={"finished_at": {"$exists": True}},
            ),
        ]


class ImportSegment(beanie.Document):
    """A part of a file that one worker works through, and how far it is.

    It has `rows` rows, from number `first_row` on. `offset` (bytes) and `row` say where the next record starts, `counts` what
    became of the rows before it. `leased_until` is absent as long as nobody was told of the segment; without a `holder`, it is
    when the message about it counts as lost. `token` grows with every new holder of the lease, and a write with an old token
    changes nothing. `attempts` counts the leases since the last progress. `session` is the database session that the holder
    writes in, for whoever has to take over from it. A segment whose import has ended is done, wherever its offset is.

    The one that is `deferred` has no bytes: its rows are those that the others put off.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is import id and number
    seller_id: str
    import_id: str
    number: int
    start: int
    end: int
    first_row: int
    rows: int
    offset: int
    row: int
    counts: RowCounts = RowCounts()
    deferred: bool = False
    done: bool = False
    token: int = 0
    attempts: int = 0
    leased_until: datetime | None = None
    holder: str | None = None
    session: str | None = None

    class Settings:
        name = "import_segments"
        keep_nulls = False
        indexes = [
            IndexModel([("import_id", ASCENDING), ("number", ASCENDING)], name="unique_number", unique=True),
            IndexModel([("leased_until", ASCENDING)], name="unfinished", partialFilterExpression={"done": False}),
            IndexModel(
                [("import_id", ASCENDING), ("leased_until", ASCENDING), ("number", ASCENDING)],
                name="unfinished_of_import",
                partialFilterExpression={"done": False},
            ),
        ]


class RowProblem(BaseModel):
    """One reason why a row was refused, or a remark about it; `column` is the header as it stands in the file."""

    column: str | None = None
    severity: Severity
    code: ErrorCode
    message: str


class ImportRowOutcome(beanie.Document):
    """What became of one row that was not simply taken: refused (ERROR), or taken with remarks (WARNING).

    `cells` are those of a refused row, exactly as they came.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is import id and row
    seller_id: str
    import_id: str
    row: int
    severity: Severity
    problems: list[RowProblem]
    cells: list[str] | None = None

    class Settings:
        name = "import_row_outcomes"
        keep_nulls = False
        indexes = [
            IndexModel([("import_id", ASCENDING), ("row", ASCENDING)], name="unique_row", unique=True),
        ]


class ImportKey(beanie.Document):
    """An identifier that a row of an import has claimed without leaving a customer that shows it (dry runs, updates)."""

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is import id and a digest of the identifier
    seller_id: str
    import_id: str
    row: int
    created_at: datetime

    class Settings:
        name = "import_keys"
        indexes = [
            IndexModel([("import_id", ASCENDING), ("row", ASCENDING)], name="by_import"),
            # What an import leaves behind that was cancelled or failed; a finished one clears up after itself.
            IndexModel([("created_at", ASCENDING)], name="expiry", expireAfterSeconds=7 * 86_400),
        ]
