"""The process of the development scanner: ``python -m embedded.clamd_server PORT``; `embedded.clamd` runs it.

``PING``, ``VERSION`` and ``INSTREAM``, each with ``z`` or ``n`` in front, as clamd has them: one command a connection. It
knows the test signature that every scanner knows (https://www.eicar.org), wherever in a file it stands, and nothing else.
"""

import asyncio
import contextlib
import signal
import struct
import sys

from embedded.ports import LOOPBACK

SIGNATURE = b"Eicar-Test-Signature"
STREAM_MAX = 25 << 20
"""Bytes of a file; clamd's ``StreamMaxLength`` was that for long."""

_LONGEST_COMMAND = 1024
# In two parts, so that no scanner takes this file for what it describes.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Do what one connection asks for, and close it."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        first = await reader.readexactly(1)
        end = {b"z": b"\0", b"n": b"\n"}.get(first, b"\n")
        command = (await reader.readuntil(end))[:-1]
        told = await _told(command if first in {b"z", b"n"} else first + command, reader)
        writer.write(told + end)
        await writer.drain()
    writer.close()


async def _told(command: bytes, reader: asyncio.StreamReader) -> bytes:
    match command:
        case b"PING":
            return b"PONG"
        case b"VERSION":
            return b"ClamAV 0.0.0 (embedded: knows the EICAR test file alone)"
        case b"INSTREAM":
            return await _verdict(reader)
    return b"UNKNOWN COMMAND"


async def _verdict(reader: asyncio.StreamReader) -> bytes:
    """Look for the signature in what comes, piece by piece, also where it lies across two."""
    seen, tail, found = 0, b"", False
    while size := struct.unpack("!I", await reader.readexactly(4))[0]:
        seen += size
        if seen > STREAM_MAX:
            return b"INSTREAM size limit exceeded. ERROR"
        piece = tail + await reader.readexactly(size)
        found = found or EICAR in piece
        tail = piece[1 - len(EICAR) :]
    return b"stream: " + SIGNATURE + b" FOUND" if found else b"stream: OK"


async def main(port: int) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await asyncio.start_server(answer, LOOPBACK, port, limit=_LONGEST_COMMAND)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
