"""Sign-in and sessions, as callers of REST see and send them."""

from pydantic import Field

from core.vocabulary import OtpChannel
from rest.customer_shapes import Customer
from rest.shape import Shape, StrictBool
from services.session import SessionTokens


class OtpRequest(Shape):
    """A customer who wants a code."""

    seller_id: str = Field(description="The seller to sign in with.", examples=["demo"])
    channel: OtpChannel = Field(description="How the code is to be sent.", examples=["EMAIL"])
    destination: str = Field(
        description="The customer's phone number or e-mail address, in any spelling.", examples=["grace@example.com"]
    )


class OtpSent(Shape):
    """A code is on its way, or would be: the same whether or not the destination is a customer's."""

    challenge_id: str = Field(description="Give it to login together with the code.", examples=["otp_3kq9"])
    expires_in: int = Field(description="How long the code holds, in seconds.", examples=[300])
    resend_after: int = Field(description="In how many seconds another code may be asked for.", examples=[30])


class LoginInput(Shape):
    """A code that was sent."""

    challenge_id: str = Field(description="What the call that sent the code answered.", examples=["otp_3kq9"])
    code: str = Field(description="The six digits; blanks between them do not matter.", examples=["123456"])


class RefreshInput(Shape):
    """A session that goes on."""

    refresh_token: str = Field(description="The newest refresh token of the session.")


class LogoutInput(Shape):
    """Which sessions are to end."""

    everywhere: StrictBool | None = Field(None, description="Whether all your sessions end; only this one when absent.")


class TokenPair(Shape):
    """What to go on with after a sign-in. Keep the refresh token where no other program can read it."""

    access_token: str = Field(description="Send it with every call: `Authorization: Bearer …`.")
    refresh_token: str = Field(description="Exchange it for new tokens when the access token has expired. It is good once.")
    token_type: str = Field(description="`Bearer`.", examples=["Bearer"])
    expires_in: int = Field(description="How long the access token holds, in seconds.", examples=[600])
    session_id: str = Field(description="The session that was begun or went on.")

    @classmethod
    def from_tokens(cls, tokens: SessionTokens) -> "TokenPair":
        """Return the tokens of a session as callers see them."""
        return cls(
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            token_type="Bearer",  # noqa: S106
            expires_in=tokens.expires_in,
            session_id=tokens.session_id,
        )


class LoggedIn(Shape):
    """Who is signed in now, and what to go on with."""

    tokens: TokenPair = Field(description="The tokens.")
    customer: Customer = Field(description="The customer who is signed in now.")


class LoggedOut(Shape):
    """Which sessions were ended."""

    revoked_session_ids: list[str] = Field(
        description="The sessions that are over. Their access tokens stop working everywhere within five seconds."
    )
