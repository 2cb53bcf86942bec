"""Addresses over REST."""

import pytest

from auth.principal import Scope
from tests.api import Json, Tokens, fresh, some_email
from tests.rest.calls import ADDRESS, NO_ADDRESS, NOBODY, Calls, made, problem, reasons, stored

PATH = "/api/v1/addresses"


async def test_an_address_is_added(rest: Calls, ada: Json, customers: str) -> None:
    answer = await rest.post(PATH, {**ADDRESS, "kind": "BILLING", "customerId": ada["id"], "label": "Office"})

    assert (201, '"1"') == (answer.status_code, answer.headers["etag"])
    found = answer.json()
    assert f"{PATH}/{found['id']}" == answer.headers["location"]
    assert ("BILLING", True, "Office", ada["id"]) == tuple(found[name] for name in ("kind", "isDefault", "label", "customerId"))
    assert found == (await rest.get(answer.headers["location"])).json()
    owner = (await rest.get(f"{customers}/{ada['id']}")).json()
    assert (2, found) == (owner["version"], owner["addresses"][1])


@pytest.mark.parametrize(
    ("change", "status", "expected"),
    [
        ({"customerId": NOBODY}, 404, ("NOT_FOUND", ["customerId"])),
        ({"postalCode": "none"}, 422, ("INVALID_ADDRESS", ["postalCode"])),
        ({"line1": None}, 400, ("INVALID", ["line1"])),
        ({"countryCode": 1}, 400, ("INVALID", ["countryCode"])),
        ({"postcode": "20500"}, 400, ("INVALID", ["postcode"])),
    ],
)
async def test_an_address_that_is_refused_changes_nothing(
    rest: Calls, ada: Json, seller: str, change: Json, status: int, expected: tuple[str, list[str]]
) -> None:
    before = await stored(seller)

    answer = await rest.post(PATH, {**ADDRESS, "customerId": ada["id"], **change})

    told = problem(answer, status, "BAD_USER_INPUT" if status == 400 else expected[0])
    assert [expected] == reasons(told)
    assert before == await stored(seller)


async def test_an_address_is_updated(rest: Calls, ada: Json) -> None:
    (address,) = ada["addresses"]

    answer = await rest.put(f"{PATH}/{address['id']}", {"label": "Home"}, headers={"if-match": '"1"'})

    assert (200, '"2"') == (answer.status_code, answer.headers["etag"])
    changed = answer.json()
    assert {**address, "label": "Home", "version": 2, "updatedAt": changed["updatedAt"]} == changed


async def test_an_address_that_has_another_version_stays_as_it_is(rest: Calls, ada: Json, seller: str) -> None:
    before = await stored(seller)

    answer = await rest.put(f"{PATH}/{ada['addresses'][0]['id']}", {"label": "Home"}, headers={"if-match": '"2"'})

    assert 1 == problem(answer, 412, "CONFLICT")["errors"][0]["currentVersion"]
    assert before == await stored(seller)


@pytest.mark.parametrize(
    ("patch", "status", "code"),
    [({"line1": None}, 422, "REQUIRED"), ({"isDefault": False}, 422, "INVALID"), ({"id": "adr_1"}, 400, "BAD_USER_INPUT")],
)
async def test_a_wrong_change_of_an_address_changes_nothing(
    rest: Calls, ada: Json, seller: str, patch: Json, status: int, code: str
) -> None:
    before = await stored(seller)

    problem(await rest.put(f"{PATH}/{ada['addresses'][0]['id']}", patch), status, code)

    assert before == await stored(seller)


async def test_an_address_that_has_not_changed_is_not_sent_again(rest: Calls, ada: Json) -> None:
    same = await rest.get(f"{PATH}/{ada['addresses'][0]['id']}", headers={"if-none-match": '"1"'})

    assert (304, b"") == (same.status_code, same.content)


async def test_addresses_are_listed_newest_first_page_by_page(rest: Calls, ada: Json) -> None:
    labels = [f"number {number}" for number in range(5)]
    for label in labels:
        await rest.post(PATH, {**ADDRESS, "customerId": ada["id"], "label": label})
    found: list[str | None] = []
    path = f"{PATH}?first=2&kind=SHIPPING&customerId={ada['id']}"

    while path:
        answer = await rest.get(path)
        assert 200 == answer.status_code, answer.text
        found += [one["label"] for one in answer.json()["nodes"]]
        path = answer.links.get("next", {}).get("url", "")

    assert [*reversed(labels), None] == found


async def test_conditions_narrow_the_list(rest: Calls, ada: Json) -> None:
    await rest.post(PATH, {**ADDRESS, "customerId": ada["id"], "kind": "BILLING", "postalCode": "20501"})

    async def count(**conditions: str) -> int:
        return len((await rest.get(PATH, params=conditions)).json()["nodes"])

    assert 2 == await count()
    assert 1 == await count(kind="BILLING")
    assert 2 == await count(countryCode="us", isDefault="true")
    assert 1 == await count(postalCode="20501")
    assert 0 == await count(customerId=NOBODY)


async def test_a_service_names_the_seller_of_a_list(rest: Calls, tokens: Tokens, ada: Json, seller: str) -> None:
    service = rest.as_(tokens.service())

    assert 1 == len((await service.get(PATH, params={"sellerId": seller})).json()["nodes"])
    problem(await service.get(PATH), 400, "BAD_USER_INPUT")
    problem(await rest.get(PATH, params={"sellerId": fresh("seller")}), 403, "FORBIDDEN")


async def test_another_sellers_address_is_not_there(rest: Calls, tokens: Tokens, ada: Json, seller: str) -> None:
    other = rest.as_(tokens.operator(fresh("seller")))
    path = f"{PATH}/{ada['addresses'][0]['id']}"
    before = await stored(seller)

    problem(await other.get(path), 404, "NOT_FOUND")
    problem(await other.put(path, {"label": "Mine"}), 404, "NOT_FOUND")
    problem(await other.post(PATH, {**ADDRESS, "customerId": ada["id"]}), 404, "NOT_FOUND")
    assert [] == (await other.get(PATH, params={"customerId": ada["id"]})).json()["nodes"]
    assert before == await stored(seller)


async def test_a_customer_sees_its_own_addresses(rest: Calls, tokens: Tokens, ada: Json, seller: str) -> None:
    stranger = await made(rest, seller, email=some_email(), addresses=[ADDRESS])
    itself = rest.as_(tokens.customer(ada["id"], seller))

    listed = (await itself.get(PATH)).json()["nodes"]

    assert [one["id"] for one in ada["addresses"]] == [one["id"] for one in listed]
    problem(await itself.get(f"{PATH}/{stranger['addresses'][0]['id']}"), 404, "NOT_FOUND")


async def test_nobody_without_a_token_or_a_scope_gets_anywhere(rest: Calls, tokens: Tokens, ada: Json, seller: str) -> None:
    path = f"{PATH}/{ada['addresses'][0]['id']}"
    calls = [("GET", PATH, None), ("GET", path, None), ("PUT", path, {}), ("POST", PATH, {**ADDRESS, "customerId": ada["id"]})]
    before = await stored(seller)

    for call in calls:
        problem(await rest.as_(None)(*call), 401, "UNAUTHENTICATED")
        problem(await rest.as_(tokens.operator(seller, [Scope.DOCUMENTS_READ]))(*call), 403, "FORBIDDEN")

    assert before == await stored(seller)


@pytest.mark.parametrize("id_", [NO_ADDRESS, NOBODY, "adr_1"])
async def test_ids_of_no_address_are_not_found(rest: Calls, id_: str) -> None:
    problem(await rest.get(f"{PATH}/{id_}"), 404, "NOT_FOUND")
    problem(await rest.put(f"{PATH}/{id_}", {"label": "Home"}), 404, "NOT_FOUND")
