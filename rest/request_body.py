"""The body of a request: JSON, in bounds."""

import asyncio
import re
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import Receive, Scope

from core.strict_json import strict_json
from rest.problem import Refusal

MAX_BODY_BYTES = 102_400
MAX_BULK_BYTES = 1 << 20
"""A hundred customers with everything that they may have would be more; a hundred usual ones are 100 KB."""

JSON = "application/json"
_MEDIA_TYPE = re.compile(r"application/json\s*(;\s*charset\s*=\s*(utf-8|\"utf-8\")\s*)?", re.IGNORECASE)
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


def is_json(request: Request) -> bool:
    """Say whether a request calls its body JSON in UTF-8."""
    given = request.headers.getlist("content-type")
    return len(given) == 1 and _MEDIA_TYPE.fullmatch(given[0].strip()) is not None


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
            content = await _content(request, most)
    except TimeoutError:
        message = f"The body of the request has not arrived within {seconds:g} seconds."
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, message, headers={"connection": "close"}) from None
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
    if any(one.strip().lower() != "identity" for one in request.headers.getlist("content-encoding")):
        message = "Send the request uncompressed."
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, headers={"accept-encoding": "identity"})


async def _content(request: Request, most: int) -> bytes:
    too_large = Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"A request has at most {most:,} bytes. Files are uploaded to the object store, many customers are imported.",
        headers={"connection": "close"},
    )
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > most:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)
