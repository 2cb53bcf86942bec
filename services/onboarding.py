"""Which onboarding steps a seller requires, and how far one of its customers has come."""

from collections.abc import Sequence

from auth.principal import Principal, Scope
from core.vocabulary import OnboardingStep
from models.address import Address
from models.customer import Customer
from models.document import Document
from services.rules.onboarding import FiledDocument, OnboardingFacts, OnboardingProgress, onboarding_progress
from services.seller import SellerPolicies


class OnboardingService:
    """Answers for a verified caller; asks the database nothing, so that the caller can load for many customers at once."""

    def __init__(self, policies: SellerPolicies) -> None:
        self._policies = policies

    def required(self, viewer: Principal, customer: Customer) -> frozenset[OnboardingStep]:
        """Return the steps that the customer's seller requires.

        Raises:
            Forbidden: without the scope ``customers:read``.
        """
        viewer.require(Scope.CUSTOMERS_READ)
        return frozenset(self._policies.onboarding_of(customer.seller_id))

    def progress(
        self, viewer: Principal, customer: Customer, addresses: Sequence[Address], documents: Sequence[Document]
    ) -> OnboardingProgress:
        """Return which of the required steps are done. *addresses* and *documents* are the customer's live ones.

        ``customers:read`` is enough: of the documents no more is told than that a step is done.

        Raises:
            Forbidden: without the scope ``customers:read``.
        """
        facts = OnboardingFacts(
            email=customer.email,
            email_verified=customer.email_verified,
            phone=customer.phone,
            phone_verified=customer.phone_verified,
            addresses=len(addresses),
            documents=[FiledDocument(one.status, one.was_filed, one.expires_on, one.type) for one in documents],
        )
        today, types = self._policies.of(customer.seller_id).today, self._policies.required_documents_of(customer.seller_id)
        return onboarding_progress(self.required(viewer, customer), facts, today, types)
