"""Sign-in of customers over REST: unpack, call one service method, repack."""

from http import HTTPStatus

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from rest.bounded_body import JSON
from rest.caller import Caller, CallingDevice, device
from rest.customer_view import shown
from rest.documented import ANYBODY, answers
from rest.facade import UsedFacade, facade_of
from rest.route import RestRoute, answered
from rest.session_shapes import LoggedIn, LoggedOut, LoginInput, LogoutInput, OtpRequest, OtpSent, RefreshInput, TokenPair

router = APIRouter(route_class=RestRoute, tags=["auth"])


@router.post(
    "/api/v1/auth/otp",
    summary="Send a one-time code",
    operation_id="sendOtp",
    status_code=HTTPStatus.ACCEPTED,
    responses=answers(202, 422, 429, body=True, anybody=True),
    openapi_extra=ANYBODY,
)
async def send_otp(facade: UsedFacade, calling: CallingDevice, body: OtpRequest) -> OtpSent:
    """Send a one-time code to a customer.

    The answer is the same, and takes as long, whether or not the destination is a customer's. Works without a token.
    """
    made = await facade.services.one_time_codes.request(body.seller_id, body.channel, body.destination, calling)
    return OtpSent(challenge_id=made.challenge_id, expires_in=made.expires_in, resend_after=made.resend_after)


@router.post(
    "/api/v1/auth/login",
    summary="Sign in with a one-time code",
    operation_id="login",
    responses=answers(200, 422, 429, body=True, anybody=True),
    openapi_extra=ANYBODY,
)
async def login(facade: UsedFacade, calling: CallingDevice, body: LoginInput) -> LoggedIn:
    """Sign in with the code that was sent. Five attempts a code.

    The phone or e-mail address counts as verified from then on. Works without a token.
    """
    found = await facade.services.sign_in.log_in(body.challenge_id, body.code, calling)
    (customer,) = await shown(facade, found.tokens.principal, [found.customer])
    return LoggedIn(tokens=TokenPair.from_tokens(found.tokens), customer=customer)


@router.post(
    "/api/v1/auth/logout",
    summary="End a session",
    operation_id="logout",
    responses=answers(200, 409, body=True),
)
async def logout(facade: UsedFacade, viewer: Caller, body: LogoutInput | None = None) -> LoggedOut:
    """End the session of your token, or all your sessions.

    It stops working everywhere within five seconds, and open sockets close. For anybody with a token of ours; for one of
    another issuer the answer is 409.
    """
    everywhere = body is not None and bool(body.everywhere)
    return LoggedOut(revoked_session_ids=list(await facade.services.sessions.logout(viewer, everywhere=everywhere)))


async def refresh_tokens(request: Request) -> Response:
    """Answer POST /api/v1/auth/access_token in JSON: a refresh token is exchanged for new tokens."""
    return await answered(request, _refresh)


async def _refresh(request: Request) -> Response:
    try:
        given = RefreshInput.model_validate(await request.json())
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in found]) from error
    tokens = await facade_of(request).services.sessions.refresh(given.refresh_token, device(request))
    return Response(TokenPair.from_tokens(tokens).model_dump_json(by_alias=True), media_type=JSON)
