"""How an event record is stored: the customer's history and the outbox in one."""

from datetime import datetime
from typing import Any

import beanie
from pydantic import ConfigDict
from pymongo import ASCENDING, DESCENDING, IndexModel

from core.vocabulary import CustomerEventType


class CustomerEvent(beanie.Document):
    """One change of one customer, written in the same transaction as the change.

    `pending` is there, and true, until a relay has published it, and so is `key_range`, which says whose work that is: events
    that were recorded by versions before have none. `occurred_at` never runs backwards for one customer,
    whatever the clocks of the machines say, so it is a safe order to publish in. `reason` is why, where somebody had to say so.

    `changes` is what was changed into what, as `services.changes` writes it; `origin` where it came from. `salt`, `digest` and
    `hash` are its seal: see `core.audit_chain`. Records of earlier versions have none of these.
    """

    model_config = ConfigDict(extra="ignore")

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours are typed strings
    seller_id: str
    customer_id: str
    type: CustomerEventType
    version: int
    actor: str
    changed: list[str]
    reason: str | None = None
    occurred_at: datetime
    data: dict[str, Any]
    trace: str | None = None
    changes: dict[str, Any] | None = None
    origin: dict[str, Any] | None = None
    salt: bytes | None = None
    digest: bytes | None = None
    hash: bytes | None = None
    pending: bool | None = True
    key_range: int | None = None
    published_at: datetime | None = None

    class Settings:
        name = "customer_events"
        keep_nulls = False
        indexes = [
            IndexModel(
                [("seller_id", ASCENDING), ("customer_id", ASCENDING), ("version", DESCENDING)],
                name="unique_version",
                unique=True,
            ),
            IndexModel(
                [("key_range", ASCENDING), ("occurred_at", ASCENDING), ("_id", ASCENDING)],
                name="pending_by_key_range",
                partialFilterExpression={"pending": True},
            ),
            # For those who are told again. A record enters it when it has been published, so that imports do not pay for it.
            IndexModel(
                [("occurred_at", ASCENDING), ("_id", ASCENDING)],
                name="published",
                partialFilterExpression={"published_at": {"$exists": True}},
            ),
        ]
