"""How far a customer has come with what its seller asks of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from core.vocabulary import DocumentStatus, DocumentType, OnboardingStep
from services.rules.document_expiry import state_on

ABOUT_DOCUMENTS = frozenset({OnboardingStep.DOCUMENT_SUBMITTED, OnboardingStep.DOCUMENT_VERIFIED})
"""The steps that look at documents."""

_SUBMITTED = frozenset({DocumentStatus.PENDING_REVIEW, DocumentStatus.VERIFIED})


@dataclass(frozen=True, slots=True)
class FiledDocument:
    """What counts of a document: its stored state, whether its file has arrived, its last valid day as text, and its type."""

    status: DocumentStatus
    has_file: bool
    expires_on: str | None = None
    type: DocumentType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingFacts:
    """What is known of a customer. Addresses and documents are those that are not deleted."""

    email: str | None = None
    email_verified: bool = False
    phone: str | None = None
    phone_verified: bool = False
    addresses: int = 0
    documents: Sequence[FiledDocument] = ()


@dataclass(frozen=True, slots=True)
class OnboardingProgress:
    """The required steps in the order of `OnboardingStep`, each in one of the two."""

    done: tuple[OnboardingStep, ...]
    remaining: tuple[OnboardingStep, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing remains; so it is for a seller that requires nothing."""
        return not self.remaining


def onboarding_progress(
    required: Collection[OnboardingStep], facts: OnboardingFacts, today: date, types: Collection[DocumentType] = ()
) -> OnboardingProgress:
    """Return which of the *required* steps are done on a day (UTC), and which remain.

    The steps about documents are done with one document of each of *types*; with any one, when there are none.
    """
    steps = [step for step in OnboardingStep if step in required]
    done = tuple(step for step in steps if _is_done(step, facts, today, types))
    return OnboardingProgress(done, tuple(step for step in steps if step not in done))


def _is_done(step: OnboardingStep, facts: OnboardingFacts, today: date, types: Collection[DocumentType]) -> bool:
    match step:
        case OnboardingStep.CONTACT_VERIFIED:
            # What was verified and is gone since proves nothing.
            return bool((facts.email and facts.email_verified) or (facts.phone and facts.phone_verified))
        case OnboardingStep.ADDRESS_ADDED:
            return facts.addresses > 0
        case OnboardingStep.DOCUMENT_SUBMITTED:
            filed = [one for one in facts.documents if one.has_file and _state(one, today) in _SUBMITTED]
            return _are_enough(filed, types)
        case OnboardingStep.DOCUMENT_VERIFIED:
            return _are_enough([one for one in facts.documents if _state(one, today) is DocumentStatus.VERIFIED], types)


def _are_enough(documents: Sequence[FiledDocument], types: Collection[DocumentType]) -> bool:
    return bool(documents) and set(types) <= {one.type for one in documents}


def _state(document: FiledDocument, today: date) -> DocumentStatus:
    return state_on(document.status, document.expires_on, today)
