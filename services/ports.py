"""What services need from the outside world. `infra/` provides it; `app/container.py` plugs it in."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from core.delivery import CodeMessage
from core.files import DownloadTicket, StoredObject, UploadTicket
from core.vocabulary import OtpChannel


class ObjectWriter(Protocol):
    """An object being written piece by piece. It appears only when its context ends without an error."""

    async def write(self, data: bytes) -> None:
        """Append *data*."""


class ObjectStore(Protocol):
    """Files, kept in one bucket. Every failure to reach the store raises `core.errors.Unavailable`."""

    async def presign_upload(
        self, key: str, *, content_type: str, size: int | None, max_bytes: int, lifetime: timedelta
    ) -> UploadTicket:
        """Let somebody upload exactly this file; a size that is given is part of what is signed."""

    async def presign_download(self, key: str, *, file_name: str, content_type: str, lifetime: timedelta) -> DownloadTicket:
        """Let somebody download an object, always as an attachment with a harmless type."""

    async def describe(self, key: str) -> StoredObject | None:
        """Return what is known of an object, or None when there is none."""

    def read(self, key: str, *, etag: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from *start* up to, not including, *end*.

        Raises:
            ObjectMissing: there is no such object.
            ObjectChanged: it is not the one with this *etag*.
            ObjectTruncated: the store sent less than it should have.
        """

    async def copy(self, source: str, target: str, *, etag: str) -> None:
        """Copy an object inside the store, if it still is the one with this *etag*."""

    def write(self, key: str, *, content_type: str) -> AbstractAsyncContextManager[ObjectWriter]:
        """Write an object of any length with bounded memory."""

    async def delete(self, key: str) -> None:
        """Remove an object; none there is no error."""

    async def forget_unfinished(self, prefix: str) -> None:
        """Remove what is there of objects that begin with *prefix* and were never written to their end."""

    def pages(self, prefix: str) -> AsyncGenerator[list[str], None]:
        """Yield the keys of all objects that begin with *prefix*, some hundred at a time; they may be removed meanwhile."""


class FileScanner(Protocol):
    """Whoever looks for malware in files; `infra.clamd` asks ClamAV."""

    async def scan(self, chunks: AsyncGenerator[bytes, None]) -> str | None:
        """Look through a file, piece by piece as it comes, and return what was found: the name of the malware, or None.

        What *chunks* raises comes through as it is.

        Raises:
            ScanFailed: the scanner is well, and could not deal with this file.
            Unavailable: the scanner could not be reached, or did not answer in time.
        """


class WorkQueue(Protocol):
    """Work for whichever worker is free: at least once, in any order."""

    async def send(self, message: Mapping[str, object]) -> None:
        """Hand one piece of work over.

        Raises:
            Unavailable: the queue could not be reached.
        """


class CodeDelivery(Protocol):
    """Whoever carries one-time codes over one channel."""

    async def deliver(self, message: CodeMessage) -> None:
        """Send one code, and return once the provider has accepted it.

        Raises:
            core.delivery.NotSent: certainly not sent; safe to try again.
            core.delivery.MaybeSent: nobody knows; must not be tried again.
        """


class Courier(Protocol):
    """Takes codes from the database to the customers, in the background."""

    @property
    def channels(self) -> frozenset[OtpChannel]:
        """The channels that codes can go over."""

    def nudge(self) -> None:
        """Say that a code may be waiting. Returns at once; without it, the code would wait for the next look."""


class MasterKey(Protocol):
    """What all other keys are wrapped by: one that never leaves AWS (`infra.kms`), or one of the settings."""

    @property
    def name(self) -> str:
        """How stored keys say that it wraps them."""

    async def wrap(self, secret: bytes, *, name: str) -> bytes:
        """Encrypt a key, bound to its *name*.

        Raises:
            Unavailable: it cannot be asked.
        """

    async def unwrap(self, wrapped: bytes, *, name: str) -> bytes:
        """Return the key of this *name* in clear.

        Raises:
            Unavailable: it cannot be asked, or refuses.
        """
