"""What is answered over HTTP: in which media type, with which status, and with which headers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import orjson
from graphql import GraphQLError
from strawberry.types.execution import ExecutionResult, PreExecutionError

from app.graphql.errors import published
from core.errors import ServiceError, Unauthenticated
from rest.http_bearer import challenge

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"

RETRY_SECONDS = 5
"""How long clients are asked to wait when nobody knows when it will be better."""

_SERVED = (GRAPHQL_JSON, JSON, EVENT_STREAM)
"""In the order of our own preference, which decides when a client names several and likes them equally."""
_UNASKED = (JSON, GRAPHQL_JSON)
"""What ``*/*`` and ``application/*`` stand for: clients that name nothing are older than the media type of GraphQL."""
_EXACT = 2
_RANGE = re.compile(r"[^\s/;,]+/[^\s/;,]+")
_QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")

_ORDINARY_ACCEPT = 256
"""Characters of an Accept header at most whose meaning is remembered."""

_STATUS = {
    "PERSISTED_QUERY_NOT_FOUND": HTTPStatus.NOT_FOUND,
    "PERSISTED_QUERY_REQUIRED": HTTPStatus.FORBIDDEN,
    "RATE_LIMITED": HTTPStatus.TOO_MANY_REQUESTS,
    "TIMEOUT": HTTPStatus.SERVICE_UNAVAILABLE,
    "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "INTERNAL": HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of an operation that was refused before it began, by the code of its first error; else 400."""
_LATER = frozenset({"RATE_LIMITED", "TIMEOUT", "UNAVAILABLE"})


class Refusal(Exception):
    """A request that is refused before GraphQL sees it, with an HTTP status and, as its message, what to do."""

    def __init__(
        self, status: HTTPStatus, message: str, *, code: str = "BAD_USER_INPUT", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole HTTP answer, except for the headers that every answer has."""

    status: HTTPStatus
    media_type: str
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Return the body as it is sent: JSON in UTF-8."""
        return orjson.dumps(self.body)


def preferred(accept: str | None) -> str:
    """Return the media type to answer in: the client's favourite, the one it names most exactly, or ours, in this order.

    Raises:
        Refusal: 406, the client accepts nothing of what is served.
    """
    if accept is None or not accept.strip():
        return JSON
    return (_preferred if len(accept) <= _ORDINARY_ACCEPT else _preferred.__wrapped__)(accept)


@lru_cache(maxsize=256)
def _preferred(accept: str) -> str:
    ranges = _ranges(accept)
    rated = [(*_rate(served, ranges), -_SERVED.index(served), served) for served in _SERVED]
    quality, exactness, _, best = max(rated)
    if quality == 0:
        raise Refusal(HTTPStatus.NOT_ACCEPTABLE, f"Accept one of: {', '.join(_SERVED)}.")
    if exactness == _EXACT:
        return best
    return next((served for served in _UNASKED if _rate(served, ranges) == (quality, exactness)), best)


def accepts_events(accept: str) -> bool:
    """Say whether the client names the event stream among what it accepts, liked best or not."""
    return _ranges(accept).get(EVENT_STREAM, 0) > 0


def answer_to(result: ExecutionResult, media_type: str, *, anonymous: bool) -> Answer:
    """Return what is answered to an operation, in *media_type*.

    The type of GraphQL's own carries the status in HTTP too. Older clients read the body of a 200 only, so they get one for
    every operation that could be read, whatever became of it.
    """
    headers = {}
    codes = [str((error.extensions or {}).get("code")) for error in result.errors or ()]
    if anonymous and Unauthenticated.code in codes:
        # The status stays 200: fields were executed, and GraphQL over HTTP wants 2xx for an answer with data. RFC 9110
        # (11.6.1) lets WWW-Authenticate stand in any answer, and RFC 6750 (3) asks for it in this one.
        headers.update(challenge())
    body = body_of(result)
    if "data" in body:
        return Answer(HTTPStatus.OK, media_type, body, headers)
    if codes and codes[0] in _LATER:
        headers["retry-after"] = str(_seconds(result))
    status = _STATUS.get(codes[0], HTTPStatus.BAD_REQUEST) if codes and media_type == GRAPHQL_JSON else HTTPStatus.OK
    return Answer(status, media_type, body, headers)


def body_of(result: ExecutionResult) -> dict[str, Any]:
    """Return *result* as GraphQL writes it: without data, not with null, when it was refused before it began."""
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    if not _never_began(result):
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return body


def answer_to_refused(refusal: Refusal, media_type: str, request_id: str) -> Answer:
    """Return what is answered to a request that never became an operation."""
    extensions: dict[str, Any] = {"code": refusal.code, "requestId": request_id}
    if "retry-after" in refusal.headers:
        extensions["retryAfter"] = int(refusal.headers["retry-after"])
    error = {"message": str(refusal), "extensions": extensions}
    return Answer(refusal.status, JSON if media_type == EVENT_STREAM else media_type, {"errors": [error]}, refusal.headers)


def refused(error: ServiceError, request_id: str) -> PreExecutionError:
    """Return the result of an operation that was refused because of *error*, before anybody looked at its document."""
    return PreExecutionError(data=None, errors=published([GraphQLError(str(error), original_error=error)], request_id))


def _never_began(result: ExecutionResult) -> bool:
    """Say whether execution never began: errors of fields have a path, those of parsing and validation have none."""
    if isinstance(result, PreExecutionError):
        return True
    return result.data is None and bool(result.errors) and not any(error.path for error in result.errors or ())


def _seconds(result: ExecutionResult) -> int:
    given = [(error.extensions or {}).get("retryAfter") for error in result.errors or ()]
    return max([int(one) for one in given if isinstance(one, int | float)], default=RETRY_SECONDS)


def _ranges(accept: str) -> dict[str, float]:
    """Return the quality of each media range; what cannot be read counts as not there, and parameters do not matter."""
    found: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = [piece.strip() for piece in part.split(";")]
        if not _RANGE.fullmatch(name):
            continue
        given = [value.strip() for key, _, value in (one.partition("=") for one in parameters) if key.strip() == "q"]
        if all(_QUALITY.fullmatch(one) for one in given[:1]):
            found[name] = max(found.get(name, 0), float(given[0]) if given else 1.0)
    return found


def _rate(served: str, ranges: Mapping[str, float]) -> tuple[float, int]:
    """Return how much a client likes what is *served*, and how exactly it says so: RFC 9110, 12.5.1."""
    for exactness, name in ((_EXACT, served), (1, f"{served.partition('/')[0]}/*"), (0, "*/*")):
        if name in ranges:
            return ranges[name], exactness
    return 0.0, 0
