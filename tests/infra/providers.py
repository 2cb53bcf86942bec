"""A provider of messages that can be told to misbehave: a real HTTP server, down to the last byte."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

import pytest
from aiobotocore.config import AioConfig

from core.delivery import CodeMessage
from core.vocabulary import OtpChannel
from infra import otp_aws


class Behaviour(Enum):
    """What becomes of a request that has been read whole."""

    ANSWER = auto()
    HANG = auto()  # until the server is closed
    DROP = auto()  # the connection, without a word
    RESET = auto()  # the connection, as a crashed machine does
    HALVE = auto()  # answer the first half, then drop
    TRICKLE = auto()  # answer a byte every 20 milliseconds
    ENDLESS = auto()  # answer with a body that never ends


@dataclass
class Request:
    """What a client sent; names of headers in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Provider:
    """Reads requests into `requests`, and answers as the other fields say at that moment."""

    port: int = 0
    status: str = "200 OK"
    headers: str = ""
    body: bytes = b"{}"
    behaviour: Behaviour = Behaviour.ANSWER
    close_quietly: bool = False
    """Close after an answer without having announced it, as a load balancer does with an idle connection."""
    connections: int = 0
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def answer(self) -> bytes:
        """Return the whole answer."""
        head = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(self.body)}\r\n{self.headers}\r\n"
        return head.encode() + self.body


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """Run a provider on a free port."""
    running = Provider()
    over = asyncio.Event()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.connections += 1
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while await _one_request(running, reader, writer, over):
                    pass
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        over.set()
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(set(serving))
        await asyncio.sleep(0.02)


async def _one_request(
    running: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, over: asyncio.Event
) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    running.requests.append(Request(head[0], headers, body))
    answer = running.answer()
    match running.behaviour:
        case Behaviour.HANG:
            await over.wait()
        case Behaviour.RESET:
            # Closing without lingering sends RST in place of FIN.
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        case Behaviour.HALVE:
            writer.write(answer[: len(answer) // 2])
            await writer.drain()
        case Behaviour.TRICKLE:
            for number in range(len(answer)):
                writer.write(answer[number : number + 1])
                await writer.drain()
                await asyncio.sleep(0.02)
        case Behaviour.ENDLESS:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                writer.write(b"5\r\nagain\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        case Behaviour.ANSWER:
            writer.write(answer)
            await writer.drain()
            return not running.close_quietly
        case Behaviour.DROP:
            pass
    return False


def code_message(channel: OtpChannel = OtpChannel.SMS, **changes: object) -> CodeMessage:
    """Return a code on its way; it holds for 5 minutes."""
    fields: dict[str, object] = {
        "id": "otp_1",
        "seller_id": "demo",
        "channel": channel,
        "destination": "+4915112345678" if channel is OtpChannel.SMS else "ada@example.com",
        "code": "048151",
        "expires_at": datetime.now(UTC) + timedelta(minutes=5),
    }
    return CodeMessage(**(fields | changes))  # type: ignore[arg-type]


def impatient(monkeypatch: pytest.MonkeyPatch, *modules: object) -> None:
    """Let the AWS clients of *modules* wait 0.3 s for an answer, and change nothing else about them."""
    config = otp_aws.one_attempt().merge(AioConfig(read_timeout=0.3))
    for module in modules:
        monkeypatch.setattr(module, "one_attempt", lambda: config)
