"""Addresses over GraphQL: exactly one default per customer and kind, whatever happens at the same time."""

import asyncio
from collections import Counter

import pytest

from services import address
from tests.api import Api, Json, codes, some_email
from tests.graphql.operations import (
    BERLIN,
    CREATE,
    CREATE_ADDRESS,
    DELETE_ADDRESS,
    LONDON,
    SET_DEFAULT,
    UPDATE_ADDRESS,
    create,
    payload,
    read,
)

LIST = """query($filter: AddressFilter, $first: Int, $after: String) {
  addresses(filter: $filter, first: $first, after: $after) {
    nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""


async def defaults(execute: Api, customer_id: str) -> Counter[str]:
    return Counter(one["kind"] for one in (await read(execute, customer_id))["addresses"] if one["isDefault"])


async def add(execute: Api, customer_id: str, **changes: object) -> Json:
    made = await payload(execute, CREATE_ADDRESS, {"customer": customer_id, "input": {**BERLIN, **changes}})
    assert [] == made["userErrors"]
    address: Json = made["address"]
    return address


async def test_first_address_of_a_kind_is_its_default(execute: Api) -> None:
    customer = await create(execute)

    shipping = await add(execute, customer["id"], isDefault=False)
    second = await add(execute, customer["id"], line1="Torstraße 2")
    billing = await add(execute, customer["id"], kind="BILLING")

    assert [True, False, True] == [one["isDefault"] for one in (shipping, second, billing)]


async def test_new_address_can_take_the_default_over(execute: Api) -> None:
    customer = await create(execute, addresses=[BERLIN, LONDON])

    new = await add(execute, customer["id"], isDefault=True, line1="Torstraße 2")

    assert [False, True, True] == [one["isDefault"] for one in (await read(execute, customer["id"]))["addresses"]]
    assert new["isDefault"]


async def test_default_address_is_found_by_kind(execute: Api) -> None:
    customer = await create(execute, addresses=[BERLIN, {**BERLIN, "isDefault": True, "line1": "Torstraße 2"}])

    found = await execute.data(
        """query($id: ID!) { customer(id: $id) { defaultAddress(kind: SHIPPING) { line1 customer { id } formatted }
          none: defaultAddress(kind: BILLING) { id } addresses(kind: BILLING) { id } } }""",
        {"id": customer["id"]},
    )

    assert {
        "defaultAddress": {
            "line1": "Torstraße 2",
            "customer": {"id": customer["id"]},
            "formatted": ["Torstraße 2", "10119 BERLIN", "GERMANY"],
        },
        "none": None,
        "addresses": [],
    } == found["customer"]


async def test_two_defaults_of_one_kind_cannot_be_asked_for(execute: Api) -> None:
    both = [{**BERLIN, "isDefault": True}, {**BERLIN, "isDefault": True}]

    made = await payload(execute, CREATE, {"input": {"email": some_email(), "addresses": both}})

    assert [["addresses", "1", "isDefault"]] == [path for _, path in codes(made)]


async def test_twenty_changes_of_the_default_at_once_leave_exactly_one(execute: Api) -> None:
    customer = await create(execute, addresses=[{**BERLIN, "line1": f"Torstraße {n}"} for n in range(1, 11)])
    wanted = [one["id"] for one in customer["addresses"]] * 2

    outcomes = await asyncio.gather(*(payload(execute, SET_DEFAULT, {"id": id_}) for id_ in wanted))

    assert [] == [error for one in outcomes for error in one["userErrors"]]
    assert Counter(SHIPPING=1) == await defaults(execute, customer["id"])


async def test_twenty_new_defaults_and_deletions_at_once_leave_exactly_one(execute: Api) -> None:
    customer = await create(execute, addresses=[{**BERLIN, "line1": f"Torstraße {n}"} for n in range(1, 11)])
    new = {"customer": customer["id"], "input": {**BERLIN, "isDefault": True}}

    outcomes = await asyncio.gather(
        *(payload(execute, CREATE_ADDRESS, new) for _ in range(10)),
        *(payload(execute, DELETE_ADDRESS, {"id": one["id"]}) for one in customer["addresses"]),
    )

    assert [] == [error for one in outcomes for error in one["userErrors"]]
    assert 10 == len((await read(execute, customer["id"]))["addresses"])
    assert Counter(SHIPPING=1) == await defaults(execute, customer["id"])


async def test_oldest_of_the_kind_follows_a_deleted_default(execute: Api) -> None:
    customer = await create(
        execute, addresses=[BERLIN, {**BERLIN, "line1": "Torstraße 2"}, {**BERLIN, "line1": "Torstraße 3"}, LONDON]
    )

    gone = await payload(execute, DELETE_ADDRESS, {"id": customer["addresses"][0]["id"]})

    assert customer["addresses"][0]["id"] == gone["deletedId"]
    assert [("Torstraße 2", True), ("Torstraße 3", False), ("12 St James's Square", True)] == [
        (one["line1"], one["isDefault"]) for one in (await read(execute, customer["id"]))["addresses"]
    ]


async def test_last_address_can_be_deleted(execute: Api) -> None:
    customer = await create(execute, addresses=[BERLIN])

    await payload(execute, DELETE_ADDRESS, {"id": customer["addresses"][0]["id"]})

    assert [] == (await read(execute, customer["id"]))["addresses"]


async def test_default_cannot_simply_be_given_up(execute: Api) -> None:
    customer = await create(execute, addresses=[BERLIN])

    changed = await payload(execute, UPDATE_ADDRESS, {"id": customer["addresses"][0]["id"], "patch": {"isDefault": False}})

    assert [("INVALID", ["isDefault"])] == codes(changed)


async def test_default_that_changes_its_kind_leaves_and_finds_a_default(execute: Api) -> None:
    customer = await create(execute, addresses=[BERLIN, {**BERLIN, "line1": "Torstraße 2"}, LONDON])
    moving = customer["addresses"][0]

    changed = await payload(execute, UPDATE_ADDRESS, {"id": moving["id"], "patch": {"kind": "BILLING"}})

    assert not changed["address"]["isDefault"]
    assert Counter(SHIPPING=1, BILLING=1) == await defaults(execute, customer["id"])


async def test_address_that_changes_its_kind_may_become_the_default_there(execute: Api) -> None:
    customer = await create(execute, addresses=[BERLIN, LONDON])

    changed = await payload(
        execute, UPDATE_ADDRESS, {"id": customer["addresses"][0]["id"], "patch": {"kind": "BILLING", "isDefault": True}}
    )

    assert changed["address"]["isDefault"]
    assert Counter(BILLING=1) == await defaults(execute, customer["id"])


async def test_patch_changes_what_it_names_clears_null_and_checks_the_whole(execute: Api) -> None:
    customer = await create(execute, addresses=[{**BERLIN, "label": "Home", "recipient": "Ada"}])
    id_ = customer["addresses"][0]["id"]

    changed = await payload(execute, UPDATE_ADDRESS, {"id": id_, "patch": {"label": None, "phone": "030 901820"}, "version": 1})
    refused = await payload(execute, UPDATE_ADDRESS, {"id": id_, "patch": {"countryCode": "GB", "line1": ""}})
    late = await payload(execute, UPDATE_ADDRESS, {"id": id_, "patch": {"label": "Work"}, "version": 1})

    assert {"label": None, "recipient": "Ada", "phone": "+4930901820", "version": 2}.items() <= changed["address"].items()
    assert {"line1", "postalCode"} <= {path[0] for _, path in codes(refused) if path}
    assert [("CONFLICT", ["expectedVersion"])] == codes(late)
    assert changed["address"] == (await read(execute, customer["id"]))["addresses"][0]


@pytest.mark.parametrize("field", ["line1", "countryCode", "kind"])
async def test_what_every_address_needs_cannot_be_cleared(execute: Api, field: str) -> None:
    customer = await create(execute, addresses=[BERLIN])

    changed = await payload(execute, UPDATE_ADDRESS, {"id": customer["addresses"][0]["id"], "patch": {field: None}})

    assert [("REQUIRED", [field])] == codes(changed)


async def test_address_that_its_country_refuses_is_not_stored(execute: Api) -> None:
    customer = await create(execute)

    made = await payload(
        execute, CREATE_ADDRESS, {"customer": customer["id"], "input": {**BERLIN, "city": None, "postalCode": "1"}}
    )

    assert {("INVALID_ADDRESS", "postalCode"), ("INVALID_ADDRESS", "city")} == {
        (code, ".".join(path or [])) for code, path in codes(made)
    }
    assert 1 == (await read(execute, customer["id"]))["version"]


async def test_customer_has_only_so_many_addresses(execute: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "MAX_ADDRESSES", 3)
    customer = await create(execute, addresses=[BERLIN, BERLIN])
    await add(execute, customer["id"])

    refused = await payload(execute, CREATE_ADDRESS, {"customer": customer["id"], "input": BERLIN})

    assert [("TOO_MANY", None)] == codes(refused)


async def test_every_filter_finds_its_addresses(execute: Api) -> None:
    customer = await create(execute, addresses=[BERLIN, LONDON])
    other = await create(execute, addresses=[{**BERLIN, "postalCode": "10117"}, BERLIN])
    berlin, london = (one["id"] for one in customer["addresses"])
    default, second = (one["id"] for one in other["addresses"])
    cases: list[tuple[Json, set[str]]] = [
        ({}, {berlin, london, default, second}),
        ({"customerId": customer["id"]}, {berlin, london}),
        ({"customerId": "nobody"}, set()),
        ({"kind": "BILLING"}, {london}),
        ({"countryCode": "de"}, {berlin, default, second}),
        ({"postalCode": "10117"}, {default}),
        ({"isDefault": False}, {second}),
        ({"isDefault": True, "countryCode": "DE"}, {berlin, default}),
    ]

    for chosen, expected in cases:
        nodes = (await execute.data(LIST, {"filter": chosen}))["addresses"]["nodes"]
        assert expected == {node["id"] for node in nodes}, chosen


async def test_list_of_addresses_goes_on_after_a_cursor(execute: Api) -> None:
    await create(execute, addresses=[BERLIN] * 5)
    whole = [node["id"] for node in (await execute.data(LIST))["addresses"]["nodes"]]

    first = (await execute.data(LIST, {"first": 3}))["addresses"]
    rest = (await execute.data(LIST, {"first": 3, "after": first["pageInfo"]["endCursor"]}))["addresses"]

    assert whole == [node["id"] for node in first["nodes"] + rest["nodes"]]
    assert [True, False] == [page["pageInfo"]["hasNextPage"] for page in (first, rest)]
