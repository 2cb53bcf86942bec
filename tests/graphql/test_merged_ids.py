"""The id of a customer that was merged away keeps leading somewhere: systems that know it need not be told first."""

from itertools import pairwise

import pytest

from app.container import Container
from auth.principal import CUSTOMER_SCOPES, Principal
from core.ids import IdKind, new_id
from core.vocabulary import PrincipalKind
from tests.api import Api, Commands, Json, Tokens, codes, fresh
from tests.graphql.lists import BY
from tests.graphql.merging import REFUSED, merge, merged, unmerged
from tests.graphql.operations import (
    BERLIN,
    CREATE_ADDRESS,
    CREATE_DOCUMENT,
    DELETE,
    UPDATE,
    UPSERT,
    create,
    payload,
)

ONE = "query($id: ID!) { customer(id: $id) { id email version addresses { id } mergedFrom } }"
WITHOUT_COMPILING = "query($id: ID!) { customer(id: $id) { id } __schema { queryType { name } } }"
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"


async def customer(execute: Api, id_: str, as_: str = "") -> Json | None:
    """Return what is answered to an id."""
    found: Json | None = (await execute.data(ONE, {"id": id_}, as_=as_))["customer"]
    return found


async def chained(execute: Api, many: int = 3) -> list[Json]:
    """Return customers each of which was merged into the next one."""
    made = [await create(execute, externalId=f"X-{number}", addresses=[BERLIN]) for number in range(many)]
    for gone, into in pairwise(made):
        await merged(execute, into, gone)
    return made


async def test_every_id_of_a_chain_leads_to_the_last_one(execute: Api) -> None:
    first, second, third = await chained(execute)

    found = [await customer(execute, one["id"]) for one in (first, second, third)]

    assert found[0] is not None
    assert (third["id"], third["email"], 3) == (found[0]["id"], found[0]["email"], len(found[0]["addresses"]))
    assert [second["id"], first["id"]] == found[0]["mergedFrom"]
    assert [found[0]] * 3 == found
    asked_at_once = (
        "query($a: ID!, $b: ID!, $c: ID!) { a: customer(id: $a) { id } b: customer(id: $b) { id } c: customer(id: $c) { id } }"
    )
    together = await execute.data(asked_at_once, {"a": first["id"], "b": third["id"], "c": new_id(IdKind.CUSTOMER)})
    assert {"a": {"id": third["id"]}, "b": {"id": third["id"]}, "c": None} == together
    reference = await execute.data(WITHOUT_COMPILING, {"id": first["id"]})
    assert {"id": third["id"]} == reference["customer"]


async def test_a_node_is_what_has_the_id_itself(execute: Api) -> None:
    first, last = await chained(execute, 2)

    found = await execute.data(NODES, {"ids": [first["id"], last["id"]]})

    assert [None, {"id": last["id"]}] == found["nodes"]


async def test_who_is_there_costs_one_query_as_ever(execute: Api, commands: Commands) -> None:
    _, last = await chained(execute, 2)
    commands.forget()

    await execute.data("query($id: ID!) { customer(id: $id) { id email } }", {"id": last["id"]})

    assert ["customers"] == commands.of_requests("find")


async def test_an_external_id_leads_on_until_somebody_else_has_it(execute: Api) -> None:
    first, _, third = await chained(execute)
    both = [{"externalId": "X-0"}, {"id": first["id"]}]
    assert [third["id"]] * 2 == [(await execute.data(BY, {"key": key}))["customerBy"]["id"] for key in both]

    other = await create(execute, externalId="X-0")

    assert other["id"] == (await execute.data(BY, {"key": {"externalId": "X-0"}}))["customerBy"]["id"]
    assert None is (await execute.data(BY, {"key": {"email": first["email"]}}))["customerBy"]


@pytest.mark.parametrize("end", ["deleted", "another seller", "undone"])
async def test_it_leads_nowhere_where_nobody_is_to_be_seen(execute: Api, tokens: Tokens, seller: str, end: str) -> None:
    first, last = await chained(execute, 2)
    as_ = tokens.operator(fresh("seller")) if end == "another seller" else ""
    if end == "deleted":
        await payload(execute, DELETE, {"id": last["id"]})
    if end == "undone":
        await unmerged(execute, first)

    found = await customer(execute, first["id"], as_=as_)

    assert (first["id"] if end == "undone" else None) == (found and found["id"])


async def test_nobody_is_led_on_to_somebody_else_by_a_token_of_its_own(execute: Api, container: Container, seller: str) -> None:
    """
    A customer's token reaches that customer alone. It ends with the merge; until every process knows, it finds nobody.
    """
    first, _ = await chained(execute, 2)
    itself = Principal(kind=PrincipalKind.CUSTOMER, subject=first["id"], scopes=CUSTOMER_SCOPES, seller_id=seller)

    assert None is await container.services.customers.get(itself, first["id"])
    assert None is await container.services.customers.survivor(itself, first["id"])


async def test_a_service_of_all_sellers_is_led_on_too(execute: Api, tokens: Tokens) -> None:
    first, _, last = await chained(execute)

    found = await customer(execute, first["id"], as_=tokens.service())

    assert found is not None
    assert last["id"] == found["id"]


async def test_changes_are_refused_and_told_where_to_go(execute: Api, container: Container) -> None:
    first, second, last = await chained(execute)
    before = await container.mongo.database["customers"].find_one({"_id": first["id"]})
    calls = [
        (UPDATE, {"id": first["id"], "patch": {"firstName": "Eve"}}, ["id"]),
        (DELETE, {"id": first["id"]}, ["id"]),
        (CREATE_ADDRESS, {"customer": first["id"], "input": BERLIN}, ["customerId"]),
        (CREATE_DOCUMENT, {"customer": first["id"], "input": {"type": "PASSPORT"}}, ["customerId"]),
        (UPSERT, {"key": {"id": first["id"]}, "input": {"firstName": "Eve"}}, ["key", "id"]),
    ]
    for mutation, variables, path in calls:
        told = mutation.replace("currentVersion", "currentVersion mergedInto")
        (error,) = (await payload(execute, told, variables))["userErrors"]
        assert ("MERGED", path, last["id"]) == (error["code"], error["field"], error["mergedInto"])
        assert last["id"] in error["message"]
    crossing = await merge(execute, first, second)

    assert [("MERGED", ["into"]), ("MERGED", ["from"])] == codes(crossing)
    assert "mergedInto" in REFUSED
    assert before == await container.mongo.database["customers"].find_one({"_id": first["id"]})


async def test_a_list_tells_of_each_who_was_merged_into_it(execute: Api, commands: Commands) -> None:
    one, two = await create(execute), await create(execute)
    pairs = [(await create(execute), await create(execute)) for _ in range(3)]
    for into, gone in pairs:
        await merged(execute, into, gone)
    commands.forget()

    found = await execute.data("{ customers(sort: CREATED_AT_ASC) { nodes { id mergedFrom } } }")

    assert {**{into["id"]: [gone["id"]] for into, gone in pairs}, one["id"]: [], two["id"]: []} == {
        node["id"]: node["mergedFrom"] for node in found["customers"]["nodes"]
    }
    assert ["customers"] * 3 == commands.of_requests("find")
