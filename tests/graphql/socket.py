"""A WebSocket to the API that lets a test send whatever it likes, and see what comes back."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.api import Json

PATIENCE = 20


class Socket:
    """One connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: Any) -> None:
        """Send a message: text and bytes as they are, anything else as JSON."""
        await self._connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self) -> Json:
        """Return the next message."""
        async with asyncio.timeout(PATIENCE):
            message: Json = json.loads(await self._connection.recv())
            return message

    async def init(self, token: str | None) -> None:
        """Say who calls, and wait to be let in."""
        await self.send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"} if token else {}})
        assert "connection_ack" == (await self.receive())["type"]

    async def subscribe(self, query: str, variables: Json | None = None, id_: str = "1") -> None:
        """Start an operation."""
        await self.send({"type": "subscribe", "id": id_, "payload": {"query": query, "variables": variables}})

    async def until_complete(self) -> list[Json]:
        """Return the payloads of all events up to the end of the one operation."""
        payloads: list[Json] = []
        while (message := await self.receive())["type"] == "next":
            payloads.append(message["payload"])
        assert "complete" == message["type"], message
        return payloads

    async def is_closed(self) -> bool:
        """Wait for the next message; say whether the server closes the connection instead of sending one."""
        try:
            await self.receive()
        except ConnectionClosed:
            return True
        return False

    async def send_raw(self, frame: bytes) -> None:
        """Send bytes as they are, whatever a WebSocket makes of them."""
        self._connection.transport.write(frame)

    def hang_up(self) -> None:
        """Drop the connection without a word."""
        self._connection.transport.abort()

    async def closed(self) -> tuple[int, str]:
        """Wait until the server closes the connection; return its code and reason."""
        async with asyncio.timeout(PATIENCE):
            # Messages that were under way still come; then the iteration ends, whatever the code.
            with suppress(ConnectionClosed):
                async for _ in self._connection:
                    pass
        assert self._connection.close_code is not None
        return self._connection.close_code, self._connection.close_reason or ""


@asynccontextmanager
async def open_socket(
    url: str, subprotocol: str | None = "graphql-transport-ws", *, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Socket]:
    """Connect to the GraphQL endpoint at *url*, with an Origin or other *headers* if need be."""
    offered = None if subprotocol is None else [Subprotocol(subprotocol)]
    address = url.replace("http", "ws", 1)
    async with connect(address, subprotocols=offered, additional_headers=headers, proxy=None) as connection:
        yield Socket(connection)
