"""Which onboarding steps are done: every fact that counts, and those that look as if they did."""

import itertools
from collections.abc import Collection
from datetime import date
from typing import Any

import pytest

from core.vocabulary import DocumentStatus, DocumentType, OnboardingStep
from services.rules.document_expiry import has_expired, state_on
from services.rules.onboarding import FiledDocument, OnboardingFacts, onboarding_progress

TODAY = date(2026, 11, 22)
YESTERDAY, LAST_DAY, TOMORROW = "2026-11-21", "2026-11-22", "2026-11-23"
CONTACT, ADDRESS, SUBMITTED, VERIFIED = OnboardingStep
ALL = tuple(OnboardingStep)


def one(status: DocumentStatus, *, has_file: bool = True, expires_on: str | None = None) -> dict[str, Any]:
    return {"documents": [FiledDocument(status, has_file, expires_on)]}


CASES: dict[str, tuple[dict[str, Any], set[OnboardingStep]]] = {
    "nothing known": ({}, set()),
    "e-mail, not verified": ({"email": "a@example.com"}, set()),
    "e-mail, verified": ({"email": "a@example.com", "email_verified": True}, {CONTACT}),
    "phone, verified": ({"phone": "+442079460958", "phone_verified": True}, {CONTACT}),
    "one of two verified": (
        {"email": "a@example.com", "phone": "+442079460958", "phone_verified": True},
        {CONTACT},
    ),
    "verified, but gone": ({"email_verified": True, "phone_verified": True}, set()),
    "the other one verified, but gone": ({"email": "a@example.com", "phone_verified": True}, set()),
    "an address": ({"addresses": 1}, {ADDRESS}),
    "many addresses": ({"addresses": 100}, {ADDRESS}),
    "waits for its file": (one(DocumentStatus.AWAITING_UPLOAD, has_file=False), set()),
    "waits for review": (one(DocumentStatus.PENDING_REVIEW), {SUBMITTED}),
    "waits for review without a file": (one(DocumentStatus.PENDING_REVIEW, has_file=False), set()),
    "waits for review, on its last day": (one(DocumentStatus.PENDING_REVIEW, expires_on=LAST_DAY), {SUBMITTED}),
    "waits for review, over since midnight": (one(DocumentStatus.PENDING_REVIEW, expires_on=YESTERDAY), set()),
    "accepted": (one(DocumentStatus.VERIFIED), {SUBMITTED, VERIFIED}),
    "accepted, valid until tomorrow": (one(DocumentStatus.VERIFIED, expires_on=TOMORROW), {SUBMITTED, VERIFIED}),
    "accepted, on its last day": (one(DocumentStatus.VERIFIED, expires_on=LAST_DAY), {SUBMITTED, VERIFIED}),
    "accepted, over since midnight": (one(DocumentStatus.VERIFIED, expires_on=YESTERDAY), set()),
    "rejected": (one(DocumentStatus.REJECTED), set()),
    "expired": (one(DocumentStatus.EXPIRED, expires_on=YESTERDAY), set()),
    "one of many is enough": (
        {
            "documents": [
                FiledDocument(DocumentStatus.REJECTED, True),
                FiledDocument(DocumentStatus.VERIFIED, True, YESTERDAY),
                FiledDocument(DocumentStatus.PENDING_REVIEW, True),
            ]
        },
        {SUBMITTED},
    ),
}


@pytest.mark.parametrize(("facts", "done"), CASES.values(), ids=CASES)
def test_each_step_looks_at_its_own_facts(facts: dict[str, Any], done: set[OnboardingStep]) -> None:
    progress = onboarding_progress(ALL, OnboardingFacts(**facts), TODAY)

    assert done == set(progress.done)
    assert set(ALL) - done == set(progress.remaining)


def subsets() -> list[tuple[OnboardingStep, ...]]:
    return [chosen for size in range(5) for chosen in itertools.combinations(ALL, size)]


@pytest.mark.parametrize("required", subsets(), ids=lambda required: "+".join(required) or "nothing")
def test_done_and_remaining_are_the_required_steps_in_their_order(required: Collection[OnboardingStep]) -> None:
    facts = OnboardingFacts(addresses=1, **one(DocumentStatus.PENDING_REVIEW))

    progress = onboarding_progress(list(required)[::-1], facts, TODAY)

    assert [step for step in (ADDRESS, SUBMITTED) if step in required] == list(progress.done)
    assert [step for step in (CONTACT, VERIFIED) if step in required] == list(progress.remaining)
    assert (set(required) <= {ADDRESS, SUBMITTED}) is progress.complete


@pytest.mark.parametrize(
    ("expires_on", "expired"),
    [(None, False), (YESTERDAY, True), (LAST_DAY, False), (TOMORROW, False), ("0999-12-31", True), ("9999-12-31", False)],
)
def test_the_last_valid_day_is_a_valid_day(expires_on: str | None, expired: bool) -> None:
    assert expired is has_expired(expires_on, TODAY)


@pytest.mark.parametrize("status", DocumentStatus)
def test_only_a_rejection_outlives_the_last_day(status: DocumentStatus) -> None:
    after = DocumentStatus.REJECTED if status is DocumentStatus.REJECTED else DocumentStatus.EXPIRED

    assert status is state_on(status, LAST_DAY, TODAY)
    assert after is state_on(status, YESTERDAY, TODAY)


@pytest.mark.parametrize(
    ("filed", "types", "done"),
    [
        ([DocumentType.PASSPORT], [], True),
        ([DocumentType.PASSPORT], [DocumentType.PASSPORT], True),
        ([DocumentType.PASSPORT], [DocumentType.TAX_CERTIFICATE], False),
        ([DocumentType.PASSPORT], [DocumentType.PASSPORT, DocumentType.TAX_CERTIFICATE], False),
        ([DocumentType.TAX_CERTIFICATE, DocumentType.PASSPORT], [DocumentType.PASSPORT, DocumentType.TAX_CERTIFICATE], True),
        ([], [DocumentType.PASSPORT], False),
    ],
    ids=str,
)
@pytest.mark.parametrize(("step", "status"), [(SUBMITTED, DocumentStatus.PENDING_REVIEW), (VERIFIED, DocumentStatus.VERIFIED)])
def test_a_seller_may_ask_for_documents_of_several_types(
    filed: list[DocumentType], types: list[DocumentType], done: bool, step: OnboardingStep, status: DocumentStatus
) -> None:
    facts = OnboardingFacts(documents=[FiledDocument(status, True, None, type_) for type_ in filed])

    assert done == onboarding_progress([step], facts, TODAY, types).complete
