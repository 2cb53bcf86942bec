"""What services and the object store tell each other about files."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UploadTicket:
    """How a client sends one file straight to the object store."""

    url: str
    method: str
    headers: tuple[tuple[str, str], ...]
    expires_at: datetime
    max_bytes: int


@dataclass(frozen=True, slots=True)
class DownloadTicket:
    """Where a client reads one file, and until when."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as the store describes it; `size` in bytes, `etag` without quotes."""

    key: str
    size: int
    etag: str
    content_type: str


class ObjectMissing(Exception):
    """No object has this key."""


class ObjectChanged(Exception):
    """The object is not the one it was when it was pinned."""


class ObjectTruncated(Exception):
    """The store stopped sending before the end of what it promised."""
