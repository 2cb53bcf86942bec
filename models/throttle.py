"""How it is stored what somebody did lately, so that it can be limited."""

from datetime import datetime

import beanie
from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel


class StoredHit(BaseModel):
    """One thing that was done; `what` tells kinds apart where kinds are counted, `id` lets it be taken back."""

    id: str
    at: datetime
    what: str | None = None


class Throttle(beanie.Document):
    """The recent hits of one subject, oldest first. The id is a keyed digest: nobody's address or phone can be read here."""

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a digest
    hits: list[StoredHit] = []
    admitted: str | None = None
    expires_at: datetime

    class Settings:
        name = "throttles"
        indexes = [IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)]


class Budget(beanie.Document):
    """How much of a large allowance was used in one clock hour or day. The id names allowance and period."""

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a name
    used: int = 0
    expires_at: datetime

    class Settings:
        name = "budgets"
        indexes = [IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)]


class KnownNetwork(beanie.Document):
    """A network from which an account has signed in lately. The id is a keyed digest of seller, destination and network."""

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a digest
    expires_at: datetime

    class Settings:
        name = "known_networks"
        indexes = [IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)]
