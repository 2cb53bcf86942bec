"""The same query by three callers gives three answers, in GraphQL and in REST."""

from typing import Any

import pytest

from auth.principal import OPERATOR_SCOPES, Scope
from core.paging import decode_cursor
from tests.api import Api, Json, Tokens
from tests.graphql.operations import BERLIN, UPDATE, create, payload

LIST = """{ customers(first: 10) { totalCount edges { cursor node { email phone dateOfBirth fullName firstName externalId
  attributes { key value } documents { number } } } } }"""
ONE = "query($id: ID!) { customer(id: $id) { email phone dateOfBirth fullName documents { number } } }"
NUMBER = "C01X00T47"
MASKED_SCOPES = [Scope.CUSTOMERS_READ_MASKED, Scope.DOCUMENTS_READ]


@pytest.fixture(name="callers")
def _callers(tokens: Tokens, seller: str) -> dict[str, str]:
    """Somebody who needs to know who customers are, somebody who works with them, somebody who checks their documents."""
    return {
        "support": tokens.operator(seller, MASKED_SCOPES),
        "operator": tokens.operator(seller),
        "auditor": tokens.operator(seller, OPERATOR_SCOPES | {Scope.DOCUMENTS_READ_FULL}),
    }


async def ada(execute: Api, **more: Any) -> Json:
    return await create(
        execute,
        email="ada.canary@example.com",
        phone="+4930901842",
        dateOfBirth="1915-12-10",
        documents=[{"type": "PASSPORT", "number": NUMBER}],
        **more,
    )


async def test_three_callers_see_three_customers(execute: Api, callers: dict[str, str]) -> None:
    customer = await ada(execute, firstName="Ada", lastName="Lovelace", externalId="shop-1")
    plain = {"email": "ada.canary@example.com", "phone": "+4930901842", "dateOfBirth": "1915-12-10", "fullName": "Ada Lovelace"}
    expected = {
        "support": {
            "email": "a***@example.com", "phone": "***42", "dateOfBirth": None, "fullName": "Ada Lovelace",
            "documents": [{"number": "••••0T47"}],
        },
        "operator": {**plain, "documents": [{"number": "••••0T47"}]},
        "auditor": {**plain, "documents": [{"number": NUMBER}]},
    }  # fmt: skip

    for who, token in callers.items():
        listed = (await execute.data(LIST, as_=token))["customers"]
        single = (await execute.data(ONE, {"id": customer["id"]}, as_=token))["customer"]
        node = listed["edges"][0]["node"]
        assert expected[who] == single, who
        assert expected[who] == {name: node[name] for name in single}, who
        assert (1, "Ada", "shop-1") == (listed["totalCount"], node["firstName"], node["externalId"])


async def test_rest_shows_the_same(execute: Api, callers: dict[str, str], seller: str) -> None:
    customer = await ada(execute, firstName="Ada", addresses=[BERLIN])
    seen = {}
    for who, token in callers.items():
        headers = {"authorization": f"Bearer {token}"}
        one = await execute.http.get(f"/api/v1/customers/{customer['id']}", headers=headers)
        some = await execute.http.get(f"/api/v1/sellers/{seller}/customers", headers=headers)
        assert (200, 200) == (one.status_code, some.status_code), one.text
        assert one.json() == some.json()["nodes"][0]
        seen[who] = one.json()

    assert ["a***@example.com", "ada.canary@example.com", "ada.canary@example.com"] == [one["email"] for one in seen.values()]
    assert [None, "1915-12-10", "1915-12-10"] == [one["dateOfBirth"] for one in seen.values()]
    assert ["••••0T47", "••••0T47", NUMBER] == [one["documents"][0]["number"] for one in seen.values()]
    assert [None, 1, 1] == [one["addresses"] and len(one["addresses"]) for one in seen.values()]


async def test_what_stands_for_a_name_or_is_written_elsewhere_is_masked_as_well(execute: Api, callers: dict[str, str]) -> None:
    await ada(execute, externalId="ada.canary@example.com", attributes=[{"key": "second phone", "value": "+4930901842"}])

    edge = (await execute.data(LIST, as_=callers["support"]))["customers"]["edges"][0]

    node = edge["node"]
    assert ("a***@example.com", "a***@example.com") == (node["fullName"], node["externalId"])
    assert [{"key": "second phone", "value": "•••"}] == node["attributes"]
    assert "canary" not in f"{node} {decode_cursor('CREATED_AT_DESC', edge['cursor'])}"


@pytest.mark.parametrize(
    "query",
    [
        '{ customers(first: 1, filter: {search: "ada"}) { nodes { id } } }',
        "{ customers(first: 1, sort: NAME_ASC) { nodes { id } } }",
        '{ customers(first: 1, filter: {search: "ada"}) { totalCount } }',
        '{ customerBy(key: {email: "ada.canary@example.com"}) { email } }',
        '{ customerExists(email: "ada.canary@example.com") { customerId } }',
        "{ customers(first: 1) { nodes { addresses { line1 } } } }",
        "{ customers(first: 1) { nodes { history { edges { node { customer { email } } } } } } }",
        "{ addresses(first: 1) { nodes { line1 customer { email } } } }",
        "{ documents(first: 1) { nodes { customer { email } } } }",
    ],
)
async def test_ways_around_the_mask_are_closed(execute: Api, callers: dict[str, str], query: str) -> None:
    await ada(execute, addresses=[BERLIN])

    answer = await execute(query, as_=callers["support"])

    assert {"FORBIDDEN"} == {error["extensions"]["code"] for error in answer["errors"]}
    assert "canary" not in str(answer.get("data"))


async def test_a_node_is_null_for_a_masked_reader(execute: Api, callers: dict[str, str]) -> None:
    customer = await ada(execute)

    found = await execute.data("query($id: ID!) { node(id: $id) { id } }", {"id": customer["id"]}, as_=callers["support"])

    assert {"node": None} == found


async def test_what_is_masked_is_stored_as_it_was(execute: Api, callers: dict[str, str]) -> None:
    customer = await ada(execute, firstName="Ada")
    await execute.data(LIST, as_=callers["support"])

    changed = await payload(execute, UPDATE, {"id": customer["id"], "patch": {"lastName": "Byron"}})

    assert ("ada.canary@example.com", "+4930901842", "1915-12-10") == tuple(
        changed["customer"][name] for name in ("email", "phone", "dateOfBirth")
    )
