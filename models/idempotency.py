"""How the answer to a call with an idempotency key is remembered."""

from datetime import datetime

import beanie
from pymongo import ASCENDING, IndexModel


class IdempotencyRecord(beanie.Document):
    """What one caller did under one key. Its id is a digest of seller, caller, operation and key.

    `request_digest` is empty once the customer was erased: the key stays taken, and nothing tells what was sent with it.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a digest
    seller_id: str
    request_digest: str
    customer_id: str
    created_at: datetime

    class Settings:
        name = "idempotency_records"
        indexes = [
            IndexModel([("seller_id", ASCENDING), ("customer_id", ASCENDING)], name="by_customer"),
            # 24 hours, as Stripe keeps its keys.
            IndexModel([("created_at", ASCENDING)], name="expiry", expireAfterSeconds=86_400),
        ]
