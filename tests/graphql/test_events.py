"""Events: one record with each change, in the same transaction; none without one."""

from datetime import datetime
from typing import Any

import pytest

from app.container import Container
from events.customer import CustomerEvent
from repositories.customer_event import CustomerEventRepository
from tests.api import Api, Tokens, codes, some_email
from tests.graphql.operations import (
    BERLIN,
    COMPLETE,
    CREATE,
    CREATE_ADDRESS,
    CREATE_DOCUMENT,
    DELETE,
    DELETE_ADDRESS,
    DELETE_DOCUMENT,
    PDF,
    SET_DEFAULT,
    UPDATE,
    UPDATE_ADDRESS,
    UPSERT,
    announced,
    create,
    events,
    payload,
    read,
    send,
)


async def records(container: Container, seller: str) -> list[dict[str, Any]]:
    """Return the event records of a seller as they are stored, in the order in which they happened."""
    cursor = container.mongo.database["customer_events"].find({"seller_id": seller})
    return await cursor.sort([("occurred_at", 1), ("_id", 1)]).to_list()


async def test_every_change_of_a_customer_is_in_its_history(execute: Api) -> None:
    customer = await create(execute, firstName="Ada", addresses=[BERLIN])
    id_ = customer["id"]
    await payload(execute, UPDATE, {"id": id_, "patch": {"firstName": "Augusta", "tags": ["vip"]}})
    await payload(execute, UPSERT, {"key": {"id": id_}, "input": {"lastName": "King"}})
    new = (await payload(execute, CREATE_ADDRESS, {"customer": id_, "input": BERLIN}))["address"]
    await payload(execute, UPDATE_ADDRESS, {"id": new["id"], "patch": {"label": "Work"}})
    await payload(execute, SET_DEFAULT, {"id": new["id"]})
    await payload(execute, DELETE_ADDRESS, {"id": new["id"]})
    filed = await payload(execute, CREATE_DOCUMENT, {"customer": id_, "input": {"type": "PASSPORT", "file": announced()}})
    await send(filed["upload"], PDF)
    await payload(execute, COMPLETE, {"id": filed["document"]["id"]})
    await payload(execute, DELETE_DOCUMENT, {"id": filed["document"]["id"]})

    history = await events(execute, id_)

    assert [
        ("CREATED", ["email", "firstName", "addresses"], 1),
        ("UPDATED", ["firstName", "tags"], 2),
        ("UPDATED", ["lastName"], 3),
        ("UPDATED", ["addresses"], 4),
        ("UPDATED", ["addresses"], 5),
        ("UPDATED", ["addresses"], 6),
        ("UPDATED", ["addresses"], 7),
        ("UPDATED", ["documents"], 8),
        ("UPDATED", ["documents"], 9),
        ("UPDATED", ["documents"], 10),
    ] == [(one["type"], without_kind(one["changed"]), one["version"]) for one in history]
    assert {"operator:ada"} == {one["actor"] for one in history}
    moments = [datetime.fromisoformat(one["occurredAt"]) for one in history]
    assert sorted(set(moments)) == moments
    assert 10 == (await read(execute, id_))["version"]


def without_kind(changed: list[str]) -> list[str]:
    """Whether a kind that nobody gave counts as given is not what this is about."""
    return [field for field in changed if field != "kind"]


async def test_record_waits_for_the_relay_with_all_that_it_needs(execute: Api, container: Container, seller: str) -> None:
    customer = await create(execute)

    (record,) = await records(container, seller)

    assert {"customer_id": customer["id"], "type": "CREATED", "version": 1, "pending": True}.items() <= record.items()


async def test_deletion_leaves_a_record(execute: Api, container: Container, seller: str) -> None:
    customer = await create(execute, addresses=[BERLIN])

    await payload(execute, DELETE, {"id": customer["id"]})

    assert [("CREATED", 1), ("DELETED", 2)] == [(one["type"], one["version"]) for one in await records(container, seller)]


async def test_refusals_leave_no_record_and_nothing_else(execute: Api, container: Container, seller: str) -> None:
    customer = await create(execute, email=some_email(), addresses=[BERLIN])
    (address,) = customer["addresses"]
    before = await read(execute, customer["id"])
    refused = [
        await payload(execute, CREATE, {"input": {"email": customer["email"], "addresses": [BERLIN]}}),
        await payload(execute, CREATE, {"input": {"email": "nobody@"}}),
        await payload(execute, UPDATE, {"id": customer["id"], "patch": {"email": "nobody@"}}),
        await payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": "Eve"}, "version": 7}),
        await payload(execute, UPDATE_ADDRESS, {"id": address["id"], "patch": {"countryCode": "XX"}}),
        await payload(execute, CREATE_DOCUMENT, {"customer": customer["id"], "input": {"type": "PASSPORT", "number": ""}}),
        await payload(execute, UPSERT, {"key": {"externalId": "E-1"}, "input": {"email": customer["email"]}}),
    ]
    # What changes nothing is no refusal, and leaves no record either.
    await payload(execute, UPDATE, {"id": customer["id"], "patch": {"email": customer["email"]}})
    await payload(execute, SET_DEFAULT, {"id": address["id"]})

    assert [] == [index for index, one in enumerate(refused) if not codes(one)]
    assert before == await read(execute, customer["id"])
    assert ["CREATED"] == [one["type"] for one in await records(container, seller)]
    for name in ("customers", "addresses"):
        assert 1 == await container.mongo.database[name].count_documents({"seller_id": seller})


async def test_when_the_record_cannot_be_written_the_change_is_not_either(
    execute: Api, container: Container, seller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await create(execute)

    async def fail(self: CustomerEventRepository, told: list[CustomerEvent]) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(CustomerEventRepository, "append", fail)
    monkeypatch.setattr(CustomerEventRepository, "insert_stored", fail)
    answers = [
        await execute.code(CREATE, {"input": {"email": some_email(), "addresses": [BERLIN]}}),
        await execute.code(UPDATE, {"id": customer["id"], "patch": {"firstName": "Eve"}}),
        await execute.code(CREATE_ADDRESS, {"customer": customer["id"], "input": BERLIN}),
        await execute.code(DELETE, {"id": customer["id"]}),
    ]
    monkeypatch.undo()

    assert ["INTERNAL"] * 4 == answers
    assert customer == await read(execute, customer["id"])
    assert 1 == await container.mongo.database["customers"].count_documents({"seller_id": seller})
    assert 0 == await container.mongo.database["addresses"].count_documents({"seller_id": seller})


async def test_history_is_paged_newest_first(execute: Api) -> None:
    customer = await create(execute)
    for n in range(4):
        await payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": f"Ada {n}"}})
    query = """query($id: ID!, $after: String) { customer(id: $id) { history(first: 3, after: $after) {
      nodes { version } pageInfo { hasNextPage endCursor } } } }"""

    first = (await execute.data(query, {"id": customer["id"]}))["customer"]["history"]
    rest = (await execute.data(query, {"id": customer["id"], "after": first["pageInfo"]["endCursor"]}))["customer"]["history"]

    assert [5, 4, 3, 2, 1] == [node["version"] for node in first["nodes"] + rest["nodes"]]
    assert [True, False] == [page["pageInfo"]["hasNextPage"] for page in (first, rest)]


async def test_history_names_whoever_did_it(execute: Api, tokens: Tokens, seller: str) -> None:
    customer = await create(execute)
    for token in (tokens.service(), tokens.customer(customer["id"], seller)):
        await payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": f"A{len(token)}"}}, as_=token)
        await payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": None}}, as_=token)

    actors = [one["actor"] for one in await events(execute, customer["id"])]

    assert ["operator:ada", *["service:oms"] * 2, *[f"customer:{customer['id']}"] * 2] == actors
