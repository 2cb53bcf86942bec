"""Slow clients, over real connections: bodies that do not come, and answers that nobody takes."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from app import http_patience
from app.http_patience import Patience

HEAD = b"POST /echo HTTP/1.1\r\nhost: x\r\n"
LONG = 64 << 20


class Service:
    """Answers, and remembers what became of the answers."""

    def __init__(self) -> None:
        self.broken = asyncio.Event()

    async def echo(self, request: Request) -> Response:
        try:
            return Response(b"got " + await request.body())
        except ClientDisconnect:
            self.broken.set()
            raise

    async def endless(self, _: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                for _ in range(LONG >> 16):
                    yield b"x" * 65_536
            finally:
                self.broken.set()

        return StreamingResponse(pieces())


@asynccontextmanager
async def serving(service: Service, *, read: float = 30, write: float = 30) -> AsyncIterator[int]:
    application = Starlette(routes=[Route("/echo", service.echo, methods=["POST"]), Route("/endless", service.endless)])
    patience = Patience(read=read, write=write)
    config = uvicorn.Config(application, port=0, http=patience, log_config=None, lifespan="off")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def test_a_body_that_does_not_come_is_given_up() -> None:
    async with serving(Service(), read=0.2 - http_patience.LAST_WORD) as port, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"content-length: 10\r\n\r\nabc")

        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_body_that_comes_in_time_is_taken_and_the_next_one_has_its_own_time() -> None:
    async with serving(Service(), read=1.0 - http_patience.LAST_WORD) as port, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(HEAD + b"content-length: 6\r\n\r\nabc")
            await asyncio.sleep(0.4)
            writer.write(b"def")
            answer = await reader.readuntil(b"got abcdef")
            assert answer.startswith(b"HTTP/1.1 200 ")
        await asyncio.sleep(1.1)
        writer.write(HEAD + b"content-length: 1\r\n\r\n1")
        assert b"got 1" in await reader.readuntil(b"got 1")
        writer.close()


def connect(port: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
    return client


async def test_an_answer_that_nobody_takes_is_given_up() -> None:
    service = Service()
    async with serving(service, write=0.2) as port, asyncio.timeout(20):
        client = connect(port)
        await service.broken.wait()
        client.close()


async def test_a_client_that_takes_its_answer_slowly_gets_it() -> None:
    """
    What counts is how long it takes nothing, not how long it takes.
    """
    service = Service()
    async with serving(service, write=2) as port, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
        writer.write(b"GET /endless HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        received = 0
        while piece := await reader.read(4 << 20):
            received += len(piece)
            if received < 8 << 20:
                await asyncio.sleep(0.05)
        assert received > LONG
        writer.close()
