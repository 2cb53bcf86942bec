"""How it is kept what a merge moved, so that it can be undone."""

from datetime import datetime

import beanie
from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel


class MovedAddress(BaseModel):
    """An address that changed hands, and whether it was the default of its kind where it came from."""

    id: str
    was_default: bool


class Merge(beanie.Document):
    """What one customer was given when another one was merged into it. The id is that of the one that was merged away.

    Nothing personal stands here: what the survivor took are the names of stored fields (`taken`), and the places that `tags`
    and `attributes` have in the lists of the one that was merged away, whose own record keeps every value it had. From
    `keep_until` on it cannot be undone any more, and MongoDB removes it.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a customer's
    seller_id: str
    into_id: str
    taken: list[str] = []
    tags: list[int] = []
    attributes: list[int] = []
    addresses: list[MovedAddress] = []
    documents: list[str] = []
    consents: list[str] = []
    merged_at: datetime
    keep_until: datetime

    class Settings:
        name = "merges"
        indexes = [IndexModel([("keep_until", ASCENDING)], name="ends", expireAfterSeconds=0)]
