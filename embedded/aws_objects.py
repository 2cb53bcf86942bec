"""Objects on disk: moto's S3 with the bytes in files and a record beside them, so that they survive a restart.

moto keeps objects in memory and forgets them at its end. Here each object's bytes are a file under ``bodies``, and what moto
knows of it (headers, times, ETag) is a pickled file under ``records``, written before the request is answered. Not kept:
uploads in parts that were never completed, tags, and the settings of buckets that were made by hand.
"""

import hashlib
import pickle
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3 import models
from moto.s3.exceptions import EntityTooSmall, InvalidPart, MalformedXML
from moto.settings import S3_UPLOAD_PART_MIN_SIZE

from embedded.aws_bodies import PIECE, Body, read_plain, store


class _Current(threading.local):
    """What the request in hand of this thread has to do with bodies."""

    body: Body | None = None
    """Bytes that arrived with the request and wait for the object that moto makes of them."""
    streaming: bool = False
    """Whether reading an object's value only notes which object it is; the server then streams its file."""
    served: "StoredKey | None" = None


current = _Current()


class StoredKey(models.FakeKey):
    """An object, or a part of one, whose bytes are a file."""

    directory: ClassVar[Path]
    discarded: ClassVar[deque[Path]] = deque()
    """Files that no object needs any more; they go once the records say so too."""

    path: Path

    @property
    def value(self) -> bytes:
        """The bytes; empty while the server streams the file itself."""
        if current.streaming:
            current.served = self
            return b""
        return self.path.read_bytes()

    @value.setter
    def value(self, new: bytes) -> None:
        body, current.body = current.body, None
        if body is None:
            body = store(iter((new,)), self.directory)
        self.path, self.contentsize = body.path, body.size
        self._etag = self._etag or body.md5

    @property
    def etag(self) -> str:
        """The quoted ETag, known since the bytes arrived."""
        return f'"{self._etag}"'

    def dispose(self, garbage: bool = False) -> None:  # noqa: FBT001, FBT002
        """Let go of the bytes, unless it is Python that lets go of the object."""
        if garbage or self.disposed:
            return
        self.disposed = True
        self.discarded.append(self.path)
        if self.multipart:
            self.multipart.dispose()

    def __getstate__(self) -> dict[str, Any]:
        left_out = {"_value_buffer", "lock", "multipart"}
        return {name: value for name, value in self.__dict__.items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, multipart=None, lock=threading.Lock())


class StoredMultipart(models.FakeMultipart):
    """An upload in parts that is put together on disk."""

    def complete(self, body: Iterator[tuple[int, str]]) -> tuple[bytes, str, None]:
        """Join the parts named in *body* and return an empty value: the bytes wait in `current`."""
        parts = []
        for number, etag in body:
            part = self.parts.get(number)
            if part is None or part.etag.strip('"') != etag.strip('"'):
                raise InvalidPart
            parts.append(part)
        if not parts:
            raise MalformedXML
        if any(part.size < S3_UPLOAD_PART_MIN_SIZE for part in parts[:-1]):
            raise EntityTooSmall
        current.body = store(_bytes_of(parts), StoredKey.directory)
        digests = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
        etag = hashlib.md5(digests, usedforsecurity=False).hexdigest()
        return b"", f"{etag}-{len(parts)}", None


class ObjectRecords:
    """Everything about objects but their bytes, one file for each bucket and key."""

    def __init__(self, directory: Path) -> None:
        self._records = directory / "records"
        self._bodies = directory / "bodies"
        self._lock = threading.Lock()
        self._records.mkdir(parents=True, exist_ok=True)
        self._bodies.mkdir(parents=True, exist_ok=True)

    def install(self) -> None:
        """Make moto store its objects here, and give it back what the last process stored."""
        StoredKey.directory = self._bodies
        # moto remembers every model that was ever made, for its dashboard; objects here are let go.
        StoredKey.instances_tracked = deque(maxlen=0)  # type: ignore[attr-defined]
        models.FakeKey = StoredKey  # type: ignore[misc]
        models.FakeMultipart = StoredMultipart  # type: ignore[misc]
        needed = set()
        for record in self._records.iterdir():
            needed |= self._restore(record)
        for body in self._bodies.iterdir():
            if body not in needed:
                body.unlink()

    def save(self, bucket_name: str, key: str) -> None:
        """Write down what moto now knows of one object, or that it is gone."""
        with self._lock:
            record = self._record_of(bucket_name, key)
            versions = _bucket(bucket_name).keys.getlist(key) if bucket_name in _backend().buckets else None
            if versions:
                temporary = record.with_suffix(".tmp")
                temporary.write_bytes(pickle.dumps((bucket_name, key, versions)))
                temporary.replace(record)
            else:
                record.unlink(missing_ok=True)
            self._discard()

    def save_all(self) -> None:
        """Forget every record whose object is gone, after a request that deleted many."""
        with self._lock:
            kept = {self._record_of(bucket.name, key) for bucket in _backend().buckets.values() for key in dict(bucket.keys)}
            for record in self._records.iterdir():
                if record not in kept:
                    record.unlink(missing_ok=True)
            self._discard()

    def _discard(self) -> None:
        while StoredKey.discarded:
            StoredKey.discarded.popleft().unlink(missing_ok=True)

    def _restore(self, record: Path) -> set[Path]:
        try:
            bucket_name, key, versions = pickle.loads(record.read_bytes())  # noqa: S301
        except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, ImportError):
            record.unlink()  # cut short, or written by another version of moto
            return set()
        paths = {version.path for version in versions if isinstance(version, StoredKey)}
        if not all(path.exists() for path in paths):
            record.unlink()
            return set()
        ensure_bucket(bucket_name).keys.setlist(key, versions)
        return paths

    def _record_of(self, bucket_name: str, key: str) -> Path:
        return self._records / hashlib.sha256(f"{bucket_name}/{key}".encode()).hexdigest()


def ensure_bucket(name: str) -> models.FakeBucket:
    """Return the bucket *name*, made when it is not there."""
    if name not in _backend().buckets:
        _backend().create_bucket(name, "us-east-1")
    return _bucket(name)


def allow_browsers(bucket_name: str) -> None:
    """Let pages from any port of this machine upload and download, and read the ETag of what they uploaded."""
    rule = {
        "AllowedOrigin": ["http://localhost:*", "http://127.0.0.1:*", "http://localhost", "http://127.0.0.1"],
        "AllowedMethod": ["GET", "HEAD", "PUT", "POST"],
        "AllowedHeader": ["*"],
        "ExposeHeader": ["ETag", "x-amz-checksum-sha256", "x-amz-version-id"],
        "MaxAgeSeconds": "3600",
    }
    _backend().put_bucket_cors(bucket_name, [rule])


def _backend() -> models.S3Backend:
    return models.s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


def _bucket(name: str) -> models.FakeBucket:
    return _backend().get_bucket(name)


def _bytes_of(parts: list[models.FakeKey]) -> Iterator[bytes]:
    for part in parts:
        if isinstance(part, StoredKey):
            with part.path.open("rb", buffering=PIECE) as file:
                yield from read_plain(file, part.size)
