"""A store and a queue in memory, for tests that take imports step by step."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from core.clock import SystemClock
from core.files import DownloadTicket, ObjectChanged, ObjectMissing, StoredObject, UploadTicket

_CHUNK = 1 << 20


class MemoryWriter:
    """An object being written."""

    def __init__(self) -> None:
        self.data = bytearray()

    async def write(self, data: bytes) -> None:
        """Append *data*."""
        self.data += data


class MemoryStore:
    """Files in memory. Implements `services.ports.ObjectStore`."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, data: bytes) -> StoredObject:
        """Keep an object."""
        self.objects[key] = data
        return StoredObject(key, len(data), hashlib.sha256(data).hexdigest(), "text/csv")

    async def presign_upload(
        self, key: str, *, content_type: str, size: int | None, max_bytes: int, lifetime: timedelta
    ) -> UploadTicket:
        """Return a ticket that nobody can use."""
        return UploadTicket(f"memory:{key}", "PUT", (("content-type", content_type),), _until(lifetime), size or max_bytes)

    async def presign_download(self, key: str, *, file_name: str, content_type: str, lifetime: timedelta) -> DownloadTicket:
        """Return a ticket that nobody can use."""
        return DownloadTicket(f"memory:{key}?{content_type}#{file_name}", _until(lifetime))

    async def describe(self, key: str) -> StoredObject | None:
        """Return what is known of an object."""
        return self.put(key, self.objects[key]) if key in self.objects else None

    async def read(self, key: str, *, etag: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
        """Yield the bytes between two positions."""
        found = await self.describe(key)
        if found is None:
            raise ObjectMissing(key)
        if found.etag != etag:
            raise ObjectChanged(key)
        stop = found.size if end is None else min(end, found.size)
        for position in range(start, stop, _CHUNK):
            yield self.objects[key][position : min(position + _CHUNK, stop)]

    async def copy(self, source: str, target: str, *, etag: str) -> None:
        """Copy an object."""
        self.objects[target] = b"".join([chunk async for chunk in self.read(source, etag=etag)])

    @asynccontextmanager
    async def write(self, key: str, *, content_type: str) -> AsyncIterator[MemoryWriter]:
        """Write an object."""
        writer = MemoryWriter()
        yield writer
        self.put(key, bytes(writer.data))

    async def delete(self, key: str) -> None:
        """Remove an object."""
        self.objects.pop(key, None)

    async def forget_unfinished(self, prefix: str) -> None:
        """Have nothing to remove: an object is written at once."""

    async def pages(self, prefix: str) -> AsyncGenerator[list[str]]:
        """Yield the keys of all objects that begin with *prefix*."""
        yield [key for key in self.objects if key.startswith(prefix)]


class ListQueue:
    """Messages in a list. Implements `services.ports.WorkQueue`."""

    def __init__(self) -> None:
        self.messages: list[Mapping[str, object]] = []

    async def send(self, message: Mapping[str, object]) -> None:
        """Keep a message."""
        self.messages.append(message)


def _until(lifetime: timedelta) -> datetime:
    return SystemClock().now() + lifetime
