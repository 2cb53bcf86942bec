"""What other services look up: many customers by what they know of them, and where to ship."""

from typing import Any

import pytest

from auth.principal import Scope
from core.vocabulary import PrincipalKind
from tests.api import Api, Commands, Json, Tokens, fresh, some_email
from tests.graphql.merging import merged
from tests.rest.calls import ADDRESS, NOBODY, Calls, made, problem, reasons


@pytest.fixture(name="oms")
def _oms(rest: Calls, tokens: Tokens) -> Calls:
    """Calls REST as a service that may act for every seller."""
    return rest.as_(tokens.service())


@pytest.fixture(name="lookups")
def _lookups(seller: str) -> str:
    """The path of the test's seller's look-ups."""
    return f"/internal/api/v1/sellers/{seller}/customer-lookups"


DEFAULTS = "/internal/api/v1/default-addresses"


async def test_customers_are_found_by_whatever_is_known_of_them(oms: Calls, rest: Calls, lookups: str, seller: str) -> None:
    email = some_email()
    ada = await made(
        rest,
        seller,
        email=email,
        phone="+12027075000",
        externalId="ada",
        documents=[{"type": "PASSPORT", "number": "P1234567", "issuingCountry": "US"}],
    )
    grace = await made(rest, seller, externalId="grace", addresses=[ADDRESS])
    keys = [
        {"externalId": "grace"},
        {"email": email.upper()},
        {"phone": "+1 (202) 707-5000"},
        {"documentNumber": "p 1234567"},
        {"externalId": " ada "},
        {"id": grace["id"]},
        {"email": "nobody@example.com"},
        {"phone": "no phone"},
    ]

    answer = await oms.post(lookups, {"keys": keys})

    assert 200 == answer.status_code, answer.text
    found = [one and one["id"] for one in answer.json()["customers"]]
    assert [grace["id"], ada["id"], ada["id"], ada["id"], ada["id"], grace["id"], None, None] == found
    assert grace["addresses"] == answer.json()["customers"][0]["addresses"]


async def test_a_hundred_keys_are_one_query_for_customers(oms: Calls, lookups: str, commands: Commands) -> None:
    answer = await oms.post(lookups, {"keys": [{"email": f"nobody-{number}@example.com"} for number in range(100)]})

    assert [None] * 100 == answer.json()["customers"]
    assert ["customers"] == commands.of_requests("find")


async def test_another_sellers_customers_are_not_found(oms: Calls, rest: Calls, tokens: Tokens, lookups: str) -> None:
    other = fresh("seller")
    theirs = await made(rest.as_(tokens.operator(other)), other, externalId="theirs")

    answer = await oms.post(lookups, {"keys": [{"externalId": "theirs"}, {"id": theirs["id"]}]})

    assert [None, None] == answer.json()["customers"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"keys": []}, "INVALID"),
        ({"keys": [{"email": "a@example.com"}] * 101}, "TOO_MANY"),
        ({}, "REQUIRED"),
        ({"keys": [{"colour": "red"}]}, "INVALID"),
    ],
)
async def test_what_cannot_be_looked_up_is_refused(oms: Calls, lookups: str, body: Json, code: str) -> None:
    refused = problem(await oms.post(lookups, body), 400, "BAD_USER_INPUT")

    assert code in {one for one, _ in reasons(refused)}


@pytest.mark.parametrize("body", [{"keys": [{}]}, {"keys": [{"email": "a@example.com", "phone": "1"}]}])
async def test_a_key_is_one_identifier(oms: Calls, lookups: str, body: Json) -> None:
    problem(await oms.post(lookups, body), 400, "BAD_USER_INPUT")


@pytest.fixture(name="shops")
def _shops(rest: Calls, tokens: Tokens) -> tuple[tuple[str, Calls], tuple[str, Calls]]:
    """Two sellers, and who works for each."""
    one, two = fresh("seller"), fresh("seller")
    return (one, rest.as_(tokens.operator(one))), (two, rest.as_(tokens.operator(two)))


async def test_default_addresses_of_several_sellers_customers_come_at_once(
    oms: Calls, shops: tuple[tuple[str, Calls], tuple[str, Calls]], commands: Commands
) -> None:
    (one, as_one), (two, as_two) = shops
    other_line = {**ADDRESS, "line1": "1 First Street SE"}
    home = await made(as_one, one, externalId="1", addresses=[ADDRESS, {**other_line, "isDefault": True}])
    billed = await made(as_two, two, externalId="1", addresses=[{**ADDRESS, "kind": "BILLING"}])
    nowhere = await made(as_two, two, externalId="2")
    ids = [nowhere["id"], home["id"], NOBODY, billed["id"], home["id"], "nonsense"]
    commands.forget()

    shipping = await oms.post(DEFAULTS, {"customerIds": ids})
    asked = commands.of_requests("find")
    billing = await oms.post(DEFAULTS, {"customerIds": ids, "kind": "BILLING"})

    assert ids == [one["customerId"] for one in shipping.json()["addresses"]]
    lines = [one["address"] and one["address"]["line1"] for one in shipping.json()["addresses"]]
    assert [None, "1 First Street SE", None, None, "1 First Street SE", None] == lines
    assert [False, False, False, True, False, False] == [one["address"] is not None for one in billing.json()["addresses"]]
    # One for those who are there, one for who goes on in the place of those who are not.
    assert ["customers", "customers", "addresses"] == asked


async def test_a_service_of_one_seller_sees_that_sellers_addresses_only(
    rest: Calls, tokens: Tokens, shops: tuple[tuple[str, Calls], tuple[str, Calls]]
) -> None:
    (one, as_one), (two, as_two) = shops
    mine = await made(as_one, one, externalId="1", addresses=[ADDRESS])
    theirs = await made(as_two, two, externalId="1", addresses=[ADDRESS])

    bound = tokens._mint(PrincipalKind.SERVICE, "wms", [Scope.CUSTOMERS_READ], seller_id=one)

    answer = await rest.as_(bound).post(DEFAULTS, {"customerIds": [mine["id"], theirs["id"]]})

    assert [True, False] == [one["address"] is not None for one in answer.json()["addresses"]]


@pytest.mark.parametrize(("number", "status"), [(1, 200), (250, 200), (251, 400), (0, 400)])
async def test_up_to_250_customers_are_asked_for_at_once(oms: Calls, number: int, status: int) -> None:
    answer = await oms.post(DEFAULTS, {"customerIds": [f"cus_{index:026d}" for index in range(number)]})

    assert status == answer.status_code, answer.text


@pytest.mark.parametrize("path", ["lookups", DEFAULTS])
async def test_they_are_for_services_with_the_scope_to_read(
    rest: Calls, tokens: Tokens, seller: str, lookups: str, path: str, ada: Json
) -> None:
    path = lookups if path == "lookups" else path
    body: dict[str, Any] = {"keys": [{"externalId": "ada"}]} if path == lookups else {"customerIds": [ada["id"]]}

    problem(await rest.as_(None).post(path, body), 401, "UNAUTHENTICATED")
    problem(await rest.post(path, body), 403, "FORBIDDEN")
    problem(await rest.as_(tokens.customer(ada["id"], seller)).post(path, body), 403, "FORBIDDEN")
    problem(await rest.as_(tokens.service([Scope.CUSTOMERS_WRITE])).post(path, body), 403, "FORBIDDEN")
    assert 200 == (await rest.as_(tokens.service([Scope.CUSTOMERS_READ])).post(path, body)).status_code


async def test_numbers_of_documents_need_a_scope_of_their_own(rest: Calls, tokens: Tokens, lookups: str, ada: Json) -> None:
    body = {"keys": [{"documentNumber": "P1234567"}]}

    problem(await rest.as_(tokens.service([Scope.CUSTOMERS_READ])).post(lookups, body), 403, "FORBIDDEN")
    answer = await rest.as_(tokens.service([Scope.CUSTOMERS_READ, Scope.DOCUMENTS_READ])).post(lookups, body)
    assert [ada["id"]] == [one["id"] for one in answer.json()["customers"]]


async def test_what_is_known_of_one_that_was_merged_away_finds_who_is_left(
    oms: Calls, rest: Calls, lookups: str, seller: str, execute: Api
) -> None:
    """
    Orders keep the ids they were placed with: by each of them the survivor and its address are found.
    """
    first, second, last = [
        await made(rest, seller, email=some_email(), externalId=f"old-{number}", addresses=[{**ADDRESS, "label": str(number)}])
        for number in range(3)
    ]
    for gone, into in ((first, second), (second, last)):
        await merged(execute, into, gone)
    keys = [
        {"id": first["id"]},
        {"externalId": "old-0"},
        {"externalId": "old-1"},
        {"id": last["id"]},
        {"email": first["email"]},
    ]

    found = (await oms.post(lookups, {"keys": keys})).json()["customers"]
    ids = [first["id"], second["id"], last["id"], NOBODY]
    reached = (await oms.post(DEFAULTS, {"customerIds": ids})).json()["addresses"]
    one = await rest.get(f"/api/v1/sellers/{seller}/customers/{first['id']}")

    assert [last["id"]] * 4 + [None] == [each and each["id"] for each in found]
    assert ids == [each["customerId"] for each in reached]
    assert ["2", "2", "2", None] == [each["address"] and each["address"]["label"] for each in reached]
    assert (200, last["id"]) == (one.status_code, one.json()["id"])
    refused = await rest.put(f"/api/v1/sellers/{seller}/customers/{first['id']}", {"firstName": "Eve"})
    assert (404, "MERGED", last["id"]) == (
        refused.status_code,
        refused.json()["code"],
        refused.json()["errors"][0]["mergedInto"],
    )
