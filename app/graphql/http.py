"""GraphQL over HTTP: /graphql, from bytes to bytes.

A thin ASGI endpoint of its own: whatever bytes arrive, the answer is a GraphQL response, never a traceback.
"""

import secrets
from collections.abc import Sequence
from contextlib import aclosing, nullcontext
from http import HTTPStatus

import structlog
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from app.bearer import BearerReader
from app.graphql.documents import Documents
from app.graphql.event_stream import EventStreams, Results
from app.graphql.execution import Schema
from app.graphql.head import ReadRequest
from app.graphql.open_streams import OpenStreams, caller_key
from app.graphql.request import GraphQLRequest, read_request, request_in_address
from app.graphql.response import (
    EVENT_STREAM,
    JSON,
    RETRY_SECONDS,
    Answer,
    Refusal,
    accepts_events,
    answer_to,
    answer_to_refused,
    preferred,
    refused,
)
from app.graphql.socket_guard import SocketGuard
from auth.tokens import Credential
from core.device import Device, device_of
from core.errors import BadInput, RateLimited, ServiceError, Unauthenticated, Unavailable
from core.request_facts import note
from core.request_id import request_id_of
from loaders.registry import Lanes
from rest.http_bearer import UnusableCredentials, authorization_of, challenge
from schema.context import Context
from services.registry import Services

log = structlog.get_logger("graphql")

_ALLOWED = {"GET": (OperationType.QUERY,), "POST": (OperationType.QUERY, OperationType.MUTATION)}
_SENT_HEADERS = ("authorization", "x-request-id")
_SEEN_HEADERS = ("x-request-id", "retry-after", "www-authenticate")
_PREFLIGHT_SECONDS = 600
_FAULT = "Something went wrong on our side. It has been recorded; mention the errorId when you report it."
_NO_SUBSCRIPTION = (
    "Subscriptions need a stream: accept text/event-stream, or open a WebSocket with the graphql-transport-ws protocol."
)
_ONLY_POST = "Send operations by POST. Queries may come by GET with a token in the Authorization header, as some clients do it."
_NO_OPERATION = "The document has no operation with this name. Say which one to run with operationName."


def open_to_pages(endpoint: ASGIApp, allowed_origins: Sequence[str]) -> ASGIApp:
    """Return *endpoint* with answers that pages from *allowed_origins* may read; pages from elsewhere get none (CORS)."""
    return CORSMiddleware(
        endpoint,
        allow_origins=allowed_origins,
        allow_methods=tuple(_ALLOWED),
        allow_headers=_SENT_HEADERS,
        expose_headers=_SEEN_HEADERS,
        max_age=_PREFLIGHT_SECONDS,
    )


def open_to_browsers(endpoint: "GraphQLEndpoint", allowed_origins: Sequence[str]) -> ASGIApp:
    """Return the endpoint of GraphQL as pages from *allowed_origins* may use it, beside everybody who is no page.

    No cookie is ever read there and nothing but ``application/json``, or a GET with an Authorization header, so that browsers
    ask before each first request: what they are not allowed to send, they do not send.
    """
    pages = open_to_pages(endpoint, allowed_origins)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        for name, _ in scope["headers"]:
            if name == b"origin":
                await pages(scope, receive, send)
                return
        # No page asks. All that would be done is to say that the answer could be another one if a page did.
        await endpoint.answer(scope, receive, send, vary="Accept, Origin")

    return answer


class GraphQLEndpoint:
    """The ASGI application behind /graphql: POST, and queries by GET of callers with a token. Others are told so."""

    def __init__(
        self,
        schema: Schema,
        services: Services,
        bearer: BearerReader,
        documents: Documents,
        *,
        guard: SocketGuard,
        streams: EventStreams,
        open_streams: OpenStreams,
        read_timeout: float,
    ) -> None:
        self._schema = schema
        self._services = services
        self._bearer = bearer
        self._documents = documents
        self._guard = guard
        self._streams = streams
        self._open_streams = open_streams
        self._lanes = Lanes()
        self._read_timeout = read_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.answer(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send, *, vary: str = "Accept") -> None:
        """Answer one request, and say on which of its headers the answer depends."""
        request = ReadRequest(scope, receive)
        request_id = request_id_of(request.headers.get("x-request-id"))
        wire = _Wire(request, send, request_id, vary)
        note(request_id=request_id)
        try:
            await self._answer(request, wire)
        except ClientDisconnect:
            # Gone before the request was complete: nobody is left to answer.
            return
        except Refusal as refusal:
            note(code=refusal.code)
            log.info("refused", code=refusal.code, status=refusal.status.value, requestId=request_id)
            await wire.answer(answer_to_refused(refusal, wire.media_type, request_id))
        except Exception:
            # Nothing is known to lead here. Whatever does is ours, so it is logged, once, and not shown.
            note(code="INTERNAL")
            extensions = {"requestId": request_id, "errorId": secrets.token_hex(8)}
            log.exception("internal error", **extensions)
            if not wire.begun:
                error = {"message": _FAULT, "extensions": {"code": "INTERNAL", **extensions}}
                await wire.answer(Answer(HTTPStatus.INTERNAL_SERVER_ERROR, JSON, {"errors": [error]}))

    async def _answer(self, request: Request, wire: "_Wire") -> None:
        # Without a token a GET could be a link on anybody's page; and who has none has nothing to ask.
        by_address = request.method == "GET" and "authorization" in request.headers
        if request.method != "POST" and not by_address:
            raise _not_by(_ONLY_POST)
        accept = ", ".join(request.headers.getlist("accept"))
        wire.media_type = preferred(accept)
        credential = await self._credential(request)
        asked = request_in_address(request) if by_address else await read_request(request, seconds=self._read_timeout)
        if asked is None or (by_address and credential is None):
            raise _not_by(_ONLY_POST)
        principal = None if credential is None else credential.principal
        note(seller=None if principal is None else principal.seller_id)
        context = Context(
            self._services,
            request_id=wire.request_id,
            principal=principal,
            device=_device(request),
            lanes=self._lanes,
            of_one=True,
        )
        document = self._document(asked, wire.request_id)
        if by_address:
            await self._answer_address(asked, document, context, wire)
            return
        if wire.media_type == EVENT_STREAM:
            await self._stream(self._results(asked, document, context), credential, wire)
            return
        try:
            result = await self._result(asked, document, context, _ALLOWED["POST"])
        except InvalidOperationTypeError:
            if not accepts_events(accept):
                raise Refusal(HTTPStatus.BAD_REQUEST, _NO_SUBSCRIPTION) from None
            await self._stream(self._results(asked, document, context), credential, wire)
            return
        await wire.answer(answer_to(result, wire.media_type, anonymous=principal is None))

    async def _answer_address(
        self, asked: GraphQLRequest, document: str | PreExecutionError, context: Context, wire: "_Wire"
    ) -> None:
        """Answer a GET: queries only, which whoever repeats or prefetches them may repeat."""
        if wire.media_type == EVENT_STREAM:
            raise _not_by("Event streams are asked for by POST.")
        try:
            result = await self._result(asked, document, context, _ALLOWED["GET"])
        except InvalidOperationTypeError:
            raise _not_by("Mutations and subscriptions are not for GET. Send them by POST.") from None
        await wire.answer(answer_to(result, wire.media_type, anonymous=False))

    async def _credential(self, request: Request) -> Credential | None:
        try:
            return await self._bearer.credential(authorization_of(request))
        except UnusableCredentials as error:
            headers = challenge("invalid_request", str(error))
            raise Refusal(HTTPStatus.BAD_REQUEST, str(error), headers=headers) from error
        except (Unauthenticated, Unavailable) as error:
            raise _not_let_in(error) from error

    def _document(self, asked: GraphQLRequest, request_id: str) -> str | PreExecutionError:
        try:
            return self._documents.text(asked.query, document_id=asked.document_id, extensions=asked.extensions)
        except BadInput as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from error
        except ServiceError as error:
            return refused(error, request_id)

    async def _result(
        self,
        asked: GraphQLRequest,
        document: str | PreExecutionError,
        context: Context,
        allowed: tuple[OperationType, ...],
    ) -> ExecutionResult:
        if isinstance(document, PreExecutionError):
            return document
        try:
            return await self._schema.execute(
                document,
                variable_values=asked.variables,
                context_value=context,
                operation_name=asked.operation_name,
                allowed_operation_types=allowed,
            )
        except CannotGetOperationTypeError:
            return refused(BadInput(_NO_OPERATION), context.request_id)

    async def _results(self, asked: GraphQLRequest, document: str | PreExecutionError, context: Context) -> Results:
        if isinstance(document, PreExecutionError):
            yield document
            return
        results = await self._schema.stream(
            document, variable_values=asked.variables, context_value=context, operation_name=asked.operation_name
        )
        async with aclosing(results):
            async for result in results:
                yield result  # type: ignore[misc]  # the other kinds are those of @defer and @stream, which are off

    async def _stream(self, results: Results, credential: Credential | None, wire: "_Wire") -> None:
        try:
            if credential is not None:
                # Without the seconds of leeway that single requests have: a stream would begin with its end.
                await self._guard.require(credential)
            with self._open_streams.open(caller_key(credential.principal)) if credential is not None else nullcontext():
                await self._streams.serve(results, credential, wire.request_id, wire.receive, wire.send)
        except (Unauthenticated, Unavailable) as error:
            raise _not_let_in(error) from error
        except RateLimited as error:
            headers = {"retry-after": str(error.retry_after)}
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, str(error), code=error.code, headers=headers) from error


class _Wire:
    """One HTTP answer: it has a media type from the moment that is agreed upon, and a few headers in any case."""

    def __init__(self, request: Request, send: Send, request_id: str, vary: str) -> None:
        self.request_id = request_id
        self.media_type = JSON
        self.begun = False
        self.receive = request.receive
        self._bodiless = request.method == "HEAD"
        self._send = send
        # What is answered is personal data: nobody on the way keeps it.
        self._common = [(b"x-request-id", request_id.encode()), (b"cache-control", b"no-store"), (b"vary", vary.encode())]

    async def answer(self, answer: Answer) -> None:
        """Send *answer* as a whole."""
        body = answer.encoded()
        raw = [
            (b"content-type", b"%s; charset=utf-8" % answer.media_type.encode()),
            (b"content-length", b"%d" % len(body)),
            *((name.encode(), value.encode()) for name, value in answer.headers.items()),
        ]
        await self.send({"type": "http.response.start", "status": answer.status.value, "headers": raw})
        await self.send({"type": "http.response.body", "body": b"" if self._bodiless else body})

    async def send(self, message: Message) -> None:
        """Send *message*, with the headers of every answer when it is the first one."""
        if not self.begun:
            self.begun = True
            message["headers"] += self._common
        await self._send(message)


def _device(request: Request) -> Device:
    return device_of(None if request.client is None else request.client.host, request.headers.get("user-agent"))


def _not_by(message: str) -> Refusal:
    return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, message, headers={"allow": "POST"})


def _not_let_in(error: Unauthenticated | Unavailable) -> Refusal:
    if isinstance(error, Unauthenticated):
        headers = challenge("invalid_token", str(error))
        return Refusal(HTTPStatus.UNAUTHORIZED, str(error), code=error.code, headers=headers)
    headers = {"retry-after": str(RETRY_SECONDS)}
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error), code=error.code, headers=headers)
