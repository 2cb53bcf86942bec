"""How it is stored that somebody read numbers or files of a customer's documents."""

from datetime import datetime
from typing import Any

import beanie
from pydantic import BaseModel, ConfigDict
from pymongo import ASCENDING, DESCENDING, IndexModel

from core.vocabulary import DocumentPart


class StoredRead(BaseModel):
    """What was read of one document."""

    document_id: str
    part: DocumentPart


class CustomerAccess(beanie.Document):
    """What one request was given of a customer's documents, recorded before it was given.

    `number` counts the accesses of a customer from 1, `version` is the one that the customer had. `salt`, `digest` and `hash`
    are its seal: see `core.audit_chain`.
    """

    model_config = ConfigDict(extra="ignore")

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours are typed strings
    seller_id: str
    customer_id: str
    number: int
    version: int
    actor: str
    occurred_at: datetime
    reads: list[StoredRead]
    origin: dict[str, Any] | None = None
    salt: bytes | None = None
    digest: bytes
    hash: bytes

    class Settings:
        name = "customer_accesses"
        keep_nulls = False
        indexes = [
            # Versions do not go down from one number to the next, so that this is the order of the numbers, too.
            IndexModel(
                [
                    ("seller_id", ASCENDING),
                    ("customer_id", ASCENDING),
                    ("version", DESCENDING),
                    ("number", DESCENDING),
                ],
                name="unique_number",
                unique=True,
            ),
        ]
