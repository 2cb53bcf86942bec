"""What may happen to documents: filed, uploaded, deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from auth.principal import Principal, Scope
from core.clock import Clock
from core.drafts import DocumentDraft, FileDraft
from core.errors import Conflict, ErrorCode, FileWithheld, Problem, Refused
from core.files import DownloadTicket, UploadTicket
from core.filters import DocumentFilter
from core.paging import Page, PageRequest
from core.vocabulary import DocumentPart, DocumentStatus, ScanVerdict
from models.document import Document, StoredFile
from models.row import Row
from models.stored import Fields
from repositories.errors import KeyTaken
from repositories.unit_of_work import Repositories, UnitOfWork
from services.changes import of_documents
from services.customer_keys import Numbers, key_of, opened_numbers
from services.customer_lookup import not_found, require_customer, taken_problem
from services.document_access import DocumentAccesses
from services.document_changes import DocumentChanges, require_document
from services.records import RecordMaker, moment_after
from services.rules.document import check_document_draft, check_file
from services.rules.document_expiry import has_expired
from services.seller import SellerPolicies
from services.uploads import DocumentFiles

MAX_DOCUMENTS = 100


@dataclass(frozen=True, slots=True)
class DocumentSaved:
    """A document after a change, and where its file is to be sent, when one is expected."""

    document: Document
    upload: UploadTicket | None = None


class DocumentService:
    """Reads and changes documents for a verified caller."""

    def __init__(
        self, units: UnitOfWork, records: RecordMaker, policies: SellerPolicies, files: DocumentFiles, clock: Clock
    ) -> None:
        self._units = units
        self._accesses = DocumentAccesses(units, records.chain, clock)
        self._records = records
        self._policies = policies
        self._files = files
        self._clock = clock
        self._changes = DocumentChanges(records, clock)

    async def list(
        self,
        viewer: Principal,
        chosen: DocumentFilter,
        request: PageRequest,
        seller_id: str | None,
        *,
        fields: Fields = None,
    ) -> Page[Row[Document]]:
        """Return one page of documents, newest first, with these *fields* or with all."""
        viewer.require(Scope.DOCUMENTS_READ)
        return await Repositories(viewer.reach_of(seller_id)).documents.list(chosen, request, fields=fields)

    async def numbers(self, viewer: Principal, documents: Sequence[Document]) -> Numbers:
        """Return the numbers of documents: in full for callers with ``documents:read_full``, else their last four characters.

        In the place of one that cannot be opened is why. Numbers in full are recorded before they are returned.

        Raises:
            Forbidden: without the scope ``documents:read``.
            NotFound, Unavailable: it could not be recorded.
        """
        if Scope.DOCUMENTS_READ_FULL not in viewer.scopes:
            return self.endings(viewer, [one.number_last_four for one in documents])
        viewer.require(Scope.DOCUMENTS_READ)
        numbered = [one for one in documents if one.number_last_four is not None]
        await self._accesses.record(viewer, numbered, DocumentPart.NUMBER)
        return await opened_numbers(Repositories(viewer.reach()), self._records, documents)

    def endings(self, viewer: Principal, last_four: Sequence[str | None]) -> Numbers:
        """Return what anybody with ``documents:read`` may see of numbers, by their last four characters."""
        viewer.require(Scope.DOCUMENTS_READ)
        return [None if four is None else f"••••{four}" for four in last_four]

    async def downloads(
        self, viewer: Principal, files: Sequence[tuple[Document, StoredFile]]
    ) -> Sequence[DownloadTicket | FileWithheld]:
        """Return links to files of documents that hold for five minutes. They are recorded before they are made.

        In the place of one that has not been found free of malware is why there is none.

        Raises:
            Forbidden: without the scope ``documents:read``.
            NotFound, Unavailable: it could not be recorded, or the store does not answer.
        """
        viewer.require(Scope.DOCUMENTS_READ)
        readable = [document for document, file in files if not self._files.withheld(file)]
        await self._accesses.record(viewer, readable, DocumentPart.FILE)
        return [
            FileWithheld(why) if (why := self._files.withheld(file)) else await self._files.download(file) for _, file in files
        ]

    async def download_ends(self, viewer: Principal, file: StoredFile) -> datetime:
        """Return until when a link holds that is made now."""
        viewer.require(Scope.DOCUMENTS_READ)
        return (await self._files.download(file)).expires_at

    def verdict_of(self, file: StoredFile) -> ScanVerdict:
        """Return what the malware scanner said of a file."""
        return self._files.verdict_of(file)

    async def create(self, viewer: Principal, customer_id: str, draft: DocumentDraft) -> DocumentSaved:
        """File a document with a customer.

        Raises:
            Refused: with every problem at once; TAKEN when another customer has a document with this number.
        """
        viewer.require(Scope.DOCUMENTS_WRITE)

        async def body(work: Repositories) -> Document:
            customer = await require_customer(work, customer_id, "customerId")
            checked, problems = check_document_draft(draft, self._policies.of(customer.seller_id))
            if problems:
                raise Refused(problems)
            existing = await work.documents.of_customer(customer.seller_id, customer_id)
            if len(existing) >= MAX_DOCUMENTS:
                message = f"A customer has at most {MAX_DOCUMENTS} documents. Delete one first."
                raise Refused.because(ErrorCode.TOO_MANY, message)
            at = moment_after(customer, self._clock.now())
            key, keys = await key_of(work, self._records, customer, [checked], at)
            document = self._records.new_document(
                checked, seller_id=customer.seller_id, customer_id=customer_id, at=at, key=key
            )
            self._files.expect_all([document], [checked], at)
            # The key after the customer: of two that bring the first number, one meets the other's change of the customer.
            changes = of_documents((None, document))
            about = document.model_dump()
            await self._changes.touch(work, viewer.actor, customer, [*existing, document], about=about, changes=changes)
            await work.keys.insert_stored(keys)
            return await work.documents.insert(document)

        try:
            document = await self._units.run(viewer.reach(), body, turn=customer_id)
        except KeyTaken as error:
            raise Refused([taken_problem("document_keys", "number")]) from error
        return await self._with_ticket(document)

    async def request_upload(self, viewer: Principal, document_id: str, file: FileDraft) -> DocumentSaved:
        """Announce a file for a document that waits for one, or whose last one was wrong, cannot be scanned, or was rejected.

        A rejected document stays rejected, with its old file, until the new one has been accepted.

        Raises:
            Refused: STATE once a file has been accepted; DOCUMENT_EXPIRED when the document's last day is over.
        """
        viewer.require(Scope.DOCUMENTS_WRITE)

        async def body(work: Repositories) -> Document:
            document = await require_document(work, document_id)
            self._require_awaiting(document)
            customer = await require_customer(work, document.customer_id)
            checked, problems = check_file(file)
            if problems:
                raise Refused([problem.under("file") for problem in problems])
            at = moment_after(customer, self._clock.now())
            upload = self._files.expect(document, checked, at)
            saved = await work.documents.change(document, at, {"upload": upload.model_dump(exclude_none=True)})
            if saved is None:
                raise not_found("id")
            return saved

        return await self._with_ticket(await self._units.run(viewer.reach(), body))

    async def complete_upload(self, viewer: Principal, document_id: str) -> Document:
        """Check the uploaded file and put the document up for review. Completing twice changes nothing.

        What a rejected document was rejected for is forgotten, and its old file removed.

        Raises:
            Refused: UPLOAD_MISSING, UPLOAD_MISMATCH or FILE_TYPE_REJECTED; the document still waits for its file then.
                DOCUMENT_EXPIRED when its last day is over.
        """
        viewer.require(Scope.DOCUMENTS_WRITE)
        document = await Repositories(viewer.reach()).documents.get(document_id)
        if document is None:
            raise not_found("id")
        upload = document.upload
        if upload is None and document.file is not None:
            return document
        self._require_unexpired(document)
        if upload is None:
            raise Refused.because(
                ErrorCode.UPLOAD_MISSING,
                "No upload was announced. Ask for an upload target with requestDocumentUpload first.",
                "id",
            )
        # The file is checked and moved before the transaction: whatever happens then, no half-checked file is linked.
        accepted = await self._files.accept(document, upload, self._clock.now())
        if isinstance(accepted, Problem):
            raise Refused([accepted.under("id")])
        if document.file is not None and self._files.verdict_of(document.file) is ScanVerdict.INFECTED:
            # Before it is forgotten: whoever is killed in between leaves no malware that nobody knows of.
            await self._files.discard(document.file)

        async def body(work: Repositories) -> Document:
            current = await require_document(work, document_id)
            self._require_unexpired(current)
            if current.upload != upload:
                return current
            values = {
                "file": accepted.model_dump(exclude_none=True),
                "file_removed_at": None,
                "upload": None,
                "status": DocumentStatus.PENDING_REVIEW,
                "rejection_code": None,
                "rejection_reason": None,
            }
            return await self._changes.write(work, viewer.actor, current, values)

        saved = await self._units.run(viewer.reach(), body, turn=document.customer_id)
        await self._files.discard_upload(upload)
        if document.file is not None and saved.file is not None and saved.file.key == accepted.key != document.file.key:
            await self._files.discard(document.file)
        return saved

    async def delete(self, viewer: Principal, document_id: str, *, expected_version: int | None = None) -> str:
        """Delete a document; its number is free again. Returns its id.

        Raises:
            Conflict: the document no longer has *expected_version*.
            Refused: NOT_FOUND for an unknown id.
        """
        viewer.require(Scope.DOCUMENTS_WRITE)

        async def body(work: Repositories) -> str:
            document = await require_document(work, document_id)
            if expected_version is not None and expected_version != document.version:
                raise Conflict(document.version)
            customer = await require_customer(work, document.customer_id)
            left = [one for one in await work.documents.of_customer(customer.seller_id, customer.id) if one.id != document.id]
            changes = of_documents((document, None))
            about = document.model_dump()
            changed = await self._changes.touch(work, viewer.actor, customer, left, about=about, changes=changes)
            at = changed.updated_at
            if await work.documents.change(document, at, {"live": False, "deleted_at": at}) is None:
                raise not_found("id")
            return document.id

        return await self._units.run(viewer.reach(), body)

    async def _with_ticket(self, document: Document) -> DocumentSaved:
        invitations = await self._files.invite([document])
        return DocumentSaved(document, invitations[0].ticket if invitations else None)

    def _require_awaiting(self, document: Document) -> None:
        file = document.file
        replaceable = not document.was_filed or (file is not None and self._files.verdict_of(file) is ScanVerdict.FAILED)
        if not replaceable and document.status is not DocumentStatus.REJECTED:
            message = "This document has its file already. File a new document to replace it."
            raise Refused.because(ErrorCode.STATE, message, "id")
        self._require_unexpired(document)

    def _require_unexpired(self, document: Document) -> None:
        today = self._policies.of(document.seller_id).today
        if document.status is DocumentStatus.EXPIRED or has_expired(document.expires_on, today):
            message = f"The document expired on {document.expires_on}. File a new document to replace it."
            raise Refused.because(ErrorCode.DOCUMENT_EXPIRED, message, "id")
