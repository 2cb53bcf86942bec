"""The internal REST interface: for services, and for nobody else."""

import pytest

from auth.principal import Scope
from tests.api import Json, Tokens, fresh, some_email
from tests.rest.calls import ADDRESS, NOBODY, Calls, problem, reasons, stored


@pytest.fixture(name="oms")
def _oms(rest: Calls, tokens: Tokens) -> Calls:
    """Calls REST as a service that may act for every seller."""
    return rest.as_(tokens.service())


async def test_a_service_creates_reads_changes_lists_and_deletes(oms: Calls, internal: str) -> None:
    email = some_email()

    created = await oms.post(internal, {"email": email, "addresses": [ADDRESS]}, headers={"idempotency-key": "one"})
    path = created.headers["location"]
    changed = await oms.put(path, {"firstName": "Ada"}, headers={"if-match": created.headers["etag"]})
    listed = await oms.get(internal, params={"email": email, "totalCount": "true"})
    read = await oms.get(path)
    deleted = await oms.delete(path)

    assert [201, 200, 200, 200, 204] == [one.status_code for one in (created, changed, listed, read, deleted)]
    assert f"{internal}/{created.json()['id']}" == path
    assert (1, [read.json()]) == (listed.json()["totalCount"], listed.json()["nodes"])
    assert ("Ada", 2) == (read.json()["firstName"], read.json()["version"])
    problem(await oms.get(path), 404, "NOT_FOUND")


async def test_an_upsert_creates_once_and_changes_then(oms: Calls, internal: str, seller: str) -> None:
    path = f"{internal}/upsert"
    key = {"externalId": "shop-7"}

    first = await oms.post(path, {"key": key, "input": {"firstName": "Ada", "addresses": [ADDRESS]}})
    second = await oms.post(path, {"key": key, "input": {"lastName": "King", "addresses": [ADDRESS, ADDRESS]}})

    assert (201, 200) == (first.status_code, second.status_code)
    assert f"{internal}/{first.json()['id']}" == second.headers["location"]
    found = second.json()
    assert (first.json()["id"], "Ada King", "shop-7", 2, 1) == (
        found["id"],
        found["fullName"],
        found["externalId"],
        found["version"],
        len(found["addresses"]),
    )
    assert 1 == len((await stored(seller))["Customer"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"key": {}, "input": {}}, 400, "BAD_USER_INPUT"),
        ({"key": {"email": "a@example.com", "phone": "1"}, "input": {}}, 400, "BAD_USER_INPUT"),
        ({"key": {"externalId": "1"}}, 400, "BAD_USER_INPUT"),
        ({"key": {"id": NOBODY}, "input": {"firstName": "Ada"}}, 404, "NOT_FOUND"),
        ({"key": {"externalId": "1"}, "input": {"externalId": "2"}}, 422, "INVALID"),
        ({"key": {"externalId": "1"}, "input": {"email": "nobody"}}, 422, "INVALID_EMAIL"),
    ],
)
async def test_an_upsert_that_is_refused_changes_nothing(
    oms: Calls, internal: str, seller: str, ada: Json, body: Json, status: int, code: str
) -> None:
    before = await stored(seller)

    problem(await oms.post(f"{internal}/upsert", body), status, code)

    assert before == await stored(seller)


async def test_an_upsert_to_what_another_one_has_is_a_conflict(oms: Calls, internal: str, seller: str, ada: Json) -> None:
    before = await stored(seller)

    answer = await oms.post(f"{internal}/upsert", {"key": {"externalId": "new"}, "input": {"email": ada["email"]}})

    assert [("TAKEN", ["email"])] == reasons(problem(answer, 409, "TAKEN"))
    assert before == await stored(seller)


async def test_people_are_refused_whatever_they_may_do_elsewhere(
    rest: Calls, tokens: Tokens, internal: str, seller: str, ada: Json
) -> None:
    path = f"{internal}/{ada['id']}"
    before = await stored(seller)

    for call in (
        ("GET", internal, None),
        ("GET", path, None),
        ("POST", internal, {"email": some_email()}),
        ("POST", f"{internal}/upsert", {"key": {"externalId": "1"}, "input": {}}),
        ("PUT", path, {"lastName": "King"}),
        ("DELETE", path, None),
    ):
        problem(await rest(*call), 403, "FORBIDDEN")
        problem(await rest.as_(tokens.customer(ada["id"], seller))(*call), 403, "FORBIDDEN")
        problem(await rest.as_(None)(*call), 401, "UNAUTHENTICATED")
        problem(await rest.as_(tokens.service([Scope.ERASURE]))(*call), 403, "FORBIDDEN")

    assert before == await stored(seller)


async def test_a_service_reaches_one_seller_at_a_time(oms: Calls, seller: str, ada: Json) -> None:
    elsewhere = f"/internal/api/v1/sellers/{fresh('seller')}/customers"
    before = await stored(seller)

    problem(await oms.get(f"{elsewhere}/{ada['id']}"), 404, "NOT_FOUND")
    problem(await oms.put(f"{elsewhere}/{ada['id']}", {"lastName": "King"}), 404, "NOT_FOUND")
    problem(await oms.delete(f"{elsewhere}/{ada['id']}"), 404, "NOT_FOUND")
    by_id = {"key": {"id": ada["id"]}, "input": {"lastName": "King"}}
    problem(await oms.post(f"{elsewhere}/upsert", by_id), 404, "NOT_FOUND")
    assert [] == (await oms.get(elsewhere)).json()["nodes"]
    assert before == await stored(seller)


@pytest.mark.parametrize("seller_id", ["a b", "é", "a" * 65])
async def test_what_is_no_sellers_id_is_refused(oms: Calls, seller_id: str) -> None:
    answer = await oms.get(f"/internal/api/v1/sellers/{seller_id}/customers")

    assert [("INVALID", ["sellerId"])] == reasons(problem(answer, 400, "BAD_USER_INPUT"))
