"""Ids that name nothing, and what another seller has: null or NOT_FOUND, and never a difference between the two."""

import pytest

from app.container import Container
from core.ids import IdKind, new_id
from tests.api import Api, Json, Tokens, codes, fresh
from tests.graphql.operations import (
    BERLIN,
    CANCEL_IMPORT,
    COMPLETE,
    CREATE,
    CREATE_ADDRESS,
    CREATE_DOCUMENT,
    CREATE_IMPORT,
    DELETE,
    DELETE_ADDRESS,
    DELETE_DOCUMENT,
    REQUEST_UPLOAD,
    RETRY_IMPORT,
    SET_DEFAULT,
    START_IMPORT,
    UNKNOWN_IDS,
    UPDATE,
    UPDATE_ADDRESS,
    announced,
    create,
    payload,
)

READS = {
    "customer": "query($id: ID!) { customer(id: $id) { id } }",
    "customerBy": "query($id: ID!) { customerBy(key: {id: $id}) { id } }",
    "address": "query($id: ID!) { address(id: $id) { id } }",
    "document": "query($id: ID!) { document(id: $id) { id } }",
    "bulkImport": "query($id: ID!) { bulkImport(id: $id) { id } }",
    "node": "query($id: ID!) { node(id: $id) { id } }",
}

CHANGES: dict[str, tuple[str, str, Json]] = {
    "updateCustomer": ("cus", UPDATE, {"patch": {"firstName": "Eve"}}),
    "updateCustomer with a version": ("cus", UPDATE, {"patch": {"firstName": "Eve"}, "version": 9}),
    "updateCustomer with mistakes": ("cus", UPDATE, {"patch": {"email": "eve@"}}),
    "deleteCustomer": ("cus", DELETE, {}),
    "createAddress": ("cus", CREATE_ADDRESS, {"input": BERLIN}),
    "createAddress with mistakes": ("cus", CREATE_ADDRESS, {"input": {**BERLIN, "line1": ""}}),
    "updateAddress": ("adr", UPDATE_ADDRESS, {"patch": {"label": "Eve"}}),
    "updateAddress with a version": ("adr", UPDATE_ADDRESS, {"patch": {"label": "Eve"}, "version": 9}),
    "updateAddress with mistakes": ("adr", UPDATE_ADDRESS, {"patch": {"line1": None}}),
    "deleteAddress": ("adr", DELETE_ADDRESS, {}),
    "setDefaultAddress": ("adr", SET_DEFAULT, {}),
    "createDocument": ("cus", CREATE_DOCUMENT, {"input": {"type": "PASSPORT"}}),
    "createDocument with mistakes": ("cus", CREATE_DOCUMENT, {"input": {"type": "PASSPORT", "issuingCountry": "ZZ"}}),
    "requestDocumentUpload": ("doc", REQUEST_UPLOAD, {"file": announced()}),
    "requestDocumentUpload with mistakes": ("doc", REQUEST_UPLOAD, {"file": announced(name="")}),
    "completeDocumentUpload": ("doc", COMPLETE, {}),
    "deleteDocument": ("doc", DELETE_DOCUMENT, {}),
    "startBulkImport": ("imp", START_IMPORT, {}),
    "cancelBulkImport": ("imp", CANCEL_IMPORT, {}),
    "retryBulkImport": ("imp", RETRY_IMPORT, {}),
}


@pytest.mark.parametrize("field", READS)
@pytest.mark.parametrize("id_", UNKNOWN_IDS, ids=lambda id_: repr(id_[:12]))
async def test_id_that_names_nothing_reads_null(execute: Api, field: str, id_: str) -> None:
    assert {field: None} == await execute.data(READS[field], {"id": id_})


@pytest.mark.parametrize("change", CHANGES)
async def test_id_that_names_nothing_changes_nothing(execute: Api, change: str) -> None:
    _, mutation, variables = CHANGES[change]

    outcomes = [codes(await payload(execute, mutation, {"id": id_, "customer": id_, **variables})) for id_ in UNKNOWN_IDS]

    assert [[("NOT_FOUND", ["id"])]] * len(UNKNOWN_IDS) == outcomes


async def strangers(execute: Api, tokens: Tokens) -> dict[str, str]:
    """Return the ids of what another seller has, by kind."""
    other = tokens.operator(fresh("seller"))
    customer = await create(execute, as_=other, addresses=[BERLIN], documents=[{"type": "PASSPORT", "file": announced()}])
    made = await payload(execute, CREATE_IMPORT, {"input": {"fileName": "theirs.csv"}}, as_=other)
    return {
        "cus": customer["id"],
        "adr": customer["addresses"][0]["id"],
        "doc": customer["documents"][0]["id"],
        "imp": made["bulkImport"]["id"],
    }


async def test_what_another_seller_has_is_not_there_to_read(execute: Api, tokens: Tokens) -> None:
    theirs = await strangers(execute, tokens)
    kinds = {"customer": "cus", "customerBy": "cus", "address": "adr", "document": "doc", "bulkImport": "imp"}

    for field, kind in kinds.items():
        for query in (READS[field], READS["node"]):
            answer = await execute(query, {"id": theirs[kind]})
            assert await execute(query, {"id": new_id(IdKind(kind))}) == answer
            assert [None] == list(answer["data"].values())
    lists = await execute.data(
        """query($ids: [ID!], $id: ID) { customers(filter: {ids: $ids}) { totalCount nodes { id } }
          addresses(filter: {customerId: $id}) { nodes { id } } documents(filter: {customerId: $id}) { nodes { id } }
          bulkImports { nodes { id } } }""",
        {"ids": [theirs["cus"]], "id": theirs["cus"]},
    )
    assert {
        "customers": {"totalCount": 0, "nodes": []},
        "addresses": {"nodes": []},
        "documents": {"nodes": []},
        "bulkImports": {"nodes": []},
    } == lists


async def test_what_another_seller_has_answers_every_change_as_an_unknown_id_does(execute: Api, tokens: Tokens) -> None:
    """
    Also where something else is wrong with the call: the order of the checks must not tell one from the other.
    """
    theirs = await strangers(execute, tokens)

    for change, (kind, mutation, variables) in CHANGES.items():
        random = new_id(IdKind(kind))
        theirs_answer = await execute(mutation, {"id": theirs[kind], "customer": theirs[kind], **variables})
        random_answer = await execute(mutation, {"id": random, "customer": random, **variables})
        assert random_answer == theirs_answer, change
        assert [("NOT_FOUND", ["id"])] == codes(next(iter(theirs_answer["data"].values()))), change


async def test_changes_that_another_seller_tried_have_changed_nothing(
    execute: Api, container: Container, tokens: Tokens
) -> None:
    theirs = await strangers(execute, tokens)
    places = {"cus": "customers", "adr": "addresses", "doc": "documents", "imp": "bulk_imports"}
    before = {kind: await container.mongo.database[places[kind]].find_one({"_id": id_}) for kind, id_ in theirs.items()}

    for kind, mutation, variables in CHANGES.values():
        await execute(mutation, {"id": theirs[kind], "customer": theirs[kind], **variables})

    assert before == {kind: await container.mongo.database[places[kind]].find_one({"_id": id_}) for kind, id_ in theirs.items()}


async def test_taken_tells_nothing_about_other_sellers(execute: Api, tokens: Tokens) -> None:
    theirs = await create(execute, as_=tokens.operator(fresh("seller")), externalId="A-1")

    found = await execute.data(
        'query($email: String) { customerExists(email: $email, externalId: "A-1") { customerId } }', {"email": theirs["email"]}
    )
    made = await payload(execute, CREATE, {"input": {"email": theirs["email"], "externalId": "A-1"}})

    assert {"customerExists": []} == found
    assert [] == made["userErrors"]
