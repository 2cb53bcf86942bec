"""Which rules hold for which seller."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.clock import Clock
from core.vocabulary import OnboardingStep
from services.rules.policy import RulePolicy

DEFAULT_ONBOARDING = (OnboardingStep.CONTACT_VERIFIED, OnboardingStep.ADDRESS_ADDED, OnboardingStep.DOCUMENT_SUBMITTED)
"""What a seller requires of its customers until it says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerRules:
    """What one seller has said for itself. None: what holds for all."""

    default_country: str | None = None
    onboarding: tuple[OnboardingStep, ...] | None = None


_NOTHING_SAID = SellerRules()


class SellerPolicies:
    """The rules of each seller, from the settings: what holds for all, and what *each* has said for itself, by seller id."""

    def __init__(
        self,
        clock: Clock,
        *,
        email: bool,
        phone: bool,
        documents: bool,
        addresses: bool,
        default_country: str,
        onboarding: tuple[OnboardingStep, ...] = DEFAULT_ONBOARDING,
        each: Mapping[str, SellerRules] | None = None,
    ) -> None:
        self._clock = clock
        self._email = email
        self._phone = phone
        self._documents = documents
        self._addresses = addresses
        self._default_country = default_country
        self._onboarding = onboarding
        self._each = dict(each or {})

    def of(self, seller_id: str) -> RulePolicy:
        """Return the rules that hold for one seller today."""
        return RulePolicy(
            email=self._email,
            phone=self._phone,
            documents=self._documents,
            addresses=self._addresses,
            default_country=self._said(seller_id).default_country or self._default_country,
            today=self._clock.now().date(),
        )

    def onboarding_of(self, seller_id: str) -> tuple[OnboardingStep, ...]:
        """Return the onboarding steps that one seller requires: none, when it has said so."""
        said = self._said(seller_id).onboarding
        return self._onboarding if said is None else said

    def _said(self, seller_id: str) -> SellerRules:
        return self._each.get(seller_id, _NOTHING_SAID)
