"""How the command line speaks GraphQL: operations over HTTP, subscriptions over ``graphql-transport-ws``."""

import asyncio
import ipaddress
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

PATIENCE_SECONDS = 60.0
"""How long a subscription tries to get back to a server that is gone."""

_LONGEST_PAUSE = 5.0
_PROTOCOL = Subprotocol("graphql-transport-ws")
_REFUSING = range(4400, 4500)
_SOME_OPERATION = "1"


class GraphQLFailed(Exception):
    """An operation gave no data. The message says why, in sentences."""


class NotReachable(GraphQLFailed):
    """Nobody answers at the address."""


class NotAccepted(GraphQLFailed):
    """The server does not accept the token, or the token does not allow this."""


class Dropped(Exception):
    """The socket broke; a new one may do."""


class GraphQLClient:
    """Speaks to one service as one caller. Made by `open_client`."""

    def __init__(self, url: str, token: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self._token = token
        self._http = http

    async def execute(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Run a query or a mutation and return its data.

        Raises:
            NotReachable: nobody answered; whether a mutation was carried out is unknown.
            NotAccepted: the token does not hold, or not for this.
            GraphQLFailed: every other error.
        """
        try:
            response = await self._http.post(
                self.url, json={"query": document, "variables": variables}, headers={"authorization": f"Bearer {self._token}"}
            )
        except httpx.TransportError as error:
            raise NotReachable(f"Nothing answers at {self.url} ({reason_of(error)}).") from error
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NotReachable(f"{self.url} answers with HTTP status {response.status_code}.")
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or not body.keys() & {"data", "errors"}:
            raise GraphQLFailed(f"What answers at {self.url} does not speak GraphQL (HTTP status {response.status_code}).")
        return _data(body)

    async def follow(self, document: str, variables: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """Yield the data of a subscription's events until it completes; after a lost connection, subscribe again.

        The subscription has to begin with the present state, so that nothing is missed. Close the iterator
        (``contextlib.aclosing``) when leaving it early.

        Raises:
            NotReachable: the server stayed away for a minute.
            NotAccepted: the token does not hold, or not for this.
            GraphQLFailed: every other error.
        """
        time = asyncio.get_running_loop().time
        lost_at: float | None = None
        pause = 0.1
        while True:
            try:
                async with aclosing(self._events(document, variables)) as events:
                    async for data in events:
                        lost_at, pause = None, 0.1
                        yield data
            except Dropped as error:
                lost_at = time() if lost_at is None else lost_at
                if time() - lost_at > PATIENCE_SECONDS:
                    raise NotReachable(f"The connection to {self.url} was lost and does not come back ({error}).") from error
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, 2 * pause)
            else:
                return

    async def _events(self, document: str, variables: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """Yield the data of one subscription over one connection.

        Raises:
            Dropped: the connection broke before the subscription was complete.
        """
        try:
            async with connect(
                _socket_url(self.url),
                subprotocols=[_PROTOCOL],
                open_timeout=10,
                max_size=1 << 20,
                proxy=None if is_local(self.url) else True,
            ) as socket:
                await self._begin(socket, document, variables)
                while (message := await _receive(socket))["type"] != "complete":
                    if message["type"] == "next":
                        yield _data(message["payload"])
                    elif message["type"] == "error":
                        raise _failure(message["payload"])
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code in _REFUSING:
                raise NotAccepted(f"The server closed the connection: {closed.rcvd.reason} ({closed.rcvd.code}).") from closed
            raise Dropped(reason_of(closed)) from closed
        except InvalidStatus as refusal:
            if refusal.response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                message_ = f"{self.url} takes no subscriptions (HTTP status {refusal.response.status_code})."
                raise GraphQLFailed(message_) from refusal
            raise Dropped(reason_of(refusal)) from refusal
        except (OSError, InvalidHandshake, WebSocketException) as error:
            raise Dropped(reason_of(error)) from error

    async def _begin(self, socket: ClientConnection, document: str, variables: Mapping[str, Any]) -> None:
        await _send(socket, {"type": "connection_init", "payload": {"authorization": f"Bearer {self._token}"}})
        while (await _receive(socket))["type"] != "connection_ack":
            pass
        payload = {"query": document, "variables": variables}
        await _send(socket, {"type": "subscribe", "id": _SOME_OPERATION, "payload": payload})


@asynccontextmanager
async def open_client(url: str, token: str) -> AsyncIterator[GraphQLClient]:
    """Return a client; *url* is that of the GraphQL endpoint. Nothing is sent before it is used."""
    async with open_http() as http:
        yield GraphQLClient(url, token, http)


@asynccontextmanager
async def open_http() -> AsyncIterator[httpx.AsyncClient]:
    """Return an HTTP client that follows the environment's proxies, except to this machine itself."""
    direct = {f"all://{host}": None for host in ("localhost", "127.0.0.1", "[::1]")}
    async with httpx.AsyncClient(timeout=httpx.Timeout(30, connect=5), mounts=direct) as http:
        yield http


def is_local(url: str) -> bool:
    """Say whether *url* leads to this very machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _socket_url(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="wss" if parts.scheme == "https" else "ws"))


async def _send(socket: ClientConnection, message: Mapping[str, Any]) -> None:
    await socket.send(orjson.dumps(message).decode())


async def _receive(socket: ClientConnection) -> dict[str, Any]:
    """Return the next message of the protocol, having answered pings on the way."""
    while True:
        try:
            message = orjson.loads(await socket.recv())
        except orjson.JSONDecodeError as error:
            raise GraphQLFailed("The server sent something that is not graphql-transport-ws.") from error
        if not isinstance(message, dict) or "type" not in message:
            raise GraphQLFailed("The server sent something that is not graphql-transport-ws.")
        if message["type"] == "ping":
            await _send(socket, {"type": "pong"})
        elif message["type"] != "pong":
            return message


def _data(body: Mapping[str, Any]) -> dict[str, Any]:
    if errors := body.get("errors"):
        raise _failure(errors)
    data: dict[str, Any] = body["data"]
    return data


def _failure(errors: Any) -> GraphQLFailed:
    sentences = []
    kind = GraphQLFailed
    for error in errors:
        extensions = error.get("extensions") or {}
        if extensions.get("code") in {"UNAUTHENTICATED", "FORBIDDEN"}:
            kind = NotAccepted
        reference = f" (requestId {extensions['requestId']})" if extensions.get("code") == "INTERNAL" else ""
        sentences.append(f"{error.get('message')}{reference}")
    return kind(" ".join(sentences))


def reason_of(error: Exception) -> str:
    """Return what an error says, or its name when it says nothing."""
    return str(error) or type(error).__name__
