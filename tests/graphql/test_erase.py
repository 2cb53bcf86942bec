"""Erasure: nothing personal is left anywhere, and the files go whatever the object store does."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
import pytest_asyncio

from app.container import Container, housekeeping
from auth.one_time_codes import account_key
from core.errors import Unavailable
from core.ids import IdKind, new_id
from core.paging import PageRequest
from core.tenancy import Tenant
from core.vocabulary import EventPrivacy
from events.customer import wire
from repositories.unit_of_work import Repositories
from services import erased_files
from services.erased_files import ErasedFiles
from services.uploads import folder_of
from tests.api import Api, Json, Tokens, codes, fresh, some_email
from tests.clocks import MovableClock
from tests.graphql.operations import (
    BERLIN,
    COMPLETE,
    CREATE,
    CREATE_ADDRESS,
    CREATE_DOCUMENT,
    DELETE,
    DELETE_ADDRESS,
    DELETE_DOCUMENT,
    ERRORS,
    PDF,
    UPDATE,
    announced,
    create,
    fetch,
    payload,
    read,
    send,
)
from tests.graphql.test_merge import MERGE
from tests.graphql.test_session import LOGIN, REFRESH, REQUEST, until_refused
from tests.outbox import Outbox

ERASE = f"mutation($id: ID!) {{ eraseCustomer(id: $id) {{ deletedId {ERRORS} }} }}"
STAYS = {"_id", "seller_id", "kind", "status", "version", "live", "created_at", "updated_at", "deleted_at", "erased_at",
         "full_name", "sort_name", "chain", "accesses", "access_chain"}  # fmt: skip
REFERENCES = {
    "customers",
    "customer_events",
    "customer_accesses",
    "erasures",
    "erasure_receipts",
    "idempotency_records",
    "revocations",
    "sign_in_turns",
}
"""Where the id of an erased customer may still stand."""


@dataclass(frozen=True)
class Person:
    """A customer whose every text has a word in it that stands nowhere else."""

    id: str
    word: str
    email: str
    phone: str
    document: str
    upload: Json
    link: str
    token: str
    refresh_token: str
    draft: Json


async def erase(execute: Api, id_: str, as_: str = "") -> Json:
    """Erase a customer; return the payload."""
    return await payload(execute, ERASE, {"id": id_}, as_=as_)


async def erased(execute: Api, id_: str) -> None:
    """Erase a customer, which has to go well."""
    assert {"deletedId": id_, "userErrors": []} == await erase(execute, id_)


async def filed(execute: Api, id_: str, name: str = "scan.pdf", **fields: Any) -> tuple[str, Json, str]:
    """File a passport with a scan; return its id, where the scan was sent, and where it can be downloaded."""
    given = {"type": "PASSPORT", **fields, "file": announced(name=name)}
    made = await payload(execute, CREATE_DOCUMENT, {"customer": id_, "input": given})
    assert 200 == await send(made["upload"], PDF)
    document = (await payload(execute, COMPLETE, {"id": made["document"]["id"]}))["document"]
    return document["id"], made["upload"], document["file"]["downloadUrl"]


async def sign_in(execute: Api, outbox: Outbox, seller: str, email: str, browser: str) -> Json:
    """Sign a customer in from a browser of this name; return its tokens."""
    asked = await payload(execute, REQUEST, {"seller": seller, "channel": "EMAIL", "to": email}, as_=None)
    given = {"challenge": asked["challengeId"], "code": await outbox.code(asked["challengeId"])}
    answer = await execute.http.post("/graphql", json={"query": LOGIN, "variables": given}, headers={"user-agent": browser})
    tokens: Json = answer.json()["data"]["login"]["tokens"]
    return tokens


@pytest_asyncio.fixture(name="person")
async def _person(execute: Api, container: Container, outbox: Outbox, seller: str, monkeypatch: pytest.MonkeyPatch) -> Person:
    """A customer with everything a customer can have, events that tell all of it included."""
    monkeypatch.setattr(container.rules.records, "privacy", EventPrivacy.FULL)
    word = fresh("canary").replace("-", "")
    address = {**BERLIN, "line1": f"{word} street 1", "label": word, "recipient": f"{word} C/O", "company": word}
    draft = {
        "email": f"{word}@{word}.example.com",
        "phone": "+4930901820",
        "externalId": f"{word}-1",
        "firstName": f"{word} Ada",
        "lastName": word,
        "company": f"{word} Ltd",
        "tags": [word],
        "attributes": [{"key": word, "value": f"{word} value"}],
        "addresses": [address],
        "documents": [
            {"type": "NATIONAL_ID", "issuingCountry": "DE", "number": "L01X00T471", "file": announced(name=f"{word}.pdf")}
        ],
    }
    # Before there is anybody to send it to: this code is nobody's, and the phone is the person's all the same.
    early = await payload(execute, REQUEST, {"seller": seller, "channel": "SMS", "to": draft["phone"]}, as_=None)
    assert [] == early["userErrors"]
    made = await payload(execute, CREATE, {"input": draft, "key": f"{word}-key"})
    assert [] == made["userErrors"]
    id_ = made["customer"]["id"]
    assert 200 == await send(made["documentUploads"][0]["upload"], PDF)  # and never completed
    await payload(
        execute, UPDATE, {"id": id_, "patch": {"firstName": f"{word} Augusta", "email": f"{word}2@{word}.example.com"}}
    )
    more = (await payload(execute, CREATE_ADDRESS, {"customer": id_, "input": address}))["address"]["id"]
    await payload(execute, DELETE_ADDRESS, {"id": more})
    document, upload, link = await filed(execute, id_, f"{word}.pdf", number=f"{word}9".upper()[:20])
    gone, _, _ = await filed(execute, id_, f"{word}-deleted.pdf")
    await payload(execute, DELETE_DOCUMENT, {"id": gone})
    tokens = await sign_in(execute, outbox, seller, f"{word}2@{word}.example.com", f"{word} browser")
    database = container.mongo.database
    await database["documents"].update_one({"_id": document}, {"$set": {"rejection_reason": f"not {word}"}})
    job = new_id(IdKind.BULK_IMPORT)
    await database["customers"].update_one({"_id": id_}, {"$set": {"source": {"import_id": job, "row": 7}}})
    problem = {"severity": "WARNING", "code": "INVALID_PHONE", "message": f"{word} is no phone number"}
    outcome = {"_id": f"{job}:7", "seller_id": seller, "import_id": job, "row": 7, "severity": "WARNING", "problems": [problem]}
    await database["import_row_outcomes"].insert_one(outcome)
    await database["customer_events"].update_one(
        {"customer_id": id_, "version": 1}, {"$unset": {"pending": ""}, "$set": {"published_at": datetime.now(UTC)}}
    )
    email = f"{word}2@{word}.example.com"
    return Person(id_, word, email, "+4930901820", document, upload, link, tokens["accessToken"], tokens["refreshToken"], draft)


async def places(container: Container, *words: str) -> set[str]:
    """Return the collections that have any of *words* in any record, in any spelling."""
    found = set()
    for name in await container.mongo.database.list_collection_names():
        async for stored in container.mongo.database[name].find({}):
            raw = bson.encode(stored).lower()
            if any(word.lower().encode() in raw for word in words):
                found.add(name)
    return found


async def files(container: Container, seller: str, *customers: str) -> list[str]:
    """Return the keys of all files of customers."""
    return [key for id_ in customers async for page in container.store.pages(folder_of(seller, id_)) for key in page]


async def keep_house(container: Container, **ahead: float) -> None:
    """Do what a worker does about erased files, some time from now, until nothing is left to do."""
    clock = MovableClock()
    clock.advance(**ahead)
    sweeper = ErasedFiles(container.store, clock, container.rules.sealer)
    while await sweeper.sweep():
        pass


# ------------------------------------------------------------------------- the database


async def test_nothing_of_a_person_is_left_anywhere(execute: Api, container: Container, seller: str, person: Person) -> None:
    sealer = container.rules.sealer
    keyed = [account_key(sealer, seller, one) for one in (person.email, person.phone)]
    digests = [sealer.blind_index(number, seller_id=seller) for number in ("L01X00T471", f"{person.word}9".upper()[:20])]
    everything = {"customers", "addresses", "documents", "customer_events", "sessions", "import_row_outcomes"}
    assert everything <= await places(container, person.word)
    assert {"otp_challenges"} <= await places(container, *keyed)
    assert {"customers", "documents"} <= await places(container, *digests)
    assert 3 <= len(await files(container, seller, person.id))

    await erased(execute, person.id)

    assert set() == await places(container, person.word, *keyed, *digests)
    assert REFERENCES == await places(container, person.id)
    assert [] == await files(container, seller, person.id)
    assert 400 <= (await fetch(person.link)).status_code
    tombstone = await container.mongo.database["customers"].find_one({"_id": person.id}) or {}
    assert STAYS == tombstone.keys()
    assert (False, "", "") == (tombstone["live"], tombstone["full_name"], tombstone["sort_name"])
    assert tombstone["deleted_at"] == tombstone["erased_at"] == tombstone["updated_at"]


async def test_what_was_counted_about_sign_in_is_forgotten(
    execute: Api, container: Container, outbox: Outbox, seller: str
) -> None:
    counters = [container.mongo.database[name] for name in ("throttles", "known_networks")]
    me = await create(execute)
    before = [{one["_id"] async for one in counter.find({}, {"_id": 1})} for counter in counters]
    await sign_in(execute, outbox, seller, me["email"], "a browser")
    during = [
        {one["_id"] async for one in counter.find({}, {"_id": 1})} - old for counter, old in zip(counters, before, strict=True)
    ]

    await erased(execute, me["id"])

    after = [{one["_id"] async for one in counter.find({}, {"_id": 1})} for counter in counters]
    assert [True, True] == [len(new) > 0 for new in during]
    network = {container.sign_in_limits._key(action, "127.0.0.1") for action in ("send-network", "guess-network")}
    assert [set(), set()] == [(new & left) - network for new, left in zip(during, after, strict=True)]


async def test_events_keep_references_only_and_can_still_be_published(
    execute: Api, seller: str, person: Person, container: Container
) -> None:
    await erased(execute, person.id)

    page = PageRequest(size=100, backward=False, after=None, before=None)
    history = (await Repositories(Tenant(seller)).events.history(seller, person.id, page)).items[::-1]
    reference = {"id": person.id, "sellerId": seller, "kind": "INDIVIDUAL", "status": "ACTIVE"}
    assert list(range(1, len(history) + 1)) == [event.version for event in history]
    for event in history:
        written = wire(event)
        assert person.word.encode() not in written.value.lower()
        assert reference == json.loads(written.value)["data"]
    assert ("ERASED", (), "operator:ada") == (history[-1].type.value, history[-1].changed, history[-1].actor)
    pending = await container.mongo.database["customer_events"].count_documents({"customer_id": person.id, "pending": True})
    assert len(history) - 1 == pending


async def test_sessions_end_and_no_token_holds(execute: Api, person: Person) -> None:
    await erased(execute, person.id)

    await until_refused(execute.http, person.token)
    again = await payload(execute, REFRESH, {"token": person.refresh_token}, as_=None)
    assert [("INVALID", ["refreshToken"])] == codes(again)


async def test_a_late_repetition_does_not_create_the_person_again(execute: Api, person: Person) -> None:
    await erased(execute, person.id)

    again = await payload(execute, CREATE, {"input": person.draft, "key": f"{person.word}-key"})

    assert [("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])] == codes(again)


async def test_erased_identifiers_are_free_and_the_person_can_come_back(execute: Api, person: Person) -> None:
    await erased(execute, person.id)

    back = await payload(execute, CREATE, {"input": person.draft})

    assert [] == back["userErrors"]
    assert person.id != back["customer"]["id"]


# ----------------------------------------------------------------------------- who and whom


async def test_erased_is_gone_from_every_read(execute: Api) -> None:
    customer = await create(execute, addresses=[BERLIN])

    await erased(execute, customer["id"])

    reads = "query($id: ID!) { customer(id: $id) { id } node(id: $id) { id } customers(filter: {ids: [$id]}) { totalCount } }"
    assert {"customer": None, "node": None, "customers": {"totalCount": 0}} == await execute.data(reads, {"id": customer["id"]})
    assert [("NOT_FOUND", ["id"])] == codes(
        await payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": "Eve"}})
    )


async def test_erasing_twice_changes_nothing(execute: Api, container: Container) -> None:
    customer = await create(execute)
    await erased(execute, customer["id"])
    before = await container.mongo.database["customers"].find_one({"_id": customer["id"]})

    await erased(execute, customer["id"])

    assert before == await container.mongo.database["customers"].find_one({"_id": customer["id"]})
    assert ["CREATED", "ERASED"] == await types(container, customer["id"])


async def types(container: Container, id_: str) -> list[str]:
    """Return the types of a customer's events, oldest first."""
    stored = container.mongo.database["customer_events"].find({"customer_id": id_}).sort("version", 1)
    return [one["type"] async for one in stored]


async def test_deleted_customer_is_erased_too(execute: Api, container: Container, seller: str, person: Person) -> None:
    await payload(execute, DELETE, {"id": person.id})

    await erased(execute, person.id)

    assert set() == await places(container, person.word)
    assert REFERENCES == await places(container, person.id)
    assert [] == await files(container, seller, person.id)
    assert ["DELETED", "ERASED"] == (await types(container, person.id))[-2:]
    tombstone = await container.mongo.database["customers"].find_one({"_id": person.id}) or {}
    assert tombstone["deleted_at"] < tombstone["erased_at"]


async def test_another_sellers_and_an_unknown_one_are_not_found(execute: Api, container: Container, tokens: Tokens) -> None:
    other = tokens.operator(fresh("seller"))
    theirs = await create(execute, as_=other)
    deleted = await create(execute, as_=other)
    await payload(execute, DELETE, {"id": deleted["id"]}, as_=other)
    gone = await create(execute, as_=other)
    await payload(execute, ERASE, {"id": gone["id"]}, as_=other)

    answers = [await erase(execute, id_) for id_ in (theirs["id"], deleted["id"], gone["id"], new_id(IdKind.CUSTOMER), "x")]

    assert [("NOT_FOUND", ["id"])] == codes(answers[0])
    assert [answers[0]] * 5 == answers
    assert theirs["email"] == (await container.mongo.database["customers"].find_one({"_id": theirs["id"]}) or {})["email"]


async def test_a_service_of_all_sellers_may(execute: Api, container: Container, tokens: Tokens) -> None:
    customer = await create(execute)

    assert customer["id"] == (await erase(execute, customer["id"], as_=tokens.service()))["deletedId"]
    assert ["CREATED", "ERASED"] == await types(container, customer["id"])


async def test_somebody_elses_codes_stay(execute: Api, container: Container, seller: str) -> None:
    """
    The deleted customer's address belongs to another customer by now, and so does the code that is on its way to it.
    """
    email = some_email()
    gone = await create(execute, email=email)
    await payload(execute, DELETE, {"id": gone["id"]})
    now = await create(execute, email=email)
    counters = container.mongo.database["throttles"]
    before = {one["_id"] async for one in counters.find({}, {"_id": 1})}
    await payload(execute, REQUEST, {"seller": seller, "channel": "EMAIL", "to": email}, as_=None)
    counted = {one["_id"] async for one in counters.find({}, {"_id": 1})} - before

    await erased(execute, gone["id"])

    assert 1 == await container.mongo.database["otp_challenges"].count_documents({"customer_id": now["id"]})
    assert len(counted) >= 2
    assert counted <= {one["_id"] async for one in counters.find({}, {"_id": 1})}


# --------------------------------------------------------------------------- after a merge


async def test_whoever_was_merged_into_it_is_erased_with_it(
    execute: Api, container: Container, seller: str, person: Person
) -> None:
    """
    In a chain; and a file that lies in the folder of the first one goes with the last one.
    """
    second, third = await create(execute), await create(execute)
    for into, gone in ((second["id"], person.id), (third["id"], second["id"])):
        assert [] == codes(await payload(execute, MERGE, {"into": into, "from": gone}))
    assert PDF == (await fetch(person.link)).content

    await erased(execute, third["id"])

    assert set() == await places(container, person.word)
    assert [] == await files(container, seller, person.id, second["id"], third["id"])
    for id_ in (person.id, second["id"], third["id"]):
        assert "ERASED" == (await types(container, id_))[-1]
        assert 1 == (await types(container, id_)).count("ERASED")
    tombstone = await container.mongo.database["customers"].find_one({"_id": person.id}) or {}
    assert STAYS | {"merged_into"} == tombstone.keys()


async def test_whoever_it_was_merged_into_keeps_what_it_got(
    execute: Api, container: Container, seller: str, person: Person
) -> None:
    """
    Files that moved lie in the erased customer's folder, and belong to the other one.
    """
    into = await create(execute)
    await payload(execute, MERGE, {"into": into["id"], "from": person.id})

    await erased(execute, person.id)
    await keep_house(container, minutes=20)

    left = await read(execute, into["id"])
    assert person.document in {document["id"] for document in left["documents"]}
    assert PDF == (await fetch(person.link)).content
    assert {person.document} == {key.split("/")[3] for key in await files(container, seller, person.id)} - {
        document["id"] for document in left["documents"] if document["id"] != person.document
    }
    assert f"{person.word}@" not in str(await container.mongo.database["customers"].find_one({"_id": person.id}))

    await erased(execute, into["id"])
    assert [] == await files(container, seller, person.id, into["id"])
    assert set() == await places(container, person.word)
    assert 1 == (await types(container, person.id)).count("ERASED")


# --------------------------------------------------------------------------------- files


@pytest.mark.parametrize("outage", ["refuses", "hangs"])
async def test_files_go_later_when_the_object_store_is_down(
    execute: Api, container: Container, seller: str, person: Person, monkeypatch: pytest.MonkeyPatch, outage: str
) -> None:
    async def down(prefix: str) -> AsyncGenerator[list[str], None]:
        if outage == "hangs":
            await asyncio.sleep(3600)
        raise Unavailable("The object store did not answer as it should.")
        yield []

    monkeypatch.setattr(erased_files, "AT_ONCE", 0.3)
    monkeypatch.setattr(container.store, "pages", down)
    await erased(execute, person.id)
    assert set() == await places(container, person.word)
    if outage == "refuses":
        with pytest.raises(Unavailable):
            await keep_house(container, minutes=2)
    monkeypatch.undo()
    assert 3 <= len(await files(container, seller, person.id))

    await keep_house(container, minutes=4)

    assert [] == await files(container, seller, person.id)
    assert 1 == await container.mongo.database["erasures"].count_documents({"_id": person.id})


async def test_files_go_when_the_process_dies_after_the_erasure(
    execute: Api, container: Container, seller: str, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(self: ErasedFiles, note: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(ErasedFiles, "remove_now", die)
    assert "INTERNAL" == await execute.code(ERASE, {"id": person.id})
    monkeypatch.undo()

    await keep_house(container, minutes=2)

    assert [] == await files(container, seller, person.id)
    assert set() == await places(container, person.word)


async def test_file_that_is_still_sent_afterwards_goes_as_well(
    execute: Api, container: Container, seller: str, person: Person
) -> None:
    """
    The upload target was given out before, and holds for ten minutes.
    """
    await erased(execute, person.id)
    assert 200 == await send(person.upload, PDF)

    await keep_house(container, minutes=2)
    assert 1 == len(await files(container, seller, person.id))
    await keep_house(container, minutes=16)

    assert [] == await files(container, seller, person.id)
    assert 0 == await container.mongo.database["erasures"].count_documents({"_id": person.id})


async def test_file_that_lies_elsewhere_goes_by_its_own_name(
    execute: Api, container: Container, seller: str, person: Person
) -> None:
    """
    As if the customer it came from were no longer known.
    """
    elsewhere = f"{folder_of(seller, new_id(IdKind.CUSTOMER))}{person.document}/scan"
    async with container.store.write(elsewhere, content_type="application/pdf") as upload:
        await upload.write(PDF)
    await container.mongo.database["documents"].update_one({"_id": person.document}, {"$set": {"file.key": elsewhere}})

    await erased(execute, person.id)

    assert await container.store.describe(elsewhere) is None


async def test_every_worker_does_this(container: Container) -> None:
    assert "ErasedFiles.sweep" in {getattr(chore, "__qualname__", "") for chore, _ in housekeeping(container)._chores}


# ------------------------------------------------------------------------ at the same time


async def test_at_once_with_everything_else_nothing_is_left(execute: Api, container: Container, person: Person) -> None:
    word, into = person.word, await create(execute)
    address = {**BERLIN, "line1": f"{word} street 2"}

    outcomes = await asyncio.gather(
        *(payload(execute, UPDATE, {"id": person.id, "patch": {"firstName": f"{word} {n}"}}) for n in range(3)),
        *(payload(execute, CREATE_ADDRESS, {"customer": person.id, "input": address}) for _ in range(3)),
        *(erase(execute, person.id) for _ in range(3)),
        *(filed_only(execute, person.id, word) for _ in range(3)),
        payload(execute, MERGE, {"into": person.id, "from": into["id"]}),
    )

    assert [person.id] * 3 == [one["deletedId"] for one in outcomes if "deletedId" in one]
    assert {("NOT_FOUND", "id"), ("NOT_FOUND", "customerId"), ("NOT_FOUND", "into")} >= {
        (code, (path or [""])[0]) for one in outcomes for code, path in codes(one)
    }
    assert set() == await places(container, word)
    found = await types(container, person.id)
    assert ("ERASED", 1) == (found[-1], found.count("ERASED"))


async def filed_only(execute: Api, id_: str, word: str) -> Json:
    """Announce a file for a new document."""
    return await payload(
        execute, CREATE_DOCUMENT, {"customer": id_, "input": {"type": "PASSPORT", "file": announced(name=f"{word}.pdf")}}
    )
