"""The body of a request: JSON, in bounds."""

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import Receive, Scope

from core.strict_json import strict_json
from rest.bounded_body import JSON, TooLarge, is_encoded, is_json, read_at_most
from rest.problem import Refusal

MAX_BODY_BYTES = 102_400
MAX_BULK_BYTES = 1 << 20
"""A hundred customers with everything that they may have would be more; a hundred usual ones are 100 KB."""

_NOTHING = b""


class ReadRequest(Request):
    """A request whose body has been read, and understood as JSON where there is one."""

    def __init__(self, scope: Scope, receive: Receive, content: bytes, value: object) -> None:
        super().__init__(scope, receive)
        self._content = content
        self._value = value

    async def body(self) -> bytes:
        """Return the bytes of the body."""
        return self._content

    async def json(self) -> object:
        """Return what the body says."""
        return self._value


async def with_body(request: Request, *, most: int, seconds: float) -> ReadRequest:
    """Read the body of *request*, at most *most* bytes, for *seconds* at most.

    Raises:
        Refusal: 400, 408, 413 or 415, with what to do.
        ClientDisconnect: the client has gone.
    """
    if not _announces_a_body(request):
        return ReadRequest(request.scope, request.receive, _NOTHING, None)
    _require_json(request)
    try:
        async with asyncio.timeout(seconds):
            content = await read_at_most(request, most)
    except TimeoutError:
        message = f"The body of the request has not arrived within {seconds:g} seconds."
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, message, headers={"connection": "close"}) from None
    except TooLarge:
        message = f"A request has at most {most:,} bytes. Files are uploaded to the object store, many customers are imported."
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, headers={"connection": "close"}) from None
    if not content:
        return ReadRequest(request.scope, request.receive, _NOTHING, None)
    try:
        return ReadRequest(request.scope, request.receive, content, strict_json(content))
    except ValueError as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from None


def _announces_a_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def _require_json(request: Request) -> None:
    """Refuse other media types: those a browser would send from somebody else's page without asking first, above all."""
    if not is_json(request):
        message = f"Send the request as {JSON}, in UTF-8."
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, headers={"accept-post": JSON})
    if is_encoded(request):
        message = "Send the request uncompressed."
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, headers={"accept-encoding": "identity"})
