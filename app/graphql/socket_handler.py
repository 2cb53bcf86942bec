"""One connection of ``graphql-transport-ws``: it ends with the token that opened it, and leaves nothing behind."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Protocol

import orjson
import structlog
from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import NonTextMessageReceived, WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, SubscribeMessage

from app.graphql.documents import Documents
from app.graphql.errors import published
from app.graphql.open_streams import OpenStreams, TooManyStreams, network_key
from app.graphql.shared_events import written
from app.graphql.socket_frames import NotAMessage, message_in
from app.graphql.socket_guard import SocketGuard
from auth.tokens import Credential
from core.device import device_of
from core.ending import end
from core.errors import RateLimited, ServiceError, Unauthenticated, Unavailable
from schema.context import Context

INIT_TIMEOUT = timedelta(seconds=5)
"""From the opening of a connection to the end of the caller's authentication."""
CLOSE_PATIENCE = timedelta(seconds=5)
MAX_OPERATIONS = 20

_BAD_MESSAGE = 4400
_FORBIDDEN = 4403
_TRY_AGAIN_LATER = 1013
_LONGEST_REASON = 123
_RETRY_AFTER = 1

log = structlog.get_logger("graphql")


class TooManyOperations(RateLimited):
    """As many operations as a connection may have run already."""

    def __init__(self) -> None:
        super().__init__(_RETRY_AFTER)

    def __str__(self) -> str:
        """Say what to do."""
        return f"{MAX_OPERATIONS} operations run on this connection already, the most there may be. Complete one first."


class SocketContext(Context):
    """The context of a connection, which knows the token that opened it."""

    credential: Credential | None = None
    deadline: float = 0
    """By the loop's clock: until when the caller has to be known."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.counted = ExitStack()
        """What the connection is counted under; closed with it."""


class QuietWebSocket(ASGIWebSocketAdapter):
    """A connection that several tasks may send on, and close, at once. It is closed once, and a closed one is no fault."""

    deaf = False
    """Whether it was given up because its client did not even take the closing frame."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:  # noqa: ARG002
        """Yield every message.

        Raises:
            NonTextMessageReceived: for a binary frame.
            NotAMessage: for a text that is none.
        """
        with suppress(WebSocketDisconnect):
            while self.ws.application_state != WebSocketState.DISCONNECTED:
                frame = await self.ws.receive()
                if frame["type"] == "websocket.disconnect":
                    return
                text = frame.get("text")
                if text is None:
                    raise NonTextMessageReceived
                yield message_in(text)

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send *message*.

        Raises:
            WebSocketDisconnected: there is nobody to send it to, whoever went first.
        """
        if not self._open:
            raise WebSocketDisconnected
        payload = message.get("payload")
        if isinstance(payload, dict):
            message = {**message, "payload": written(payload)}
        try:
            await self.ws.send({"type": "websocket.send", "text": orjson.dumps(message).decode()})
        except (WebSocketDisconnect, RuntimeError) as error:
            # Starlette and the server say so in this way when they closed the connection themselves.
            raise WebSocketDisconnected from error

    async def close(self, code: int, reason: str) -> None:
        """Close the connection, if it is not closed; the protocol has room for 123 bytes of *reason*.

        A client that reads nothing leaves no room for the closing frame either. It is not waited for.
        """
        if not self._open:
            return
        # Without the reason, which may repeat what the client has sent.
        log.info("socket closed", code=code)
        try:
            async with asyncio.timeout(CLOSE_PATIENCE.total_seconds()):
                with suppress(WebSocketDisconnect, RuntimeError):
                    await super().close(code, reason.encode()[:_LONGEST_REASON].decode(errors="ignore"))
        except TimeoutError:
            self.deaf = True

    @property
    def _open(self) -> bool:
        return self.ws.application_state is self.ws.client_state is WebSocketState.CONNECTED


class SocketView(Protocol):
    """What a connection asks of the endpoint it belongs to."""

    guard: SocketGuard
    documents: Documents
    strangers: OpenStreams

    async def on_ws_connect(self, context: SocketContext) -> dict[str, object] | None:
        """Let a caller in, or raise."""


class GuardedHandler(BaseGraphQLTransportWSHandler[SocketContext, None]):
    """The protocol's handler, which counts what is open, and ends with the token."""

    view: SocketView  # type: ignore[assignment]  # Strawberry asks less of it
    websocket: QuietWebSocket

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience = asyncio.timeout(None)
        self._guarding: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()

    async def handle(self) -> None:
        """Serve the connection until either side closes it."""
        self.context.deadline = self._soon()
        caller = self.websocket.ws
        self.context.device = device_of(caller.client.host if caller.client else None, caller.headers.get("user-agent"))
        with self.context.counted as counted:
            try:
                async with self._patience:
                    counted.enter_context(self.view.strangers.open(network_key(self.context.device)))
                    await super().handle()
            except NotAMessage as error:
                await self.websocket.close(_BAD_MESSAGE, str(error))
            except TooManyStreams as error:
                await self.websocket.close(_TRY_AGAIN_LATER, str(error))
            except TimeoutError:
                if not self._patience.expired():
                    raise

    async def handle_message(self, message: Any) -> None:
        """Answer one message. Closes with 4403 for a token that does not hold, 1013 if nobody knows or too many are here."""
        try:
            await super().handle_message(message)
        except (Unauthenticated, Unavailable, TooManyStreams) as error:
            await self._close(error)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Let the caller in, and from then on watch its token."""
        await super().handle_connection_init(message)
        credential = self.context.credential
        if credential is not None and self.connection_acknowledged and self._guarding is None:
            self._guarding = asyncio.create_task(self._watch(credential), name="socket guard")

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Start an operation, if the token still holds: closing the socket takes a moment."""
        if self.context.credential is not None:
            async with checked_until(self._soon()):
                await self.view.guard.require(self.context.credential)
        if self.connection_acknowledged and message["id"] not in self.operations:
            # Those that are ending count too; a client that starts and completes all the time waits for them.
            while len(self._endings) >= MAX_OPERATIONS:
                await asyncio.wait(self._endings, return_when=asyncio.FIRST_COMPLETED)
            try:
                message = self._with_its_document(message)
            except ServiceError as error:
                await self._refuse(message["id"], error)
                return
        await super().handle_subscribe(message)

    async def handle_task_exception(self, error: Exception) -> None:
        """Report a fault in an operation; that its client has gone is none."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def cleanup_operation(self, operation_id: str) -> None:
        """End an operation. Does not wait for it, but sees to it that it ends, and says no more."""
        operation = self.operations.get(operation_id)
        await super().cleanup_operation(operation_id)
        if operation is not None and operation.task is not None:
            # It may not notice at once, and its id may be another one's by then.
            operation.completed = True
            ending = asyncio.create_task(end([operation.task]), name="socket operation's end")
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def shutdown(self) -> None:
        """End everything that runs for this connection, and wait for it."""
        try:
            if self._guarding is not None:
                await end([self._guarding])
        finally:
            await super().shutdown()
            if self._endings:
                await asyncio.wait(self._endings)

    def _with_its_document(self, message: SubscribeMessage) -> SubscribeMessage:
        if len(self.operations) >= MAX_OPERATIONS:
            raise TooManyOperations
        payload: dict[str, Any] = dict(message["payload"])
        text = self.view.documents.text(
            payload.get("query"), document_id=payload.get("documentId"), extensions=payload.get("extensions")
        )
        return {"id": message["id"], "type": "subscribe", "payload": {**payload, "query": text}}  # type: ignore[typeddict-item]

    async def _refuse(self, operation_id: str, error: ServiceError) -> None:
        """Answer an operation that is not started, in the words of those that are."""
        (shown,) = published([GraphQLError(str(error), original_error=error)], self.context.request_id)
        await self.send_message({"id": operation_id, "type": "error", "payload": [shown.formatted]})

    async def _watch(self, credential: Credential) -> None:
        try:
            await self.view.guard.wait(credential)
        except (Unauthenticated, Unavailable) as error:
            await self._close(error)

    async def _close(self, error: Unauthenticated | Unavailable | TooManyStreams) -> None:
        code = _FORBIDDEN if isinstance(error, Unauthenticated) else _TRY_AGAIN_LATER
        await self.websocket.close(code, str(error))
        if self.websocket.deaf:
            # It sends nothing either that would end the wait for its next message.
            self._patience.reschedule(asyncio.get_running_loop().time())

    def _soon(self) -> float:
        return asyncio.get_running_loop().time() + self.connection_init_wait_timeout.total_seconds()


@asynccontextmanager
async def checked_until(deadline: float) -> AsyncIterator[None]:
    """Give up a check of a token at *deadline*, by the loop's clock: whoever answers may hang, the socket may not.

    Raises:
        Unavailable: it took too long.
    """
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        raise Unavailable("Your token could not be checked in time. Try again.") from None
