"""How it is noted that files are still to be removed: of an erased customer, or such as were kept for long enough."""

from datetime import datetime

import beanie
from pymongo import ASCENDING, IndexModel


class Erasure(beanie.Document):
    """Files that have to go: everything under `prefixes`, and the objects with these `keys` wherever they are.

    The id is the erased customer's, or the key of the one file that goes. Written in the transaction that decides it, worked on
    from `due_at` on, and forgotten by the first look after `until` that removes everything it finds: a file that was on its way
    has arrived by then.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a customer's or a file's
    seller_id: str
    prefixes: list[str]
    keys: list[str] = []
    due_at: datetime
    until: datetime

    class Settings:
        name = "erasures"
        indexes = [IndexModel([("due_at", ASCENDING)], name="by_due_at")]
