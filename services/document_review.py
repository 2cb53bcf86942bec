"""The seller looks at a document, and approves or rejects it."""

from auth.principal import Principal, Scope
from core.errors import Conflict, ErrorCode, Refused
from core.vocabulary import DocumentRejectionReason, DocumentStatus
from models.document import Document
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_lookup import not_found
from services.document_changes import DocumentChanges, require_document
from services.rules.document_expiry import has_expired, state_on
from services.rules.rejection import check_rejection
from services.seller import SellerPolicies
from services.uploads import DocumentFiles

_NOT_NOW = {
    DocumentStatus.AWAITING_UPLOAD: "This document has no file yet, so there is nothing to review. It can be reviewed once "
    "its file has been uploaded (completeDocumentUpload).",
    DocumentStatus.VERIFIED: "This document was approved already, and that cannot be taken back. Delete it, when it should "
    "not count.",
    DocumentStatus.REJECTED: "This document was rejected already. It can be reviewed again once another file has been "
    "uploaded for it (requestDocumentUpload).",
    DocumentStatus.EXPIRED: "This document has expired: there is nothing left to review. File a new document to replace it.",
}
"""Why a document in this state cannot be reviewed, and what to do."""


class DocumentReviewService:
    """Decides on documents for a verified caller."""

    def __init__(self, units: UnitOfWork, changes: DocumentChanges, policies: SellerPolicies, files: DocumentFiles) -> None:
        self._units = units
        self._changes = changes
        self._policies = policies
        self._files = files

    async def review(
        self,
        viewer: Principal,
        document_id: str,
        *,
        approve: bool,
        reason: str | None,
        code: DocumentRejectionReason | None = None,
        expected_version: int | None = None,
    ) -> Document:
        """Approve a document that waits for review, or reject it with a reason: from the list, in words, or both.

        The same decision once more changes nothing: the reason that was given first stays.

        Raises:
            Forbidden: for customers, and without the scope ``documents:review``.
            Conflict: the document no longer has *expected_version*; another file may have come since it was looked at.
            Refused: STATE when the document does not wait for review; DOCUMENT_EXPIRED for approving one whose last day is
                over; DOCUMENT_NOT_SCANNED for approving one whose file has not been found free of malware; REQUIRED for a
                rejection without a reason, INVALID for an approval with one.
        """
        viewer.require(Scope.DOCUMENTS_REVIEW)
        viewer.require_staff()
        document = await Repositories(viewer.reach()).documents.get(document_id)
        if document is None:
            raise not_found("id")
        given, text, problems = check_rejection(code, reason, approve=approve)
        if problems:
            raise Refused(problems)
        decision = DocumentStatus.VERIFIED if approve else DocumentStatus.REJECTED

        async def body(work: Repositories) -> Document:
            current = await require_document(work, document_id)
            if expected_version is not None and expected_version != current.version:
                raise Conflict(current.version)
            today = self._policies.of(current.seller_id).today
            if approve and (current.status is DocumentStatus.EXPIRED or has_expired(current.expires_on, today)):
                message = f"The document expired on {current.expires_on}: it can only be replaced by a new one."
                raise Refused.because(ErrorCode.DOCUMENT_EXPIRED, message, "id")
            state = state_on(current.status, current.expires_on, today)
            if state is decision:
                return current
            if state is not DocumentStatus.PENDING_REVIEW:
                raise Refused.because(ErrorCode.STATE, _NOT_NOW[state], "id")
            if approve and current.file is not None and (why := self._files.withheld(current.file)):
                raise Refused.because(ErrorCode.DOCUMENT_NOT_SCANNED, why, "id")
            values = {"status": decision, "rejection_code": given, "rejection_reason": text}
            return await self._changes.write(work, viewer.actor, current, values)

        return await self._units.run(viewer.reach(), body, turn=document.customer_id)
