"""Consents: what may be recorded, and what holds. No I/O."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.errors import ErrorCode, Problem
from core.vocabulary import ConsentChannel, ConsentSource, ConsentState, PrincipalKind
from models.consent import Consent
from services.rules.text import clean_text

MAX_REFERENCE = 200
MAX_TEXT_VERSION = 64

_PURPOSE = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_USUAL = {
    PrincipalKind.CUSTOMER: ConsentSource.CUSTOMER,
    PrincipalKind.OPERATOR: ConsentSource.OPERATOR,
    PrincipalKind.SERVICE: ConsentSource.API,
}


@dataclass(frozen=True, slots=True)
class ConsentDraft:
    """What somebody said about one purpose over one channel, as a caller tells it; `given_at` None means now."""

    channel: ConsentChannel
    purpose: str
    state: ConsentState
    source: ConsentSource | None = None
    reference: str | None = None
    text_version: str | None = None
    given_at: datetime | None = None


def check_consent(draft: ConsentDraft, kind: PrincipalKind, now: datetime) -> tuple[ConsentDraft, list[Problem]]:
    """Return a draft normalised, with a source, and all that is wrong with it when a caller of this *kind* records it."""
    problems: list[Problem] = []
    purpose = draft.purpose[:MAX_REFERENCE].strip().upper()
    if not _PURPOSE.fullmatch(purpose):
        message = "A purpose is a short key: a letter, then letters, digits and underscores, 40 at most. For example MARKETING."
        problems.append(Problem(ErrorCode.INVALID, message, ("purpose",)))
    reference = clean_text(draft.reference, limit=MAX_REFERENCE, field=("reference",), problems=problems)
    granted = draft.state is ConsentState.GRANTED
    text_version = clean_text(
        draft.text_version, limit=MAX_TEXT_VERSION, field=("textVersion",), problems=problems, required=granted
    )
    source = draft.source or _USUAL[kind]
    if (source is ConsentSource.CUSTOMER) is not (kind is PrincipalKind.CUSTOMER):
        message = "CUSTOMER is the source of what customers record for themselves, and of nothing else."
        problems.append(Problem(ErrorCode.INVALID, message, ("source",)))
    if draft.given_at is not None and kind is PrincipalKind.CUSTOMER:
        message = "What you say holds from now on. Only the seller can record what was said earlier."
        problems.append(Problem(ErrorCode.FORBIDDEN, message, ("givenAt",)))
    elif draft.given_at is not None and draft.given_at > now:
        problems.append(Problem(ErrorCode.INVALID, "Nobody can have said this in the future.", ("givenAt",)))
    return replace(draft, purpose=purpose, reference=reference, text_version=text_version, source=source), problems


def in_order(ledger: Iterable[Consent]) -> list[Consent]:
    """Return entries in the order in which they hold: by when they were given, and of the same moment by their ids."""
    return sorted(ledger, key=lambda one: (one.given_at, one.id))


def holding(ledger: Iterable[Consent]) -> list[Consent]:
    """Return the latest entry of each purpose and channel, sorted by these."""
    latest = {(one.purpose, one.channel): one for one in in_order(ledger)}
    return [latest[key] for key in sorted(latest)]


def said_before(draft: ConsentDraft, ledger: Sequence[Consent]) -> Consent | None:
    """Return the entry that says already what a draft says, so that recording it again would add nothing.

    With a moment, any entry of that moment; without one, the entry that holds.
    """
    same = [one for one in ledger if (one.purpose, one.channel) == (draft.purpose, draft.channel)]
    candidates = in_order(same)[-1:] if draft.given_at is None else [one for one in same if one.given_at == draft.given_at]
    return next((one for one in candidates if _told(one) == _told(draft)), None)


def _told(one: Consent | ConsentDraft) -> tuple[object, ...]:
    return one.state, one.source, one.reference, one.text_version
