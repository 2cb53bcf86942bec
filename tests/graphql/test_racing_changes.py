"""Changes that meet: who read an older version changes nothing, and nobody brings back what another deleted."""

import asyncio
from typing import Any

import pytest

from app.container import Container
from tests.api import Api, Json
from tests.graphql.operations import (
    BERLIN,
    CREATE_ADDRESS,
    DELETE,
    DELETE_ADDRESS,
    UPDATE,
    UPDATE_ADDRESS,
    create,
    payload,
)

DELETIONS = {
    "customer": "mutation($id: ID!, $version: Int) { deleteCustomer(id: $id, expectedVersion: $version) {"
    " deletedId userErrors { code field currentVersion } } }",
    "address": "mutation($id: ID!, $version: Int) { deleteAddress(id: $id, expectedVersion: $version) {"
    " deletedId userErrors { code field currentVersion } } }",
    "document": "mutation($id: ID!, $version: Int) { deleteDocument(id: $id, expectedVersion: $version) {"
    " deletedId userErrors { code field currentVersion } } }",
}


async def a_customer(execute: Api) -> Json:
    passport = {"type": "PASSPORT", "number": "531985007", "issuingCountry": "GB"}
    return await create(execute, addresses=[BERLIN], documents=[passport])


@pytest.mark.parametrize("what", DELETIONS)
async def test_who_read_an_older_version_deletes_nothing(execute: Api, what: str) -> None:
    customer = await a_customer(execute)
    one = {"customer": customer, "address": customer["addresses"][0], "document": customer["documents"][0]}[what]

    stale = await payload(execute, DELETIONS[what], {"id": one["id"], "version": one["version"] + 1})
    kept = (await execute.data("query($id: ID!) { node(id: $id) { id } }", {"id": one["id"]}))["node"]
    gone = await payload(execute, DELETIONS[what], {"id": one["id"], "version": one["version"]})

    conflict = {"code": "CONFLICT", "field": ["expectedVersion"], "currentVersion": one["version"]}
    assert {"deletedId": None, "userErrors": [conflict]} == stale
    assert {"id": one["id"]} == kept
    assert {"deletedId": one["id"], "userErrors": []} == gone


async def raced(execute: Api, *calls: tuple[str, Json]) -> list[Json]:
    return await asyncio.gather(*(payload(execute, mutation, variables) for mutation, variables in calls))


@pytest.mark.parametrize("round_", range(5))
async def test_a_change_that_races_a_deletion_never_brings_a_customer_back(
    execute: Api, container: Container, round_: int
) -> None:
    customer = await a_customer(execute)
    id_, address = customer["id"], customer["addresses"][0]["id"]
    changes: list[tuple[str, Json]] = [
        (UPDATE, {"id": id_, "patch": {"firstName": "Eve"}}),
        (UPDATE_ADDRESS, {"id": address, "patch": {"line2": "Hof"}}),
        (CREATE_ADDRESS, {"customer": id_, "input": BERLIN}),
        (DELETE_ADDRESS, {"id": address}),
    ]
    calls = [*changes[: round_ % 4], (DELETE, {"id": id_}), *changes[round_ % 4 :]]

    outcomes = await raced(execute, *calls)

    refusals = {error["code"] for outcome in outcomes for error in outcome["userErrors"]}
    assert {"NOT_FOUND"} >= refusals
    found: dict[str, list[Any]] = {
        place: await container.mongo.database[place].find({"$or": [{"_id": id_}, {"customer_id": id_}]}).to_list()
        for place in ("customers", "addresses", "documents", "customer_events")
    }
    events = sorted(found.pop("customer_events"), key=lambda one: int(one["version"]))
    assert [] == [one["_id"] for some in found.values() for one in some if one["live"]]
    assert list(range(1, len(events) + 1)) == [event["version"] for event in events]
    assert "DELETED" == events[-1]["type"]
    assert len(events) == found["customers"][0]["version"]
