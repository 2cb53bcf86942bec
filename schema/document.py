"""Documents, as clients see them."""

from collections.abc import Awaitable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from auth.principal import Scope
from core.drafts import DocumentDraft, FileDraft
from core.errors import FileWithheld
from core.files import DownloadTicket, UploadTicket
from core.filters import DocumentFilter as Conditions
from models import document as models
from models.row import Row
from schema.batching import alone, batched, reading
from schema.context import Info
from schema.download import DownloadTarget
from schema.enums import DocumentCategory, DocumentRejectionReason, DocumentStatus, DocumentType, ScanVerdict
from schema.node import Node, Shown, presents
from schema.rows import owners_of
from schema.user_error import UserError

if TYPE_CHECKING:
    from schema.customer import Customer


@strawberry.type(description="A header that has to be sent with an upload, exactly as given.")
class Header:
    name: str = strawberry.field(description="The header's name.")
    value: str = strawberry.field(description="The header's value.")


@strawberry.type(description="How to send a file straight to the object store; it never passes through this API.")
class UploadTarget:
    url: str = strawberry.field(description="Where to send the bytes of the file, as the body of the request.")
    method: str = strawberry.field(description="The HTTP method to send them with.")
    headers: list[Header] = strawberry.field(description="The headers to send with them.")
    expires_at: datetime = strawberry.field(description="Until when the store takes them.")
    max_bytes: int = strawberry.field(description="How large the file may be, in bytes.")

    @classmethod
    def from_ticket(cls, ticket: UploadTicket) -> Self:
        """Return an upload ticket as clients see it."""
        return cls(
            url=ticket.url,
            method=ticket.method,
            headers=[Header(name=name, value=value) for name, value in ticket.headers],
            expires_at=ticket.expires_at,
            # A GraphQL Int has 32 bits; no single upload is larger than that here.
            max_bytes=min(ticket.max_bytes, 2**31 - 1),
        )


async def _tickets(files: "Sequence[DocumentFile]", info: Info) -> "Sequence[DownloadTicket | FileWithheld]":
    wanted = [(one.document, one.record) for one in files]
    return await info.context.services.documents.downloads(info.context.viewer, wanted)


async def _downloads(files: "Sequence[DocumentFile]", info: Info) -> list[DownloadTarget | None]:
    tickets = await _tickets(files, info)
    return [None if isinstance(one, FileWithheld) else DownloadTarget.from_ticket(one) for one in tickets]


async def _download_urls(files: "Sequence[DocumentFile]", info: Info) -> list[str | Exception]:
    return [one if isinstance(one, FileWithheld) else one.url for one in await _tickets(files, info)]


@strawberry.type(description="An uploaded file.")
class DocumentFile:
    record: strawberry.Private[models.StoredFile]
    document: strawberry.Private[models.Document]
    name: str = strawberry.field(description="The file's name, as it was announced.")
    content_type: str = strawberry.field(description="The file's media type, checked against its first bytes.")
    size: int = strawberry.field(description="The file's size in bytes.")
    sha256: str = strawberry.field(description="The SHA-256 of the file, in hexadecimal.")

    @strawberry.field(
        description="Where to download the file, for five minutes from now; null while nobody may read it: see `scan` of the "
        "document. That you got it is in the customer's `history`. Needs `documents:read`.",
        metadata=batched(_downloads, leaves_trace=True),
    )
    async def download(self, info: Info) -> DownloadTarget | None:
        """Return a presigned link, if there is one to give."""
        return await alone(_downloads, self, info)

    @strawberry.field(
        description="A link that downloads the file, as in `download`, which is null where this is an error: FILE_WITHHELD, "
        "while nobody may read the file. Made for this answer; see downloadUrlExpiresAt. Needs `documents:read`.",
        metadata=batched(_download_urls, leaves_trace=True),
    )
    async def download_url(self, info: Info) -> str:
        """Return a presigned link."""
        return await alone(_download_urls, self, info)

    @strawberry.field(description="Until when downloadUrl works: five minutes from now.")
    async def download_url_expires_at(self, info: Info) -> datetime:
        """Return the end of the link's life."""
        return await info.context.services.documents.download_ends(info.context.viewer, self.record)


@strawberry.type(description="What the malware scanner said of a document's file.")
class DocumentScan:
    verdict: ScanVerdict = strawberry.field(description="Whether the file can be read. It is, with CLEAN and NOT_SCANNED.")
    finding: str | None = strawberry.field(description="With INFECTED: the malware, as the scanner calls it.")
    scanned_at: datetime | None = strawberry.field(description="With CLEAN and INFECTED: when the scanner said so.")


async def _customer(documents: "Sequence[Document | Row[models.Document]]", info: Info) -> list["Customer | Exception"]:
    return await owners_of(documents, info)


def _number(
    documents: "Sequence[Document | Row[models.Document]]", info: Info
) -> Awaitable[list[str | Exception | None]] | list[str | Exception | None]:
    service, viewer = info.context.services.documents, info.context.viewer
    if Scope.DOCUMENTS_READ_FULL in viewer.scopes:
        return service.numbers(viewer, [one.record for one in documents])
    # Without waiting, because no number has to be opened (whoever waits takes a task), and without a record of each.
    return service.endings(viewer, list(map(_last_four, documents)))


def _last_four(document: "Document | Row[models.Document]") -> str | None:
    found: str | None = document.get("number_last_four") if isinstance(document, Row) else document.record.number_last_four
    return found


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _category(type_: DocumentType | None) -> DocumentCategory | None:
    return None if type_ is None else type_.category


@presents(
    models.Document,
    category=Shown("type", _category),
    issued_on=Shown("issued_on", _day, certain=False),
    expires_on=Shown("expires_on", _day, certain=False),
)
@strawberry.federation.type(
    keys=["id"], description="A document that proves something about a customer. Needs `documents:read`."
)
class Document(Node):
    record: strawberry.Private[models.Document]
    customer_id: strawberry.ID = strawberry.field(description="The customer it belongs to.")
    type: DocumentType = strawberry.field(description="What it is.")
    category: DocumentCategory = strawberry.field(description="What it proves.", metadata=reading("type"))
    status: DocumentStatus = strawberry.field(description="How far it has come.")
    issuing_country: str | None = strawberry.field(description="Who issued it, ISO 3166-1 alpha-2.")
    issued_on: date | None = strawberry.field(description="When it was issued.")
    expires_on: date | None = strawberry.field(description="The last day it is valid.")
    rejection_reason: str | None = strawberry.field(description="With REJECTED: why, in words for the customer to read.")
    file_removed_at: datetime | None = strawberry.field(
        description="When its file was removed, because the seller keeps such files no longer; null otherwise."
    )
    version: int = strawberry.field(description="Grows by one with every change.")
    created_at: datetime = strawberry.field(description="When it was filed.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @strawberry.field(
        description="The customer it belongs to. Needs `customers:read`.", metadata=batched(_customer, "customer_id", rows=True)
    )
    async def customer(self, info: Info) -> Annotated["Customer", strawberry.lazy("schema.customer")]:
        """Return the owner."""
        return await alone(_customer, self, info)

    @strawberry.field(
        description="Its number: the last four characters, or all of it for callers with `documents:read_full`; that they got "
        "it is in the customer's `history`. Needs `documents:read`.",
        metadata=batched(_number, "number_last_four", "number_box", "number_sealed", "customer_id", rows=True),
    )
    async def number(self, info: Info) -> str | None:
        """Return the number as far as the caller may see it."""
        return await alone(_number, self, info)

    @strawberry.field(
        description="With REJECTED: why, from the list; OTHER for what was rejected before there was one.",
        metadata=reading("rejection_code", "status"),
    )
    def rejection_code(self) -> DocumentRejectionReason | None:
        """Return the reason."""
        if self.record.status is not DocumentStatus.REJECTED:
            return None
        return self.record.rejection_code or DocumentRejectionReason.OTHER

    @strawberry.field(
        description="What the malware scanner said of the file; null until an upload has been completed. It takes seconds, and "
        "is no change of the document: the version stays. Needs `documents:read`.",
        metadata=reading("file"),
    )
    def scan(self, info: Info) -> DocumentScan | None:
        """Return the verdict."""
        info.context.may_read_documents()
        stored = self.record.file
        if stored is None:
            return None
        said = stored.scan
        return DocumentScan(
            verdict=info.context.services.documents.verdict_of(stored),
            finding=None if said is None else said.finding,
            scanned_at=None if said is None else said.scanned_at,
        )

    @strawberry.field(description="The uploaded file; null until an upload has been completed. Needs `documents:read`.")
    def file(self, info: Info) -> DocumentFile | None:
        """Return the file."""
        info.context.may_read_documents()
        stored = self.record.file
        if stored is None:
            return None
        return DocumentFile(
            record=stored,
            document=self.record,
            name=stored.name,
            content_type=stored.content_type,
            size=stored.size,
            sha256=stored.sha256,
        )


@strawberry.input(description="A file that is about to be uploaded.")
class FileFields:
    name: str = strawberry.field(description="Its name, without a folder.")
    content_type: str = strawberry.field(description="`application/pdf`, `image/jpeg` or `image/png`.")
    size: int = strawberry.field(description="Its size in bytes, at most 10 MiB.")
    sha256: str | None = strawberry.field(default=None, description="Its SHA-256 in hexadecimal, to be checked on arrival.")

    def to_draft(self) -> FileDraft:
        """Return what the caller announces."""
        return FileDraft(name=self.name, content_type=self.content_type, size=self.size, sha256=self.sha256)


@strawberry.input(description="A new document.")
class DocumentFields:
    type: DocumentType = strawberry.field(description="What it is.")
    number: str | None = strawberry.field(default=None, description="Its number; one number belongs to one customer only.")
    issuing_country: str | None = strawberry.field(default=None, description="Who issued it, ISO 3166-1 alpha-2.")
    issued_on: date | None = strawberry.field(default=None, description="When it was issued.")
    expires_on: date | None = strawberry.field(default=None, description="The last day it is valid.")
    file: FileFields | None = strawberry.field(default=None, description="The file to upload; the answer says where to.")

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


@strawberry.input(description="Conditions on documents, all of which have to hold.")
class DocumentFilter:
    customer_id: strawberry.ID | None = strawberry.field(default=None, description="Documents of this customer only.")
    type: DocumentType | None = strawberry.field(default=None, description="Documents of this type only.")
    status: DocumentStatus | None = strawberry.field(default=None, description="In this state.")
    expires_before: date | None = strawberry.field(default=None, description="Valid no longer than the day before this.")

    def to_conditions(self) -> Conditions:
        """Return the conditions as the service takes them."""
        return Conditions(
            customer_id=self.customer_id,
            type=self.type,
            status=self.status,
            expires_before=None if self.expires_before is None else self.expires_before.isoformat(),
        )


@strawberry.type(description="Where the file of one document is to be sent.")
class DocumentUpload:
    document_id: strawberry.ID = strawberry.field(description="The document that waits for its file.")
    upload: UploadTarget = strawberry.field(description="Where and how to send its file.")


@strawberry.type(description="What became of a change of a document.")
class DocumentPayload:
    document: Document | None = strawberry.field(description="The document as it is now; null when nothing was changed.")
    upload: UploadTarget | None = strawberry.field(default=None, description="Where to send its file, when one is expected.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was changed; empty on success.")
