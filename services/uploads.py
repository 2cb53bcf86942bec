"""Files of documents: where they lie, how they get there, and whether they are what they claim to be."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import puremagic

from core.drafts import DocumentDraft, FileDraft
from core.errors import ErrorCode, FileWithheld, Problem
from core.files import DownloadTicket, ObjectChanged, ObjectMissing, ObjectTruncated, UploadTicket
from core.vocabulary import ScanVerdict
from models.document import Document, FileScan, PendingUpload, StoredFile
from services.ports import ObjectStore

UPLOAD_LIFETIME = timedelta(minutes=10)
DOWNLOAD_LIFETIME = timedelta(minutes=5)
MAX_FILE_BYTES = 10 * 1024 * 1024
_HEAD_BYTES = 8192

MOST_FAILURES = 5
"""Scans in a row that a file may make fail before its verdict is FAILED."""

_WITHHELD = {
    ScanVerdict.PENDING: "This file has not been checked for malware yet. Ask again in a moment.",
    ScanVerdict.INFECTED: "This file carried malware and was removed. Another one may be sent (requestDocumentUpload).",
    ScanVerdict.FAILED: "This file could not be checked for malware. Another one may be sent (requestDocumentUpload).",
}


@dataclass(frozen=True, slots=True)
class DocumentUpload:
    """Where the file of one document is to be sent."""

    document_id: str
    ticket: UploadTicket


class DocumentFiles:
    """The files of documents, in the object store.

    With *scanning*, there is a malware scanner, and nobody reads a file before that has found nothing in it.
    """

    def __init__(self, store: ObjectStore, *, scanning: bool) -> None:
        self._store = store
        self._scanning = scanning

    def expect(self, document: Document, file: FileDraft, at: datetime) -> PendingUpload:
        """Return what is stored of an upload that has not happened yet. Each attempt has a key of its own."""
        return PendingUpload(
            key=f"{folder_of(document.seller_id, document.customer_id)}{document.id}/upload-{int(at.timestamp() * 1000)}",
            name=file.name,
            content_type=file.content_type,
            size=file.size,
            sha256=file.sha256,
            expires_at=at + UPLOAD_LIFETIME,
        )

    def expect_all(self, documents: Sequence[Document], drafts: Sequence[DocumentDraft], at: datetime) -> None:
        """Note on new *documents* which files their *drafts* announce."""
        for document, draft in zip(documents, drafts, strict=True):
            if draft.file is not None:
                document.upload = self.expect(document, draft.file, at)

    async def invite(self, documents: Sequence[Document]) -> list[DocumentUpload]:
        """Return an upload target for each document that waits for a file.

        Raises:
            Unavailable: the object store could not be reached.
        """
        return [
            DocumentUpload(
                document.id,
                await self._store.presign_upload(
                    document.upload.key,
                    content_type=document.upload.content_type,
                    size=document.upload.size,
                    max_bytes=document.upload.size,
                    lifetime=UPLOAD_LIFETIME,
                ),
            )
            for document in documents
            if document.upload is not None
        ]

    async def accept(self, document: Document, upload: PendingUpload, at: datetime) -> StoredFile | Problem:
        """Check an uploaded file (there, size, checksum, type by its first bytes) and move it where no upload can reach it.

        It is due for its scan from then on, *at* this moment.
        """
        found = await self._store.describe(upload.key)
        if found is None:
            return Problem(
                ErrorCode.UPLOAD_MISSING, "No file has arrived. Send it to the upload target, then complete the upload again."
            )
        if found.size != upload.size:
            return Problem(
                ErrorCode.UPLOAD_MISMATCH,
                f"The file has {found.size} bytes, but {upload.size} were announced. Upload the right file.",
            )
        try:
            digest, head = await self._digest(upload.key, found.etag)
            if upload.sha256 is not None and digest != upload.sha256:
                return Problem(
                    ErrorCode.UPLOAD_MISMATCH, "The file's SHA-256 is not the one that was announced. Upload the right file."
                )
            if not _looks_like(head, upload.content_type):
                return Problem(
                    ErrorCode.FILE_TYPE_REJECTED,
                    f"The file is not what {upload.content_type} promises. PDF, JPEG and PNG files are accepted.",
                )
            # Of this attempt alone: the file of an earlier one can be removed without a look at what came after.
            attempt = upload.key.rpartition("-")[2]
            key = f"{folder_of(document.seller_id, document.customer_id)}{document.id}/{attempt}-{digest}"
            await self._store.copy(upload.key, key, etag=found.etag)
        except (ObjectMissing, ObjectChanged, ObjectTruncated):
            return Problem(ErrorCode.UPLOAD_MISMATCH, "The file changed while it was being checked. Complete the upload again.")
        return StoredFile(
            key=key,
            name=upload.name,
            content_type=upload.content_type,
            size=upload.size,
            sha256=digest,
            scan=FileScan(due_at=at),
        )

    async def discard_upload(self, upload: PendingUpload) -> None:
        """Remove an upload that has been accepted, or is no longer wanted."""
        await self._store.delete(upload.key)

    async def discard(self, file: StoredFile) -> None:
        """Remove a file that another one has replaced."""
        await self._store.delete(file.key)

    def verdict_of(self, file: StoredFile) -> ScanVerdict:
        """Return what is known of a file. One that nobody has looked at yet waits for the scanner, where there is one."""
        scan = file.scan or FileScan()
        if scan.verdict is not None:
            return scan.verdict
        if not self._scanning:
            return ScanVerdict.NOT_SCANNED
        return ScanVerdict.FAILED if scan.failures >= MOST_FAILURES else ScanVerdict.PENDING

    def withheld(self, file: StoredFile) -> str | None:
        """Return why nobody may read a file; None when it may be read. Whoever hands out files has to ask here."""
        return _WITHHELD.get(self.verdict_of(file))

    async def download(self, file: StoredFile) -> DownloadTicket:
        """Return a link to a file that holds for five minutes.

        Raises:
            FileWithheld: it has not been found free of malware.
        """
        if why := self.withheld(file):
            raise FileWithheld(why)
        return await self._store.presign_download(
            file.key, file_name=file.name, content_type=file.content_type, lifetime=DOWNLOAD_LIFETIME
        )

    async def _digest(self, key: str, etag: str) -> tuple[str, bytes]:
        """Return the SHA-256 of an object and its first bytes; at most 10 MiB pass through, never all at once."""
        digest = hashlib.sha256()
        head = b""
        async for chunk in self._store.read(key, etag=etag):
            digest.update(chunk)
            if len(head) < _HEAD_BYTES:
                head += chunk[: _HEAD_BYTES - len(head)]
        return digest.hexdigest(), head


def folder_of(seller_id: str, customer_id: str) -> str:
    """Return what the keys of a customer's files begin with; what follows is a document's id, a slash, and the file's name.

    A document that moves to another customer keeps its file where it is.
    """
    return f"documents/{seller_id}/{customer_id}/"


def upload_key_of(file: StoredFile) -> str:
    """Return where an accepted file was uploaded to."""
    folder, _, name = file.key.rpartition("/")
    return f"{folder}/upload-{name.partition('-')[0]}"


def _looks_like(head: bytes, content_type: str) -> bool:
    """Say whether the first bytes of a file are those of its type."""
    try:
        found = {match.mime_type for match in puremagic.magic_string(head)}
    except (puremagic.PureError, ValueError):
        return False
    return content_type in found
