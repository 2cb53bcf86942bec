"""How far a customer has come with what its seller requires."""

from datetime import UTC, datetime, timedelta

import pytest

from app.container import Container
from auth.principal import Scope
from core.seller import SellerRules
from core.vocabulary import OnboardingStep
from tests.api import Api, Commands, Json, Tokens, fresh
from tests.graphql.operations import (
    BERLIN,
    COMPLETE,
    CREATE_ADDRESS,
    CREATE_DOCUMENT,
    DELETE_ADDRESS,
    DELETE_DOCUMENT,
    PDF,
    REVIEW,
    announced,
    create,
    payload,
    send,
)

ONBOARDING = "query($id: ID!) { customer(id: $id) { onboarding { complete done remaining } } }"
CONTACT, ADDRESS, SUBMITTED, VERIFIED = (step.value for step in OnboardingStep)


@pytest.fixture(name="requires")
def _requires(container: Container, monkeypatch: pytest.MonkeyPatch) -> "Requires":
    return Requires(container, monkeypatch)


class Requires:
    """Lets a seller require other steps, as its settings would."""

    def __init__(self, container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
        self._each = container.rules.policies._each
        self._monkeypatch = monkeypatch

    def __call__(self, seller: str, *steps: OnboardingStep) -> None:
        self._monkeypatch.setitem(self._each, seller, SellerRules(onboarding=steps))


async def onboarding(execute: Api, id_: str, as_: str = "") -> Json:
    found: Json = (await execute.data(ONBOARDING, {"id": id_}, as_=as_))["customer"]["onboarding"]
    return found


async def submit(execute: Api, customer: str, as_: str = "") -> str:
    """File a document with its file, and return its id."""
    fields = {"type": "PASSPORT", "file": announced()}
    made = await payload(execute, CREATE_DOCUMENT, {"customer": customer, "input": fields}, as_=as_)
    await send(made["upload"], PDF)
    assert [] == (await payload(execute, COMPLETE, {"id": made["document"]["id"]}, as_=as_))["userErrors"]
    document: str = made["document"]["id"]
    return document


async def change(container: Container, collection: str, id_: str, **values: object) -> None:
    """Write what only another part of the service, or the passing of time, would."""
    await container.mongo.database[collection].update_one({"_id": id_}, {"$set": values})


async def test_from_the_first_step_to_the_last(
    execute: Api, container: Container, tokens: Tokens, seller: str, requires: Requires
) -> None:
    """
    As its own customer sees it, who does everything but the review.
    """
    requires(seller, *OnboardingStep)
    id_ = (await create(execute))["id"]
    mine = tokens.customer(id_, seller)

    start = await onboarding(execute, id_, mine)
    await change(container, "customers", id_, email_verified=True)
    contact = await onboarding(execute, id_, mine)
    await payload(execute, CREATE_ADDRESS, {"customer": id_, "input": BERLIN}, as_=mine)
    address = await onboarding(execute, id_, mine)
    document = await submit(execute, id_, mine)
    submitted = await onboarding(execute, id_, mine)
    await payload(execute, REVIEW, {"id": document, "approve": True})
    end = await onboarding(execute, id_, mine)

    steps = [CONTACT, ADDRESS, SUBMITTED, VERIFIED]
    assert [{"complete": done == 4, "done": steps[:done], "remaining": steps[done:]} for done in range(5)] == [
        start,
        contact,
        address,
        submitted,
        end,
    ]


async def test_unless_told_otherwise_a_document_is_filed_and_need_not_be_verified(execute: Api) -> None:
    id_ = (await create(execute))["id"]

    assert {"complete": False, "done": [], "remaining": [CONTACT, ADDRESS, SUBMITTED]} == await onboarding(execute, id_)


async def test_a_seller_that_requires_nothing_has_only_complete_customers(
    execute: Api, seller: str, requires: Requires
) -> None:
    requires(seller)
    id_ = (await create(execute))["id"]

    assert {"complete": True, "done": [], "remaining": []} == await onboarding(execute, id_)


async def test_what_was_done_can_be_undone(execute: Api, seller: str, requires: Requires) -> None:
    requires(seller, OnboardingStep.ADDRESS_ADDED, OnboardingStep.DOCUMENT_SUBMITTED)
    customer = await create(execute, addresses=[BERLIN])
    document = await submit(execute, customer["id"])

    complete = await onboarding(execute, customer["id"])
    await payload(execute, DELETE_ADDRESS, {"id": customer["addresses"][0]["id"]})
    await payload(execute, DELETE_DOCUMENT, {"id": document})

    assert {"complete": True, "done": [ADDRESS, SUBMITTED], "remaining": []} == complete
    assert {"complete": False, "done": [], "remaining": [ADDRESS, SUBMITTED]} == await onboarding(execute, customer["id"])


async def test_a_rejected_document_is_not_submitted(execute: Api, seller: str, requires: Requires) -> None:
    requires(seller, OnboardingStep.DOCUMENT_SUBMITTED)
    id_ = (await create(execute))["id"]
    document = await submit(execute, id_)

    await payload(execute, REVIEW, {"id": document, "approve": False, "reason": "It cannot be read."})

    assert [SUBMITTED] == (await onboarding(execute, id_))["remaining"]


async def test_a_document_counts_until_midnight_whenever_the_sweep_comes(
    execute: Api, container: Container, seller: str, requires: Requires
) -> None:
    requires(seller, OnboardingStep.DOCUMENT_VERIFIED)
    id_ = (await create(execute))["id"]
    document = await submit(execute, id_)
    await payload(execute, REVIEW, {"id": document, "approve": True})
    now = datetime.now(UTC)

    await change(container, "documents", document, expires_on=(now + timedelta(days=1)).date().isoformat())
    valid = await onboarding(execute, id_)
    await change(container, "documents", document, expires_on=(now - timedelta(days=1)).date().isoformat())
    over = await onboarding(execute, id_)

    assert (True, False) == (valid["complete"], over["complete"])


async def test_whoever_reads_customers_sees_it_without_the_scope_for_documents(
    execute: Api, tokens: Tokens, seller: str
) -> None:
    id_ = (await create(execute))["id"]
    await submit(execute, id_)

    clerk = await onboarding(execute, id_, tokens.operator(seller, [Scope.CUSTOMERS_READ]))

    assert [SUBMITTED] == clerk["done"]


async def test_each_customer_is_measured_by_its_own_seller(
    execute: Api, tokens: Tokens, seller: str, requires: Requires
) -> None:
    other = fresh("seller")
    requires(other, OnboardingStep.ADDRESS_ADDED)
    mine = await create(execute, addresses=[BERLIN])
    theirs = await create(execute, as_=tokens.operator(other), addresses=[BERLIN])

    found = await execute.data(
        "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { onboarding { complete } } } }",
        {"ids": [mine["id"], theirs["id"]]},
        as_=tokens.service(),
    )

    assert [False, True] == [node["onboarding"]["complete"] for node in found["nodes"]]


@pytest.mark.parametrize(
    ("steps", "collections"),
    [
        ([OnboardingStep.CONTACT_VERIFIED], ["customers"]),
        ([OnboardingStep.ADDRESS_ADDED], ["addresses", "customers"]),
        ([OnboardingStep.DOCUMENT_VERIFIED], ["customers", "documents"]),
        ([], ["customers"]),
    ],
    ids=["contact", "address", "document", "nothing"],
)
async def test_what_no_step_looks_at_is_not_read(
    execute: Api, commands: Commands, seller: str, requires: Requires, steps: list[OnboardingStep], collections: list[str]
) -> None:
    requires(seller, *steps)
    id_ = (await create(execute))["id"]
    commands.forget()

    await onboarding(execute, id_)

    assert collections == sorted(commands.of_requests("find", "aggregate"))
