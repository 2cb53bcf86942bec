"""What a request sends: what it is called, and its bytes, as many as may be. For GraphQL, REST, tokens and channels alike."""

import re

from starlette.requests import ClientDisconnect, Request

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_JSON_IN_UTF8 = re.compile(r"application/json\s*(;\s*charset\s*=\s*(utf-8|\"utf-8\")\s*)?", re.IGNORECASE)


class TooLarge(Exception):
    """A body is longer than it may be, or says that it will be."""


def is_json(request: Request) -> bool:
    """Say whether a request calls its body JSON in UTF-8."""
    given = request.headers.getlist("content-type")
    return given == [JSON] or (len(given) == 1 and _JSON_IN_UTF8.fullmatch(given[0].strip()) is not None)


def is_encoded(request: Request) -> bool:
    """Say whether a request calls its body compressed, or encoded in another way."""
    return any(one.strip().lower() != "identity" for one in request.headers.getlist("content-encoding"))


async def read_at_most(request: Request, most: int) -> bytes:
    """Return the body of *request*, of at most *most* bytes. More than that is not kept, and if it is announced, not read.

    Raises:
        TooLarge: as described.
        ClientDisconnect: the client has gone before it was complete.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > most:
        raise TooLarge
    chunks, size = [], 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise TooLarge
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)
