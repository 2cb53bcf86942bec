"""POST /api/v1/pusher/auth: lets a page subscribe to a private channel of Pusher's, when its token says so."""

import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from auth.principal import Principal
from core.errors import BadInput, Forbidden, ServiceError, Unauthenticated, Unavailable
from rest.bounded_body import FORM, TooLarge, read_at_most

AUTH_PATH = "/api/v1/pusher/auth"
MAX_BODY_BYTES = 4096

Authenticate = Callable[[Request], Awaitable[Principal | None]]
"""Returns who calls; None for nobody. Raises `Unauthenticated`, `BadInput` or `Unavailable`."""

Require = Callable[[Principal, str], Awaitable[None]]
"""Raises `Forbidden` for a caller who may not follow a channel."""

Sign = Callable[[str, str], Mapping[str, str]]
"""Returns what lets a socket subscribe to a channel."""

_SOCKET_ID = re.compile(r"[0-9]{1,20}\.[0-9]{1,20}")
_CHANNEL = re.compile(r"[-a-zA-Z0-9_=@,.;]{1,200}")
_MOST_FIELDS = 20
_NO_STORE = {"cache-control": "no-store"}
_STATUS: Mapping[type[ServiceError], HTTPStatus] = {
    BadInput: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


class _UnusableBody(BadInput):
    """The body is too large, or no form."""

    def __init__(self, message: str, status: HTTPStatus) -> None:
        super().__init__(message)
        self.status = status


def pusher_router(authenticate: Authenticate, require: Require, sign: Sign) -> APIRouter:
    """Return the endpoint that Pusher's clients ask with ``channelAuthorization``."""
    router = APIRouter(tags=["live updates"])

    @router.post(
        AUTH_PATH,
        summary="Subscribe a page to a private channel",
        response_class=Response,
        openapi_extra=_DOCUMENTED_BODY,
        responses=_RESPONSES,
    )
    async def authorize(request: Request) -> Response:
        """Answer with the signature that Pusher wants, for channels of the caller's own seller."""
        try:
            viewer = _somebody(await authenticate(request))
            socket_id, channel = await _asked(request)
            await require(viewer, channel)
        except (BadInput, Unauthenticated, Forbidden, Unavailable) as error:
            return _refused(error)
        return Response(orjson.dumps(sign(channel, socket_id)), media_type="application/json", headers=_NO_STORE)

    return router


def _somebody(viewer: Principal | None) -> Principal:
    if viewer is None:
        raise Unauthenticated("Send an access token: Authorization: Bearer ….")
    return viewer


async def _asked(request: Request) -> tuple[str, str]:
    """Return socket and channel of the form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise _UnusableBody(f"Send the request as {FORM}, as Pusher's clients do.", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    try:
        fields = parse_qsl((await _body(request)).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadInput(f"The body is no form in UTF-8 with at most {_MOST_FIELDS} fields.") from None
    form = dict(fields)
    if len(form) < len(fields):
        raise BadInput("A field stands in the form twice.")
    socket_id, channel = form.get("socket_id", ""), form.get("channel_name", "")
    if not _SOCKET_ID.fullmatch(socket_id):
        raise BadInput("socket_id is what Pusher gave the page when it connected: two numbers with a full stop between them.")
    if not _CHANNEL.fullmatch(channel):
        raise BadInput("channel_name is the name of one channel: private-seller-… or private-import-….")
    return socket_id, channel


async def _body(request: Request) -> bytes:
    try:
        return await read_at_most(request, MAX_BODY_BYTES)
    except TooLarge:
        message = f"A request has at most {MAX_BODY_BYTES} bytes."
        raise _UnusableBody(message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from None
    except ClientDisconnect:
        # Nobody is left to read this; without it the log would show a traceback.
        raise BadInput("The request is incomplete.") from None


def _refused(error: ServiceError) -> Response:
    """Return the refusal as a problem of RFC 9457."""
    kind = next(kind for kind in _STATUS if isinstance(error, kind))
    status = error.status if isinstance(error, _UnusableBody) else _STATUS[kind]
    problem = {"title": status.phrase, "status": status.value, "detail": str(error), "code": error.code}
    headers = dict(_NO_STORE)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = 'Bearer realm="customer-service"'
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "1"
    return Response(orjson.dumps(problem), status, headers, "application/problem+json")


_DOCUMENTED_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["socket_id", "channel_name"],
                    "properties": {
                        "socket_id": {"type": "string", "pattern": r"^[0-9]{1,20}\.[0-9]{1,20}$", "examples": ["1234.5678"]},
                        "channel_name": {
                            "type": "string",
                            "pattern": "^[-a-zA-Z0-9_=@,.;]{1,200}$",
                            "examples": ["private-seller-demo", "private-import-imp_01kat5x2p3f8m9rj4t6vwy7z0a"],
                        },
                    },
                }
            }
        },
    }
}
_PROBLEM = {"content": {"application/problem+json": {"schema": {"type": "object"}}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The page may subscribe.",
        "content": {
            "application/json": {
                "schema": {"type": "object", "required": ["auth"], "properties": {"auth": {"type": "string"}}},
                "example": {"auth": "key:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"},
            }
        },
    },
    400: {"description": "The form does not say which socket and which channel.", **_PROBLEM},
    401: {"description": "No access token, or one that does not hold.", **_PROBLEM},
    403: {"description": "The channel is another seller's, is none, or takes a scope that the token lacks.", **_PROBLEM},
    413: {"description": "The body is too large.", **_PROBLEM},
    415: {"description": "The body is no form.", **_PROBLEM},
    503: {"description": "The token or the import cannot be looked at at present.", **_PROBLEM},
}
