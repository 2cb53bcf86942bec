"""What sellers say for themselves, from the call that says it to the rules that follow from it."""

import pytest

from app.container import Container
from auth.principal import Scope
from core.retention import RetentionPolicy
from core.vocabulary import RetentionMode
from tests.api import Api, Json, Tokens, some_email
from tests.rest.calls import Calls, problem, reasons

SAID: Json = {
    "defaultCountry": "AE",
    "onboarding": ["DOCUMENT_SUBMITTED"],
    "requiredDocuments": ["PASSPORT", "TAX_CERTIFICATE"],
    "validation": {"email": False, "phone": None, "documents": None, "addresses": None},
    "otp": {"channels": ["EMAIL"]},
    "retention": {
        "mode": "ACTIVE", "inactiveMonths": 36, "graceDays": 14, "endedFileDays": 0, "verifiedFileDays": None, "importDays": 30
    },
}  # fmt: skip


@pytest.fixture(name="oms")
def _oms(rest: Calls, tokens: Tokens) -> Calls:
    """Calls REST as a service that may act for every seller."""
    return rest.as_(tokens.service())


@pytest.fixture(name="path")
def _path(seller: str) -> str:
    """The path of the test's seller's settings."""
    return f"/internal/api/v1/sellers/{seller}/settings"


async def test_what_a_seller_says_holds_from_then_on(oms: Calls, path: str, execute: Api, seller: str) -> None:
    before = await oms.get(path)
    phone = "mutation($input: CustomerInput!) { createCustomer(input: $input) { customer { id phone } userErrors { code } } }"
    refused = await execute.data(phone, {"input": {"email": "no address"}})
    said = await oms.put(path, SAID)
    made = await execute.data(phone, {"input": {"phone": "050 123 4567"}})
    lenient = await execute.data(phone, {"input": {"externalId": "x", "email": "no address"}})
    ask = """mutation($of: ID!, $by: OtpChannel!, $to: String!) {
        requestOtp(sellerId: $of, channel: $by, destination: $to) { userErrors { code } }
    }"""
    by_phone = await execute.data(ask, {"of": seller, "by": "SMS", "to": "+971501234567"}, as_=None)
    by_mail = await execute.data(ask, {"of": seller, "by": "EMAIL", "to": "a@example.com"}, as_=None)

    assert {"validation": {}, "otp": {}, "retention": {}} == _without_nulls(before.json())
    assert [{"code": "INVALID_EMAIL"}] == refused["createCustomer"]["userErrors"]
    assert (200, SAID) == (said.status_code, said.json())
    assert SAID == (await oms.get(path)).json()
    assert "+971501234567" == made["createCustomer"]["customer"]["phone"]
    assert [] == lenient["createCustomer"]["userErrors"]
    assert [{"code": "INVALID"}] == by_phone["requestOtp"]["userErrors"]
    assert [] == by_mail["requestOtp"]["userErrors"]


async def test_documents_of_every_required_type_are_asked_for(
    oms: Calls, path: str, rest: Calls, seller: str, execute: Api
) -> None:
    await oms.put(path, {"onboarding": ["DOCUMENT_VERIFIED"], "requiredDocuments": ["PASSPORT", "TAX_CERTIFICATE"]})
    customer = await rest.post(
        f"/api/v1/sellers/{seller}/customers",
        {"email": some_email(), "documents": [{"type": "PASSPORT", "number": "P1234567", "issuingCountry": "US"}]},
    )
    query = "query($id: ID!) { customer(id: $id) { onboarding { remaining complete } } }"

    found = await execute.data(query, {"id": customer.json()["id"]})

    assert {"remaining": ["DOCUMENT_VERIFIED"], "complete": False} == found["customer"]["onboarding"]


async def test_what_is_said_replaces_what_was_said(oms: Calls, path: str) -> None:
    await oms.put(path, SAID)
    said = await oms.put(path, {})

    assert {"validation": {}, "otp": {}, "retention": {}} == _without_nulls(said.json())


async def test_a_country_that_does_not_exist_is_refused_and_changes_nothing(oms: Calls, path: str) -> None:
    await oms.put(path, SAID)
    refused = problem(await oms.put(path, {"defaultCountry": "XX"}), 422, "INVALID")

    assert [("INVALID", ["defaultCountry"])] == reasons(refused)
    assert SAID == (await oms.get(path)).json()


async def test_only_services_may_say_it(
    rest: Calls, tokens: Tokens, path: str, ada: Json, seller: str, container: Container
) -> None:
    for token, status, code in (
        (None, 401, "UNAUTHENTICATED"),
        (rest.token, 403, "FORBIDDEN"),
        (tokens.customer(ada["id"], seller), 403, "FORBIDDEN"),
        (tokens.service([]), 403, "FORBIDDEN"),
    ):
        problem(await rest.as_(token).put(path, SAID), status, code)
        problem(await rest.as_(token).get(path), status, code)

    assert container.sellers.known(seller) == container.sellers.own(seller)
    assert container.sellers.known(seller).default_country is None


async def test_what_is_said_of_retention_takes_the_scope_of_erasures(
    rest: Calls, tokens: Tokens, oms: Calls, path: str, seller: str, container: Container
) -> None:
    """
    It destroys what they do. Whoever only says the same again, or something else, needs none.
    """
    without = rest.as_(tokens.service(frozenset(Scope) - {Scope.ERASURE}))
    problem(await without.put(path, {"retention": {"inactiveMonths": 1}}), 403, "FORBIDDEN")
    nothing = container.rules.policies.retention_of(seller)
    assert 200 == (await oms.put(path, SAID)).status_code
    assert 200 == (await without.put(path, {**SAID, "defaultCountry": "DE"})).status_code
    problem(await without.put(path, {}), 403, "FORBIDDEN")

    assert nothing == RetentionPolicy(import_days=90)
    assert container.rules.policies.retention_of(seller) == RetentionPolicy(
        mode=RetentionMode.ACTIVE, inactive_months=36, grace_days=14, import_days=30
    )


@pytest.mark.parametrize(
    "wrong", [{"inactiveMonths": -1}, {"inactiveMonths": 601}, {"graceDays": 0}, {"mode": "NOW"}, {"importDays": "P3D"}]
)
async def test_periods_of_no_sense_are_refused(oms: Calls, path: str, wrong: Json, seller: str, container: Container) -> None:
    refused = await oms.put(path, {"retention": wrong})

    assert 400 == refused.status_code
    assert {} == container.sellers.own(seller).retention


def _without_nulls(body: Json) -> Json:
    return {
        key: _without_nulls(value) if isinstance(value, dict) else value for key, value in body.items() if value is not None
    }
