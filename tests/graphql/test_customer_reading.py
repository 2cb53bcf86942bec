"""Customers over GraphQL: found, filtered, sorted and walked through in both directions."""

import asyncio

import pytest

from core.ids import IdKind, new_id
from tests.api import Api, Json, some_email
from tests.graphql.lists import EXISTS, LIST, ids
from tests.graphql.operations import (
    BERLIN,
    UPDATE,
    create,
    payload,
)

COUNT = """query($filter: CustomerFilter, $atMost: Int) {
  customers(filter: $filter, first: 1) { totalCount(atMost: $atMost) nodes { id } } }"""


async def test_customer_exists_says_by_what(execute: Api) -> None:
    one = await create(execute, phone="+1 202 456 1111", documents=[{"type": "PASSPORT", "number": "X1234567"}])
    other = await create(execute, externalId="A-2")

    found = await execute.data(
        EXISTS,
        {"email": one["email"].upper(), "phone": "202-456-1111", "externalId": "A-2", "documentNumber": "x-1234567"},
    )
    nobody = await execute.data(EXISTS, {"email": some_email(), "phone": "no number"})

    assert {one["id"]: {"email", "phone", "documentNumber"}, other["id"]: {"externalId"}} == {
        match["customerId"]: set(match["matchedBy"]) for match in found["customerExists"]
    }
    assert [] == nobody["customerExists"]


async def test_customer_exists_needs_something_to_look_for(execute: Api) -> None:
    assert "BAD_USER_INPUT" == await execute.code(EXISTS)


async def test_every_filter_finds_its_customers_and_no_others(execute: Api) -> None:
    ada = await create(
        execute,
        email="ada@lovelace.example",
        phone="+442079460958",
        externalId="E-1",
        firstName="Ada",
        lastName="Lovelace",
        tags=["vip", "early"],
        documents=[{"type": "PASSPORT", "number": "X1234567"}],
    )
    acme = await create(execute, company="Acme Größenwahn GmbH", status="PENDING", tags=["vip"])
    await create(execute, firstName="Grace", lastName="Hopper")
    moment = ada["createdAt"]
    cases: list[tuple[Json, list[Json]]] = [
        ({"ids": [ada["id"], new_id(IdKind.CUSTOMER), "nonsense"]}, [ada]),
        ({"ids": []}, []),
        ({"email": "ADA@lovelace.example"}, [ada]),
        ({"email": "no address"}, []),
        ({"phone": "+44 20 7946 0958"}, [ada]),
        ({"externalId": "E-1"}, [ada]),
        ({"documentNumber": "x 1234567"}, [ada]),
        ({"status": ["PENDING", "SUSPENDED"]}, [acme]),
        ({"kind": "BUSINESS"}, [acme]),
        ({"tags": ["vip"]}, [acme, ada]),
        ({"tags": ["vip", "early"]}, [ada]),
        ({"createdAt": {"from": moment, "to": acme["createdAt"]}}, [ada]),
        ({"createdAt": {"to": moment}}, []),
        ({"updatedAt": {"from": acme["updatedAt"]}, "kind": "BUSINESS"}, [acme]),
        ({"search": "LOVE ada"}, [ada]),
        ({"search": "grossenw"}, [acme]),
        ({"search": "ovelace"}, []),
        ({"search": "ada@love"}, [ada]),
        ({"search": "2079460958"}, [ada]),
        ({"search": "vip.*"}, []),
        ({"search": "ada", "kind": "BUSINESS"}, []),
    ]

    for chosen, expected in cases:
        found = (await execute.data(LIST, {"filter": chosen}))["customers"]
        assert ([one["id"] for one in expected], len(expected)) == (
            [node["id"] for node in found["nodes"]],
            found["totalCount"],
        ), chosen


@pytest.mark.parametrize(("at_most", "expected"), [(1, 1), (2, 2), (3, 3), (1000, 3), (None, 3)])
async def test_a_count_goes_no_further_than_it_is_asked_to(execute: Api, at_most: int | None, expected: int) -> None:
    for _ in range(3):
        await create(execute, tags=["counted"])
    await create(execute)

    found = await execute.data(COUNT, {"filter": {"tags": ["counted"]}, "atMost": at_most})

    assert {"totalCount": expected, "nodes": 1} == {**found["customers"], "nodes": len(found["customers"]["nodes"])}


@pytest.mark.parametrize("at_most", [0, -1])
async def test_a_count_up_to_nothing_is_a_mistake(execute: Api, at_most: int) -> None:
    error = (await execute(COUNT, {"atMost": at_most}))["errors"][0]

    assert "BAD_USER_INPUT" == error["extensions"]["code"]
    assert f"atMost has to be 1 or more; it is {at_most}. Leave it out to have all counted." == error["message"]


async def test_search_for_blanks_finds_everybody(execute: Api) -> None:
    customer = await create(execute)

    assert [customer["id"]] == await ids(execute, filter={"search": "  "})


@pytest.mark.parametrize("search", ["!!!", ".*", "\u0000", "$"])
async def test_search_without_a_word_finds_nobody(execute: Api, search: str) -> None:
    await create(execute)

    assert [] == await ids(execute, filter={"search": search})


@pytest.mark.parametrize("sort", ["CREATED_AT", "UPDATED_AT", "NAME"])
async def test_every_order_and_walks_through_it_in_both_directions(execute: Api, sort: str) -> None:
    """
    25 customers, some with equal names, so that ids have to break ties; pages of 4, forward and backward.
    """
    made = [await create(execute, lastName=f"Name {n % 7}") for n in range(25)]
    touched = made[3]
    await payload(execute, UPDATE, {"id": touched["id"], "patch": {"tags": ["touched"]}})
    order = {
        "CREATED_AT": [one["id"] for one in made],
        "UPDATED_AT": [*(one["id"] for one in made if one is not touched), touched["id"]],
        "NAME": [one["id"] for _, one in sorted(enumerate(made), key=lambda pair: (pair[0] % 7, pair[1]["id"]))],
    }[sort]

    for direction, expected in (("ASC", order), ("DESC", order[::-1])):
        name = f"{sort}_{direction}"
        assert expected == await walk(execute, name, 4)
        assert expected == await walk_back(execute, name, 4)
        assert expected == await ids(execute, sort=name, first=100)


async def walk(execute: Api, sort: str, size: int) -> list[str]:
    found: list[str] = []
    after: str | None = None
    while True:
        page = (await execute.data(LIST, {"sort": sort, "first": size, "after": after}))["customers"]
        assert page["pageInfo"]["hasPreviousPage"] is bool(found)
        assert 25 == page["totalCount"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        assert after == page["edges"][-1]["cursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


async def walk_back(execute: Api, sort: str, size: int) -> list[str]:
    found: list[str] = []
    before: str | None = None
    while True:
        page = (await execute.data(LIST, {"sort": sort, "last": size, "before": before}))["customers"]
        assert page["pageInfo"]["hasNextPage"] is bool(found)
        found = [edge["node"]["id"] for edge in page["edges"]] + found
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            return found


async def test_page_between_two_cursors(execute: Api) -> None:
    made = [(await create(execute))["id"] for _ in range(5)]
    edges = (await execute.data(LIST, {"sort": "CREATED_AT_ASC"}))["customers"]["edges"]

    between = await ids(execute, sort="CREATED_AT_ASC", after=edges[0]["cursor"], before=edges[4]["cursor"])

    assert made[1:4] == between


async def test_page_has_20_customers_unless_asked_otherwise(execute: Api) -> None:
    await asyncio.gather(*(create(execute) for _ in range(22)))

    assert 20 == len(await ids(execute))
    assert 22 == len(await ids(execute, first=100))


async def test_node_finds_every_kind_of_thing(execute: Api) -> None:
    customer = await create(execute, addresses=[BERLIN], documents=[{"type": "PASSPORT"}])
    made = await execute.data('mutation { createBulkImport(input: {fileName: "a.csv"}) { bulkImport { id } } }')
    expected = [
        ("Customer", customer["id"]),
        ("Address", customer["addresses"][0]["id"]),
        ("Document", customer["documents"][0]["id"]),
        ("BulkImport", made["createBulkImport"]["bulkImport"]["id"]),
    ]

    nodes = await execute.data(
        "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", {"ids": ["x", *(id_ for _, id_ in expected)]}
    )

    assert [None, *expected] == [node and (node["__typename"], node["id"]) for node in nodes["nodes"]]
    for kind, id_ in expected:
        node = await execute.data("query($id: ID!) { node(id: $id) { __typename id } }", {"id": id_})
        assert {"node": {"__typename": kind, "id": id_}} == node
