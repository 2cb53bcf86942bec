"""Uploads on their way to disk: unwrapped, measured and checked in pieces, so that memory does not depend on their size."""

import base64
import hashlib
import uuid
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

PIECE = 1 << 20


class IncompleteBody(Exception):
    """The client went away, or promised more bytes than it sent."""


class BadDigest(Exception):
    """The bytes are not the ones that the request's checksum stands for."""


class Checksum(Protocol):
    """What hashlib's objects have in common with CRC-32."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""

    def digest(self) -> bytes:
        """Return the checksum of all bytes so far."""


class Crc32:
    """CRC-32 as S3 writes it: four bytes, most significant first."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        """Return the checksum of all bytes so far."""
        return self._value.to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of an object, or of a part of one, in a file of their own."""

    path: Path
    size: int
    md5: str


def store(pieces: Iterator[bytes], directory: Path, *, checksums: Mapping[str, Checksum] | None = None) -> Body:
    """Write *pieces* to a new file in *directory* and feed *checksums* on the way."""
    path = directory / uuid.uuid4().hex
    md5 = hashlib.md5(usedforsecurity=False)
    size = 0
    try:
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
                md5.update(piece)
                size += len(piece)
                for checksum in (checksums or {}).values():
                    checksum.update(piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Body(path, size, md5.hexdigest())


def read_plain(source: BinaryIO, length: int) -> Iterator[bytes]:
    """Yield exactly *length* bytes of *source*.

    Raises:
        IncompleteBody: when it ends before.
    """
    while length:
        piece = source.read(min(PIECE, length))
        if not piece:
            raise IncompleteBody
        length -= len(piece)
        yield piece


def read_chunked(source: BinaryIO, trailers: dict[str, str]) -> Iterator[bytes]:
    """Yield the payload of an ``aws-chunked`` body and put what follows it into *trailers*.

    The framing is the one of "Signature Version 4 streaming": ``size;chunk-signature=…``, the bytes, a line end, until a
    chunk of size 0. Signatures are not verified.

    Raises:
        IncompleteBody: when it ends before its last chunk, or is framed in another way.
    """
    while True:
        head = source.readline().partition(b";")[0].strip()
        try:
            size = int(head, 16)
        except ValueError:
            raise IncompleteBody from None
        if size == 0:
            break
        yield from read_plain(source, size)
        source.readline()
    while line := source.readline().strip():
        name, _, value = line.decode("ascii", errors="replace").partition(":")
        trailers[name.strip().lower()] = value.strip()


def checksums_for(names: str) -> dict[str, Checksum]:
    """Return a fresh checksum for each algorithm in *names* (``"CRC32"``, ``"x-amz-checksum-sha256"``) that can be checked."""
    makers: dict[str, type[Crc32] | None] = {"crc32": Crc32, "sha1": None, "sha256": None}
    asked = {name.strip().lower().removeprefix("x-amz-checksum-") for name in names.split(",")}
    return {name: maker() if maker else hashlib.new(name) for name, maker in makers.items() if name in asked}


def in_base64(checksum: Checksum) -> str:
    """Return a checksum the way S3's headers carry it."""
    return base64.b64encode(checksum.digest()).decode("ascii")


def is_same(body: Body, content_md5: str) -> bool:
    """Say whether *body* is what a ``Content-MD5`` header announced."""
    return base64.b64encode(bytes.fromhex(body.md5)).decode("ascii") == content_md5
