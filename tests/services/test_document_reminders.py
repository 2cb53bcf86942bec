"""The end of a document's validity is told ahead: once for each of some days, whoever looks and however many do.

The chore reaches over all sellers; the days of these tests are long ago, so that nobody else's documents are due.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from app.container import Container, housekeeping
from core.errors import Unavailable
from core.vocabulary import EventPrivacy
from events.document import about_document
from repositories.unit_of_work import UnitOfWork
from services.document_reminders import DocumentReminders
from services.rules.reminders import Reminder, is_news, marks_on, reminder_on
from tests.api import Api, Json, Tokens, fresh
from tests.clocks import StoppedClock
from tests.graphql.operations import DELETE, DELETE_DOCUMENT, create, events, payload, read

LAST_DAY = date(2002, 3, 4)
NOON = datetime(2002, 3, 4, 12, tzinfo=UTC)
SUSPEND = "mutation($id: ID!) { updateCustomer(id: $id, patch: {status: SUSPENDED}) { userErrors { code } } }"


class Killed(BaseException):
    """As by a signal: nothing that is meant for errors takes notice."""


@dataclass
class Reminding:
    """The chore as the container puts it together, at a moment that tests can move."""

    container: Container
    clock: StoppedClock = field(default_factory=StoppedClock)

    def __post_init__(self) -> None:
        self.left(60)

    def left(self, days: int) -> None:
        """Let so many days be left of `LAST_DAY`."""
        self.clock.moment = NOON - timedelta(days=days)

    def chore(
        self, units: UnitOfWork | None = None, *, days: Sequence[int] = (30, 7, 0), batch: int = 100
    ) -> DocumentReminders:
        """Return the chore of one process."""
        return DocumentReminders(units or self.container.units, self.container.rules.records, self.clock, days, batch=batch)

    async def filed(self, execute: Api, status: str = "VERIFIED", last_day: date = LAST_DAY, as_: str = "") -> Json:
        """Return a customer with a document in some state, valid up to some day."""
        customer = await create(execute, as_=as_, documents=[{"type": "PASSPORT"}])
        await self.store(customer, status=status, expires_on=last_day.isoformat())
        return customer

    async def store(self, customer: Json, **values: object) -> None:
        """Write to a customer's document as it is stored."""
        await self.container.mongo.database["documents"].update_one({"_id": document_of(customer)}, {"$set": values})

    async def sweep_all(self) -> None:
        """Tell of everything that is due."""
        while await self.chore().sweep():
            pass

    async def told(self, customer: Json) -> list[Any]:
        """Return the reminders among a customer's events, as they are stored: which, and how many days were left."""
        found = self.container.mongo.database["customer_events"].find(
            {"customer_id": customer["id"], "type": "DOCUMENT_EXPIRING"}
        )
        documents = [one["data"]["document"] for one in await found.sort("version").to_list()]
        assert {document_of(customer)} >= {one["id"] for one in documents}
        return [(one["reminder"], one["daysLeft"]) for one in documents]


def document_of(customer: Json) -> str:
    id_: str = customer["documents"][0]["id"]
    return id_


@pytest_asyncio.fixture(name="reminding")
async def _reminding(container: Container) -> Reminding:
    left_by_others = {"expires_on": {"$regex": "^2002-"}}
    await container.mongo.database["documents"].update_many(left_by_others, {"$set": {"status": "REJECTED"}})
    return Reminding(container)


async def test_each_reminder_is_told_once_on_its_day(execute: Api, reminding: Reminding) -> None:
    customer = await reminding.filed(execute)
    told = {}

    for left in (60, 31, 30, 29, 8, 7, 1, 0, -1):
        reminding.left(left)
        await reminding.sweep_all()
        await reminding.sweep_all()
        told[left] = len(await reminding.told(customer))

    assert {60: 0, 31: 0, 30: 1, 29: 1, 8: 1, 7: 2, 1: 2, 0: 3, -1: 3} == told
    assert [(30, 30), (7, 7), (0, 0)] == await reminding.told(customer)


async def test_a_reminder_is_an_event_of_the_customer_and_no_change_of_the_document(execute: Api, reminding: Reminding) -> None:
    customer = await reminding.filed(execute)
    before = await read(execute, customer["id"])
    reminding.left(7)

    await reminding.sweep_all()

    after = await read(execute, customer["id"])
    assert (before["version"] + 1, before["documents"]) == (after["version"], after["documents"])
    *_, last = await events(execute, customer["id"])
    assert ("DOCUMENT_EXPIRING", [], "system:reminder", after["version"]) == (
        last["type"],
        last["changed"],
        last["actor"],
        last["version"],
    )


async def test_whoever_files_it_late_is_spared_the_reminders_before(execute: Api, reminding: Reminding) -> None:
    reminding.left(5)
    customer = await reminding.filed(execute)

    await reminding.sweep_all()
    reminding.left(4)
    await reminding.sweep_all()

    assert [(7, 5)] == await reminding.told(customer)


async def test_another_date_has_other_reminders(execute: Api, reminding: Reminding) -> None:
    customer = await reminding.filed(execute)
    reminding.left(7)
    await reminding.sweep_all()

    await reminding.store(customer, expires_on=(LAST_DAY + timedelta(days=20)).isoformat())
    await reminding.sweep_all()
    await reminding.sweep_all()

    assert [(7, 7), (30, 27)] == await reminding.told(customer)


@pytest.mark.parametrize(
    ("status", "told"), [("AWAITING_UPLOAD", 1), ("PENDING_REVIEW", 1), ("VERIFIED", 1), ("REJECTED", 0), ("EXPIRED", 0)]
)
async def test_what_can_still_expire_is_told_of(execute: Api, reminding: Reminding, status: str, told: int) -> None:
    customer = await reminding.filed(execute, status)
    reminding.left(7)

    await reminding.sweep_all()

    assert told == len(await reminding.told(customer))


@pytest.mark.parametrize("gone", ["the document", "the customer", "suspended"])
async def test_nobody_is_told_of_what_is_gone(execute: Api, reminding: Reminding, gone: str) -> None:
    customer = await reminding.filed(execute)
    what = {"the document": (DELETE_DOCUMENT, document_of(customer)), "the customer": (DELETE, customer["id"])}
    mutation, id_ = what.get(gone, (SUSPEND, customer["id"]))
    assert [] == (await payload(execute, mutation, {"id": id_}))["userErrors"]
    reminding.left(7)

    assert not await reminding.chore().sweep()

    assert [] == await reminding.told(customer)
    marks = marks_on(reminding.clock.now().date(), (30, 7, 0))
    assert marks[LAST_DAY.isoformat()] == f"{LAST_DAY}/7"
    stored = await reminding.container.mongo.database["documents"].find_one({"_id": document_of(customer)})
    assert stored is not None
    assert ("reminded" in stored) is (gone == "suspended")


async def test_several_workers_at_once_tell_of_each_document_once(execute: Api, reminding: Reminding) -> None:
    customers = [await reminding.filed(execute) for _ in range(4)]
    reminding.left(7)
    processes = [UnitOfWork(reminding.container.mongo.database.client) for _ in range(4)]

    await asyncio.gather(*(reminding.chore(units).sweep() for units in processes))

    assert [[(7, 7)]] * 4 == [await reminding.told(customer) for customer in customers]


async def test_a_worker_that_is_killed_before_it_commits_has_told_nothing_and_the_next_one_tells(
    execute: Api, reminding: Reminding, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await reminding.filed(execute)
    reminding.left(7)

    async def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as death:
        death.setattr("repositories.customer_event.CustomerEventRepository.append", killed)
        with pytest.raises(Killed):
            await reminding.chore().sweep()
    assert [] == await reminding.told(customer)

    await reminding.sweep_all()

    assert [(7, 7)] == await reminding.told(customer)


async def test_documents_of_all_sellers_are_told_of_in_batches(execute: Api, tokens: Tokens, reminding: Reminding) -> None:
    sellers = [tokens.operator(fresh("seller")) for _ in range(3)]
    customers = [await reminding.filed(execute, as_=as_) for as_ in sellers]
    reminding.left(0)

    with capture_logs() as log:
        assert [True, True, False] == [await reminding.chore(batch=2).sweep() for _ in range(3)]

    assert [[(0, 0)]] * 3 == [await reminding.told(customer) for customer in customers]
    assert [2, 1] == [line["count"] for line in log]


async def test_a_broken_record_keeps_no_other_document_from_its_reminder(execute: Api, reminding: Reminding) -> None:
    broken, sound = await reminding.filed(execute), await reminding.filed(execute)
    customers = reminding.container.mongo.database["customers"]
    await customers.update_one({"_id": broken["id"]}, {"$set": {"kind": "CANARY"}})
    reminding.left(7)

    with capture_logs() as log:
        assert await reminding.chore().sweep()

    await customers.update_one({"_id": broken["id"]}, {"$set": {"kind": "INDIVIDUAL"}})
    assert [[], [(7, 7)]] == [await reminding.told(one) for one in (broken, sound)]
    assert ["document.not_reminded", "documents.reminded"] == [line["event"] for line in log]
    assert "CANARY" not in str(log)
    assert await reminding.chore().sweep()
    assert [(7, 7)] == await reminding.told(broken)


async def test_an_outage_of_the_database_is_the_loops_to_sit_out(
    execute: Api, reminding: Reminding, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await reminding.filed(execute)
    reminding.left(7)
    units = UnitOfWork(reminding.container.mongo.database.client)

    async def run(*_: object, **__: object) -> None:
        raise Unavailable("gone")

    with monkeypatch.context() as outage:
        outage.setattr(units, "run", run)
        with pytest.raises(Unavailable):
            await reminding.chore(units).sweep()

    await reminding.chore(units).sweep()
    assert [(7, 7)] == await reminding.told(customer)


async def test_the_worker_process_does_it(execute: Api, reminding: Reminding) -> None:
    last_day = datetime.now(UTC).date() + timedelta(days=20)
    customer = await reminding.filed(execute, last_day=last_day)
    stop = asyncio.Event()
    working = asyncio.create_task(housekeeping(reminding.container).run(stop))

    async with asyncio.timeout(30):
        while not await reminding.told(customer):  # noqa: ASYNC110  nobody tells of it
            await asyncio.sleep(0.02)

    stop.set()
    await working


@pytest.mark.parametrize(
    ("left", "days", "found"),
    [
        (31, (30, 7, 0), None),
        (30, (30, 7, 0), Reminder(30, 30)),
        (8, (30, 7, 0), Reminder(30, 8)),
        (7, (0, 7, 30), Reminder(7, 7)),
        (0, (30, 7, 0), Reminder(0, 0)),
        (0, (30, 7), Reminder(7, 0)),
        (-1, (30, 7, 0), None),
        (0, (), None),
    ],
)
def test_the_last_reminder_whose_day_has_come_is_due(left: int, days: Sequence[int], found: Reminder | None) -> None:
    today = LAST_DAY - timedelta(days=left)

    assert found == reminder_on(LAST_DAY.isoformat(), today, days)
    marked = marks_on(today, days).get(LAST_DAY.isoformat())
    assert marked == (None if found is None else f"2002-03-04/{found.days}")


@pytest.mark.parametrize(
    ("told", "news"),
    [(None, True), ("2002-03-04/30", True), ("2002-03-04/7", False), ("2002-03-04/0", False), ("2001-01-01/0", True)],
)
def test_no_reminder_is_told_after_a_later_one(told: str | None, news: bool) -> None:
    """
    Also when the service is configured for other days meanwhile.
    """
    assert news is is_news(Reminder(7, 5), "2002-03-04", told)


@pytest.mark.parametrize(
    ("privacy", "told"),
    [
        (EventPrivacy.REFERENCE, {"id", "reminder", "daysLeft"}),
        (EventPrivacy.MASKED, {"id", "type", "status", "expiresOn", "rejectionCode", "reminder", "daysLeft"}),
        (EventPrivacy.FULL, {"id", "type", "status", "expiresOn", "rejectionCode", "reminder", "daysLeft"}),
    ],
)
def test_how_much_an_event_says_of_a_document_depends_on_its_grade(privacy: EventPrivacy, told: set[str]) -> None:
    document = {
        "id": "doc_1",
        "type": "PASSPORT",
        "number_last_four": "4567",
        "rejection_reason": "x",
        "days": 7,
        "days_left": 5,
    }

    said = about_document(document, privacy)

    assert told == said.keys()
    assert ("doc_1", 7, 5) == (said["id"], said["reminder"], said["daysLeft"])
