"""GraphQL over WebSocket: the ``graphql-transport-ws`` protocol, with the caller's token in ``connection_init``."""

import logging
from collections.abc import Sequence

from strawberry.fastapi import GraphQLRouter
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from app.bearer import BearerReader
from app.graphql.documents import Documents
from app.graphql.execution import Schema
from app.graphql.open_streams import UNKNOWN_PER_NETWORK, OpenStreams, caller_key
from app.graphql.socket_frames import CLIENTS_MISTAKE
from app.graphql.socket_guard import SocketGuard
from app.graphql.socket_handler import (
    INIT_TIMEOUT,
    MAX_OPERATIONS,
    GuardedHandler,
    QuietWebSocket,
    SocketContext,
    checked_until,
)
from core.errors import Unauthenticated
from core.request_id import request_id_of
from loaders.registry import Lanes
from services.registry import Services

_MISSING = 'Send {"authorization": "Bearer …"} as the payload of connection_init.'


class GraphQLSocket(GraphQLRouter[SocketContext, None]):
    """The WebSocket half of /graphql. A browser's page on another origin than ours or *allowed_origins* gets 403.

    *open_streams* counts what callers have open, event streams included.
    """

    graphql_transport_ws_handler_class = GuardedHandler
    websocket_adapter_class = QuietWebSocket

    def __init__(
        self,
        schema: Schema,
        services: Services,
        bearer: BearerReader,
        documents: Documents,
        *,
        guard: SocketGuard,
        open_streams: OpenStreams,
        allowed_origins: Sequence[str],
    ) -> None:
        self.guard = guard
        self.documents = documents
        self.strangers = OpenStreams(UNKNOWN_PER_NETWORK)
        self._bearer = bearer
        self._open_streams = open_streams
        logging.getLogger("uvicorn.error").addFilter(CLIENTS_MISTAKE)

        lanes = Lanes()

        async def context() -> SocketContext:
            return SocketContext(services, request_id=request_id_of(None), lanes=lanes)

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

    async def on_ws_connect(self, context: SocketContext) -> dict[str, object] | None:
        """Verify the token that came with ``connection_init``.

        Raises:
            Unauthenticated: it does not hold, or will not for a second longer.
            Unavailable: it could not be checked, or not in time.
            TooManyStreams: its caller has as many connections open as it may.
        """
        async with checked_until(context.deadline):
            credential = await self._bearer.credential(_authorization(context.connection_params))
            if credential is None:
                raise Unauthenticated(_MISSING)
            await self.guard.require(credential)
        context.counted.close()
        context.counted.enter_context(self._open_streams.open(caller_key(credential.principal)))
        context.credential = credential
        context.principal = credential.principal
        return None


def _authorization(params: object) -> str | None:
    """Return the one text called authorization, in small letters or large; None when there is none, or more than one."""
    given = [value for name, value in params.items() if name.lower() == "authorization"] if isinstance(params, dict) else []
    return given[0] if len(given) == 1 and isinstance(given[0], str) else None
