"""How the server is run: what the protocols below the application do by themselves."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import Receive, Scope, Send

from app.cli.serve import server_config
from app.sections import ServerSettings

_UPGRADE = (
    "GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-key: {key}\r\n\r\n"
)
_PING = 0x89
_CLOSE = 0x88
NOTICED_WITHIN = 40


class Watching:
    """An application that accepts sockets and waits for them to end."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.accept"})
        self.ended.set()


@asynccontextmanager
async def serving(application: Watching, config: uvicorn.Config) -> AsyncIterator[int]:
    config.lifespan = "off"
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


def test_a_socket_whose_client_is_gone_is_noticed_within_40_seconds() -> None:
    config = server_config(Watching(), ServerSettings())

    assert config.ws_ping_interval is not None
    assert config.ws_ping_timeout is not None
    assert NOTICED_WITHIN == config.ws_ping_interval + config.ws_ping_timeout


async def test_a_client_that_answers_no_ping_is_taken_for_gone() -> None:
    """
    The network in between says nothing: the connection stands, as it does when a laptop was shut.
    """
    watching = Watching()
    config = server_config(watching, ServerSettings(port="127.0.0.1:0"))
    config.ws_ping_interval = config.ws_ping_timeout = 0.05
    async with serving(watching, config) as port, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_UPGRADE.format(key=base64.b64encode(os.urandom(16)).decode()).encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")

        ping = await reader.readexactly(2)
        await reader.readexactly(ping[1])
        closed = await reader.readexactly(2)
        await watching.ended.wait()
        writer.close()

    assert (_PING, _CLOSE) == (ping[0], closed[0])
