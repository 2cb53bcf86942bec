"""Documents, as callers of REST see and send them. Their files go straight to the object store and back."""

from datetime import date

from pydantic import Field

from core.drafts import DocumentDraft, FileDraft
from core.files import UploadTicket
from core.vocabulary import DocumentCategory, DocumentRejectionReason, DocumentStatus, DocumentType, ScanVerdict
from models import document as models
from rest.shape import MAX_INTEGER, Day, Moment, Shape, StrictInt
from services.uploads import DocumentUpload as Upload


class DocumentFile(Shape):
    """An uploaded file."""

    name: str = Field(description="The file's name, as it was announced.")
    content_type: str = Field(description="The file's media type, checked against its first bytes.")
    size: int = Field(description="The file's size in bytes.")
    sha256: str = Field(description="The SHA-256 of the file, in hexadecimal.")


class Document(Shape):
    """A document that proves something about a customer."""

    id: str = Field(description="Opaque, `doc_…`.", examples=["doc_01j9zs3w8zc8t9h2m5n7p8q4r6"])
    customer_id: str = Field(description="The customer it belongs to.")
    type: DocumentType = Field(description="What it is.")
    category: DocumentCategory = Field(description="What it proves.")
    status: DocumentStatus = Field(description="How far it has come.")
    number: str | None = Field(
        description="Its number: the last four characters, or all of it for callers with `documents:read_full`.",
        examples=["••••4567"],
    )
    issuing_country: str | None = Field(description="Who issued it, ISO 3166-1 alpha-2.")
    issued_on: date | None = Field(description="When it was issued.")
    expires_on: date | None = Field(description="The last day it is valid.")
    file: DocumentFile | None = Field(description="The uploaded file; null until an upload has been completed.")
    file_removed_at: Moment | None = Field(
        description="When its file was removed, because the seller keeps such files no longer; null otherwise."
    )
    scan: ScanVerdict | None = Field(
        description="What the malware scanner said of the file; null until an upload has been completed."
    )
    rejection_code: DocumentRejectionReason | None = Field(description="With REJECTED: why, from the list.")
    rejection_reason: str | None = Field(description="With REJECTED: why, in words for the customer to read.")
    version: int = Field(description="Grows by one with every change.")
    created_at: Moment = Field(description="When it was filed.")
    updated_at: Moment = Field(description="When it last changed.")

    @classmethod
    def from_model(cls, record: models.Document, number: str | None, scan: ScanVerdict | None) -> "Document":
        """Return a stored document as callers see it, with its *number* as far as they may, and the verdict of its file."""
        file = record.file
        rejected = record.status is DocumentStatus.REJECTED
        return cls(
            **{name: getattr(record, name) for name in _STORED},
            category=record.type.category,
            number=number,
            scan=scan,
            rejection_code=(record.rejection_code or DocumentRejectionReason.OTHER) if rejected else None,
            issued_on=_day(record.issued_on),
            expires_on=_day(record.expires_on),
            file=None
            if file is None
            else DocumentFile(name=file.name, content_type=file.content_type, size=file.size, sha256=file.sha256),
        )


_STORED = (
    "id",
    "customer_id",
    "type",
    "status",
    "issuing_country",
    "file_removed_at",
    "rejection_reason",
    "version",
    "created_at",
    "updated_at",
)


class FileInput(Shape):
    """A file that is about to be uploaded."""

    name: str = Field(description="Its name, without a folder.", examples=["passport.png"])
    content_type: str = Field(description="`application/pdf`, `image/jpeg` or `image/png`.", examples=["image/png"])
    size: StrictInt = Field(description="Its size in bytes, at most 10 MiB.", ge=-MAX_INTEGER, le=MAX_INTEGER, examples=[84213])
    sha256: str | None = Field(None, description="Its SHA-256 in hexadecimal, to be checked on arrival.")

    def to_draft(self) -> FileDraft:
        """Return what the caller announces."""
        return FileDraft(name=self.name, content_type=self.content_type, size=self.size, sha256=self.sha256)


class DocumentInput(Shape):
    """A new document."""

    type: DocumentType = Field(description="What it is.", examples=["PASSPORT"])
    number: str | None = Field(None, description="Its number; one number belongs to one customer only.", examples=["P1234567"])
    issuing_country: str | None = Field(None, description="Who issued it, ISO 3166-1 alpha-2.", examples=["US"])
    issued_on: Day | None = Field(None, description="When it was issued.")
    expires_on: Day | None = Field(None, description="The last day it is valid.")
    file: FileInput | None = Field(None, description="The file to upload; the answer says where to.")

    def to_draft(self) -> DocumentDraft:
        """Return what the caller wants stored."""
        return DocumentDraft(
            type=self.type,
            number=self.number,
            issuing_country=self.issuing_country,
            issued_on=self.issued_on,
            expires_on=self.expires_on,
            file=None if self.file is None else self.file.to_draft(),
        )


class UploadHeader(Shape):
    """A header that has to be sent with an upload, exactly as given."""

    name: str = Field(description="The header's name.")
    value: str = Field(description="The header's value.")


class UploadTarget(Shape):
    """How to send a file straight to the object store; it never passes through this API."""

    url: str = Field(description="Where to send the bytes of the file, as the body of the request.")
    method: str = Field(description="The HTTP method to send them with.", examples=["PUT"])
    headers: list[UploadHeader] = Field(description="The headers to send with them.")
    expires_at: Moment = Field(description="Until when the store takes them.")
    max_bytes: int = Field(description="How large the file may be, in bytes.")

    @classmethod
    def from_ticket(cls, ticket: UploadTicket) -> "UploadTarget":
        """Return an upload ticket as callers see it."""
        return cls(
            url=ticket.url,
            method=ticket.method,
            headers=[UploadHeader(name=name, value=value) for name, value in ticket.headers],
            expires_at=ticket.expires_at,
            max_bytes=ticket.max_bytes,
        )


class DocumentUpload(Shape):
    """Where the file of one document is to be sent."""

    document_id: str = Field(description="The document that waits for its file.")
    upload: UploadTarget = Field(description="Where and how to send its file.")

    @classmethod
    def of(cls, upload: Upload) -> "DocumentUpload":
        """Return an upload as callers see it."""
        return cls(document_id=upload.document_id, upload=UploadTarget.from_ticket(upload.ticket))


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
