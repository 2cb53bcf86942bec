"""What the description of a route says of its answers: every status that it can have, with its headers and an example."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rest.problem import PROBLEM_JSON
from rest.shape import Shape

Answers = dict[int | str, dict[str, Any]]

ANYBODY: dict[str, Any] = {"security": []}
"""What is added to the description of a route that works without a token."""

_SUCCESSES = {200: "Done.", 201: "Created.", 202: "Accepted.", 204: "Done; there is nothing to say."}

_REQUEST_ID = {
    "X-Request-Id": {
        "description": "The id of the request: yours, when you sent one of at most 64 letters, digits, dots and hyphens.",
        "schema": {"type": "string"},
    }
}
_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "etag": {"ETag": {"description": "The version, for If-Match and If-None-Match.", "schema": {"type": "string"}}},
    "location": {"Location": {"description": "Where it is.", "schema": {"type": "string", "format": "uri-reference"}}},
    "link": {
        "Link": {
            "description": "The addresses of other pages, relative to this one: `first`, `next`, `prev` (RFC 8288).",
            "schema": {"type": "string"},
        }
    },
}
_RETRY_AFTER = {"Retry-After": {"description": "When to come back, in seconds.", "schema": {"type": "integer"}}}
_CHALLENGE = {"WWW-Authenticate": {"description": "What is missing (RFC 6750).", "schema": {"type": "string"}}}

_REFUSALS: Mapping[int, tuple[str, str, str, Mapping[str, Any]]] = {
    400: ("The request cannot be understood.", "BAD_USER_INPUT", "The request does not have the right shape; see errors.", {}),
    401: (
        "There is no token, or one that does not hold.",
        "UNAUTHENTICATED",
        "Send an access token: Authorization: Bearer ….",
        _CHALLENGE,
    ),
    403: (
        "The caller may not do this.",
        "FORBIDDEN",
        "This needs the scope customers:write, which your token does not carry.",
        {},
    ),
    404: ("There is nothing with this id that the caller can see.", "NOT_FOUND", "There is nothing with this id.", {}),
    406: ("The caller accepts no JSON.", "BAD_USER_INPUT", "Accept application/json: nothing else is answered here.", {}),
    408: (
        "The body has not arrived in time.",
        "BAD_USER_INPUT",
        "The body of the request has not arrived within 35 seconds.",
        {},
    ),
    409: (
        "It does not go together with what is there: somebody else has it, or it is in another state.",
        "TAKEN",
        "Another customer already has this e-mail address.",
        {},
    ),
    412: (
        "It has another version than If-Match says.",
        "CONFLICT",
        "This was changed in the meantime: the current version is 4.",
        {"ETag": {"description": "The version it has now.", "schema": {"type": "string"}}},
    ),
    413: ("The body is too large.", "BAD_USER_INPUT", "A request has at most 102,400 bytes.", {}),
    415: ("The body is no JSON in UTF-8.", "BAD_USER_INPUT", "Send the request as application/json, in UTF-8.", {}),
    422: ("It was understood and refused; all reasons at once.", "INVALID_EMAIL", "This is no e-mail address.", {}),
    429: (
        "There were too many of these calls.",
        "RATE_LIMITED",
        "There were too many of these calls. Try again in 30 seconds.",
        _RETRY_AFTER,
    ),
    500: ("Something went wrong on our side.", "INTERNAL", "Something went wrong on our side. It has been recorded.", {}),
    503: (
        "A system that this needs does not answer.",
        "UNAVAILABLE",
        "The database did not answer in time. Try again.",
        _RETRY_AFTER,
    ),
    504: ("It took too long.", "TIMEOUT", "This took longer than 10 seconds.", {}),
}
REFUSED = tuple(_REFUSALS)
"""The statuses of all refusals."""

_ALWAYS = (400, 406, 429, 500, 503, 504)
_OF_CALLERS = (401, 403)
_OF_BODIES = (408, 413, 415)
_WITH_ERRORS = frozenset({404, 409, 412, 422})


def answers(
    *statuses: int,
    body: bool = False,
    anybody: bool = False,
    etag: bool = False,
    location: bool = False,
    link: bool = False,
    models: Mapping[int, type[Shape]] | None = None,
) -> Answers:
    """Return the answers of a route that has these *statuses* besides those that every one has.

    *body* says that it reads one, *anybody* that it works without a token (one that does not hold is refused all the same),
    and *etag*, *location* and *link* which headers its successes have. *models* are the shapes of answers besides the usual.
    """
    own = {"etag": etag, "location": location, "link": link}
    headers = {name: value for key, wanted in own.items() if wanted for name, value in _HEADERS[key].items()}
    found: Answers = {}
    refused = {401} if anybody else set(_OF_CALLERS)
    for status in sorted({*statuses, *_ALWAYS, *refused, *(_OF_BODIES if body else ())}):
        if status in _SUCCESSES:
            found[status] = {"description": _SUCCESSES[status], "headers": {**_REQUEST_ID, **headers}}
        elif status == HTTPStatus.NOT_MODIFIED:
            found[status] = {"description": "You have this version already.", "headers": {**_REQUEST_ID, **headers}}
        else:
            found[status] = refusal(status)
    for status, model in (models or {}).items():
        found[status]["model"] = model
    return found


def refusal(status: int) -> dict[str, Any]:
    """Return what the description says of a refusal with *status*, one of `REFUSED`."""
    description, code, detail, headers = _REFUSALS[status]
    example: dict[str, Any] = {
        "type": f"/problems/{code.lower().replace('_', '-')}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        "requestId": "b3f1c2d4e5a69788",
        "errors": [],
    }
    if status in _WITH_ERRORS:
        example["errors"] = [{"code": code, "message": detail, "field": ["email"] if code != "NOT_FOUND" else ["id"]}]
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        example["errorId"] = "0f8e7d6c5b4a3928"
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        "description": description,
        "headers": {**_REQUEST_ID, **headers},
        "content": {PROBLEM_JSON: {"schema": schema, "example": example}},
    }
