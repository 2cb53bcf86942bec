"""The head of a request, over a real connection: how large, how slow, and which wishes in it are passed over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import http_heads
from app.http_heads import MAX_HEAD_BYTES, BoundedHeads

BEGIN = b"POST /echo HTTP/1.1\r\nhost: x\r\n"


async def echo(request: Request) -> Response:
    return Response(b"%d:%s" % (len(request.headers), await request.body()))


@pytest_asyncio.fixture(name="port")
async def _port() -> AsyncIterator[int]:
    application = Starlette(routes=[Route("/echo", echo, methods=["POST"])])
    config = uvicorn.Config(application, port=0, http=BoundedHeads, log_config=None, timeout_keep_alive=1, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def said(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send *pieces* and return everything that is answered until the connection is closed, in whatever way."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = bytearray()

    async def listen() -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(65_536):
                answered.extend(piece)

    async with asyncio.timeout(20):
        listening = asyncio.create_task(listen())
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause)
        await listening
    writer.close()
    return bytes(answered)


async def test_requests_follow_each_other_on_a_connection(port: int) -> None:
    one = BEGIN + b"content-length: 2\r\n\r\nhi"

    answered = await said(port, one, one, one[:20], one[20:], pause=0.05)

    assert 3 == answered.count(b"\r\n\r\n2:hi")


@pytest.mark.parametrize("room", [0, 1], ids=["as large as may be", "one byte more"])
async def test_the_head_has_a_largest_size(port: int, room: int) -> None:
    given = len(b"/echo") + len(b"host" + b"x") + 4 + len(b"x-a") + 4 + len(b"content-length" + b"0") + 4
    value = b"a" * (MAX_HEAD_BYTES - given + room)

    answered = await said(port, BEGIN + b"x-a: " + value + b"\r\ncontent-length: 0\r\n\r\n")

    assert answered.startswith(b"HTTP/1.1 431 " if room else b"HTTP/1.1 200 ")


async def test_a_head_without_end_is_not_read_on(port: int) -> None:
    """
    One header, whose name has come and whose value never ends: nobody is called before it is complete.
    """
    answered = await said(port, BEGIN + b"x-a: ", *[b"a" * 16_384] * 6, pause=0.01)

    assert answered.startswith(b"HTTP/1.1 431 ")


async def test_many_small_headers_are_a_large_head(port: int) -> None:
    answered = await said(
        port, BEGIN, *[b"".join(b"x-%d: y\r\n" % n for n in range(i, i + 1000)) for i in range(0, 9000, 1000)]
    )

    assert answered.startswith(b"HTTP/1.1 431 ")


async def test_a_large_body_is_no_large_head(port: int) -> None:
    body = b"x" * (MAX_HEAD_BYTES * 2)

    answered = await said(port, BEGIN + b"content-length: %d\r\n\r\n" % len(body), body[:50_000], body[50_000:], pause=0.05)

    assert answered.endswith(b"2:" + body)


async def test_a_slow_head_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_heads, "HEAD_SECONDS", 0.3)

    answered = await said(port, BEGIN, *[b"x: y\r\n"] * 5, pause=0.1)

    assert answered.startswith(b"HTTP/1.1 408 ")


async def test_who_says_nothing_at_all_is_not_waited_for(port: int) -> None:
    assert b"" == await said(port)


@pytest.mark.parametrize("upgrade", [b"h2c", b"H2C "])
async def test_a_wish_for_another_http_is_passed_over(port: int, upgrade: bytes) -> None:
    """
    Java's client and curl --http2 begin like this, and send their body with it.
    """
    wish = b"connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + upgrade + b"\r\nhttp2-settings: AAMAAABk\r\n"
    body = b"a\r\nUpgrade: h2c\r\nb"

    answered = await said(port, BEGIN + wish + b"content-length: %d\r\n\r\n" % len(body) + body)

    assert answered.endswith(b":" + body)
