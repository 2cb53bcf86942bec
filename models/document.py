"""How a customer's document is stored."""

from datetime import datetime

from pydantic import BaseModel
from pymongo import ASCENDING, DESCENDING, IndexModel

from core.vocabulary import DocumentRejectionReason, DocumentStatus, DocumentType, ScanVerdict
from models.base import OwnedModel

EXPIRING = [status.value for status in DocumentStatus if status.can_expire]
"""The states that end with a document's last valid day, as they are stored."""


class FileScan(BaseModel):
    """What the malware scanner said of a file: CLEAN, INFECTED, or no verdict yet.

    `due_at` is when somebody has to look after the file next: scan it, or remove one that is infected; None when nobody has
    to. `failures` counts the scans in a row that came to nothing because of the file, and not because the scanner was away.
    """

    verdict: ScanVerdict | None = None
    finding: str | None = None
    scanned_at: datetime | None = None
    failures: int = 0
    due_at: datetime | None = None


class StoredFile(BaseModel):
    """A file in the object store; size in bytes, SHA-256 in hexadecimal. One of an earlier version has no `scan`."""

    key: str
    name: str
    content_type: str
    size: int
    sha256: str
    scan: FileScan | None = None


class PendingUpload(BaseModel):
    """A file that a client was allowed to upload and has not completed yet."""

    key: str
    name: str
    content_type: str
    size: int
    sha256: str | None = None
    expires_at: datetime


class Document(OwnedModel):
    """A document that proves something about a customer. Only the last four characters of its number can be read.

    `number_box` is the number under the customer's own key. `number_sealed` is the number as the version before sealed it, with
    a key per seller; it is written by nobody any more. `number_key` is the blind index by which it is found, `number_key_next`
    the one that takes its place while the index key is replaced. `reminded` says of which end of its validity was told last,
    and how many days before: ``2026-12-31/7``. `file_removed_at` is when its file went, because it had been kept for long
    enough.
    """

    type: DocumentType
    status: DocumentStatus
    number_sealed: bytes | None = None
    number_box: bytes | None = None
    number_last_four: str | None = None
    number_key: str | None = None
    number_key_next: str | None = None
    issuing_country: str | None = None
    issued_on: str | None = None
    expires_on: str | None = None
    reminded: str | None = None
    file: StoredFile | None = None
    file_removed_at: datetime | None = None
    upload: PendingUpload | None = None
    rejection_code: DocumentRejectionReason | None = None
    rejection_reason: str | None = None

    @property
    def was_filed(self) -> bool:
        """Whether it has its file, or had it until that was kept for long enough."""
        return self.file is not None or self.file_removed_at is not None

    @property
    def number_keys(self) -> list[str]:
        """All blind indexes of its number."""
        return [key for key in (self.number_key, self.number_key_next) if key is not None]

    class Settings:
        name = "documents"
        keep_nulls = False
        indexes = [
            IndexModel(
                [("seller_id", ASCENDING), ("customer_id", ASCENDING), ("_id", ASCENDING)],
                name="by_customer",
                partialFilterExpression={"live": True},
            ),
            IndexModel(
                [("seller_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)],
                name="by_created_at",
                partialFilterExpression={"live": True},
            ),
            # The deleted ones too are found when their customer is erased.
            IndexModel(
                [("seller_id", ASCENDING), ("customer_id", ASCENDING)],
                name="deleted_of_customer",
                partialFilterExpression={"live": False},
            ),
            # For the reminders, over all sellers: those of one last valid day who have not been reminded yet.
            IndexModel(
                [("expires_on", ASCENDING), ("reminded", ASCENDING), ("_id", ASCENDING)],
                name="by_reminder",
                partialFilterExpression={"live": True, "status": {"$in": EXPIRING}, "expires_on": {"$gt": ""}},
            ),
            # For the scans, over all sellers: what has no verdict, and what is infected and still there, the longest due first.
            # Every file is in it, because those of earlier versions have nothing that an index could be limited to.
            IndexModel(
                [("file.scan.verdict", ASCENDING), ("file.scan.due_at", ASCENDING), ("_id", ASCENDING)],
                name="by_scan",
                partialFilterExpression={"live": True, "file.key": {"$exists": True}},
            ),
            # For the sweep, over all sellers: what can still expire, soonest first; the expired ones are not in it.
            IndexModel(
                [("expires_on", ASCENDING), ("_id", ASCENDING)],
                name="by_expiry",
                partialFilterExpression={"live": True, "status": {"$in": EXPIRING}, "expires_on": {"$gt": ""}},
            ),
            # Files that may have been kept for long enough; a document enters it with its file.
            IndexModel(
                [("seller_id", ASCENDING), ("status", ASCENDING), ("updated_at", ASCENDING), ("_id", ASCENDING)],
                name="filed_by_status",
                partialFilterExpression={"live": True, "file.key": {"$gt": ""}},
            ),
        ]
