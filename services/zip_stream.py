"""ZIP archives that are written while they are made: however large one becomes, little of it is in memory."""

import hashlib
import io
import zipfile
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from services.ports import ObjectWriter

_SLICE = 256 << 10
"""Bytes that are written in one go: a millisecond, during which the process does nothing else."""

_LEVEL = 0
"""Of compression: none. Most of an archive are scans, which are compressed already; and what it holds stands in its bytes, for
who looks for it. Not the method "stored", which many programs refuse where sizes follow each part."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an archive; size in bytes, SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Whole:
    """An archive that is complete; size in bytes, SHA-256 in hexadecimal."""

    size: int
    sha256: str


class _Pipe(io.RawIOBase):
    """What `zipfile` writes to. It cannot go back, so that sizes and checksums follow each part, as the format allows."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0
        self.digest = hashlib.sha256()
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        view = memoryview(data)  # type: ignore[arg-type]  # bytes, or whatever else has a buffer
        self._waiting += view
        self.digest.update(view)
        self.size += view.nbytes
        return view.nbytes

    def take(self) -> bytes:
        """Return what has come since the last time."""
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


class ZipStream:
    """An archive on its way. Made by `open_zip`; parts come one after the other."""

    def __init__(self, to: ObjectWriter, at: datetime) -> None:
        self._to = to
        # The format knows no time zone, and seconds in steps of two.
        self._date = (at.year, at.month, at.day, at.hour, at.minute, at.second)
        self._pipe = _Pipe()
        self._zip = zipfile.ZipFile(self._pipe, "w", zipfile.ZIP_DEFLATED)

    async def add(self, path: str, chunks: AsyncIterable[bytes]) -> Part:
        """Add a file. What *chunks* raises is passed on; the archive is of no use then."""
        digest, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(path, self._date)
        info.compress_type = zipfile.ZIP_DEFLATED
        # Its public name is there since Python 3.13.
        info._compresslevel = _LEVEL  # type: ignore[attr-defined]  # noqa: SLF001
        with self._zip.open(info, "w") as entry:
            async for chunk in chunks:
                for start in range(0, len(chunk), _SLICE):
                    entry.write(chunk[start : start + _SLICE])
                    await self._to.write(self._pipe.take())
                digest.update(chunk)
                size += len(chunk)
        await self._to.write(self._pipe.take())
        return Part(path, size, digest.hexdigest())

    async def finish(self) -> Whole:
        """Write the table of contents."""
        self._zip.close()
        await self._to.write(self._pipe.take())
        return Whole(self._pipe.size, self._pipe.digest.hexdigest())

    def abandon(self) -> None:
        """Close what is left unfinished; nothing is sent any more."""
        self._zip.close()


@asynccontextmanager
async def open_zip(to: ObjectWriter, at: datetime) -> AsyncIterator[ZipStream]:
    """Begin an archive whose parts are dated *at*. Call `finish` when all is in."""
    archive = ZipStream(to, at)
    try:
        yield archive
    finally:
        archive.abandon()
