"""The seller's look at documents: approved, rejected, sent again."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.container import Container
from tests.api import Api, Json, Tokens, codes
from tests.graphql.operations import (
    COMPLETE,
    CREATE_DOCUMENT,
    PDF,
    REQUEST_UPLOAD,
    REVIEW,
    announced,
    create,
    events,
    fetch,
    payload,
    read,
    send,
)

OTHER_PDF = PDF.replace(b"1.7", b"1.4")
BLURRED = "The photo is blurred."
LOOK = "query ($id: ID!) { document(id: $id) { version status } }"
DECIDE = """mutation ($id: ID!, $version: Int) { reviewDocument(id: $id, approve: true, expectedVersion: $version) {
  document { status } userErrors { code field currentVersion } } }"""


async def submitted(execute: Api, **fields: object) -> tuple[str, str]:
    """Let a customer file a passport with its scan; return the customer's and the document's id."""
    customer = await create(execute)
    given = {"type": "PASSPORT", "file": announced(), **fields}
    made = await payload(execute, CREATE_DOCUMENT, {"customer": customer["id"], "input": given})
    await send(made["upload"], PDF)
    assert [] == (await payload(execute, COMPLETE, {"id": made["document"]["id"]}))["userErrors"]
    return customer["id"], made["document"]["id"]


async def review(execute: Api, id_: str, *, approve: bool, reason: str | None = None) -> Json:
    return await payload(execute, REVIEW, {"id": id_, "approve": approve, "reason": reason})


async def rejected(execute: Api) -> tuple[str, str]:
    customer, document = await submitted(execute)
    assert [] == (await review(execute, document, approve=False, reason=BLURRED))["userErrors"]
    return customer, document


async def over_since_yesterday(container: Container, document: str, **more: object) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    await container.mongo.database["documents"].update_one({"_id": document}, {"$set": {"expires_on": yesterday, **more}})


async def the_document(execute: Api, customer: str) -> Json:
    (document,) = (await read(execute, customer))["documents"]
    found: Json = document
    return found


@pytest.mark.parametrize(
    ("approve", "reason", "status", "stored"),
    [
        (True, None, "VERIFIED", None),
        (True, " ", "VERIFIED", None),
        (False, f"  {BLURRED}\u200b ", "REJECTED", f"{BLURRED}\u200b"),
        (False, "First line\nsecond line", "REJECTED", "First line\nsecond line"),
        (False, "x" * 500, "REJECTED", "x" * 500),
    ],
    ids=["approved", "approved with a blank reason", "rejected", "rejected in two lines", "rejected at length"],
)
async def test_a_decision_changes_the_document_and_its_customer_once(
    execute: Api, approve: bool, reason: str | None, status: str, stored: str | None
) -> None:
    customer, document = await submitted(execute)
    before = await read(execute, customer)

    decided = await review(execute, document, approve=approve, reason=reason)

    after = await read(execute, customer)
    assert [] == decided["userErrors"]
    assert (status, stored) == (decided["document"]["status"], decided["document"]["rejectionReason"])
    assert decided["document"]["version"] == before["documents"][0]["version"] + 1
    assert after["version"] == before["version"] + 1
    last = (await events(execute, customer))[-1]
    assert ("UPDATED", ["documents"], "operator:ada", after["version"]) == (
        last["type"],
        last["changed"],
        last["actor"],
        last["version"],
    )


@pytest.mark.parametrize(("approve", "reason"), [(True, None), (False, BLURRED)], ids=["approved", "rejected"])
async def test_the_same_decision_once_more_changes_nothing(execute: Api, approve: bool, reason: str | None) -> None:
    customer, document = await submitted(execute)
    first = await review(execute, document, approve=approve, reason=reason)
    before = await read(execute, customer)

    again = await review(execute, document, approve=approve, reason=None if approve else "Another reason.")

    assert [] == again["userErrors"]
    assert {**first["document"], "file": None} == {**again["document"], "file": None}
    assert before["version"] == (await read(execute, customer))["version"] == len(await events(execute, customer))


@pytest.mark.parametrize("approve", [True, False], ids=["approved first", "rejected first"])
async def test_the_opposite_decision_is_refused(execute: Api, approve: bool) -> None:
    customer, document = await submitted(execute)
    await review(execute, document, approve=approve, reason=None if approve else BLURRED)
    before = await read(execute, customer)

    refused = await review(execute, document, approve=not approve, reason=BLURRED if approve else None)

    assert [("STATE", ["id"])] == codes(refused)
    assert ("approved already" if approve else "rejected already") in refused["userErrors"][0]["message"]
    assert refused["document"] is None
    assert before["version"] == (await read(execute, customer))["version"]


async def test_a_file_that_came_after_the_look_is_not_approved_unseen(execute: Api) -> None:
    _, document = await rejected(execute)
    looked_at = (await execute.data(LOOK, {"id": document}))["document"]["version"]
    made = await payload(execute, REQUEST_UPLOAD, {"id": document, "file": announced(OTHER_PDF)})
    await send(made["upload"], OTHER_PDF)
    await payload(execute, COMPLETE, {"id": document})

    stale = await payload(execute, DECIDE, {"id": document, "version": looked_at})
    now = (await execute.data(LOOK, {"id": document}))["document"]

    assert [("CONFLICT", ["expectedVersion"], now["version"])] == [
        (error["code"], error["field"], error["currentVersion"]) for error in stale["userErrors"]
    ]
    assert "PENDING_REVIEW" == now["status"]
    decided = await payload(execute, DECIDE, {"id": document, "version": now["version"]})
    assert "VERIFIED" == decided["document"]["status"]


async def test_of_many_decisions_at_once_one_counts(execute: Api) -> None:
    customer, document = await submitted(execute)
    before = (await read(execute, customer))["version"]

    outcomes = await asyncio.gather(
        *(review(execute, document, approve=bool(n % 2), reason=None if n % 2 else BLURRED) for n in range(12))
    )

    accepted = {one["document"]["status"] for one in outcomes if one["document"]}
    assert 1 == len(accepted)
    assert 6 == len([one for one in outcomes if one["document"]])
    assert {"STATE"} == {error["code"] for one in outcomes for error in one["userErrors"]}
    assert before + 1 == (await read(execute, customer))["version"]


@pytest.mark.parametrize(
    ("approve", "reason", "code"),
    [
        (False, None, "REQUIRED"),
        (False, "", "REQUIRED"),
        (False, " \n ", "REQUIRED"),
        (False, "x" * 501, "TOO_LONG"),
        (False, "x" * 100_000, "TOO_LONG"),
        (False, "blurred\x00", "INVALID"),
        (True, BLURRED, "INVALID"),
        (True, "x" * 501, "TOO_LONG"),
    ],
    ids=["none", "empty", "blank", "long", "very long", "control character", "with an approval", "long, with an approval"],
)
async def test_a_reason_belongs_to_a_rejection(execute: Api, approve: bool, reason: str | None, code: str) -> None:
    customer, document = await submitted(execute)

    refused = await review(execute, document, approve=approve, reason=reason)

    assert [(code, ["reason"])] == codes(refused)
    assert "PENDING_REVIEW" == (await the_document(execute, customer))["status"]


@pytest.mark.parametrize("approve", [True, False])
async def test_a_document_without_its_file_cannot_be_reviewed(execute: Api, approve: bool) -> None:
    customer = await create(execute, documents=[{"type": "PASSPORT", "file": announced()}])

    refused = await review(execute, customer["documents"][0]["id"], approve=approve, reason=None if approve else BLURRED)

    assert [("STATE", ["id"])] == codes(refused)
    assert "completeDocumentUpload" in refused["userErrors"][0]["message"]


@pytest.mark.parametrize("stored", ["PENDING_REVIEW", "VERIFIED", "EXPIRED"])
async def test_what_has_expired_is_neither_approved_nor_rejected(execute: Api, container: Container, stored: str) -> None:
    """
    Also between midnight and the sweep that writes EXPIRED.
    """
    customer, document = await submitted(execute)
    await over_since_yesterday(container, document, status=stored)

    approved = await review(execute, document, approve=True)
    refused = await review(execute, document, approve=False, reason=BLURRED)

    assert [("DOCUMENT_EXPIRED", ["id"])] == codes(approved)
    assert [("STATE", ["id"])] == codes(refused)
    assert "has expired" in refused["userErrors"][0]["message"]
    assert stored == (await the_document(execute, customer))["status"]


async def test_a_rejected_document_can_be_sent_again(execute: Api, tokens: Tokens, seller: str) -> None:
    """
    By the customer itself; until the new file is accepted the old one and the reason stay.
    """
    customer, document = await rejected(execute)
    mine = tokens.customer(customer, seller)
    old = (await the_document(execute, customer))["file"]

    again = await payload(execute, REQUEST_UPLOAD, {"id": document, "file": announced(OTHER_PDF, name="new.pdf")}, as_=mine)
    meanwhile = await the_document(execute, customer)
    assert PDF == (await fetch(old["downloadUrl"])).content
    await send(again["upload"], OTHER_PDF)
    completed = await payload(execute, COMPLETE, {"id": document}, as_=mine)

    assert [] == again["userErrors"]
    assert ("REJECTED", BLURRED, "scan.pdf") == (
        meanwhile["status"],
        meanwhile["rejectionReason"],
        meanwhile["file"]["name"],
    )
    assert [] == completed["userErrors"]
    assert ("PENDING_REVIEW", None, "new.pdf") == (
        completed["document"]["status"],
        completed["document"]["rejectionReason"],
        completed["document"]["file"]["name"],
    )
    assert OTHER_PDF == (await fetch(completed["document"]["file"]["downloadUrl"])).content
    # Which of the two depends on whether one may know what is there; the link itself still holds.
    assert (await fetch(old["downloadUrl"])).status_code in {403, 404}
    assert "VERIFIED" == (await review(execute, document, approve=True))["document"]["status"]


async def test_the_same_file_can_be_sent_again(execute: Api) -> None:
    """
    What the old attempt left is removed, and not the new one with it.
    """
    customer, document = await rejected(execute)

    again = await payload(execute, REQUEST_UPLOAD, {"id": document, "file": announced()})
    await send(again["upload"], PDF)
    await payload(execute, COMPLETE, {"id": document})

    assert PDF == (await fetch((await the_document(execute, customer))["file"]["downloadUrl"])).content


async def test_a_wrong_file_leaves_a_rejected_document_as_it_was(execute: Api) -> None:
    customer, document = await rejected(execute)

    again = await payload(execute, REQUEST_UPLOAD, {"id": document, "file": announced(OTHER_PDF)})
    await send(again["upload"], PDF)
    refused = await payload(execute, COMPLETE, {"id": document})

    assert [("UPLOAD_MISMATCH", ["id"])] == codes(refused)
    left = await the_document(execute, customer)
    assert ("REJECTED", BLURRED) == (left["status"], left["rejectionReason"])
    assert PDF == (await fetch(left["file"]["downloadUrl"])).content


@pytest.mark.parametrize("status", ["PENDING_REVIEW", "VERIFIED"])
async def test_no_other_document_takes_another_file(execute: Api, status: str) -> None:
    _, document = await submitted(execute)
    if status == "VERIFIED":
        await review(execute, document, approve=True)

    assert [("STATE", ["id"])] == codes(await payload(execute, REQUEST_UPLOAD, {"id": document, "file": announced()}))


@pytest.mark.parametrize("status", ["AWAITING_UPLOAD", "REJECTED", "EXPIRED"])
async def test_an_expired_document_takes_no_file(execute: Api, container: Container, status: str) -> None:
    customer = await create(execute, documents=[{"type": "PASSPORT", "file": announced()}])
    document = customer["documents"][0]["id"]
    await over_since_yesterday(container, document, status=status)

    announcement = await payload(execute, REQUEST_UPLOAD, {"id": document, "file": announced()})
    completion = await payload(execute, COMPLETE, {"id": document})

    assert [("DOCUMENT_EXPIRED", ["id"])] == codes(announcement) == codes(completion)
