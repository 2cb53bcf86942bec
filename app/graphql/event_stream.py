"""GraphQL over server-sent events: the protocol of ``graphql-sse``, with one connection for each operation."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any

import orjson
import structlog
from starlette.types import Receive, Send
from strawberry.types.execution import ExecutionResult

from app.graphql.response import EVENT_STREAM, body_of
from app.graphql.shared_events import written
from app.graphql.socket_guard import SocketGuard
from auth.tokens import Credential
from core.ending import end
from core.errors import Unauthenticated, Unavailable

SILENCE = timedelta(seconds=12)
"""After which a comment is sent, so that nobody on the way takes the connection for a dead one."""
LAST_WORDS = timedelta(seconds=5)
"""How long a client that reads nothing is given to take the end of its stream."""

Results = AsyncGenerator[ExecutionResult, None]

log = structlog.get_logger("graphql")

_COMMENT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"
_FAULT = "Something went wrong on our side. It has been recorded; mention the errorId when you report it."


class EventStreams:
    """Streams results to HTTP clients."""

    def __init__(self, guard: SocketGuard, stopping: asyncio.Event) -> None:
        self._guard = guard
        self._stopping = stopping

    async def serve(
        self, results: Results, credential: Credential | None, request_id: str, receive: Receive, send: Send
    ) -> None:
        """Stream *results* until they are complete, the caller's token ends, the caller goes, or the server does.

        Only a stream that came to its end says so. One that is cut off while the server stops does not, and clients connect
        again by themselves.
        """
        stream = _Stream(send)
        await stream.open()
        telling = [asyncio.create_task(_pump(results, stream), name="event stream")]
        if credential is not None:
            telling.append(asyncio.create_task(self._guard.wait(credential), name="event stream's guard"))
        leaving = asyncio.create_task(_disconnected(receive), name="event stream's client")
        stopping = asyncio.create_task(self._stopping.wait(), name="event stream's server")
        pulse = asyncio.create_task(stream.fill_silence(), name="event stream's pulse")
        tasks: set[asyncio.Task[Any]] = {*telling, leaving, stopping, pulse}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(tasks)
        if leaving not in done:
            ended = [task for task in telling if task in done]
            await stream.close(_end_of(ended[0], request_id) if ended else b"")


class _Stream:
    """An HTTP answer that several tasks write events to, one event at a time."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._writing = asyncio.Lock()
        self._spoke = False

    async def open(self) -> None:
        """Begin the answer."""
        headers = {
            "content-type": f"{EVENT_STREAM}; charset=utf-8",
            # Proxies would wait until they have enough to be worth sending on.
            "x-accel-buffering": "no",
        }
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})
        # Sends the headers on their way: servers keep them until there is a body.
        await self.send(_COMMENT)

    async def send(self, event: bytes) -> None:
        """Send *event*, when the client has room for it: one that reads slowly makes the operation wait."""
        async with self._writing:
            await self._send({"type": "http.response.body", "body": event, "more_body": True})
            self._spoke = True

    async def fill_silence(self) -> None:
        """Send a comment after each silence, for ever."""
        while True:
            self._spoke = False
            await asyncio.sleep(SILENCE.total_seconds())
            if not self._spoke:
                await self.send(_COMMENT)

    async def close(self, last_words: bytes) -> None:
        """End the answer. A client that leaves no room for its end is not waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS.total_seconds()):
                await self._send({"type": "http.response.body", "body": last_words, "more_body": False})


async def _pump(results: Results, stream: _Stream) -> None:
    async with aclosing(results):
        async for result in results:
            await stream.send(_next(body_of(result)))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _next(body: Mapping[str, Any]) -> bytes:
    # JSON has no line breaks outside of its strings, and orjson writes those inside as escapes: one line of data is enough.
    return b"event: next\ndata: " + orjson.dumps(written(body)) + b"\n\n"


def _end_of(task: asyncio.Task[None], request_id: str) -> bytes:
    """Return the last events of a stream whose *task* has ended, in one way or the other."""
    fault = task.exception()
    if fault is None:
        return _COMPLETE
    extensions = {"requestId": request_id}
    if isinstance(fault, Unauthenticated | Unavailable):
        message, extensions["code"] = str(fault), fault.code
        log.info("refused", **extensions)
    else:
        message, extensions["code"], extensions["errorId"] = _FAULT, "INTERNAL", secrets.token_hex(8)
        log.error("internal error", exc_info=fault, **extensions)
    said = _next({"errors": [{"message": message, "extensions": extensions}]})
    # Whoever could not be checked may try again at once; for the others there is nothing more to come.
    return said if isinstance(fault, Unavailable) else said + _COMPLETE


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    """End *tasks*, and take note of how."""
    await end(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()
