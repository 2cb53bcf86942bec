"""How a session is stored: who signed in, from where, and which refresh token comes next."""

from datetime import datetime

import beanie
from pymongo import ASCENDING, DESCENDING, IndexModel

from core.vocabulary import OtpChannel, PrincipalKind, SessionEnd
from models.base import StoredModel


class Session(StoredModel):
    """A session of a customer or an operator; `live` until it is ended.

    Of the refresh tokens only digests are here: of the one that is good, and of the one before it. `salt` and the older
    token together give the newer one, to nobody else but the service (see auth/refresh_tokens.py).
    `generation` counts refreshes from 0.
    """

    kind: PrincipalKind
    subject: str
    scopes: list[str]
    channel: OtpChannel | None = None
    last_seen_at: datetime
    idle_until: datetime
    expires_at: datetime
    user_agent: str | None = None
    ip_address: str | None = None
    generation: int = 0
    digest: bytes
    previous_digest: bytes | None = None
    salt: bytes | None = None
    rotated_at: datetime | None = None
    ended: SessionEnd | None = None

    class Settings:
        name = "sessions"
        keep_nulls = False
        indexes = [
            IndexModel(
                [("seller_id", ASCENDING), ("subject", ASCENDING), ("last_seen_at", DESCENDING)],
                name="by_subject",
                partialFilterExpression={"live": True},
            ),
            # Those that have ended are found when their customer is erased.
            IndexModel(
                [("seller_id", ASCENDING), ("subject", ASCENDING)],
                name="ended_of_subject",
                partialFilterExpression={"live": False},
            ),
            IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
        ]


class SignInTurn(beanie.Document):
    """How often somebody has signed in; being written by every sign-in, it makes them go one after the other."""

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is the subject's
    sign_ins: int = 0
    expires_at: datetime

    class Settings:
        name = "sign_in_turns"
        indexes = [IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)]
