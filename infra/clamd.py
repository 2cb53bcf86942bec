"""ClamAV, asked as its daemon clamd wants to be: over TCP or a Unix socket. Implements `services.ports.FileScanner`.

A client of our own: of those on the package index, `aioclamd` and its kin take a whole file from memory, know no time limits
between two pieces, and are maintained by a person each. What is needed is one command (``INSTREAM``) of a protocol that
https://docs.clamav.net/manual/Usage/ClamdProtocol.html describes.
"""

import asyncio
import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import stamina

from core.errors import Unavailable
from core.files import ObjectChanged, ObjectMissing, ObjectTruncated
from core.scanning import ScanFailed
from infra.breaker import Breaker

SYSTEM = "The malware scanner"
CONNECT_SECONDS = 2.0
ATTEMPTS = 3
"""Connections that are tried in a row; nothing of the file has been read by then."""

LONGEST_ANSWER = 4096
"""Bytes; clamd answers with a line."""

PING_SECONDS = 5.0
"""How long a daemon that gave no verdict has to show that it is well all the same."""

_END = struct.pack("!I", 0)


class _Away(Exception):
    """The daemon did not answer, or not as it should."""


class _NoVerdict(_Away):
    """It took a file, or a part of one, and said nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClamdAddress:
    """Where clamd listens: at a Unix socket if there is one, else at a host and port."""

    host: str
    port: int
    socket: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.socket is None else str(self.socket)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection; clamd closes it after one command."""
        if self.socket is not None:
            return await asyncio.open_unix_connection(self.socket, limit=LONGEST_ANSWER)
        return await asyncio.open_connection(self.host, self.port, limit=LONGEST_ANSWER)


class Clamd:
    """One daemon. *within* is how many seconds it may take to take a piece of a file, and to give its verdict."""

    def __init__(self, address: ClamdAddress, *, within: float) -> None:
        self._address = address
        self._within = within
        # What the file's own source raises says nothing of the daemon.
        self._breaker = Breaker(SYSTEM, harmless=[ScanFailed, Unavailable, ObjectMissing, ObjectChanged, ObjectTruncated])

    async def scan(self, chunks: AsyncGenerator[bytes, None]) -> str | None:
        """Send a file piece by piece, and return what was found in it: the name of the malware, or None.

        Raises:
            ScanFailed: clamd could not deal with the file, for one because it is larger than ``StreamMaxLength``; or it gave no
                verdict, and answers otherwise.
            Unavailable: it could not be reached, took too long, or is left alone for a while.
        """
        try:
            async with aclosing(chunks):
                answer = await self._breaker.call(lambda: self._ask(b"zINSTREAM\0", chunks, self._within))
        except _NoVerdict as error:
            # A file that makes the scanner crawl or fall over must not pass for an outage, nor an outage for such a file.
            await self._guarded(b"zPING\0", min(PING_SECONDS, self._within))
            raise ScanFailed(f"{SYSTEM} {error}, and is well otherwise.") from error.__cause__
        except _Away as error:
            raise Unavailable(f"{SYSTEM} {error}.") from error.__cause__
        if answer.endswith(": OK"):
            return None
        if answer.endswith(" FOUND"):
            return answer.removesuffix(" FOUND").partition(": ")[2] or "unnamed"
        raise ScanFailed(answer)

    async def version(self) -> str:
        """Return how the daemon calls itself and its signatures: ``ClamAV 1.4.3/27800/Sat Nov 28 09:00:00 2026``.

        Raises:
            Unavailable: it could not be reached.
        """
        return await self._guarded(b"zVERSION\0", self._within)

    async def _guarded(self, command: bytes, within: float) -> str:
        try:
            return await self._breaker.call(lambda: self._ask(command, None, within))
        except _Away as error:
            raise Unavailable(f"{SYSTEM} {error}.") from error.__cause__

    async def _ask(self, command: bytes, chunks: AsyncGenerator[bytes, None] | None, within: float) -> str:
        reader, writer = await self._connected()
        # Read from the start: a daemon that has seen enough of a file answers in the middle of it, and hangs up.
        answering = asyncio.ensure_future(reader.readuntil(b"\0"))
        try:
            writer.write(command)
            if chunks is not None:
                await self._send(writer, chunks, answering)
            return await self._answer(answering, within)
        finally:
            answering.cancel()
            writer.transport.abort()
            await asyncio.wait([answering])

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        retries = stamina.retry_context(on=OSError, attempts=ATTEMPTS, wait_initial=0.05, wait_max=0.5, wait_jitter=0.05)
        try:
            async for attempt in retries:
                with attempt:
                    async with asyncio.timeout(CONNECT_SECONDS):
                        return await self._address.connect()
        except OSError as error:  # a timeout is one
            raise _Away("cannot be reached") from error
        raise AssertionError("There is always a last attempt.")  # pragma: no cover

    async def _send(
        self, writer: asyncio.StreamWriter, chunks: AsyncGenerator[bytes, None], answering: asyncio.Future[bytes]
    ) -> None:
        """Send a file, or as much of it as the daemon takes."""
        async for chunk in chunks:
            if answering.done():
                return
            if chunk:
                writer.write(struct.pack("!I", len(chunk)))
                writer.write(chunk)
                await self._drained(writer)
        writer.write(_END)
        await self._drained(writer)

    async def _drained(self, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._within):
                await writer.drain()
        except TimeoutError as error:
            raise _NoVerdict(f"took nothing for {self._within:g} seconds") from error
        except OSError:
            # It hung up. Perhaps it has said why.
            return

    async def _answer(self, answering: asyncio.Future[bytes], within: float) -> str:
        try:
            async with asyncio.timeout(within):
                return (await answering)[:-1].decode().strip()
        except TimeoutError as error:
            raise _NoVerdict(f"gave no answer within {within:g} seconds") from error
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, UnicodeDecodeError) as error:
            raise _NoVerdict("did not answer as it should") from error
