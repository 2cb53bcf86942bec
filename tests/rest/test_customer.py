"""Customers over REST: every endpoint does what it says, and a refusal changes nothing."""

from typing import Any

import pytest

from auth.principal import Scope
from tests.api import Api, Json, Tokens, fresh, some_email
from tests.rest.calls import ADDRESS, NOBODY, Calls, made, problem, reasons, stored

PASSPORT = {"type": "PASSPORT", "number": "X7654321", "issuingCountry": "US"}


async def test_a_customer_is_created_with_its_addresses_and_documents(rest: Calls, customers: str, seller: str) -> None:
    email = some_email()
    file = {"name": "passport.png", "contentType": "image/png", "size": 1000}
    body = {
        "email": email.upper(),
        "phone": "+1 202 707 5000",
        "firstName": "Grace",
        "dateOfBirth": "1986-12-09",
        "tags": ["vip"],
        "attributes": [{"key": "loyalty", "value": "gold"}],
        "addresses": [ADDRESS],
        "documents": [{**PASSPORT, "file": file}],
    }

    answer = await rest.post(customers, body)

    assert 201 == answer.status_code, answer.text
    found = answer.json()
    assert f"{customers}/{found['id']}" == answer.headers["location"]
    assert '"1"' == answer.headers["etag"]
    assert "no-store" == answer.headers["cache-control"]
    assert (email, "+12027075000", "1986-12-09", ["vip"]) == (
        found["email"],
        found["phone"],
        found["dateOfBirth"],
        found["tags"],
    )
    assert [{"key": "loyalty", "value": "gold"}] == found["attributes"]
    (address,) = found["addresses"]
    assert (True, found["id"], "UNITED STATES") == (address["isDefault"], address["customerId"], address["formatted"][-1])
    (document,) = found["documents"]
    assert ("AWAITING_UPLOAD", "••••4321", "IDENTITY") == (document["status"], document["number"], document["category"])
    (upload,) = found["documentUploads"]
    assert (document["id"], "PUT") == (upload["documentId"], upload["upload"]["method"])
    assert found == {**(await rest.get(answer.headers["location"])).json(), "documentUploads": found["documentUploads"]}


async def test_what_rest_creates_graphql_shows(rest: Calls, execute: Api, ada: Json) -> None:
    query = "query($id: ID!) { customer(id: $id) { id email fullName version createdAt addresses { id line1 version } } }"

    (shown,) = (await execute.data(query, {"id": ada["id"]})).values()

    assert shown == {
        **{name: ada[name] for name in ("id", "email", "fullName", "version", "createdAt")},
        "addresses": [{name: one[name] for name in ("id", "line1", "version")} for one in ada["addresses"]],
    }


async def test_every_problem_is_told_at_once_with_the_codes_and_paths_of_graphql(
    rest: Calls, execute: Api, customers: str, seller: str
) -> None:
    wrong = {"email": "nobody", "phone": "12", "addresses": [{**ADDRESS, "postalCode": "none"}], "documents": [PASSPORT] * 21}
    mutation = "mutation($input: CustomerInput!) { createCustomer(input: $input) { userErrors { code field message } } }"
    before = await stored(seller)

    told = problem(await rest.post(customers, wrong), 422, "INVALID_EMAIL")

    (payload,) = (await execute.data(mutation, {"input": wrong})).values()
    assert payload["userErrors"] == told["errors"]
    assert {("INVALID_EMAIL", "email"), ("INVALID_PHONE", "phone")} <= {
        (one["code"], one["field"][0]) for one in told["errors"]
    }
    assert before == await stored(seller)


async def test_what_is_taken_is_a_conflict(rest: Calls, customers: str, seller: str, ada: Json) -> None:
    before = await stored(seller)

    answer = await rest.post(customers, {"email": ada["email"], "externalId": "ada"})

    told = problem(answer, 409, "TAKEN")
    assert [("TAKEN", ["email"]), ("TAKEN", ["externalId"])] == reasons(told)
    assert before == await stored(seller)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"emial": "a@example.com"}, ("INVALID", ["emial"])),
        ({"email": 1}, ("INVALID", ["email"])),
        ({"addresses": [{"kind": "SHIPPING", "countryCode": "US"}]}, ("REQUIRED", ["addresses", "0", "line1"])),
        ({"addresses": [{**ADDRESS, "kind": "HOME"}]}, ("INVALID", ["addresses", "0", "kind"])),
        ({"addresses": [{**ADDRESS, "isDefault": 1}]}, ("INVALID", ["addresses", "0", "isDefault"])),
        ({"dateOfBirth": 0}, ("INVALID", ["dateOfBirth"])),
        ({"dateOfBirth": "2026-02-30"}, ("INVALID", ["dateOfBirth"])),
        ({"dateOfBirth": "2026-02-03T00:00:00Z"}, ("INVALID", ["dateOfBirth"])),
        ({"tags": "vip"}, ("INVALID", ["tags"])),
    ],
)
async def test_what_is_no_customer_is_not_understood(
    rest: Calls, customers: str, seller: str, wrong: Json, expected: tuple[str, list[str]]
) -> None:
    before = await stored(seller)

    told = problem(await rest.post(customers, wrong), 400, "BAD_USER_INPUT")

    assert [expected] == reasons(told)
    assert before == await stored(seller)


async def test_the_same_key_creates_one_customer(rest: Calls, customers: str, seller: str) -> None:
    body = {"email": some_email()}
    key = {"headers": {"idempotency-key": "order-1"}}

    first = await rest.post(customers, body, **key)
    again = await rest.post(customers, body, **key)
    other = await rest.post(customers, {"email": some_email()}, **key)

    assert (201, 201) == (first.status_code, again.status_code)
    assert first.json() == again.json()
    assert [("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])] == reasons(problem(other, 422, "IDEMPOTENCY_KEY_REUSED"))
    assert 1 == len((await stored(seller))["Customer"])


async def test_a_key_is_the_same_in_graphql(rest: Calls, execute: Api, customers: str) -> None:
    email = some_email()
    mutation = """mutation($input: CustomerInput!) {
        createCustomer(input: $input, idempotencyKey: "both") { customer { id } userErrors { code } } }"""

    created = (await rest.post(customers, {"email": email}, headers={"idempotency-key": "both"})).json()
    (payload,) = (await execute.data(mutation, {"input": {"email": email}})).values()

    assert {"customer": {"id": created["id"]}, "userErrors": []} == payload


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_that_is_none_is_refused(rest: Calls, customers: str, seller: str, key: str) -> None:
    answer = await rest.post(customers, {"email": some_email()}, headers={"idempotency-key": key})

    assert [("INVALID", ["idempotencyKey"])] == reasons(problem(answer, 422, "INVALID"))
    assert [] == (await stored(seller))["Customer"]


async def test_a_customer_is_updated(rest: Calls, customers: str, ada: Json) -> None:
    answer = await rest.put(f"{customers}/{ada['id']}", {"lastName": "King", "externalId": None, "tags": ["vip"]})

    assert (200, '"2"') == (answer.status_code, answer.headers["etag"])
    changed = answer.json()
    assert ("Ada King", None, ["vip"], 2) == tuple(changed[name] for name in ("fullName", "externalId", "tags", "version"))
    same = set(ada) - {"lastName", "fullName", "externalId", "tags", "version", "updatedAt", "documentUploads"}
    assert {name: ada[name] for name in same} == {name: changed[name] for name in same}


async def test_an_update_that_names_another_version_changes_nothing(
    rest: Calls, customers: str, seller: str, ada: Json
) -> None:
    path = f"{customers}/{ada['id']}"
    before = await stored(seller)

    for tag in ('"2"', 'W/"1"', '"1", "2"', "1", '"one"', f'"{"9" * 5000}"'):
        answer = await rest.put(path, {"lastName": "King"}, headers={"if-match": tag})
        told = problem(answer, 412, "CONFLICT")
        assert '"1"' == answer.headers["etag"], tag
        assert 1 == told["errors"][0]["currentVersion"], tag

    assert before == await stored(seller)


@pytest.mark.parametrize("tag", ['"1"', "*", ' "1" '])
async def test_an_update_that_names_the_version_goes_through(rest: Calls, customers: str, ada: Json, tag: str) -> None:
    answer = await rest.put(f"{customers}/{ada['id']}", {"lastName": "King"}, headers={"if-match": tag})

    assert (200, 2) == (answer.status_code, answer.json()["version"])


@pytest.mark.parametrize(
    ("patch", "status", "code"),
    [
        ({"email": "nobody"}, 422, "INVALID_EMAIL"),
        ({"kind": None}, 422, "REQUIRED"),
        ({"email": None, "externalId": None}, 422, "REQUIRED"),
        ({"version": 7}, 400, "BAD_USER_INPUT"),
        ({"addresses": []}, 400, "BAD_USER_INPUT"),
    ],
)
async def test_a_wrong_update_changes_nothing(
    rest: Calls, customers: str, seller: str, ada: Json, patch: Json, status: int, code: str
) -> None:
    before = await stored(seller)

    problem(await rest.put(f"{customers}/{ada['id']}", patch), status, code)

    assert before == await stored(seller)


async def test_an_update_to_what_another_one_has_is_a_conflict(rest: Calls, customers: str, seller: str, ada: Json) -> None:
    other = await made(rest, seller, email=some_email())
    before = await stored(seller)

    answer = await rest.put(f"{customers}/{other['id']}", {"email": ada["email"]})

    assert [("TAKEN", ["email"])] == reasons(problem(answer, 409, "TAKEN"))
    assert before == await stored(seller)


async def test_a_customer_that_has_not_changed_is_not_sent_again(rest: Calls, customers: str, ada: Json) -> None:
    path = f"{customers}/{ada['id']}"

    for tag in ('"1"', 'W/"1"', '"7", "1"', "*"):
        same = await rest.get(path, headers={"if-none-match": tag})
        assert (304, b"", '"1"') == (same.status_code, same.content, same.headers["etag"])
    assert 200 == (await rest.get(path, headers={"if-none-match": '"2"'})).status_code


async def test_a_customer_is_found_by_its_id_alone(rest: Calls, tokens: Tokens, ada: Json, seller: str) -> None:
    path = f"/api/v1/customers/{ada['id']}"
    everybody = (tokens.operator(seller), tokens.customer(ada["id"], seller), tokens.service())

    answers = [await rest.as_(token).get(path) for token in everybody]

    assert [200, 200, 200] == [answer.status_code for answer in answers]
    assert {ada["id"]} == {answer.json()["id"] for answer in answers}


async def test_the_id_alone_leads_to_no_other_seller(rest: Calls, tokens: Tokens, ada: Json, seller: str) -> None:
    path = f"/api/v1/customers/{ada['id']}"
    stranger = await made(rest, seller, email=some_email())

    for token in (tokens.operator(fresh("seller")), tokens.customer(stranger["id"], seller)):
        problem(await rest.as_(token).get(path), 404, "NOT_FOUND")


async def test_a_deleted_customer_is_gone(rest: Calls, customers: str, ada: Json, seller: str) -> None:
    path = f"{customers}/{ada['id']}"

    answer = await rest.delete(path, headers={"if-match": '"1"'})

    assert (204, b"") == (answer.status_code, answer.content)
    problem(await rest.get(path), 404, "NOT_FOUND")
    problem(await rest.delete(path), 404, "NOT_FOUND")
    assert ada["email"] == (await made(rest, seller, email=ada["email"]))["email"]


async def test_a_delete_that_names_another_version_deletes_nothing(rest: Calls, customers: str, seller: str, ada: Json) -> None:
    before = await stored(seller)

    problem(await rest.delete(f"{customers}/{ada['id']}", headers={"if-match": '"2"'}), 412, "CONFLICT")

    assert before == await stored(seller)


@pytest.mark.parametrize("id_", [NOBODY, "cus_1", "adr_01j9zs3w8xf4bt6s9h2m5n7p8q", "%00", "..%2f", "é"])
async def test_ids_of_nothing_are_not_found(rest: Calls, customers: str, id_: str) -> None:
    for answer in (
        await rest.get(f"{customers}/{id_}"),
        await rest.put(f"{customers}/{id_}", {"lastName": "King"}),
        await rest.delete(f"{customers}/{id_}"),
        await rest.get(f"/api/v1/customers/{id_}"),
    ):
        problem(answer, 404, "NOT_FOUND")


async def test_another_sellers_customer_is_not_there(rest: Calls, tokens: Tokens, seller: str, ada: Json) -> None:
    """
    Under the own seller's path its id is one of nothing; also for a service, which could reach it under its own path.
    """
    other = fresh("seller")
    path = f"/api/v1/sellers/{other}/customers/{ada['id']}"
    before = await stored(seller)

    for token in (tokens.operator(other), tokens.service()):
        calls = rest.as_(token)
        problem(await calls.get(path), 404, "NOT_FOUND")
        problem(await calls.put(path, {"lastName": "King"}), 404, "NOT_FOUND")
        problem(await calls.delete(path), 404, "NOT_FOUND")
        listed = (await calls.get(f"/api/v1/sellers/{other}/customers", params={"ids": ada["id"]})).json()
        assert [] == listed["nodes"]

    assert before == await stored(seller)


async def test_another_sellers_path_is_forbidden(rest: Calls, tokens: Tokens, customers: str, ada: Json) -> None:
    stranger = rest.as_(tokens.operator(fresh("seller")))

    problem(await stranger.get(f"{customers}/{ada['id']}"), 403, "FORBIDDEN")
    problem(await stranger.get(f"{customers}/{NOBODY}"), 403, "FORBIDDEN")
    problem(await stranger.get(customers), 403, "FORBIDDEN")
    problem(await stranger.post(customers, {"email": some_email()}), 403, "FORBIDDEN")


def calls_of(customers: str, id_: str) -> list[tuple[str, str, Any]]:
    """Return a call of each endpoint that changes customers."""
    return [
        ("POST", customers, {"email": some_email()}),
        ("POST", f"{customers}/bulk", {"customers": [{"email": some_email()}]}),
        ("PUT", f"{customers}/{id_}", {"lastName": "King"}),
        ("DELETE", f"{customers}/{id_}", None),
    ]


async def test_nobody_without_a_token_changes_or_reads_anything(rest: Calls, customers: str, seller: str, ada: Json) -> None:
    before = await stored(seller)
    reads = [("GET", path, None) for path in (customers, f"{customers}/{ada['id']}", f"/api/v1/customers/{ada['id']}")]

    for call in [*calls_of(customers, ada["id"]), *reads]:
        answer = await rest.as_(None)(*call)
        problem(answer, 401, "UNAUTHENTICATED")
        assert 'Bearer realm="customer-service"' == answer.headers["www-authenticate"]
        problem(await rest.as_("none")(*call), 401, "UNAUTHENTICATED")

    assert before == await stored(seller)


async def test_who_may_only_read_changes_nothing(rest: Calls, tokens: Tokens, customers: str, seller: str, ada: Json) -> None:
    reader = rest.as_(tokens.operator(seller, [Scope.CUSTOMERS_READ]))
    before = await stored(seller)

    for call in calls_of(customers, ada["id"]):
        problem(await reader(*call), 403, "FORBIDDEN")

    assert before == await stored(seller)


async def test_who_may_only_write_is_shown_no_more_than_the_customer_itself(
    rest: Calls, tokens: Tokens, customers: str, seller: str, ada: Json
) -> None:
    writer = rest.as_(tokens.operator(seller, [Scope.CUSTOMERS_WRITE]))

    answer = await writer.put(f"{customers}/{ada['id']}", {"lastName": "King"})

    assert ("King", None, None) == tuple(answer.json()[name] for name in ("lastName", "addresses", "documents"))
    problem(await writer.get(f"{customers}/{ada['id']}"), 403, "FORBIDDEN")


async def test_a_customer_changes_itself_and_not_what_is_the_sellers(
    rest: Calls, tokens: Tokens, customers: str, seller: str, ada: Json
) -> None:
    itself = rest.as_(tokens.customer(ada["id"], seller))
    path = f"{customers}/{ada['id']}"

    assert "King" == (await itself.put(path, {"lastName": "King"})).json()["lastName"]
    before = await stored(seller)
    assert [("FORBIDDEN", ["tags"])] == reasons(problem(await itself.put(path, {"tags": ["vip"]}), 403, "FORBIDDEN"))
    problem(await itself.delete(path), 403, "FORBIDDEN")
    problem(await itself.post(customers, {"email": some_email()}), 403, "FORBIDDEN")
    assert before == await stored(seller)
