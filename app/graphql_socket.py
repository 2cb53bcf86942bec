"""GraphQL over WebSocket: the ``graphql-transport-ws`` protocol, with the caller's token in ``connection_init``."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
import structlog
from strawberry.exceptions import ConnectionRejectionError
from strawberry.fastapi import GraphQLRouter
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler

from app.bearer import BearerReader
from app.graphql import Schema
from app.graphql_http import request_id_of
from core.errors import Unauthenticated
from schema.context import Context
from services.registry import Services

log = structlog.get_logger("socket")

INIT_TIMEOUT = timedelta(seconds=5)
MAX_OPERATIONS = 20

_NEEDS_ID = frozenset({"subscribe", "complete"})
_MISSING = 'Send {"authorization": "Bearer …"} as the payload of connection_init.'


class StrictHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """The protocol's handler, which looks at the shape of a message before it looks inside."""

    async def handle_message(self, message: Any) -> None:
        """Close the socket with 4400 for anything that is not a message of the protocol."""
        if _well_formed(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("This is not a message of graphql-transport-ws")


class GraphQLSocket(GraphQLRouter[Context, None]):
    """The WebSocket half of /graphql."""

    graphql_transport_ws_handler_class = StrictHandler

    def __init__(self, schema: Schema, services: Services, bearer: BearerReader, *, allowed_origins: Sequence[str]) -> None:
        self._bearer = bearer

        async def context() -> Context:
            return Context(services, request_id=request_id_of(None))

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

    async def on_ws_connect(self, context: Context) -> dict[str, object] | None:
        """Verify the token that came with ``connection_init``.

        Raises:
            ConnectionRejectionError: which closes the socket with 4403.
        """
        params = context.connection_params
        given = params.get("authorization", params.get("Authorization")) if isinstance(params, dict) else None
        try:
            credential = await self._bearer.credential(given if isinstance(given, str) else None)
        except Unauthenticated as error:
            raise ConnectionRejectionError({"message": str(error)}) from error
        if credential is None:
            raise ConnectionRejectionError({"message": _MISSING})
        context.principal = credential.principal
        return None


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
