"""Why a document is rejected: a reason from the list, and a sentence for the customer to read."""

from collections.abc import Mapping

from core.errors import ErrorCode, Problem
from core.vocabulary import DocumentRejectionReason
from services.rules.text import clean_text

MAX_REASON = 500
"""Characters of the sentence."""

SENTENCES: Mapping[DocumentRejectionReason, str] = {
    DocumentRejectionReason.UNREADABLE: "The file cannot be read. Send a sharp picture of the whole document.",
    DocumentRejectionReason.INCOMPLETE: "A part of the document is missing. Send all of it, with every page and side.",
    DocumentRejectionReason.WRONG_TYPE: "This is another kind of document than was asked for.",
    DocumentRejectionReason.EXPIRED: "The document is no longer valid. Send one that is.",
    DocumentRejectionReason.NOT_ACCEPTED: "Documents of this kind are not accepted. Send another one.",
    DocumentRejectionReason.NAME_MISMATCH: "The name on the document is not the one in your account.",
    DocumentRejectionReason.NUMBER_MISMATCH: "The number on the document is not the one that was given.",
    DocumentRejectionReason.DATE_MISMATCH: "A date on the document is not the one that was given.",
    DocumentRejectionReason.ADDRESS_MISMATCH: "The address on the document is not the one in your account.",
    DocumentRejectionReason.SUSPECTED_FRAUD: "The document could not be verified.",
    DocumentRejectionReason.MALWARE: "The file carries malware and was removed. Send a file from a device that is free of it.",
}
"""What stands where a reviewer gives a reason from the list and no words of their own. OTHER says nothing by itself."""


def check_rejection(
    code: DocumentRejectionReason | None, words: str | None, *, approve: bool
) -> tuple[DocumentRejectionReason | None, str | None, list[Problem]]:
    """Return the reason and the sentence of a decision, and all that is wrong with them; nothing of either for an approval.

    Words without a reason from the list are OTHER, as from clients that do not know the list.
    """
    problems: list[Problem] = []
    needed = not approve and code in {None, DocumentRejectionReason.OTHER}
    text = clean_text(words, limit=MAX_REASON, field=("reason",), problems=problems, required=needed, multiline=True)
    if approve:
        # Dropping it in silence would approve what somebody was about to reject, and an approval stays.
        message = "A reason belongs to a rejection. Leave it out to approve, or set approve to false to reject."
        given = (("reason", text), ("reasonCode", code))
        problems += [Problem(ErrorCode.INVALID, message, (name,)) for name, value in given if value is not None]
        return None, None, problems
    if code is DocumentRejectionReason.MALWARE:
        message = "Only the scanner says that a file carries malware. Give what you see, or OTHER with a reason."
        problems.append(Problem(ErrorCode.INVALID, message, ("reasonCode",)))
    code = code or DocumentRejectionReason.OTHER
    return code, text or SENTENCES.get(code), problems
