"""How it is kept that somebody was erased, and what that took: the proof, without anything of the person."""

from datetime import datetime

import beanie
from pydantic import BaseModel


class Swept(BaseModel):
    """How many records of a collection an erasure removed, replaced or emptied."""

    collection: str
    records: int


class ErasureReceipt(beanie.Document):
    """What an erasure did, written in its transaction. The id is the erased customer's.

    `files` were removed so far, the last of them by `files_gone_at`. `seal` is a keyed digest of all the rest, so that nobody
    without the master key can write a receipt, or change one.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a customer's
    seller_id: str
    actor: str
    erased_at: datetime
    swept: list[Swept]
    key_destroyed: bool
    files: int = 0
    files_gone_at: datetime | None = None
    seal: bytes = b""

    class Settings:
        name = "erasure_receipts"
        keep_nulls = False
