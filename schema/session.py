"""Sign-in and sessions, as clients see them."""

from datetime import datetime
from typing import Self

import strawberry

from models import session as models
from schema.context import Info
from schema.customer import Customer
from schema.node import Node, presents
from schema.user_error import UserError
from services.session import SessionTokens


@presents(models.Session)
@strawberry.type(description="Where you are signed in. You see your own sessions only.")
class Session(Node):
    id: strawberry.ID = strawberry.field(description="Opaque, begins with `ses_`; the `sid` of its access tokens.")
    created_at: datetime = strawberry.field(description="When you signed in.")
    last_seen_at: datetime = strawberry.field(description="When it was used last, to the minute.")
    expires_at: datetime = strawberry.field(description="When it ends at the latest; sooner when it is not used.")
    user_agent: str | None = strawberry.field(description="The program you signed in with, as it calls itself.")
    ip_address: str | None = strawberry.field(description="The address it was used from last.")
    record: strawberry.Private[models.Session]

    @strawberry.field(description="Whether this is the session of the token you are calling with.")
    def current(self, info: Info) -> bool:
        """Say whether the caller's own token belongs to it."""
        return info.context.viewer.session_id == self.record.id

    @classmethod
    def from_model(cls, record: models.Session) -> Self:
        """Return a stored session as clients see it."""
        return cls(
            id=strawberry.ID(record.id),
            created_at=record.created_at,
            last_seen_at=record.last_seen_at,
            expires_at=min(record.idle_until, record.expires_at),
            user_agent=record.user_agent,
            ip_address=record.ip_address,
            record=record,
        )


@strawberry.type(description="What to go on with after a sign-in. Keep the refresh token where no other program can read it.")
class TokenPair:
    access_token: str = strawberry.field(description="Send it with every call: `Authorization: Bearer …`.")
    refresh_token: str = strawberry.field(
        description="Exchange it with `refreshTokens` when the access token has expired. It is good once: each exchange gives "
        "the next one, and a second use of an old one ends the session."
    )
    token_type: str = strawberry.field(description="Always `Bearer`.")
    expires_in: int = strawberry.field(description="How long the access token holds, in seconds.")
    session_id: strawberry.ID = strawberry.field(description="The session that was begun or went on.")

    @classmethod
    def from_tokens(cls, tokens: SessionTokens) -> Self:
        """Return the tokens of a session as clients see them."""
        return cls(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            token_type="Bearer",  # noqa: S106
            expires_in=tokens.expires_in,
            session_id=strawberry.ID(tokens.session_id),
        )


@strawberry.type(description="What came of asking for a code: the same whether or not the destination is a customer's.")
class RequestOtpPayload:
    challenge_id: strawberry.ID | None = strawberry.field(description="Give it to `login` together with the code.")
    expires_in: int | None = strawberry.field(description="How long the code holds, in seconds.")
    resend_after: int | None = strawberry.field(
        description="In how many seconds another code may be asked for; with TOO_MANY_ATTEMPTS, how long to wait."
    )
    user_errors: list[UserError] = strawberry.field(description="Why no code was asked for; empty on success.")


@strawberry.type(description="What came of signing in, or going on with a session.")
class LoginPayload:
    tokens: TokenPair | None = strawberry.field(description="The tokens; null when there are userErrors.")
    customer: Customer | None = strawberry.field(description="The customer who is signed in now.")
    user_errors: list[UserError] = strawberry.field(description="Why not; empty on success.")


@strawberry.type(description="Which sessions were ended.")
class LogoutPayload:
    revoked_session_ids: list[strawberry.ID] = strawberry.field(
        description="The sessions that are over. Their access tokens stop working everywhere within five seconds."
    )
    user_errors: list[UserError] = strawberry.field(description="Why none was; empty on success.")
