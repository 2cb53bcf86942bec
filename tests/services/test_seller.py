"""What holds for a seller: what it has said for itself, else what holds for all."""

import pytest

from core.seller import SellerRules
from core.vocabulary import OnboardingStep
from services.seller import DEFAULT_ONBOARDING, SellerPolicies
from tests.clocks import NOON, StoppedClock

ADDRESS = (OnboardingStep.ADDRESS_ADDED,)
POLICIES = SellerPolicies(
    StoppedClock(),
    email=True,
    phone=False,
    documents=True,
    addresses=True,
    default_country="US",
    onboarding=(OnboardingStep.CONTACT_VERIFIED,),
    each={
        "country": SellerRules(default_country="AE"),
        "steps": SellerRules(onboarding=ADDRESS),
        "no-steps": SellerRules(onboarding=()),
        "both": SellerRules(default_country="DE", onboarding=ADDRESS),
        "silent": SellerRules(),
    },
)


@pytest.mark.parametrize(
    ("seller_id", "country", "steps"),
    [
        ("unknown", "US", (OnboardingStep.CONTACT_VERIFIED,)),
        ("silent", "US", (OnboardingStep.CONTACT_VERIFIED,)),
        ("country", "AE", (OnboardingStep.CONTACT_VERIFIED,)),
        ("steps", "US", ADDRESS),
        ("no-steps", "US", ()),
        ("both", "DE", ADDRESS),
    ],
)
def test_each_seller_has_what_it_said_and_else_what_holds_for_all(
    seller_id: str, country: str, steps: tuple[OnboardingStep, ...]
) -> None:
    policy = POLICIES.of(seller_id)

    assert (country, steps) == (policy.default_country, POLICIES.onboarding_of(seller_id))
    assert (True, False, NOON.date()) == (policy.email, policy.phone, policy.today)


def test_without_a_word_a_document_has_to_be_filed_but_not_accepted() -> None:
    policies = SellerPolicies(StoppedClock(), email=True, phone=True, documents=True, addresses=True, default_country="US")

    assert DEFAULT_ONBOARDING == policies.onboarding_of("anybody")
    assert set(OnboardingStep) - {OnboardingStep.DOCUMENT_VERIFIED} == set(DEFAULT_ONBOARDING)
