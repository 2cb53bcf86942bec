"""What the history says: each change once, by whom, from where, and from what to what; and to whom it says how much."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from app.container import Container
from auth.principal import OPERATOR_SCOPES, Scope
from events.customer import wire
from repositories.customer_event import event_of_stored
from services.audit_verification import AuditVerification
from services.document_changes import DocumentChanges
from services.document_expiry import DocumentExpiry
from tests.api import Api, Commands, Json, Tokens, fresh, some_email
from tests.clocks import MovableClock
from tests.graphql.imports import finished, start
from tests.graphql.operations import (
    BERLIN,
    COMPLETE,
    CREATE,
    CREATE_ADDRESS,
    CREATE_DOCUMENT,
    DELETE,
    DELETE_ADDRESS,
    DELETE_DOCUMENT,
    LONDON,
    PDF,
    REVIEW,
    SET_DEFAULT,
    UPDATE,
    UPDATE_ADDRESS,
    announced,
    create,
    events,
    payload,
    send,
)
from tests.graphql.test_erase import sign_in
from tests.graphql.test_merge import MERGE
from tests.outbox import Outbox

ORIGIN = "origin { ipAddress userAgent requestId importId row }"
HISTORY = f"""query($id: ID!, $first: Int, $after: String) {{ customer(id: $id) {{ history(first: $first, after: $after) {{
  nodes {{ type actor version changed changes {{ field of before after }} {ORIGIN} }}
  pageInfo {{ endCursor hasNextPage }} }} }} }}"""
OPERATOR = "operator:ada"
NUMBER = "C01X00T47"

Change = tuple[str, str | None, str | None]


async def newest(execute: Api, id_: str, as_: str = "") -> Json:
    """Return the newest change in a customer's history."""
    found = await execute.data(HISTORY, {"id": id_, "first": 3}, as_=as_)
    return next(one for one in found["customer"]["history"]["nodes"] if one["type"] != "DOCUMENT_READ")


def changes(entry: Json) -> set[Change]:
    """Return what an entry says was changed into what."""
    return {(one["field"], one["before"], one["after"]) for one in entry["changes"]}


async def one_more(execute: Api, id_: str, before: int, actor: str = OPERATOR) -> set[Change]:
    """Return what the one entry says that came after version *before*, which *actor* made by a request."""
    entry = await newest(execute, id_)
    assert (before + 1, "UPDATED", actor) == (entry["version"], entry["type"], entry["actor"])
    return changes(entry)


async def test_a_creation_says_what_the_customer_came_with(execute: Api) -> None:
    customer = await create(
        execute,
        email="ada@history.example",
        firstName="Ada",
        tags=["vip"],
        attributes=[{"key": "size", "value": "m"}],
        addresses=[BERLIN],
        documents=[{"type": "PASSPORT", "number": NUMBER}],
    )

    entry = await newest(execute, customer["id"])

    assert ("CREATED", OPERATOR, 1) == (entry["type"], entry["actor"], entry["version"])
    said = changes(entry)
    assert {
        ("email", None, "ada@history.example"), ("firstName", None, "Ada"), ("tags", None, '["vip"]'),
        ("attributes.size", None, "m"), ("kind", None, "INDIVIDUAL"), ("status", None, "ACTIVE"),
        ("addresses.line1", None, BERLIN["line1"]), ("addresses.isDefault", None, "true"),
        ("documents.type", None, "PASSPORT"), ("documents.number", None, "••••0T47"),
    } <= said  # fmt: skip
    assert {None} == {before for _, before, _ in said}
    assert NUMBER not in str(entry)
    owned = {one["of"][:4] for one in entry["changes"] if one["of"] is not None}
    assert {"adr_", "doc_"} == owned
    assert "127.0.0.1" == entry["origin"]["ipAddress"]
    assert (True, None, None) == (bool(entry["origin"]["requestId"]), entry["origin"]["importId"], entry["origin"]["row"])


async def test_each_change_of_a_customer_is_one_entry(execute: Api) -> None:
    customer = await create(
        execute, email="old@history.example", attributes=[{"key": "size", "value": "m"}, {"key": "shoe", "value": "42"}]
    )
    id_ = customer["id"]

    patch = {"email": "new@history.example", "lastName": "King", "attributes": [{"key": "size", "value": "l"}]}
    await payload(execute, UPDATE, {"id": id_, "patch": patch})
    assert {
        ("email", "old@history.example", "new@history.example"), ("lastName", None, "King"),
        ("attributes.size", "m", "l"), ("attributes.shoe", "42", None),
    } == await one_more(execute, id_, 1)  # fmt: skip

    await payload(execute, UPDATE, {"id": id_, "patch": {"status": "SUSPENDED"}})
    assert {("status", "ACTIVE", "SUSPENDED")} == await one_more(execute, id_, 2)

    await payload(execute, UPDATE, {"id": id_, "patch": {"status": "SUSPENDED"}})
    assert 3 == (await newest(execute, id_))["version"]


async def test_each_change_of_an_address_is_one_entry(execute: Api) -> None:
    id_ = (await create(execute))["id"]

    first = (await payload(execute, CREATE_ADDRESS, {"customer": id_, "input": BERLIN}))["address"]["id"]
    said = await one_more(execute, id_, 1)
    assert {("addresses.city", None, "Berlin"), ("addresses.isDefault", None, "true")} <= said

    second = (await payload(execute, CREATE_ADDRESS, {"customer": id_, "input": BERLIN}))["address"]["id"]
    assert ("addresses.isDefault", None, "false") in await one_more(execute, id_, 2)

    await payload(execute, UPDATE_ADDRESS, {"id": second, "patch": {"line2": "2nd floor"}})
    assert {("addresses.line2", None, "2nd floor")} == await one_more(execute, id_, 3)

    await payload(execute, SET_DEFAULT, {"id": second})
    assert {("addresses.isDefault", "false", "true"), ("addresses.isDefault", "true", "false")} == await one_more(
        execute, id_, 4
    )

    await payload(execute, DELETE_ADDRESS, {"id": second})
    said = await one_more(execute, id_, 5)
    assert {("addresses.city", "Berlin", None), ("addresses.isDefault", "false", "true")} <= said
    of = {one["of"] for one in (await newest(execute, id_))["changes"]}
    assert {first, second} == of


async def test_each_change_of_a_document_is_one_entry(execute: Api, container: Container) -> None:
    id_ = (await create(execute))["id"]
    fields = {"type": "PASSPORT", "number": NUMBER, "expiresOn": "2031-01-01", "file": announced(name="scan.pdf")}

    made = await payload(execute, CREATE_DOCUMENT, {"customer": id_, "input": fields})
    document = made["document"]["id"]
    assert {
        ("documents.type", None, "PASSPORT"), ("documents.status", None, "AWAITING_UPLOAD"),
        ("documents.number", None, "••••0T47"), ("documents.expiresOn", None, "2031-01-01"),
    } == await one_more(execute, id_, 1)  # fmt: skip

    assert 200 == await send(made["upload"], PDF)
    await payload(execute, COMPLETE, {"id": document})
    said = await one_more(execute, id_, 2)
    assert {("documents.status", "AWAITING_UPLOAD", "PENDING_REVIEW"), ("documents.file.name", None, "scan.pdf")} <= said
    assert {"documents.status", "documents.file.name", "documents.file.sha256"} == {field for field, _, _ in said}

    await payload(execute, REVIEW, {"id": document, "approve": False, "reason": "blurred"})
    assert {
        ("documents.status", "PENDING_REVIEW", "REJECTED"), ("documents.rejectionReason", None, "blurred"),
        ("documents.rejectionCode", None, "OTHER"),
    } == await one_more(execute, id_, 3)  # fmt: skip

    await payload(execute, DELETE_DOCUMENT, {"id": document})
    assert ("documents.number", "••••0T47", None) in await one_more(execute, id_, 4)


async def test_what_the_service_does_by_itself_comes_from_nowhere(execute: Api, container: Container, seller: str) -> None:
    id_ = (await create(execute, documents=[{"type": "PASSPORT", "expiresOn": "2031-01-01"}]))["id"]
    clock = MovableClock()
    clock.advance(days=(datetime(2031, 1, 3, tzinfo=UTC) - datetime.now(UTC)).days)
    rules = container.rules

    while await DocumentExpiry(container.units, DocumentChanges(rules.records, clock), clock).sweep():
        pass

    assert {("documents.status", "AWAITING_UPLOAD", "EXPIRED")} == await one_more(execute, id_, 1, "system:expiry")
    assert (await newest(execute, id_))["origin"] is None


async def test_a_verified_contact_is_an_entry_by_the_customer(execute: Api, outbox: Outbox, seller: str) -> None:
    customer = await create(execute)

    await sign_in(execute, outbox, seller, customer["email"], "A browser/1.0")

    entry = await newest(execute, customer["id"])
    assert {("emailVerified", "false", "true")} == changes(entry)
    assert (2, f"customer:{customer['id']}") == (entry["version"], entry["actor"])
    assert "A browser/1.0" == entry["origin"]["userAgent"]


async def test_a_merge_is_one_entry_of_the_one_that_is_left(execute: Api, container: Container) -> None:
    into = (await create(execute, addresses=[BERLIN]))["id"]
    gone = await create(execute, firstName="Ada", addresses=[BERLIN, LONDON], documents=[{"type": "PASSPORT"}])

    await payload(execute, MERGE, {"into": into, "from": gone["id"]})

    said = await one_more(execute, into, 1)
    moved = {("addresses.customerId", gone["id"], into), ("documents.customerId", gone["id"], into)}
    assert {("firstName", None, "Ada"), ("addresses.isDefault", "true", "false"), *moved} == said
    stored = await container.mongo.database["customer_events"].find_one({"customer_id": gone["id"], "version": 2}) or {}
    assert ("DELETED", into) == (stored["type"], stored["changes"]["after"]["merged_into"])


async def test_undoing_a_merge_is_one_entry_of_each(execute: Api, container: Container) -> None:
    into = (await create(execute))["id"]
    gone = await create(execute, firstName="Ada", addresses=[BERLIN])
    await payload(execute, MERGE, {"into": into, "from": gone["id"]})

    await payload(execute, "mutation($id: ID!) { unmergeCustomers(id: $id) { userErrors { code } } }", {"id": gone["id"]})

    said = await one_more(execute, into, 2)
    assert {("firstName", "Ada", None), ("addresses.customerId", into, gone["id"])} == said
    entry = await newest(execute, gone["id"])
    assert (3, "UPDATED", OPERATOR) == (entry["version"], entry["type"], entry["actor"])
    assert {("mergedInto", into, None), ("deletedAt", True, True)} == {
        (field, before if field != "deletedAt" else before is not None, after if field != "deletedAt" else after is None)
        for field, before, after in changes(entry)
    }
    verification = AuditVerification(container.rules.records.chain)
    assert [[], []] == [await verification.customer(one) for one in (into, gone["id"])]


async def test_a_deletion_is_an_entry(execute: Api, container: Container) -> None:
    id_ = (await create(execute))["id"]

    await payload(execute, DELETE, {"id": id_})

    stored = await container.mongo.database["customer_events"].find({"customer_id": id_}).sort("version", 1).to_list()
    assert ["CREATED", "DELETED"] == [one["type"] for one in stored]
    assert {"deleted_at"} == stored[1]["changes"]["after"].keys()
    assert (OPERATOR, "127.0.0.1") == (stored[1]["actor"], stored[1]["origin"]["ip_address"])


@pytest.mark.usefixtures("import_worker")
async def test_rows_of_an_import_are_entries_that_name_them(execute: Api, container: Container, seller: str) -> None:
    header = "external_id,email,first_name,shipping_line1,shipping_city,shipping_postal_code,shipping_country\n"
    row = "H-1,ada@rows.example,{},Torstraße 1,Berlin,10119,DE\n"
    for name in ("Ada", "Eve"):
        job = await start(execute, (header + row.format(name)).encode(), mode="UPSERT", matchBy="EXTERNAL_ID")
        assert "COMPLETED" == (await finished(execute, job))["status"]

    found = await execute.data('{ customerBy(key: {externalId: "H-1"}) { id } }')
    id_ = found["customerBy"]["id"]
    created, updated = (await execute.data(HISTORY, {"id": id_}))["customer"]["history"]["nodes"][::-1]

    assert {("email", None, "ada@rows.example"), ("firstName", None, "Ada"), ("addresses.city", None, "Berlin")} <= changes(
        created
    )
    assert {("firstName", "Ada", "Eve")} == changes(updated)
    assert (f"import:{job}", {"importId": job, "row": 1, "ipAddress": None, "userAgent": None, "requestId": None}) == (
        updated["actor"],
        updated["origin"],
    )
    assert [] == await AuditVerification(container.rules.records.chain).customer(id_)


async def test_three_callers_see_three_histories(execute: Api, tokens: Tokens, seller: str) -> None:
    customer = await create(
        execute, email="ada@history.example", phone="+4930901842", dateOfBirth="1985-12-10", addresses=[BERLIN],
        attributes=[{"key": "size", "value": "m"}], documents=[{"type": "PASSPORT", "number": NUMBER}],
    )  # fmt: skip
    callers = {
        "operator": tokens.operator(seller),
        "support": tokens.operator(seller, [Scope.CUSTOMERS_READ_MASKED]),
        "shipping": tokens.operator(seller, OPERATOR_SCOPES - {Scope.DOCUMENTS_READ}),
    }

    seen = {who: await newest(execute, customer["id"], as_=token) for who, token in callers.items()}

    said = {who: {field: after for field, _, after in changes(entry)} for who, entry in seen.items()}
    names = ("email", "phone", "dateOfBirth", "attributes.size", "addresses.line1", "documents.number")
    plain = ["ada@history.example", "+4930901842", "1985-12-10", "m", BERLIN["line1"]]
    assert [*plain, "••••0T47"] == [said["operator"].get(name) for name in names]
    assert plain == [said["shipping"].get(name) for name in names[:-1]]
    assert ["a***@history.example", "***42", None, "•••", None] == [said["support"].get(name) for name in names[:-1]]
    assert {"dateOfBirth", "addresses.line1"} <= said["support"].keys()
    assert [True, False, False] == [any(name.startswith("documents.") for name in said[who]) for who in callers]
    addresses = {who: entry["origin"]["ipAddress"] for who, entry in seen.items()}
    assert {"operator": "127.0.0.1", "support": None, "shipping": "127.0.0.1"} == addresses


async def test_a_customer_sees_where_it_was_itself_and_not_where_others_were(execute: Api, tokens: Tokens, seller: str) -> None:
    me = await create(execute, firstName="Ada")
    token = tokens.customer(me["id"], seller)
    await payload(execute, UPDATE, {"id": me["id"], "patch": {"firstName": "Eve"}}, as_=token)

    own, staffs = (await execute.data(HISTORY, {"id": me["id"]}, as_=token))["customer"]["history"]["nodes"]

    assert ({("firstName", "Ada", "Eve")}, "127.0.0.1") == (changes(own), own["origin"]["ipAddress"])
    assert (None, None) == (staffs["origin"]["ipAddress"], staffs["origin"]["userAgent"])


async def test_changes_of_a_page_cost_one_find_and_none_where_nobody_asks(execute: Api, commands: Commands) -> None:
    customer = await create(execute)
    for number in range(5):
        await payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": f"n{number}"}})
    commands.forget()

    await events(execute, customer["id"])
    cheap = commands.of_requests("find").count("customer_events")
    commands.forget()
    page = (await execute.data(HISTORY, {"id": customer["id"]}))["customer"]["history"]["nodes"]

    assert (1, 2) == (cheap, commands.of_requests("find").count("customer_events"))
    assert [1, 1, 1, 1, 1] == [len(one["changes"]) for one in page[:-1]]


async def test_kafka_is_told_no_more_than_before(execute: Api, container: Container) -> None:
    """
    Whatever is stored with an event, its body has the same members.
    """
    customer = await create(execute, firstName="Canarybird")
    stored = await container.mongo.database["customer_events"].find_one({"customer_id": customer["id"]}) or {}

    written = wire(event_of_stored(stored))

    assert "Canarybird" == stored["changes"]["after"]["first_name"]
    body = json.loads(written.value)
    told = {"id", "type", "schemaVersion", "sellerId", "customerId", "version", "occurredAt", "actor", "changed", "data"}
    assert told == body.keys()
    assert [] == [word for word in ("Canarybird", "127.0.0.1") if word in str(written)]


async def test_each_of_many_creations_at_once_comes_from_its_own_request(execute: Api, container: Container) -> None:
    """
    They share transactions.
    """
    requests = [fresh("create") for _ in range(8)]

    async def made(request: str) -> str:
        headers = {**execute.headers(), "x-request-id": request}
        variables = {"input": {"email": some_email()}}
        answer = await execute.http.post("/graphql", json={"query": CREATE, "variables": variables}, headers=headers)
        id_: str = answer.json()["data"]["createCustomer"]["customer"]["id"]
        return id_

    ids = await asyncio.gather(*map(made, requests))

    stored = await container.mongo.database["customer_events"].find({"customer_id": {"$in": ids}}).to_list()
    assert dict(zip(ids, requests, strict=True)) == {one["customer_id"]: one["origin"]["request_id"] for one in stored}
