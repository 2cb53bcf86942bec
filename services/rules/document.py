"""Documents as customers file them: number, dates, and the file they announce."""

import re
from dataclasses import replace

from core.drafts import DocumentDraft, FileDraft
from core.errors import ErrorCode, Problem
from services.rules.country import country_codes, country_from_name
from services.rules.document_number import normalise_document_number
from services.rules.policy import RulePolicy
from services.rules.text import clean_text

FILE_TYPES = frozenset({"application/pdf", "image/jpeg", "image/png"})
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_FILE_NAME = 255
MAX_DOCUMENTS = 20

_SHA256 = re.compile(r"[0-9a-f]{64}")


def check_document_draft(draft: DocumentDraft, policy: RulePolicy) -> tuple[DocumentDraft, list[Problem]]:
    """Return the document normalised, and all that is wrong with it, under paths such as ``("file", "size")``.

    An issuing country that is none becomes None; a number with a wrong check digit stays beside its problem.
    """
    problems: list[Problem] = []
    country = _check_country(draft.issuing_country, problems)
    number = None
    if draft.number is not None:
        number, problem = normalise_document_number(draft.type, country, draft.number, enabled=policy.documents)
        if problem is not None:
            problems.append(problem.under("number"))
    _check_dates(draft, policy, problems)
    file = None
    if draft.file is not None:
        file, found = check_file(draft.file)
        problems += [problem.under("file") for problem in found]
    return replace(draft, number=number, issuing_country=country, file=file), problems


def _check_country(value: str | None, problems: list[Problem]) -> str | None:
    text = clean_text(value, limit=100, field=("issuingCountry",), problems=problems)
    if text is None or text.upper() in country_codes():
        return text.upper() if text else None
    meant = country_from_name(text)
    hint = f" Did you mean {meant}?" if meant else " Use two letters, such as DE."
    problems.append(Problem(ErrorCode.INVALID, f"{text[:60]!r} is no country code of ISO 3166-1.{hint}", ("issuingCountry",)))
    return None


def _check_dates(draft: DocumentDraft, policy: RulePolicy, problems: list[Problem]) -> None:
    if draft.issued_on is not None and draft.issued_on > policy.today:
        problems.append(Problem(ErrorCode.INVALID, "A document cannot be issued in the future.", ("issuedOn",)))
    if draft.expires_on is None:
        return
    if draft.issued_on is not None and draft.expires_on < draft.issued_on:
        problems.append(Problem(ErrorCode.INVALID, "A document cannot expire before it was issued.", ("expiresOn",)))
    elif policy.documents and draft.expires_on < policy.today:
        message = f"The document expired on {draft.expires_on}: file one that is valid."
        problems.append(Problem(ErrorCode.DOCUMENT_EXPIRED, message, ("expiresOn",)))


def check_file(draft: FileDraft) -> tuple[FileDraft, list[Problem]]:
    """Return the announced file with its type and checksum in lower case, and all that is wrong with it."""
    problems: list[Problem] = []
    name = clean_text(draft.name, limit=MAX_FILE_NAME, field=("name",), problems=problems, required=True, identifier=True)
    if name is not None and ("/" in name or "\\" in name or not name.strip(".")):
        problems.append(Problem(ErrorCode.INVALID, "Give the name of the file alone, without a folder.", ("name",)))
    content_type = draft.content_type.strip().lower() if len(draft.content_type) < MAX_FILE_NAME else ""
    if content_type not in FILE_TYPES:
        message = "Documents are PDF, JPEG or PNG: application/pdf, image/jpeg or image/png."
        problems.append(Problem(ErrorCode.FILE_TYPE_REJECTED, message, ("contentType",)))
    if draft.size < 1:
        problems.append(Problem(ErrorCode.INVALID, "The file is empty.", ("size",)))
    elif draft.size > MAX_FILE_BYTES:
        message = f"A file has at most {MAX_FILE_BYTES} bytes (10 MiB); this one has {draft.size}."
        problems.append(Problem(ErrorCode.TOO_LONG, message, ("size",)))
    sha256 = draft.sha256.strip().lower() if draft.sha256 is not None and len(draft.sha256) < MAX_FILE_NAME else draft.sha256
    if sha256 is not None and _SHA256.fullmatch(sha256) is None:
        problems.append(Problem(ErrorCode.INVALID, "A SHA-256 checksum has 64 hexadecimal digits.", ("sha256",)))
    return replace(draft, name=name or "", content_type=content_type, sha256=sha256), problems
