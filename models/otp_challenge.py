"""How a one-time code that somebody asked for is stored."""

from datetime import datetime
from enum import StrEnum

import beanie
from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel

from core.vocabulary import OtpChannel, OtpPurpose


class DeliveryState(StrEnum):
    """How far a code has come on its way."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SENT = "SENT"
    NOBODY = "NOBODY"  # no customer has this destination: everything was done but the sending
    UNCERTAIN = "UNCERTAIN"  # the provider did not answer, or the sender died: it may have been sent
    FAILED = "FAILED"


class StoredDelivery(BaseModel):
    """A code on its way. `sealed` holds destination and code, encrypted, until it has been sent or given up."""

    state: DeliveryState
    sealed: bytes | None = None
    attempts: int = 0
    due_at: datetime


class OtpChallenge(beanie.Document):
    """A code that was asked for. Its id is the secret that binds an answer to this request.

    Neither code nor destination can be read here: `code_digest` is a keyed digest of code, challenge, seller, destination
    and purpose, `account` one of seller and destination. A challenge for nobody looks the same, and takes the same way.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is a random text
    seller_id: str
    channel: OtpChannel
    purpose: OtpPurpose
    account: str
    code_digest: bytes
    customer_id: str | None = None
    attempts: int = 0
    consumed_at: datetime | None = None
    created_at: datetime
    expires_at: datetime
    delivery: StoredDelivery

    class Settings:
        name = "otp_challenges"
        keep_nulls = False
        indexes = [
            IndexModel(
                [("delivery.due_at", ASCENDING)],
                name="deliveries_due",
                partialFilterExpression={"delivery.state": DeliveryState.QUEUED.value},
            ),
            IndexModel(
                [("delivery.due_at", ASCENDING)],
                name="deliveries_abandoned",
                partialFilterExpression={"delivery.state": DeliveryState.SENDING.value},
            ),
            IndexModel([("account", ASCENDING)], name="by_account"),
            # Not partial: storing a challenge for nobody is to be the same work.
            IndexModel([("customer_id", ASCENDING)], name="by_customer"),
            # An hour behind its end, so that "expired" can be told from "never was" where that helps operators.
            IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=3600),
        ]
