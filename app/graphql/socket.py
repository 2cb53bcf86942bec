"""GraphQL over WebSocket: the ``graphql-transport-ws`` protocol, with the caller's token in ``connection_init``."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import orjson
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.fastapi import GraphQLRouter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, SubscribeMessage

from app.bearer import BearerReader
from app.graphql.execution import Schema
from app.graphql.http import request_id_of
from app.graphql.socket_guard import SocketGuard
from auth.tokens import Credential
from core.clock import Clock
from core.errors import Unauthenticated, Unavailable
from schema.context import Context
from services.registry import Services
from services.revocations import Revocations

INIT_TIMEOUT = timedelta(seconds=5)
CLOSE_PATIENCE = timedelta(seconds=5)
MAX_OPERATIONS = 20

_FORBIDDEN = 4403
_TRY_AGAIN_LATER = 1013
_LONGEST_REASON = 123

_NEEDS_ID = frozenset({"subscribe", "complete"})
_MISSING = 'Send {"authorization": "Bearer …"} as the payload of connection_init.'


class SocketContext(Context):
    """The context of a connection, which knows the token that opened it."""

    credential: Credential | None = None


class QuietWebSocket(ASGIWebSocketAdapter):
    """A connection that several tasks may send on, and close, at once. It is closed once, and a closed one is no fault."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send *message*.

        Raises:
            WebSocketDisconnected: there is nobody to send it to, whoever went first.
        """
        if not self._open:
            raise WebSocketDisconnected
        try:
            await super().send_json(message)
        except RuntimeError as error:
            # Starlette and the server say so in this way when they closed the connection themselves.
            raise WebSocketDisconnected from error

    async def close(self, code: int, reason: str) -> None:
        """Close the connection, if it is not closed; the protocol has room for 123 bytes of *reason*."""
        with suppress(WebSocketDisconnect, RuntimeError):
            if self._open:
                await super().close(code, reason.encode()[:_LONGEST_REASON].decode(errors="ignore"))

    @property
    def _open(self) -> bool:
        return self.ws.application_state is self.ws.client_state is WebSocketState.CONNECTED


class GuardedHandler(BaseGraphQLTransportWSHandler[SocketContext, None]):
    """The protocol's handler, which looks at the shape of a message before it looks inside, and ends with the token."""

    view: "GraphQLSocket"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience = asyncio.timeout(None)
        self._guarding: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()

    async def handle(self) -> None:
        """Serve the connection until either side closes it."""
        try:
            async with self._patience:
                await super().handle()
        except TimeoutError:
            if not self._patience.expired():
                raise

    async def handle_message(self, message: Any) -> None:
        """Answer one message. Closes with 4400 for what is none, 4403 for a token that does not hold, 1013 if nobody knows."""
        if not _well_formed(message):
            await self.handle_invalid_message("This is not a message of graphql-transport-ws")
            return
        try:
            await super().handle_message(message)
        except (Unauthenticated, Unavailable) as error:
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
            await self.view.guard.require(self.context.credential)
        await super().handle_subscribe(message)

    async def handle_task_exception(self, error: Exception) -> None:
        """Report a fault in an operation; that its client has gone is none."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def cleanup_operation(self, operation_id: str) -> None:
        """End an operation. Does not wait for it, but sees to it that it ends."""
        operation = self.operations.get(operation_id)
        await super().cleanup_operation(operation_id)
        if operation is not None and operation.task is not None:
            ending = asyncio.create_task(_insist(operation.task), name="socket operation's end")
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def shutdown(self) -> None:
        """End everything that runs for this connection, and wait for it."""
        try:
            if self._guarding is not None:
                self._guarding.cancel()
                await asyncio.wait([self._guarding])
        finally:
            await super().shutdown()
            if self._endings:
                await asyncio.wait(self._endings)

    async def _watch(self, credential: Credential) -> None:
        try:
            await self.view.guard.wait(credential)
        except (Unauthenticated, Unavailable) as error:
            await self._close(error)

    async def _close(self, error: Unauthenticated | Unavailable) -> None:
        code = _FORBIDDEN if isinstance(error, Unauthenticated) else _TRY_AGAIN_LATER
        try:
            async with asyncio.timeout(CLOSE_PATIENCE.total_seconds()):
                await self.websocket.close(code, str(error))
        except TimeoutError:
            # A client that reads nothing leaves no room for the closing frame either. It is not waited for.
            self._patience.reschedule(asyncio.get_running_loop().time())


class GraphQLSocket(GraphQLRouter[SocketContext, None]):
    """The WebSocket half of /graphql. A browser's page on another origin than ours or *allowed_origins* gets 403."""

    graphql_transport_ws_handler_class = GuardedHandler
    websocket_adapter_class = QuietWebSocket

    def __init__(
        self,
        schema: Schema,
        services: Services,
        bearer: BearerReader,
        *,
        revocations: Revocations,
        clock: Clock,
        allowed_origins: Sequence[str],
    ) -> None:
        self._bearer = bearer
        self.guard = SocketGuard(revocations, clock)

        async def context() -> SocketContext:
            return SocketContext(services, request_id=request_id_of(None))

        super().__init__(
            schema,
            path="/graphql",
            graphql_ide=None,
            allow_queries_via_get=False,
            context_getter=context,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=INIT_TIMEOUT,
            max_subscriptions_per_connection=MAX_OPERATIONS,
            allowed_origins=allowed_origins,
            include_in_schema=False,
        )
        # POST belongs to the endpoint next door.
        self.routes[:] = [route for route in self.routes if not hasattr(route, "methods")]

    def decode_json(self, data: str | bytes) -> object:
        """Read one message. Deep nesting is an error as any other here; the standard library would end the connection."""
        return orjson.loads(data)

    async def on_ws_connect(self, context: SocketContext) -> dict[str, object] | None:
        """Verify the token that came with ``connection_init``.

        Raises:
            Unauthenticated: it does not hold, or will not for a second longer.
            Unavailable: it could not be checked.
        """
        credential = await self._bearer.credential(_authorization(context.connection_params))
        if credential is None:
            raise Unauthenticated(_MISSING)
        await self.guard.require(credential)
        context.credential = credential
        context.principal = credential.principal
        return None


async def _insist(task: asyncio.Task[None]) -> None:
    """Cancel *task* again every second until it has ended.

    Once is not always enough: `asyncio.wait_for` of Python 3.11 loses a cancellation that comes together with its result.
    """
    while not task.done():
        await asyncio.wait([task], timeout=1)
        task.cancel()


def _authorization(params: object) -> str | None:
    """Return the one text called authorization, in small letters or large; None when there is none, or more than one."""
    given = [value for name, value in params.items() if name.lower() == "authorization"] if isinstance(params, dict) else []
    return given[0] if len(given) == 1 and isinstance(given[0], str) else None


def _well_formed(message: object) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] in _NEEDS_ID and not isinstance(message.get("id"), str):
        return False
    if message["type"] != "subscribe":
        return True
    payload = message.get("payload")
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
