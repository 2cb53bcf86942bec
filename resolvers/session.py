"""Root fields about sign-in and sessions: unpack, call one service method, repack."""

from typing import Annotated

import strawberry

from core.errors import Refused, TooMany
from resolvers.outcome import attempt
from schema.context import Info
from schema.customer import Customer
from schema.enums import OtpChannel
from schema.session import LoginPayload, LogoutPayload, RequestOtpPayload, Session, TokenPair
from schema.user_error import UserError
from services.session import SessionTokens


@strawberry.type
class SessionQuery:
    @strawberry.field(
        description="Where you are signed in, the session used last in front; empty for tokens that belong to no session. "
        "For anybody with a token."
    )
    async def sessions(self, info: Info) -> list[Session]:
        """Return the caller's own sessions."""
        found = await info.context.services.sessions.list(info.context.viewer)
        return [Session.from_model(record) for record in found]


@strawberry.type
class SessionMutation:
    @strawberry.mutation(
        description="Send a one-time code to a customer. The answer is the same, and takes as long, whether or not the "
        "destination is a customer's. The only field of its document. Works without a token."
    )
    async def request_otp(
        self,
        info: Info,
        seller_id: Annotated[strawberry.ID, strawberry.argument(description="The seller to sign in with.")],
        channel: Annotated[OtpChannel, strawberry.argument(description="How the code is to be sent.")],
        destination: Annotated[
            str, strawberry.argument(description="The customer's phone number or e-mail address, in any spelling.")
        ],
    ) -> RequestOtpPayload:
        """Ask for a code."""
        try:
            made = await info.context.services.one_time_codes.request(seller_id, channel, destination, info.context.device)
        except Refused as refusal:
            return RequestOtpPayload(
                challenge_id=None,
                expires_in=None,
                resend_after=refusal.retry_after if isinstance(refusal, TooMany) else None,
                user_errors=[UserError.from_problem(problem) for problem in refusal.problems],
            )
        return RequestOtpPayload(
            challenge_id=strawberry.ID(made.challenge_id),
            expires_in=made.expires_in,
            resend_after=made.resend_after,
            user_errors=[],
        )

    @strawberry.mutation(
        description="Sign in with the code that was sent. Five attempts a code. The phone or e-mail address counts as verified "
        "from then on. The only field of its document. Works without a token."
    )
    async def login(
        self,
        info: Info,
        challenge_id: Annotated[strawberry.ID, strawberry.argument(description="What `requestOtp` answered.")],
        code: Annotated[str, strawberry.argument(description="The six digits; blanks between them do not matter.")],
    ) -> LoginPayload:
        """Take a code."""
        found, errors = await attempt(info.context.services.sign_in.log_in(challenge_id, code, info.context.device))
        if found is None:
            return LoginPayload(tokens=None, customer=None, user_errors=errors)
        return _signed_in(info, found.tokens, Customer.from_model(found.customer))

    @strawberry.mutation(
        description="Exchange a refresh token for new tokens. It is good once; a second use within ten seconds gives the same "
        "answer (two tabs), a later one ends the session. Send it without an expired access token. The only field of its "
        "document. Works without a token."
    )
    async def refresh_tokens(
        self,
        info: Info,
        refresh_token: Annotated[str, strawberry.argument(description="The newest refresh token of the session.")],
    ) -> LoginPayload:
        """Go on with a session."""
        tokens, errors = await attempt(info.context.services.sessions.refresh(refresh_token, info.context.device))
        if tokens is None:
            return LoginPayload(tokens=None, customer=None, user_errors=errors)
        record = None
        if tokens.principal.customer_id is not None:
            record = await info.context.services.customers.get(tokens.principal, tokens.principal.customer_id)
        return _signed_in(info, tokens, None if record is None else Customer.from_model(record))

    @strawberry.mutation(
        description="End the session of your token: it stops working everywhere within five seconds, and open sockets close. "
        "The only field of its document. For anybody with a token."
    )
    async def logout(
        self,
        info: Info,
        everywhere: Annotated[bool | None, strawberry.argument(description="End all your sessions.")] = False,
    ) -> LogoutPayload:
        """End the caller's session, or all of them."""
        call = info.context.services.sessions.logout(info.context.viewer, everywhere=bool(everywhere))
        ended, errors = await attempt(call)
        return LogoutPayload(revoked_session_ids=[strawberry.ID(one) for one in ended or ()], user_errors=errors)

    @strawberry.mutation(description="End one of your own sessions. The only field of its document. For anybody with a token.")
    async def revoke_session(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The id of the session, `ses_…`.")]
    ) -> LogoutPayload:
        """End another session of the caller."""
        ended, errors = await attempt(info.context.services.sessions.revoke(info.context.viewer, id))
        return LogoutPayload(revoked_session_ids=[] if ended is None else [strawberry.ID(ended)], user_errors=errors)


def _signed_in(info: Info, tokens: SessionTokens, customer: Customer | None) -> LoginPayload:
    # The rest of the answer is for whoever has just signed in.
    info.context.sign_in(tokens.principal)
    return LoginPayload(tokens=TokenPair.from_tokens(tokens), customer=customer, user_errors=[])
