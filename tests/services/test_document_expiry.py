"""Documents expire when their last day is over: once, whoever looks for them and however many do.

The sweep reaches over all sellers; the days of these tests are long ago, so that nobody else's documents are due.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.container import Container, housekeeping
from core.errors import Problem, Unavailable
from models.document import Document, PendingUpload, StoredFile
from repositories.unit_of_work import UnitOfWork
from services.document_changes import DocumentChanges
from services.document_expiry import DocumentExpiry
from tests.api import Api, Json, Tokens, codes, fresh
from tests.clocks import StoppedClock
from tests.graphql.operations import (
    COMPLETE,
    CREATE_DOCUMENT,
    DELETE_DOCUMENT,
    PDF,
    announced,
    create,
    events,
    payload,
    read,
    send,
)

LAST_DAY = "2001-02-03"
NOON = datetime(2001, 2, 3, 12, tzinfo=UTC)


@dataclass
class Expiry:
    """The chore as the container puts it together, at a moment that tests can move."""

    container: Container
    clock: StoppedClock = field(default_factory=StoppedClock)

    def __post_init__(self) -> None:
        self.clock.moment = NOON + timedelta(days=1)

    def chore(self, units: UnitOfWork | None = None, *, batch: int = 100) -> DocumentExpiry:
        """Return the chore of one process."""
        changes = DocumentChanges(self.container.rules.records, self.clock)
        return DocumentExpiry(units or self.container.units, changes, self.clock, batch=batch)

    async def filed(self, execute: Api, status: str = "VERIFIED", last_day: str = LAST_DAY, as_: str = "") -> Json:
        """Return a customer with a document in some state, valid up to some day."""
        customer = await create(execute, as_=as_, documents=[{"type": "PASSPORT", "file": announced()}])
        values = {"status": status, "expires_on": last_day}
        await self.container.mongo.database["documents"].update_one({"_id": document_of(customer)}, {"$set": values})
        return customer

    async def stored(self, customer: Json) -> Any:
        """Return a customer's document as it is stored."""
        return await self.container.mongo.database["documents"].find_one({"_id": document_of(customer)})


def document_of(customer: Json) -> str:
    id_: str = customer["documents"][0]["id"]
    return id_


@pytest.fixture(name="expiry")
def _expiry(container: Container) -> Expiry:
    return Expiry(container)


@pytest.mark.parametrize(
    ("status", "after"),
    [
        ("AWAITING_UPLOAD", "EXPIRED"),
        ("PENDING_REVIEW", "EXPIRED"),
        ("VERIFIED", "EXPIRED"),
        ("REJECTED", "REJECTED"),
        ("EXPIRED", "EXPIRED"),
    ],
)
async def test_a_document_expires_after_its_last_day(execute: Api, expiry: Expiry, status: str, after: str) -> None:
    customer = await expiry.filed(execute, status)

    expiry.clock.moment = NOON.replace(hour=23, minute=59)
    on_the_day = await expiry.chore().sweep()
    state = (await expiry.stored(customer))["status"]
    expiry.clock.move(timedelta(minutes=1))
    on_the_next = await expiry.chore().sweep()

    assert (False, status) == (on_the_day, state)
    assert (status != after) is on_the_next
    assert after == (await expiry.stored(customer))["status"]


async def test_its_customer_gets_a_version_and_an_event(execute: Api, expiry: Expiry) -> None:
    customer = await expiry.filed(execute)

    await expiry.chore().sweep()

    after = await read(execute, customer["id"])
    assert (customer["version"] + 1, 2) == (after["version"], after["documents"][0]["version"])
    _, last = await events(execute, customer["id"])
    assert ("UPDATED", ["documents"], "system:expiry", after["version"]) == (
        last["type"],
        last["changed"],
        last["actor"],
        last["version"],
    )
    assert after["updatedAt"] == last["occurredAt"] > customer["updatedAt"]


async def test_doing_it_again_changes_nothing(execute: Api, expiry: Expiry) -> None:
    customer = await expiry.filed(execute)

    first, second = await expiry.chore().sweep(), await expiry.chore().sweep()

    assert (True, False) == (first, second)
    assert 2 == (await read(execute, customer["id"]))["version"]


async def test_several_processes_at_once_expire_each_document_once(execute: Api, expiry: Expiry) -> None:
    customers = [await expiry.filed(execute) for _ in range(5)]
    processes = [UnitOfWork(expiry.container.mongo.database.client) for _ in range(4)]

    await asyncio.gather(*(expiry.chore(units).sweep() for units in processes))

    for customer in customers:
        assert "EXPIRED" == (await expiry.stored(customer))["status"]
        assert ["CREATED", "UPDATED"] == [event["type"] for event in await events(execute, customer["id"])]


async def test_documents_of_all_sellers_expire_and_nobody_is_said_to_have_reached_across(
    execute: Api, tokens: Tokens, expiry: Expiry
) -> None:
    customers = [await expiry.filed(execute, as_=tokens.operator(fresh("seller"))) for _ in range(2)]

    with capture_logs() as log:
        await expiry.chore().sweep()

    assert ["EXPIRED", "EXPIRED"] == [(await expiry.stored(customer))["status"] for customer in customers]
    assert [{"event": "documents.expired", "log_level": "info", "count": 2}] == log


async def test_due_documents_are_taken_in_batches_the_longest_over_first(execute: Api, expiry: Expiry) -> None:
    days = ["2001-02-02", "2001-02-01", "2001-02-03"]
    customers = [await expiry.filed(execute, last_day=day) for day in days]
    chore = expiry.chore(batch=2)

    assert await chore.sweep()
    assert ["EXPIRED", "EXPIRED", "VERIFIED"] == [(await expiry.stored(customer))["status"] for customer in customers]
    assert await chore.sweep()
    assert not await chore.sweep()


@pytest.mark.parametrize("last_day", ["9999-12-31", None])
async def test_what_is_valid_for_good_is_left_alone(execute: Api, expiry: Expiry, last_day: str | None) -> None:
    customer = await create(execute, documents=[{"type": "PASSPORT", "expiresOn": last_day}])

    assert not await expiry.chore().sweep()
    assert 1 == (await expiry.stored(customer))["version"]


async def test_a_deleted_document_is_left_alone(execute: Api, expiry: Expiry) -> None:
    customer = await expiry.filed(execute)
    await payload(execute, DELETE_DOCUMENT, {"id": document_of(customer)})

    assert not await expiry.chore().sweep()
    assert "VERIFIED" == (await expiry.stored(customer))["status"]


async def test_an_announced_upload_is_of_no_use_any_more(execute: Api, expiry: Expiry) -> None:
    customer = await expiry.filed(execute, "AWAITING_UPLOAD")

    await expiry.chore().sweep()

    assert "upload" not in await expiry.stored(customer)
    assert [("DOCUMENT_EXPIRED", ["id"])] == codes(await payload(execute, COMPLETE, {"id": document_of(customer)}))


async def test_a_file_that_is_being_checked_at_midnight_comes_too_late(
    execute: Api, expiry: Expiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The sweep comes by between the look at the file and the transaction.
    """
    customer = await create(execute)
    fields = {"type": "PASSPORT", "file": announced()}
    made = await payload(execute, CREATE_DOCUMENT, {"customer": customer["id"], "input": fields})
    await send(made["upload"], PDF)
    files = expiry.container.services.documents._files
    accept, found = files.accept, {"documents": [made["document"]]}

    async def slowly(document: Document, upload: PendingUpload, at: datetime) -> StoredFile | Problem:
        accepted = await accept(document, upload, at)
        await expiry.container.mongo.database["documents"].update_one({"_id": document.id}, {"$set": {"expires_on": LAST_DAY}})
        await expiry.chore().sweep()
        return accepted

    monkeypatch.setattr(files, "accept", slowly)
    completed = await payload(execute, COMPLETE, {"id": made["document"]["id"]})

    assert [("DOCUMENT_EXPIRED", ["id"])] == codes(completed)
    assert "EXPIRED" == (await expiry.stored(found))["status"]


async def test_a_broken_record_keeps_no_other_document_from_expiring(execute: Api, expiry: Expiry) -> None:
    """
    And what is in the record is not in the log.
    """
    broken, sound = [await expiry.filed(execute, last_day=day) for day in ("2001-02-01", "2001-02-02")]
    customers = expiry.container.mongo.database["customers"]
    await customers.update_one({"_id": broken["id"]}, {"$set": {"kind": "CANARY"}})

    with capture_logs() as log:
        swept = await expiry.chore().sweep()

    await customers.update_one({"_id": broken["id"]}, {"$set": {"kind": "INDIVIDUAL"}})
    assert swept
    assert ["VERIFIED", "EXPIRED"] == [(await expiry.stored(one))["status"] for one in (broken, sound)]
    assert ["document.not_expired", "documents.expired"] == [line["event"] for line in log]
    assert document_of(broken) == log[0]["document_id"]
    assert "CANARY" not in str(log)
    assert await expiry.chore().sweep()


async def test_an_outage_of_the_database_is_the_loops_to_sit_out(
    execute: Api, expiry: Expiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await expiry.filed(execute)
    units = UnitOfWork(expiry.container.mongo.database.client)

    async def run(*_: object, **__: object) -> None:
        raise Unavailable("gone")

    with monkeypatch.context() as outage:
        outage.setattr(units, "run", run)
        with pytest.raises(Unavailable):
            await expiry.chore(units).sweep()

    assert await expiry.chore(units).sweep()
    assert "EXPIRED" == (await expiry.stored(customer))["status"]


async def test_the_worker_process_does_it(execute: Api, expiry: Expiry) -> None:
    customer = await expiry.filed(execute)
    stop = asyncio.Event()
    working = asyncio.create_task(housekeeping(expiry.container).run(stop))

    async with asyncio.timeout(20):
        while (await expiry.stored(customer))["status"] != "EXPIRED":  # noqa: ASYNC110  nobody tells of it
            await asyncio.sleep(0.02)

    stop.set()
    await working
