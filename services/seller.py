"""Which rules hold for which seller."""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Protocol

from core.clock import Clock
from core.retention import RetentionPolicy
from core.seller import NOTHING_SAID, SellerRules
from core.vocabulary import DocumentType, OnboardingStep, OtpChannel
from services.rules.policy import RulePolicy

DEFAULT_ONBOARDING = (OnboardingStep.CONTACT_VERIFIED, OnboardingStep.ADDRESS_ADDED, OnboardingStep.DOCUMENT_SUBMITTED)
"""What a seller requires of its customers until it says otherwise."""


class Sellers(Protocol):
    """Knows what sellers have said lately; `services.seller_book.SellerBook` does."""

    def known(self, seller_id: str) -> SellerRules:
        """Return what is known of a seller."""

    async def learn(self, seller_id: str) -> None:
        """See to it that a seller is known."""


class SellerPolicies:
    """The rules of each seller: what it has said lately, else what the settings say of *each*, by seller id, else for all."""

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
        self._retention = RetentionPolicy()
        self._each = dict(each or {})
        self.sellers: Sellers | None = None

    def with_sellers(self, sellers: Sellers) -> "SellerPolicies":
        """Return policies that ask *sellers* first."""
        policies = copy(self)
        policies.sellers = sellers
        return policies

    def with_retention(self, retention: RetentionPolicy) -> "SellerPolicies":
        """Return policies in which *retention* holds for sellers that have said nothing of it."""
        policies = copy(self)
        policies._retention = retention  # noqa: SLF001 - it is one of these
        return policies

    async def learn(self, seller_id: str) -> None:
        """See to it that a seller is known, before its rules are asked for. Never fails: what is known serves on."""
        if self.sellers is not None:
            await self.sellers.learn(seller_id)

    def of(self, seller_id: str) -> RulePolicy:
        """Return the rules that hold for one seller today."""
        said = self._said(seller_id)
        return RulePolicy(
            email=self._email if said.email is None else said.email,
            phone=self._phone if said.phone is None else said.phone,
            documents=self._documents if said.documents is None else said.documents,
            addresses=self._addresses if said.addresses is None else said.addresses,
            default_country=said.default_country or self._default_country,
            today=self._clock.now().date(),
        )

    def onboarding_of(self, seller_id: str) -> tuple[OnboardingStep, ...]:
        """Return the onboarding steps that one seller requires: none, when it has said so."""
        said = self._said(seller_id).onboarding
        return self._onboarding if said is None else said

    def required_documents_of(self, seller_id: str) -> tuple[DocumentType, ...]:
        """Return the types of documents that all have to be filed before a step about documents is done: mostly none."""
        return self._said(seller_id).required_documents or ()

    def otp_channels_of(self, seller_id: str) -> tuple[OtpChannel, ...]:
        """Return the channels that one seller lets one-time codes go over."""
        said = self._said(seller_id).otp_channels
        return tuple(OtpChannel) if said is None else said

    def retention_of(self, seller_id: str) -> RetentionPolicy:
        """Return for how long one seller keeps what."""
        return replace(self._retention, **self._said(seller_id).retention)

    def _said(self, seller_id: str) -> SellerRules:
        configured = self._each.get(seller_id, NOTHING_SAID)
        if self.sellers is None:
            return configured
        lately = self.sellers.known(seller_id)
        return configured if lately is NOTHING_SAID else lately.over(configured)
