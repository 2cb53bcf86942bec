"""A way to a server on which things go wrong, and right again, while it is in use."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

_AT_ONCE = struct.pack("ii", 1, 0)
"""Linger for no time: closing a socket says RST instead of FIN."""


class FaultProxy:
    """Passes connections on to one server, in whatever state its way is at the moment. It begins with all well."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._there, self._back = asyncio.Event(), asyncio.Event()
        self._seconds = 0.0
        self._resetting = False
        self.port = 0
        self.connections = 0
        self.heal()

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Listen: at the same port as before, if there was one."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Be gone like a server that died: connections break, and new ones find nobody."""
        assert self._server is not None
        self._server.close()
        self._break()
        await self._server.wait_closed()

    def heal(self) -> None:
        """Let everybody through at once. What was held back arrives, as it does when a network comes back."""
        self._seconds, self._resetting = 0.0, False
        self._there.set()
        self._back.set()

    def delay(self, seconds: float) -> None:
        """Keep everything back for some seconds, in both directions."""
        self._seconds = seconds

    def black_hole(self) -> None:
        """Take everything and pass nothing on, in either direction; connections stand, and new ones are accepted."""
        self._there.clear()
        self._back.clear()

    def half_open(self) -> None:
        """Pass on what is asked, and not what is answered: it happens, and nobody hears of it."""
        self._back.clear()

    def reset(self) -> None:
        """Break every connection, also those that come, with a reset."""
        self._resetting = True
        self._break()

    def _break(self) -> None:
        for writer in list(self._writers):
            _reset(writer)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._resetting:
            _reset(writer)
            return
        try:
            answers, onward = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, onward}
        try:
            await asyncio.gather(self._copy(reader, onward, self._there), self._copy(answers, writer, self._back))
        finally:
            self._writers -= {writer, onward}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: asyncio.Event) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await way.wait()
                if self._seconds:
                    await asyncio.sleep(self._seconds)
                writer.write(data)
                await writer.drain()
        await way.wait()
        with suppress(OSError):
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()


@asynccontextmanager
async def fault_proxy(address: str) -> AsyncIterator[FaultProxy]:
    """Put a proxy in front of *address*: ``host:port``, or a URL of which only that matters."""
    found = urlsplit(address if "//" in address else f"//{address}")
    proxy = FaultProxy(found.hostname or "", found.port or 0)
    await proxy.open()
    try:
        yield proxy
    finally:
        proxy.heal()
        await proxy.shut()
