"""How it is stored that access tokens no longer hold, before their time."""

from datetime import datetime

import beanie
from pymongo import ASCENDING, IndexModel


class Revocation(beanie.Document):
    """What no longer holds. The id is a session's, or a customer's: then its tokens that were made before `at` are void."""

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a session's or a customer's
    at: datetime
    expires_at: datetime

    class Settings:
        name = "revocations"
        indexes = [
            IndexModel([("at", ASCENDING)], name="by_at"),
            IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
        ]
