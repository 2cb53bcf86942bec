"""Documents over GraphQL: filed, uploaded straight to the store, checked, downloaded."""

import asyncio

import pytest

from auth.principal import OPERATOR_SCOPES, Scope
from tests.api import Api, Json, Tokens, codes
from tests.graphql.operations import (
    COMPLETE,
    CREATE_DOCUMENT,
    DELETE_DOCUMENT,
    PDF,
    REQUEST_UPLOAD,
    announced,
    create,
    fetch,
    payload,
    read,
    send,
)

JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + bytes(40) + bytes.fromhex("ffd9")
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de") + bytes(20)
ZIP = b"PK\x03\x04" + bytes(60)

LIST = "query($filter: DocumentFilter) { documents(filter: $filter) { nodes { id } } }"


async def file(execute: Api, content: bytes = PDF, content_type: str = "application/pdf", **more: object) -> tuple[str, Json]:
    """File a passport with a scan; return the document's id and where the scan is to be sent."""
    customer = await create(execute)
    fields = {"type": "PASSPORT", "file": announced(content, content_type, **more)}
    made = await payload(execute, CREATE_DOCUMENT, {"customer": customer["id"], "input": fields})
    assert [] == made["userErrors"]
    return made["document"]["id"], made["upload"]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(PDF, "application/pdf"), (JPEG, "image/jpeg"), (PNG, "image/png")],
    ids=["pdf", "jpeg", "png"],
)
async def test_file_goes_to_the_store_and_comes_back(execute: Api, content: bytes, content_type: str) -> None:
    id_, upload = await file(execute, content, content_type)

    status = await send(upload, content)
    completed = await payload(execute, COMPLETE, {"id": id_})

    assert 200 == status
    assert [] == completed["userErrors"]
    assert "PENDING_REVIEW" == completed["document"]["status"]
    stored = completed["document"]["file"]
    assert announced(content, content_type) == {key: stored[key] for key in announced()}
    answer = await fetch(stored["downloadUrl"])
    assert content == answer.content
    assert answer.headers["content-disposition"].startswith("attachment")
    assert content_type == answer.headers["content-type"]


async def test_completing_twice_changes_nothing(execute: Api) -> None:
    id_, upload = await file(execute)
    await send(upload, PDF)

    outcomes = await asyncio.gather(*(payload(execute, COMPLETE, {"id": id_}) for _ in range(5)))
    once_more = await payload(execute, COMPLETE, {"id": id_})

    assert {"PENDING_REVIEW"} == {one["document"]["status"] for one in outcomes if one["document"]}
    assert 2 == once_more["document"]["version"]


async def test_upload_that_never_came_is_missing(execute: Api) -> None:
    id_, _ = await file(execute)

    completed = await payload(execute, COMPLETE, {"id": id_})

    assert [("UPLOAD_MISSING", ["id"])] == codes(completed)


async def test_store_refuses_a_file_of_another_size(execute: Api) -> None:
    """
    The size is part of the signature. A store that does not check it leaves the mismatch to us.
    """
    id_, upload = await file(execute)
    upload["headers"] = [header for header in upload["headers"] if header["name"] != "Content-Length"]

    await send(upload, PDF + b"more")

    assert codes(await payload(execute, COMPLETE, {"id": id_})) in (
        [("UPLOAD_MISMATCH", ["id"])],
        [("UPLOAD_MISSING", ["id"])],
    )


async def test_file_with_another_checksum_is_refused(execute: Api) -> None:
    id_, upload = await file(execute)
    other = PDF.replace(b"1.7", b"1.4")

    await send(upload, other)

    assert [("UPLOAD_MISMATCH", ["id"])] == codes(await payload(execute, COMPLETE, {"id": id_}))


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(ZIP, "application/pdf"), (PDF, "image/png"), (b"hello", "image/jpeg"), (b"\x00", "application/pdf")],
    ids=["zip as pdf", "pdf as png", "text as jpeg", "one byte"],
)
async def test_file_that_is_not_what_it_claims_is_refused(execute: Api, content: bytes, content_type: str) -> None:
    id_, upload = await file(execute, content, content_type)
    await send(upload, content)

    completed = await payload(execute, COMPLETE, {"id": id_})

    assert [("FILE_TYPE_REJECTED", ["id"])] == codes(completed)


async def test_after_a_wrong_file_the_right_one_can_be_announced_and_sent(execute: Api) -> None:
    id_, upload = await file(execute, ZIP)
    await send(upload, ZIP)
    await payload(execute, COMPLETE, {"id": id_})

    again = await payload(execute, REQUEST_UPLOAD, {"id": id_, "file": announced(JPEG, "image/jpeg", name="scan.jpg")})
    await send(again["upload"], JPEG)
    completed = await payload(execute, COMPLETE, {"id": id_})

    assert ("scan.jpg", "image/jpeg") == (completed["document"]["file"]["name"], completed["document"]["file"]["contentType"])


async def test_accepted_file_cannot_be_replaced_through_the_old_upload_target(execute: Api) -> None:
    id_, upload = await file(execute)
    await send(upload, PDF)
    stored = (await payload(execute, COMPLETE, {"id": id_}))["document"]["file"]

    await send(upload, PDF.replace(b"1.7", b"1.4"))

    assert PDF == (await fetch(stored["downloadUrl"])).content
    refused = await payload(execute, REQUEST_UPLOAD, {"id": id_, "file": announced()})
    assert [("STATE", ["id"])] == codes(refused)


async def test_document_without_an_announced_file_has_nothing_to_complete(execute: Api) -> None:
    customer = await create(execute, documents=[{"type": "PASSPORT"}])

    completed = await payload(execute, COMPLETE, {"id": customer["documents"][0]["id"]})

    assert [("UPLOAD_MISSING", ["id"])] == codes(completed)


async def test_every_problem_of_a_document_comes_back_at_once(execute: Api) -> None:
    customer = await create(execute)
    fields = {
        "type": "PASSPORT",
        "number": "5",
        "issuingCountry": "ZZ",
        "issuedOn": "2990-01-01",
        "file": {"name": "", "contentType": "text/html", "size": 11 * 1024 * 1024, "sha256": "no"},
    }

    made = await payload(execute, CREATE_DOCUMENT, {"customer": customer["id"], "input": fields})

    assert {"issuingCountry", "issuedOn", "file.name", "file.contentType", "file.size", "file.sha256"} <= {
        ".".join(path or []) for _, path in codes(made)
    }
    assert [] == (await read(execute, customer["id"]))["documents"]


async def test_number_of_a_document_belongs_to_one_customer(execute: Api) -> None:
    passport = {"type": "PASSPORT", "number": "X1234567"}
    one, other = await create(execute), await create(execute)
    first = await payload(execute, CREATE_DOCUMENT, {"customer": one["id"], "input": passport})

    taken = await payload(execute, CREATE_DOCUMENT, {"customer": other["id"], "input": {**passport, "number": "x-123 4567"}})
    gone = await payload(execute, DELETE_DOCUMENT, {"id": first["document"]["id"]})
    free = await payload(execute, CREATE_DOCUMENT, {"customer": other["id"], "input": passport})

    assert [("TAKEN", ["number"])] == codes(taken)
    assert first["document"]["id"] == gone["deletedId"]
    assert [] == free["userErrors"]


async def test_of_twenty_customers_at_once_one_gets_the_number(execute: Api) -> None:
    customers = await asyncio.gather(*(create(execute) for _ in range(20)))
    passport = {"type": "PASSPORT", "number": "X1234567"}

    outcomes = await asyncio.gather(
        *(payload(execute, CREATE_DOCUMENT, {"customer": one["id"], "input": passport}) for one in customers)
    )

    assert 1 == len([one for one in outcomes if one["document"]])
    assert {"TAKEN"} == {error["code"] for one in outcomes for error in one["userErrors"]}


async def test_number_is_shown_in_full_only_with_the_scope_for_it(execute: Api, tokens: Tokens, seller: str) -> None:
    customer = await create(execute, documents=[{"type": "PASSPORT", "number": "X1234567"}])
    query = "query($id: ID!) { document(id: $id) { number } }"
    id_ = customer["documents"][0]["id"]
    auditor = tokens.operator(seller, OPERATOR_SCOPES | {Scope.DOCUMENTS_READ_FULL})

    assert "••••4567" == (await execute.data(query, {"id": id_}))["document"]["number"]
    assert "X1234567" == (await execute.data(query, {"id": id_}, as_=auditor))["document"]["number"]


async def test_documents_need_their_own_scope_also_below_a_customer(execute: Api, tokens: Tokens, seller: str) -> None:
    customer = await create(execute, documents=[{"type": "PASSPORT"}])
    clerk = tokens.operator(seller, [Scope.CUSTOMERS_READ])

    answer = await execute("query($id: ID!) { customer(id: $id) { documents { id } } }", {"id": customer["id"]}, as_=clerk)

    assert ["FORBIDDEN"] == [error["extensions"]["code"] for error in answer["errors"]]


async def test_every_filter_finds_its_documents(execute: Api) -> None:
    customer = await create(execute, documents=[{"type": "PASSPORT", "expiresOn": "2090-01-01"}, {"type": "UTILITY_BILL"}])
    other = await create(execute, documents=[{"type": "PASSPORT"}])
    passport, bill = (one["id"] for one in customer["documents"])
    (third,) = (one["id"] for one in other["documents"])
    cases: list[tuple[Json, set[str]]] = [
        ({}, {passport, bill, third}),
        ({"customerId": customer["id"]}, {passport, bill}),
        ({"type": "PASSPORT"}, {passport, third}),
        ({"status": "VERIFIED"}, set()),
        ({"expiresBefore": "2090-01-02"}, {passport}),
        ({"expiresBefore": "2090-01-01"}, set()),
    ]

    for chosen, expected in cases:
        nodes = (await execute.data(LIST, {"filter": chosen}))["documents"]["nodes"]
        assert expected == {node["id"] for node in nodes}, chosen


async def test_documents_of_a_customer_by_type_and_state(execute: Api) -> None:
    customer = await create(execute, documents=[{"type": "PASSPORT"}, {"type": "UTILITY_BILL"}])

    found = await execute.data(
        """query($id: ID!) { customer(id: $id) { bills: documents(type: UTILITY_BILL) { category customer { id } }
          verified: documents(status: VERIFIED) { id } } }""",
        {"id": customer["id"]},
    )

    assert {
        "bills": [{"category": "ADDRESS_PROOF", "customer": {"id": customer["id"]}}],
        "verified": [],
    } == found["customer"]
