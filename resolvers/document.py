"""Root fields about documents: unpack, call one service method, repack."""

from functools import partial
from typing import Annotated

import strawberry

from core.filters import DocumentFilter as Conditions
from core.paging import Position, encode_cursor, page_request
from models import document as models
from models.row import Row
from resolvers.outcome import attempt
from schema.arguments import CustomerId, DocumentId, ExpectedVersion, SellerId
from schema.batching import needed
from schema.context import Info
from schema.customer import DeletePayload
from schema.document import Document, DocumentFields, DocumentFilter, DocumentPayload, FileFields, UploadTarget
from schema.enums import DocumentRejectionReason
from schema.paging import After, Connection, First
from schema.rows import shown
from schema.user_error import UserError
from services.document import DocumentSaved

_ORDER = "documents"


@strawberry.type
class DocumentQuery:
    @strawberry.field(description="One document; null when you can see none with this id. Needs `documents:read`.")
    async def document(self, info: Info, id: DocumentId) -> Document | None:
        """Return one document by id."""
        info.context.may_read_documents()
        row = await info.context.loaders.documents(needed(info, "Document")).load(id)
        found: Document | None = shown(row, info)
        return found

    @strawberry.field(description="A page of documents, newest first. Needs `documents:read`.")
    async def documents(
        self,
        info: Info,
        filter: Annotated[DocumentFilter | None, strawberry.argument(description="Which ones; all when absent.")] = None,
        first: First = 20,
        after: After = None,
        seller_id: SellerId = None,
    ) -> Connection[Document]:
        """Return one page of documents."""
        conditions = Conditions() if filter is None else filter.to_conditions()
        request = page_request(_ORDER, first=first, after=after)
        page = await info.context.services.documents.list(
            info.context.viewer, conditions, request, seller_id, fields=needed(info, "Document")
        )
        return Connection.from_page(page, partial(shown, info=info), _cursor)


@strawberry.type
class DocumentMutation:
    @strawberry.mutation(
        description="File a document with a customer; with a file announced, the answer says where to send it. "
        "Needs `documents:write`."
    )
    async def create_document(
        self,
        info: Info,
        customer_id: CustomerId,
        input: Annotated[DocumentFields, strawberry.argument(description="The document.")],
    ) -> DocumentPayload:
        """File a document."""
        call = info.context.services.documents.create(info.context.viewer, customer_id, input.to_draft())
        return _with_upload(*await attempt(call))

    @strawberry.mutation(
        description="Announce a file for a document that has none yet, whose upload went wrong or came too late, or that was "
        "rejected. Needs `documents:write`."
    )
    async def request_document_upload(
        self,
        info: Info,
        id: DocumentId,
        file: Annotated[FileFields, strawberry.argument(description="The file that is about to be uploaded.")],
    ) -> DocumentPayload:
        """Announce a file."""
        call = info.context.services.documents.request_upload(info.context.viewer, id, file.to_draft())
        return _with_upload(*await attempt(call))

    @strawberry.mutation(
        description="Say that the file has been sent: its size, checksum and type are checked, then the document waits for "
        "review, a rejected one again. Needs `documents:write`."
    )
    async def complete_document_upload(self, info: Info, id: DocumentId) -> DocumentPayload:
        """Complete an upload."""
        record, errors = await attempt(info.context.services.documents.complete_upload(info.context.viewer, id))
        return DocumentPayload(document=None if record is None else Document.from_model(record), user_errors=errors)

    @strawberry.mutation(
        description="Approve a document that waits for review, or reject it with a reason; its owner may then send another "
        "file. The same decision once more changes nothing, the opposite one is refused (STATE). None can be approved before "
        "its file has been found free of malware (DOCUMENT_NOT_SCANNED). Give the document's "
        "`version` as `expectedVersion`, so that nobody decides on a file that came after the one they saw. "
        "Needs `documents:review`; not for customers."
    )
    async def review_document(
        self,
        info: Info,
        id: DocumentId,
        approve: Annotated[bool, strawberry.argument(description="Whether the document is accepted.")],
        reason: Annotated[
            str | None,
            strawberry.argument(
                description="Why it is rejected, for the customer to read; at most 500 characters. Refused with an approval; "
                "required with a rejection whose `reasonCode` is absent or OTHER. Each other one has a sentence of its own, "
                "which stands here by default."
            ),
        ] = None,
        reason_code: Annotated[
            DocumentRejectionReason | None,
            strawberry.argument(
                description="Why it is rejected, from the list; OTHER when it is left out. Refused with an approval. MALWARE "
                "is for the scanner alone."
            ),
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> DocumentPayload:
        """Decide on a document."""
        call = info.context.services.document_reviews.review(
            info.context.viewer, id, approve=approve, reason=reason, code=reason_code, expected_version=expected_version
        )
        record, errors = await attempt(call)
        return DocumentPayload(document=None if record is None else Document.from_model(record), user_errors=errors)

    @strawberry.mutation(description="Delete a document; its number is free again. Needs `documents:write`.")
    async def delete_document(self, info: Info, id: DocumentId, expected_version: ExpectedVersion = None) -> DeletePayload:
        """Delete a document."""
        call = info.context.services.documents.delete(info.context.viewer, id, expected_version=expected_version)
        deleted, errors = await attempt(call)
        return DeletePayload(deleted_id=None if deleted is None else strawberry.ID(deleted), user_errors=errors)


def _with_upload(saved: DocumentSaved | None, errors: list[UserError]) -> DocumentPayload:
    if saved is None:
        return DocumentPayload(document=None, user_errors=errors)
    upload = None if saved.upload is None else UploadTarget.from_ticket(saved.upload)
    return DocumentPayload(document=Document.from_model(saved.document), upload=upload, user_errors=errors)


def _cursor(row: Row[models.Document]) -> str:
    return encode_cursor(_ORDER, Position(row["created_at"], row.id))
