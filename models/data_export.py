"""How it is stored that somebody asked for everything about a customer, and what was made of it."""

from datetime import datetime

from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel

from core.vocabulary import DataExportStatus
from models.base import OwnedModel

IN_FLIGHT = [status.value for status in DataExportStatus if status.in_flight]
"""The states of exports that are still to be made, as they are stored."""


class StoredArchive(BaseModel):
    """The archive in the object store; size in bytes, SHA-256 in hexadecimal."""

    key: str
    size: int
    sha256: str


class DataExport(OwnedModel):
    """Everything about a customer in one archive.

    While it is in flight, whoever makes it has until `due_at`; then it is anybody's again. `attempts` counts who took it up,
    and is what the one at work is known by. The archive is removed at `expires_at`, the record at `forget_at`, which it gets
    when nothing of it is left in the object store.
    """

    status: DataExportStatus
    requested_by: str
    due_at: datetime | None = None
    attempts: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    archive: StoredArchive | None = None
    expires_at: datetime | None = None
    forget_at: datetime | None = None

    class Settings:
        name = "data_exports"
        keep_nulls = False
        indexes = [
            # One at a time for each customer.
            IndexModel(
                [("seller_id", ASCENDING), ("customer_id", ASCENDING)],
                name="unique_in_flight",
                unique=True,
                partialFilterExpression={"status": {"$in": IN_FLIGHT}},
            ),
            IndexModel([("seller_id", ASCENDING), ("customer_id", ASCENDING), ("_id", ASCENDING)], name="by_customer"),
            # For the workers, over all sellers: what is to be made, and what is to be removed.
            IndexModel([("due_at", ASCENDING)], name="in_flight", partialFilterExpression={"status": {"$in": IN_FLIGHT}}),
            IndexModel(
                [("expires_at", ASCENDING)],
                name="by_expiry",
                partialFilterExpression={"status": DataExportStatus.READY.value},
            ),
            IndexModel([("forget_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
        ]
