"""One request of GraphQL over HTTP: from bytes to what is asked, or to the reason why it cannot be understood."""

import sys
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request

from app.graphql.document_guard import MAX_CHARACTERS
from app.graphql.documents import NO_QUERY
from app.graphql.response import Refusal
from core.errors import BadInput
from core.patience import within
from core.strict_json import strict_json
from rest.bounded_body import TooLarge, is_encoded, is_json, read_at_most

MAX_BODY_BYTES = 102_400

# An integer in a document has as many digits as there is room for. Python would refuse those beyond 4,300 with an error of its
# own, in the midst of validation, which is no fault of ours; GraphQL refuses them anyway. Reading 15,000 takes 2 ms.
sys.set_int_max_str_digits(MAX_CHARACTERS)

_TOO_LARGE = (
    f"A request has at most {MAX_BODY_BYTES} bytes. Files are uploaded to the object store, many customers are imported."
)
_TEXTS = ("query", "documentId", "operationName")
_OBJECTS = ("variables", "extensions")


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client asks for. Which document it means is for `app.graphql.documents` to find."""

    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any] | None
    document_id: str | None


async def read_request(request: Request, *, seconds: float) -> GraphQLRequest:
    """Read the body of *request*, for *seconds* at most.

    Raises:
        Refusal: 400, 408, 413 or 415, with what to do.
        ClientDisconnect: the client has gone.
    """
    _require_json(request)
    try:
        body = await within(seconds, read_at_most(request, MAX_BODY_BYTES))
    except TimeoutError:
        message = f"The body of the request has not arrived within {seconds:g} seconds."
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT, message, headers={"connection": "close"}) from None
    except TooLarge:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE, headers={"connection": "close"}) from None
    try:
        return parse(strict_json(body))
    except (ValueError, BadInput) as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from None


def request_in_address(request: Request) -> GraphQLRequest | None:
    """Return what the query string of *request* asks for; None when it asks for nothing.

    Raises:
        Refusal: 400, with what to do.
    """
    try:
        given = _parameters(request.scope["query_string"])
    except ValueError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "The address holds bytes that are not UTF-8.") from None
    keys = [key for key in (*_TEXTS, *_OBJECTS) if key in given]
    if not {"query", "documentId", "extensions"} & set(keys):
        return None
    if twice := [key for key in keys if len(given[key]) > 1]:
        message = f"Give {' and '.join(twice)} once."
        raise Refusal(HTTPStatus.BAD_REQUEST, message)
    try:
        objects = {key: strict_json(given[key][0].encode()) for key in keys if key in _OBJECTS and given[key][0]}
        return parse({**{key: given[key][0] for key in keys if key in _TEXTS and given[key][0]}, **objects})
    except (ValueError, BadInput) as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"In the address: {error}") from None


def _parameters(query: bytes) -> dict[str, list[str]]:
    return parse_qs(query.decode("ascii"), keep_blank_values=True, errors="strict")


def parse(sent: object) -> GraphQLRequest:
    """Return the request that *sent* is; keys that nobody knows are ignored, as the specification wants it.

    Raises:
        BadInput: with a sentence for the client.
    """
    if isinstance(sent, list):
        raise BadInput("Send one operation in each request: lists of them are not accepted.")
    if not isinstance(sent, dict):
        raise BadInput(NO_QUERY)
    for keys, type_, described in ((_TEXTS, str, "a text"), (_OBJECTS, dict, "an object")):
        for key in keys:
            if not isinstance(sent.get(key), type_ | None):
                message = f'"{key}" has to be {described}, where it is given.'
                raise BadInput(message)
    return GraphQLRequest(
        sent.get("query"), sent.get("variables"), sent.get("operationName"), sent.get("extensions"), sent.get("documentId")
    )


def _require_json(request: Request) -> None:
    """Refuse other media types: those a browser would send from somebody else's page without asking first, above all."""
    if not is_json(request):
        message = "Send the request as application/json, in UTF-8."
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, headers={"accept-post": "application/json"})
    if is_encoded(request):
        message = "Send the request uncompressed."
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, headers={"accept-encoding": "identity"})
