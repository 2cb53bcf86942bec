"""GraphQL over HTTP: POST /graphql, from bytes to bytes.

A thin ASGI endpoint of its own: whatever bytes arrive, the answer is a GraphQL response, never a traceback.
"""

import re
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from app.bearer import BearerReader
from app.graphql.execution import Schema
from app.http_bearer import UnusableCredentials, authorization_of, challenge
from auth.principal import Principal
from core.device import Device, device_of
from core.errors import Unauthenticated, Unavailable
from schema.context import Context
from services.registry import Services

MAX_BODY_BYTES = 102_400

_JSON = "application/json"
_GRAPHQL_JSON = "application/graphql-response+json"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ALLOWED = (OperationType.QUERY, OperationType.MUTATION)
_RETRY_SECONDS = "5"


@dataclass(frozen=True, slots=True)
class _GraphQLRequest:
    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


class _NotAcceptable(Exception):
    """A request that is refused before GraphQL sees it, with an HTTP status and what to do."""

    def __init__(
        self, status: HTTPStatus, message: str, *, code: str = "BAD_USER_INPUT", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


class GraphQLEndpoint:
    """The ASGI application behind POST /graphql."""

    def __init__(self, schema: Schema, services: Services, bearer: BearerReader) -> None:
        self._schema = schema
        self._services = services
        self._bearer = bearer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        request_id = request_id_of(request.headers.get("x-request-id"))
        headers = {"x-request-id": request_id}
        try:
            principal = await self._principal(request)
            asked = await _read(request)
            context = Context(self._services, request_id=request_id, principal=principal, device=_device(request))
            result = await self._execute(asked, context)
            status, media_type, body = _answer(result, request.headers.get("accept", ""))
            if principal is None and _needs_a_token(result):
                headers.update(challenge())
        except ClientDisconnect:
            # Gone before the request was complete: nobody is left to answer.
            return
        except _NotAcceptable as refusal:
            status, media_type = refusal.status, _JSON
            headers.update(refusal.headers)
            body = {"errors": [{"message": str(refusal), "extensions": {"code": refusal.code, "requestId": request_id}}]}
        await _send(send, status, media_type, orjson.dumps(body), headers)

    async def _principal(self, request: Request) -> Principal | None:
        try:
            credential = await self._bearer.credential(authorization_of(request))
        except UnusableCredentials as error:
            raise _NotAcceptable(
                HTTPStatus.BAD_REQUEST, str(error), headers=challenge("invalid_request", str(error))
            ) from error
        except Unauthenticated as error:
            raise _NotAcceptable(
                HTTPStatus.UNAUTHORIZED, str(error), code=error.code, headers=challenge("invalid_token", str(error))
            ) from error
        except Unavailable as error:
            raise _NotAcceptable(
                HTTPStatus.SERVICE_UNAVAILABLE, str(error), code=error.code, headers={"retry-after": _RETRY_SECONDS}
            ) from error
        return None if credential is None else credential.principal

    async def _execute(self, asked: _GraphQLRequest, context: Context) -> ExecutionResult:
        try:
            return await self._schema.execute(
                asked.query,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.operation_name,
                allowed_operation_types=_ALLOWED,
            )
        except InvalidOperationTypeError as error:
            message = "Subscriptions do not run over POST. Open a WebSocket with the graphql-transport-ws protocol."
            raise _NotAcceptable(HTTPStatus.BAD_REQUEST, message) from error
        except CannotGetOperationTypeError as error:
            message = "The document has no operation with this name. Say which one to run with operationName."
            raise _NotAcceptable(HTTPStatus.BAD_REQUEST, message) from error
        except MissingQueryError as error:
            raise _NotAcceptable(HTTPStatus.BAD_REQUEST, _NO_QUERY) from error


_NO_QUERY = 'Send a JSON object with a text "query", and if needed "variables" and "operationName".'


def _device(request: Request) -> Device:
    return device_of(None if request.client is None else request.client.host, request.headers.get("user-agent"))


def request_id_of(given: str | None) -> str:
    """Return the caller's own request id when it is a harmless one, else a new one."""
    return given if given is not None and _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


async def _read(request: Request) -> _GraphQLRequest:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _JSON:
        raise _NotAcceptable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the request as {_JSON}.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise _NotAcceptable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the request uncompressed.")
    try:
        sent = orjson.loads(await _body(request))
    except (orjson.JSONDecodeError, RecursionError):
        raise _NotAcceptable(HTTPStatus.BAD_REQUEST, "The body is not valid JSON in UTF-8.") from None
    if not isinstance(sent, dict):
        raise _NotAcceptable(HTTPStatus.BAD_REQUEST, _NO_QUERY)
    query, variables, name = sent.get("query"), sent.get("variables"), sent.get("operationName")
    if not isinstance(query, str) or not query:
        raise _NotAcceptable(HTTPStatus.BAD_REQUEST, _NO_QUERY)
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        message = '"variables" has to be an object and "operationName" a text, where they are given.'
        raise _NotAcceptable(HTTPStatus.BAD_REQUEST, message)
    return _GraphQLRequest(query, variables, name)


async def _body(request: Request) -> bytes:
    too_large = _NotAcceptable(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"A request has at most {MAX_BODY_BYTES} bytes. Files are uploaded to the object store, many customers are imported.",
        headers={"connection": "close"},
    )
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > MAX_BODY_BYTES:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def _answer(result: ExecutionResult, accept: str) -> tuple[HTTPStatus, str, dict[str, Any]]:
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
    refused = isinstance(result, PreExecutionError) or (result.data is None and bool(result.errors) and not _executed(result))
    if not refused:
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    if _GRAPHQL_JSON in accept:
        return HTTPStatus.BAD_REQUEST if refused else HTTPStatus.OK, _GRAPHQL_JSON, body
    return HTTPStatus.OK, _JSON, body


def _executed(result: ExecutionResult) -> bool:
    """Say whether execution began: its errors have a path, those of parsing and validation have none."""
    return any(error.path for error in result.errors or ())


def _needs_a_token(result: ExecutionResult) -> bool:
    """Say whether a field was refused because nobody has said who calls.

    The status stays 200, for both media types: fields were executed, and GraphQL over HTTP wants 2xx for an answer with
    data. RFC 9110 (11.6.1) lets WWW-Authenticate stand in any answer, and RFC 6750 (3) asks for it in this one.
    """
    return any((error.extensions or {}).get("code") == Unauthenticated.code for error in result.errors or ())


async def _send(send: Send, status: HTTPStatus, media_type: str, body: bytes, headers: dict[str, str]) -> None:
    raw = [(b"content-type", f"{media_type}; charset=utf-8".encode()), (b"content-length", str(len(body)).encode())]
    raw += [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status.value, "headers": raw})
    await send({"type": "http.response.body", "body": body})
