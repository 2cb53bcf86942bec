"""Who was given a number in full or a link to a file is in the history, before it is given; and else nobody is given it."""

import asyncio
from typing import Any

import pytest

from app.container import Container
from auth.principal import OPERATOR_SCOPES, Scope
from core.errors import Unavailable
from repositories.customer_access import CustomerAccessRepository
from services.audit_verification import AuditVerification, Flaw
from tests.api import Api, Commands, Json, Tokens
from tests.graphql.operations import UPDATE, create, payload
from tests.graphql.test_erase import erased, filed

NUMBER = "C01X00T47"
READ = "query($id: ID!) { customer(id: $id) { documents { id number file { name downloadUrl } } } }"
HISTORY = """query($id: ID!, $first: Int, $after: String) { customer(id: $id) { history(first: $first, after: $after) {
  edges { cursor node { type actor version changed reads { documentId part } origin { ipAddress } } }
  pageInfo { hasNextPage endCursor } } } }"""


@pytest.fixture(name="auditor")
def _auditor(tokens: Tokens, seller: str) -> str:
    """Somebody who may see numbers in full."""
    return tokens.operator(seller, OPERATOR_SCOPES | {Scope.DOCUMENTS_READ_FULL})


async def history(execute: Api, id_: str, as_: str = "", **page: Any) -> list[Json]:
    """Return a customer's history, newest first."""
    found = (await execute.data(HISTORY, {"id": id_, "first": 100, **page}, as_=as_))["customer"]["history"]
    return [edge["node"] for edge in found["edges"]]


async def accesses(container: Container, id_: str) -> list[Json]:
    """Return what is stored about accesses to a customer's documents, in order."""
    stored = container.mongo.database["customer_accesses"].find({"customer_id": id_}).sort("number", 1)
    return await stored.to_list()


async def test_a_number_in_full_and_a_link_are_entries_and_no_changes(
    execute: Api, container: Container, auditor: str, seller: str
) -> None:
    id_ = (await create(execute))["id"]
    document, _, _ = await filed(execute, id_, number=NUMBER)
    before = await history(execute, id_)

    found = (await execute.data(READ, {"id": id_}, as_=auditor))["customer"]["documents"]

    assert (NUMBER, True) == (found[0]["number"], found[0]["file"]["downloadUrl"].startswith("http"))
    entries = await history(execute, id_)
    assert before == entries[2:]
    assert {(document, "NUMBER"), (document, "FILE")} == {
        (one["documentId"], one["part"]) for entry in entries[:2] for one in entry["reads"]
    }
    for entry in entries[:2]:
        assert ("DOCUMENT_READ", "operator:ada", [], 3) == tuple(
            entry[name] for name in ("type", "actor", "changed", "version")
        )
        assert {"ipAddress": "127.0.0.1"} == entry["origin"]
    stored = await container.mongo.database["customers"].find_one({"_id": id_}) or {}
    events = await container.mongo.database["customer_events"].count_documents({"customer_id": id_})
    assert (3, 3, 3) == (stored["version"], stored["accesses"], events)  # the third link is that of `filed` itself


@pytest.mark.parametrize("asked", ["number", "file { downloadUrl }", "file { download { url } }"])
async def test_each_of_many_at_once_is_recorded_by_its_own_request(
    execute: Api, container: Container, auditor: str, tokens: Tokens, seller: str, asked: str
) -> None:
    """
    Queries of one moment share executions; these do not, or one request would answer for the others.
    """
    customers = [(await create(execute))["id"] for _ in range(6)]
    for place, id_ in enumerate(customers):
        await filed(execute, id_, number=f"C01X00T4{place}")
    query = f"query($id: ID!) {{ customer(id: $id) {{ documents {{ id {asked} }} }} }}"
    caller = auditor if asked == "number" else tokens.operator(seller)
    known = {id_: len(await accesses(container, id_)) for id_ in customers}

    async def given(id_: str) -> None:
        headers = {**execute.headers(caller), "x-request-id": f"for-{id_}"}
        await execute.http.post("/graphql", json={"query": query, "variables": {"id": id_}}, headers=headers)

    await given(customers[0])
    for _ in range(2):
        await asyncio.gather(*map(given, customers))

    told = {id_: [one["origin"]["request_id"] for one in (await accesses(container, id_))[known[id_] :]] for id_ in customers}
    assert {id_: [f"for-{id_}"] * (3 if id_ == customers[0] else 2) for id_ in customers} == told


async def test_who_sees_no_more_than_four_characters_leaves_no_entry(execute: Api, container: Container) -> None:
    id_ = (await create(execute, documents=[{"type": "PASSPORT", "number": NUMBER}]))["id"]

    await execute.data(READ, {"id": id_})
    await execute.data("query($id: ID!) { customer(id: $id) { documents { file { downloadUrlExpiresAt } } } }", {"id": id_})

    assert [] == await accesses(container, id_)


async def test_rest_leaves_entries_as_well(execute: Api, container: Container, auditor: str) -> None:
    id_ = (await create(execute, documents=[{"type": "PASSPORT", "number": NUMBER}]))["id"]

    answer = await execute.http.get(f"/api/v1/customers/{id_}", headers={"authorization": f"Bearer {auditor}"})

    assert NUMBER == answer.json()["documents"][0]["number"]
    (entry,) = await accesses(container, id_)
    assert [("NUMBER", 1)] == [(one["part"], entry["number"]) for one in entry["reads"]]
    assert answer.headers["x-request-id"] == entry["origin"]["request_id"]


async def test_a_page_of_customers_is_one_insert(execute: Api, container: Container, auditor: str, commands: Commands) -> None:
    for _ in range(4):
        await create(execute, documents=[{"type": "PASSPORT"}, {"type": "NATIONAL_ID", "issuingCountry": "DE"}])
    ids = [(await create(execute, documents=[{"type": "PASSPORT", "number": f"C01X00T4{n}"}]))["id"] for n in (7, 8, 9)]
    commands.forget()

    found = await execute.data("{ customers(first: 10) { nodes { id documents { number } } } }", as_=auditor)

    assert 3 == sum(one["number"] is not None for node in found["customers"]["nodes"] for one in node["documents"])
    assert ["customer_accesses"] == commands.of_requests("insert")
    assert ["customers"] == commands.of_requests("update")
    assert [1, 1, 1] == [len(await accesses(container, id_)) for id_ in ids]


@pytest.mark.parametrize("what", ["number", "file { downloadUrl }"])
async def test_what_cannot_be_recorded_is_not_given(
    execute: Api, container: Container, auditor: str, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    id_ = (await create(execute))["id"]
    await filed(execute, id_, number=NUMBER)
    before = await accesses(container, id_)

    async def fail(*_: Any) -> None:
        raise Unavailable("The database did not answer in time. Try again.")

    monkeypatch.setattr(CustomerAccessRepository, "insert_stored", fail)
    query = f"query($id: ID!) {{ customer(id: $id) {{ documents {{ id {what} }} }} }}"
    answer = await execute(query, {"id": id_}, as_=auditor)

    assert {"UNAVAILABLE"} == {error["extensions"]["code"] for error in answer["errors"]}
    assert NUMBER not in str(answer)
    assert "http" not in str(answer.get("data"))
    assert before == await accesses(container, id_)


async def test_pages_of_a_history_hold_both_once_and_in_order(execute: Api, auditor: str, commands: Commands) -> None:
    id_ = (await create(execute, documents=[{"type": "PASSPORT", "number": NUMBER}]))["id"]
    for number in range(4):
        for _ in range(number):
            await execute.data(READ, {"id": id_}, as_=auditor)
        await payload(execute, UPDATE, {"id": id_, "patch": {"firstName": f"n{number}"}})
    whole = await history(execute, id_)
    versions = [5, 4, 4, 4, 4, 3, 3, 3, 2, 2, 1]
    assert versions == [entry["version"] for entry in whole]
    changes = [entry["version"] for entry in whole if entry["type"] != "DOCUMENT_READ"]
    assert [5, 4, 3, 2, 1] == changes
    assert "DOCUMENT_READ" == whole[1]["type"]

    for size in (1, 2, 3, 10, 11):
        pages: list[Json] = []
        after: str | None = None
        more = True
        while more:
            found = (await execute.data(HISTORY, {"id": id_, "first": size, "after": after}))["customer"]["history"]
            pages += [edge["node"] for edge in found["edges"]]
            after, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
        assert whole == pages, size


async def test_a_history_without_accesses_costs_one_find(execute: Api, commands: Commands) -> None:
    id_ = (await create(execute))["id"]
    commands.forget()

    await history(execute, id_)

    assert [] == [name for name in commands.of_requests("find") if name == "customer_accesses"]


async def test_many_reads_at_once_are_one_chain(execute: Api, container: Container, auditor: str) -> None:
    id_ = (await create(execute, documents=[{"type": "PASSPORT", "number": NUMBER}]))["id"]

    await asyncio.gather(
        *(execute.data(READ, {"id": id_}, as_=auditor) for _ in range(8)),
        *(payload(execute, UPDATE, {"id": id_, "patch": {"lastName": f"l{number}"}}) for number in range(4)),
    )

    assert list(range(1, 9)) == [one["number"] for one in await accesses(container, id_)]
    assert [] == await AuditVerification(container.rules.records.chain).customer(id_)


async def test_who_may_not_know_of_documents_sees_that_something_was_read_and_not_what(
    execute: Api, auditor: str, tokens: Tokens, seller: str
) -> None:
    id_ = (await create(execute, documents=[{"type": "PASSPORT", "number": NUMBER}]))["id"]
    await execute.data(READ, {"id": id_}, as_=auditor)

    shipping = await history(execute, id_, tokens.operator(seller, OPERATOR_SCOPES - {Scope.DOCUMENTS_READ}))
    itself = await history(execute, id_, tokens.customer(id_, seller))

    assert ("DOCUMENT_READ", []) == (shipping[0]["type"], shipping[0]["reads"])
    assert (["NUMBER"], {"ipAddress": None}) == ([one["part"] for one in itself[0]["reads"]], itself[0]["origin"])


@pytest.mark.parametrize(
    ("update", "flaw"),
    [
        ({"$set": {"actor": "operator:eve"}}, Flaw.ALTERED),
        ({"$set": {"reads.0.part": "FILE"}}, Flaw.ALTERED),
        ({"$set": {"origin.ip_address": "192.0.2.1"}}, Flaw.CONTENTS_ALTERED),
        ({"$unset": {"origin": "", "salt": ""}}, Flaw.CONTENTS_MISSING),
    ],
)
async def test_an_altered_access_is_found(execute: Api, container: Container, auditor: str, update: Json, flaw: Flaw) -> None:
    id_ = (await create(execute, documents=[{"type": "PASSPORT", "number": NUMBER}]))["id"]
    for _ in range(3):
        await execute.data(READ, {"id": id_}, as_=auditor)

    await container.mongo.database["customer_accesses"].update_one({"customer_id": id_, "number": 2}, update)

    broken = await AuditVerification(container.rules.records.chain).customer(id_) or []
    assert [("accesses", 2, flaw)] == [(one.chain, one.number, one.flaw) for one in broken]


async def test_a_removed_access_is_found_also_the_last_one(execute: Api, container: Container, auditor: str) -> None:
    id_ = (await create(execute, documents=[{"type": "PASSPORT", "number": NUMBER}]))["id"]
    for _ in range(3):
        await execute.data(READ, {"id": id_}, as_=auditor)
    database = container.mongo.database

    await database["customer_accesses"].delete_one({"customer_id": id_, "number": 3})
    await database["customers"].update_one({"_id": id_}, {"$set": {"accesses": 2}})

    broken = await AuditVerification(container.rules.records.chain).customer(id_) or []
    assert [("accesses", 2, Flaw.WRONG_END)] == [(one.chain, one.number, one.flaw) for one in broken]


async def test_an_erasure_leaves_who_read_what_and_not_from_where(execute: Api, container: Container, auditor: str) -> None:
    id_ = (await create(execute, documents=[{"type": "PASSPORT", "number": NUMBER}]))["id"]
    await execute.data(READ, {"id": id_}, as_=auditor)

    await erased(execute, id_)

    (entry,) = await accesses(container, id_)
    assert ("operator:ada", False, False) == (entry["actor"], "origin" in entry, "salt" in entry)
    assert [] == await AuditVerification(container.rules.records.chain).customer(id_)
