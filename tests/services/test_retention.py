"""What has been kept for long enough goes: flagged first, decided again before anything happens, and only what was approved.

Rounds reach over all sellers; each test has a seller of its own, and looks at what became of that one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.container import Container, build_erasure, build_retention, housekeeping
from core.errors import Unavailable
from core.retention import RetentionPolicy
from core.seller import SellerRules
from core.vocabulary import RetentionMode, RetentionStage
from events.customer import wire
from models.retention_run import RetentionReport
from repositories.customer_event import event_of_stored
from repositories.erasure import ErasureNotes
from repositories.retention_run import RetentionRuns
from repositories.unit_of_work import UnitOfWork
from services.erased_files import ErasedFiles
from services.erasure_receipts import is_genuine
from services.retention import Retention
from services.retention_plan import look
from tests.api import Api, Json, Tokens, codes
from tests.clocks import MovableClock
from tests.graphql.imports import announce, csv, finished, problems, start, state
from tests.graphql.operations import DELETE, REQUEST_UPLOAD, RETRY_IMPORT, UPDATE, announced, create, events, payload
from tests.graphql.test_erase import erase, erased, filed, files, keep_house, sign_in, types
from tests.graphql.test_erase_later import sweep
from tests.graphql.test_merge import MERGE
from tests.outbox import Outbox

SHOWN = "query($id: ID!) { customer(id: $id) { version retention { flaggedAt dueAt } legalHold { by reason } } }"
HOLD = """mutation($id: ID!, $reason: String!) { setLegalHold(id: $id, reason: $reason) {
  customer { id version retention { dueAt } legalHold { since by reason } } userErrors { code message field } } }"""
LIFT = """mutation($id: ID!, $reason: String!) { liftLegalHold(id: $id, reason: $reason) {
  customer { id version legalHold { since } } userErrors { code message field } } }"""
INACTIVE = SellerRules(retention_mode=RetentionMode.ACTIVE, retention_inactive_months=12, retention_grace_days=30)


@dataclass
class House:
    """A worker's chore, at a moment that tests can move, and what it did for one seller."""

    container: Container
    seller: str
    clock: MovableClock = field(default_factory=MovableClock)

    def chore(self, units: UnitOfWork | None = None, *, page: int = 500) -> Retention:
        """Return the chore of one process."""
        container = self.container
        chore = build_retention(container, build_erasure(container, container.sign_in_limits), self.clock)
        chore._units, chore._page = units or container.units, page
        return chore

    async def keep(self, rules: SellerRules) -> None:
        """Let the seller say for how long it keeps what."""
        await self.container.sellers.say(self.seller, rules)

    async def round(self, chore: Retention | None = None, **ahead: float) -> RetentionReport:
        """Let time pass, then do a whole round for the seller; return what it says."""
        self.clock.advance(**ahead)
        began = await self.begin()
        return await self.finish(chore or self.chore(), began)

    async def begin(self) -> datetime:
        """Let a round of the seller be due, and of nobody else; return the moment."""
        now = self.clock.now()
        await self.container.mongo.database["retention_runs"].delete_many({"_id": {"$ne": self.seller}})
        await RetentionRuns().expect([self.seller], now)
        await RetentionRuns().hurry(self.seller, now)
        return now

    async def finish(self, chore: Retention, began: datetime) -> RetentionReport:
        """Do what is left of a round; return what it says."""
        while True:
            await chore.sweep()
            run = await RetentionRuns().of(self.seller)
            assert run is not None
            if run.last is not None and (run.last.finished_at or began) >= began and run.stage is None:
                return run.last

    async def stored(self, collection: str, id_: str) -> Json:
        """Return a stored record."""
        found: Json | None = await self.container.mongo.database[collection].find_one({"_id": id_})
        assert found is not None
        return found


@pytest.fixture(name="house")
def _house(container: Container, seller: str) -> House:
    return House(container, seller)


async def shown(execute: Api, id_: str) -> Json:
    found: Json = (await execute.data(SHOWN, {"id": id_}))["customer"]
    return found


def counted(report: RetentionReport) -> dict[str, int]:
    """Return what a round counted, without noughts."""
    return {name: value for name, value in report.model_dump(exclude={"mode", "finished_at"}).items() if value}


# ------------------------------------------------------------------------ inactive customers


async def test_who_is_inactive_is_flagged_then_anonymised(execute: Api, house: House, container: Container) -> None:
    ada = await create(execute, firstName="Ada")
    await house.keep(INACTIVE)

    early = await house.round(days=364)
    flagged = await house.round(days=3)
    waiting = await shown(execute, ada["id"])
    still = await house.round(days=29)
    over = await house.round(days=2)

    assert [{}, {"flagged": 1}, {}, {"anonymised": 1}] == [counted(one) for one in (early, flagged, still, over)]
    retention = waiting["retention"]
    assert (2, True) == (waiting["version"], retention["flaggedAt"] < retention["dueAt"])
    tombstone = await house.stored("customers", ada["id"])
    assert (False, True) == (tombstone["live"], "erased_at" in tombstone)
    assert not {"email", "first_name", "retention_due_at"} & tombstone.keys()
    assert ["CREATED", "UPDATED", "ERASED"] == await types(container, ada["id"])


async def test_the_history_and_the_receipt_say_who_did_it_and_the_event_why(
    execute: Api, house: House, container: Container
) -> None:
    ada = await create(execute)
    await house.keep(INACTIVE)
    await house.round(days=367)
    told = (await events(execute, ada["id"]))[-1]

    await house.round(days=31)

    end = await container.mongo.database["customer_events"].find_one({"customer_id": ada["id"], "type": "ERASED"}) or {}
    assert ("UPDATED", ["retention"], "system:retention") == (told["type"], told["changed"], told["actor"])
    assert ("RETENTION", "system:retention") == (end["reason"], end["actor"])
    receipt = await ErasureNotes().receipt(ada["id"])
    assert receipt is not None
    assert ("system:retention", True) == (receipt.actor, is_genuine(receipt, container.rules.sealer))


async def test_what_staff_and_imports_change_is_no_activity_and_what_programs_change_is(
    execute: Api, tokens: Tokens, house: House, seller: str
) -> None:
    by_staff, by_program, by_itself = [await create(execute) for _ in range(3)]
    await house.keep(INACTIVE)
    callers = {
        by_staff["id"]: "",
        by_program["id"]: tokens.service(),
        by_itself["id"]: tokens.customer(by_itself["id"], seller),
    }
    for id_, token in callers.items():
        await payload(execute, UPDATE, {"id": id_, "patch": {"firstName": "Ada"}}, as_=token)
    # As if the three had been made long before these changes.
    await house.container.mongo.database["customers"].update_many(
        {"seller_id": seller}, {"$set": {"created_at": house.clock.now() - timedelta(days=700)}}
    )

    report = await house.round(days=1)

    assert {"flagged": 1} == counted(report)
    assert [True, False, False] == [(await shown(execute, id_))["retention"] is not None for id_ in callers]


async def test_who_signs_in_is_active_and_its_flag_goes_at_once(
    execute: Api, house: House, outbox: Outbox, seller: str
) -> None:
    ada = await create(execute)
    await house.keep(INACTIVE)
    await house.round(days=367)

    await sign_in(execute, outbox, seller, ada["email"], "a browser")
    after = await shown(execute, ada["id"])
    # A year after that sign-in, which is what counts, though its session is gone.
    await house.container.mongo.database["sessions"].delete_many({"subject": ada["id"]})
    house.clock.ahead = timedelta(days=364)
    later = await house.round()

    assert None is after["retention"]
    assert ["emailVerified", "retention"] == (await events(execute, ada["id"]))[-1]["changed"]
    assert {} == counted(later)


async def test_a_flag_goes_away_with_activity_and_nothing_else_happens(
    execute: Api, tokens: Tokens, house: House, container: Container
) -> None:
    ada, eve = await create(execute), await create(execute)
    await house.keep(INACTIVE)
    await house.round(days=367)
    await payload(execute, UPDATE, {"id": ada["id"], "patch": {"lastName": "Byron"}}, as_=tokens.service())
    # What a program did after the flag: the machine's clock is a year behind that of the house.
    await container.mongo.database["customer_events"].update_one(
        {"customer_id": ada["id"], "version": 3}, {"$set": {"occurred_at": house.clock.now() + timedelta(days=1)}}
    )

    report = await house.round(days=31)

    assert {"unflagged": 1, "anonymised": 1} == counted(report)
    assert None is (await shown(execute, ada["id"]))["retention"]
    assert ["CREATED", "UPDATED", "ERASED"] == await types(container, eve["id"])


async def test_who_was_merged_into_somebody_is_the_same_person(execute: Api, house: House, outbox: Outbox, seller: str) -> None:
    into, gone = await create(execute), await create(execute)
    await sign_in(execute, outbox, seller, gone["email"], "a browser")
    await payload(execute, MERGE, {"into": into["id"], "from": gone["id"]})
    await house.keep(INACTIVE)
    long_ago = house.clock.now() - timedelta(days=700)
    await house.container.mongo.database["customers"].update_many({"seller_id": seller}, {"$set": {"created_at": long_ago}})

    active = await house.round(days=300)
    inactive = await house.round(days=100)

    assert ({}, {"flagged": 1}) == (counted(active), counted(inactive))


async def test_a_dry_run_counts_and_changes_nothing(execute: Api, house: House, container: Container) -> None:
    ada = await create(execute)
    await house.keep(SellerRules(retention_inactive_months=12))
    before = await house.stored("customers", ada["id"])

    with capture_logs() as log:
        report = await house.round(days=400)

    assert (RetentionMode.DRY_RUN, {"flagged": 1}) == (report.mode, counted(report))
    assert before == await house.stored("customers", ada["id"])
    assert ["CREATED"] == await types(container, ada["id"])
    assert [("a round of retention is over", "DRY_RUN", 1)] == [
        (one["event"], one["mode"], one["flagged"]) for one in log if one.get("about") == house.seller
    ]


async def test_without_rules_everything_stays(execute: Api, house: House) -> None:
    await create(execute)

    assert {} == counted(await house.round(days=4000))
    assert RetentionPolicy(import_days=90) == house.container.rules.policies.retention_of(house.seller)


async def test_rules_that_are_switched_off_take_their_flags_back(execute: Api, house: House) -> None:
    ada = await create(execute)
    await house.keep(INACTIVE)
    await house.round(days=367)
    await house.keep(SellerRules(retention_mode=RetentionMode.ACTIVE))

    report = await house.round(days=31)

    assert {"unflagged": 1} == counted(report)
    assert None is (await shown(execute, ada["id"]))["retention"]


async def test_two_workers_flag_everybody_once_a_few_at_a_time(execute: Api, house: House, container: Container) -> None:
    people = [await create(execute) for _ in range(7)]
    await house.keep(INACTIVE)
    house.clock.advance(days=367)
    began = await house.begin()
    processes = [house.chore(UnitOfWork(container.mongo.database.client), page=2) for _ in range(2)]

    reports = await asyncio.gather(*(house.finish(one, began) for one in processes))

    assert [{"flagged": 7}] * 2 == [counted(one) for one in reports]
    for person in people:
        assert ["CREATED", "UPDATED"] == await types(container, person["id"])


async def test_a_worker_that_dies_in_the_middle_leaves_the_rest_to_another_one(
    execute: Api, house: House, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Nothing of a step is repeated that was done, and its records are taken up again when its patience is over.
    """
    people = [await create(execute) for _ in range(3)]
    await house.keep(INACTIVE)
    await house.round()
    house.clock.advance(days=367)
    dying = house.chore()
    done = 0

    async def note(*_: Any) -> bool:
        nonlocal done
        done += 1
        if done == 2:
            raise asyncio.CancelledError
        return await flag(*_)

    flag = dying._note
    monkeypatch.setattr(dying, "_note", note)
    began = await house.begin()
    with pytest.raises(asyncio.CancelledError):
        await dying.sweep()
    left = await RetentionRuns().of(house.seller)
    await house.chore().sweep()
    untouched = await RetentionRuns().of(house.seller)

    house.clock.advance(minutes=6)
    await house.finish(house.chore(), began)

    assert left == untouched
    assert [["CREATED", "UPDATED"]] * 3 == [await types(container, one["id"]) for one in people]


async def test_every_worker_does_this(container: Container) -> None:
    assert "Retention.sweep" in {getattr(chore, "__qualname__", "") for chore, _ in housekeeping(container)._chores}


async def test_sellers_with_customers_are_met(execute: Api, house: House) -> None:
    await create(execute)
    chore = house.chore()
    await house.container.mongo.database["retention_runs"].delete_many({})

    while await RetentionRuns().of(house.seller) is None:
        assert await chore.sweep()

    assert house.seller in await RetentionRuns().sellers_after(house.seller[:-1], 1)


# -------------------------------------------------------------------------------- legal hold


async def test_who_is_on_hold_is_neither_flagged_nor_anonymised_nor_erased(execute: Api, house: House) -> None:
    ada, eve = await create(execute), await create(execute)
    await house.keep(INACTIVE)
    await payload(execute, HOLD, {"id": ada["id"], "reason": "Case 7/2026"})
    await house.round(days=367)
    held = await payload(execute, HOLD, {"id": eve["id"], "reason": "Case 8/2026"})
    report = await house.round(days=31)

    refused = await erase(execute, ada["id"])
    later = await payload(execute, ERASE_LATER, {"id": ada["id"]})

    assert None is held["customer"]["retention"]
    assert {"kept": 2} == counted(report)
    assert [("LEGAL_HOLD", ["id"])] == codes(refused) == codes(later)
    assert ada["email"] == (await house.stored("customers", ada["id"]))["email"]


ERASE_LATER = "mutation($id: ID!) { eraseCustomer(id: $id, graceDays: 7) { deletedId userErrors { code message field } } }"
REASONS = "query($id: ID!) { customer(id: $id) { history(first: 9) { nodes { changed actor reason } } } }"


async def test_the_reason_of_a_hold_is_in_the_history_for_those_who_may_know_it(
    execute: Api, tokens: Tokens, seller: str, container: Container
) -> None:
    ada = await create(execute)
    await payload(execute, HOLD, {"id": ada["id"], "reason": "  Case 7/2026 "})
    again = await payload(execute, HOLD, {"id": ada["id"], "reason": "Case 7/2026"})
    lifted = await payload(execute, LIFT, {"id": ada["id"], "reason": "Settled"})
    none = await payload(execute, LIFT, {"id": ada["id"], "reason": "Settled"})

    history = (await execute.data(REASONS, {"id": ada["id"]}))["customer"]["history"]["nodes"]
    own = (await execute.data(REASONS, {"id": ada["id"]}, as_=tokens.customer(ada["id"], seller)))["customer"]["history"][
        "nodes"
    ]
    told = await container.mongo.database["customer_events"].find({"customer_id": ada["id"]}).to_list()

    assert ("operator:ada", "Case 7/2026", 2) == (
        again["customer"]["legalHold"]["by"], again["customer"]["legalHold"]["reason"], again["customer"]["version"]
    )  # fmt: skip
    assert (None, 3, 3) == (lifted["customer"]["legalHold"], lifted["customer"]["version"], none["customer"]["version"])
    assert ["Settled", "Case 7/2026", None] == [one["reason"] for one in history]
    assert [["legalHold"], ["legalHold"]] == [one["changed"] for one in history[:2]]
    assert [None, None, None] == [one["reason"] for one in own]
    assert b"Case" not in b"".join(wire(event_of_stored(one)).value for one in told)


async def test_a_hold_needs_a_reason(execute: Api) -> None:
    ada = await create(execute)

    assert [("REQUIRED", ["reason"])] == codes(await payload(execute, HOLD, {"id": ada["id"], "reason": " "}))
    assert [("TOO_LONG", ["reason"])] == codes(await payload(execute, HOLD, {"id": ada["id"], "reason": "x" * 501}))
    assert {"version": 1, "retention": None, "legalHold": None} == await shown(execute, ada["id"])


async def test_an_erasure_that_was_asked_for_waits_for_the_end_of_a_hold(
    execute: Api, house: House, container: Container
) -> None:
    ada = await create(execute)
    await payload(execute, ERASE_LATER, {"id": ada["id"]})
    await payload(execute, HOLD, {"id": ada["id"], "reason": "Case 7/2026"})

    await sweep(container, days=8)
    waiting = await types(container, ada["id"])
    await payload(execute, LIFT, {"id": ada["id"], "reason": "Settled"})
    await sweep(container, days=8)

    assert "ERASED" not in waiting
    assert "ERASED" == (await types(container, ada["id"]))[-1]


async def test_a_hold_outlives_a_deletion_and_can_be_lifted_then(execute: Api, container: Container) -> None:
    """
    To others the customer stays deleted.
    """
    ada = await create(execute)
    await payload(execute, HOLD, {"id": ada["id"], "reason": "Case 7/2026"})
    await payload(execute, DELETE, {"id": ada["id"]})
    refused = await erase(execute, ada["id"])
    await payload(execute, LIFT, {"id": ada["id"], "reason": "Settled"})
    await erased(execute, ada["id"])

    assert [("LEGAL_HOLD", ["id"])] == codes(refused)
    assert ["CREATED", "UPDATED", "DELETED", "DELETED", "ERASED"] == await types(container, ada["id"])
    assert [("NOT_FOUND", ["id"])] == codes(await payload(execute, HOLD, {"id": ada["id"], "reason": "Case 8/2026"}))


async def test_whoever_was_merged_away_on_hold_keeps_the_other_one(execute: Api) -> None:
    """
    The hold comes after the merge: one who is on hold is not merged away.
    """
    into, gone = await create(execute), await create(execute)
    await payload(execute, MERGE, {"into": into["id"], "from": gone["id"]})
    await payload(execute, HOLD, {"id": gone["id"], "reason": "Case 7/2026"})

    assert [("LEGAL_HOLD", ["id"])] == codes(await erase(execute, into["id"]))


# ------------------------------------------------------------------------- files of documents


async def test_files_go_after_their_time_and_documents_stay(
    execute: Api, house: House, container: Container, seller: str
) -> None:
    ada = await create(execute)
    states = ("EXPIRED", "REJECTED", "VERIFIED", "PENDING_REVIEW")
    documents = {status: (await filed(execute, ada["id"]))[0] for status in states}
    for status, id_ in documents.items():
        await container.mongo.database["documents"].update_one({"_id": id_}, {"$set": {"status": status}})
    await house.keep(
        SellerRules(retention_mode=RetentionMode.ACTIVE, retention_ended_file_days=10, retention_verified_file_days=100)
    )

    rounds = [counted(await house.round(days=days)) for days in (9, 2, 88, 2)]

    assert [{}, {"files": 2}, {}, {"files": 1}] == rounds
    assert 1 == len(await files(container, seller, ada["id"]))
    for status, id_ in documents.items():
        found = (await execute.data(FILE, {"id": id_}))["document"]
        assert (status, status == "PENDING_REVIEW") == (found["status"], found["file"] is not None)
        assert (found["file"] is None) is (found["fileRemovedAt"] is not None)
    told = (await events(execute, ada["id"]))[-1]
    assert (["documents"], "system:retention") == (told["changed"], told["actor"])
    refused = await payload(execute, REQUEST_UPLOAD, {"id": documents["VERIFIED"], "file": announced()})
    assert [("STATE", ["id"])] == codes(refused)


FILE = "query($id: ID!) { document(id: $id) { status fileRemovedAt file { name } } }"


async def test_files_of_who_is_on_hold_stay(execute: Api, house: House, container: Container, seller: str) -> None:
    ada = await create(execute)
    document = (await filed(execute, ada["id"]))[0]
    await container.mongo.database["documents"].update_one({"_id": document}, {"$set": {"status": "REJECTED"}})
    await house.keep(SellerRules(retention_mode=RetentionMode.ACTIVE, retention_ended_file_days=10))
    await payload(execute, HOLD, {"id": ada["id"], "reason": "Case 7/2026"})

    assert {"kept": 1} == counted(await house.round(days=11))
    assert 1 == len(await files(container, seller, ada["id"]))


async def test_a_file_that_the_store_did_not_give_up_goes_later(
    execute: Api, house: House, container: Container, seller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await create(execute)
    document = (await filed(execute, ada["id"]))[0]
    await container.mongo.database["documents"].update_one({"_id": document}, {"$set": {"status": "REJECTED"}})
    await house.keep(SellerRules(retention_mode=RetentionMode.ACTIVE, retention_ended_file_days=10))
    with monkeypatch.context() as broken:
        broken.setattr(ErasedFiles, "_deal_with", unavailable)
        await house.round(days=11)
    left = await files(container, seller, ada["id"])

    await keep_house(container, days=12)

    assert (1, []) == (len(left), await files(container, seller, ada["id"]))


async def unavailable(*_: Any) -> None:
    raise Unavailable("The object store cannot be reached.")


# --------------------------------------------------------------------------- what was imported


async def test_what_was_uploaded_goes_and_its_figures_stay(
    execute: Api, house: House, container: Container, seller: str, import_worker: None
) -> None:
    id_ = await start(execute, csv(4, broken=2))
    before = await finished(execute, id_)
    await house.keep(SellerRules(retention_mode=RetentionMode.ACTIVE, retention_import_days=30))
    folder = f"imports/{seller}/{id_}/"
    lying = [key async for page in container.store.pages(folder) for key in page]

    rounds = [counted(await house.round(days=days)) for days in (29, 2, 1)]

    after = await state(execute, id_)
    assert [{}, {"imports": 1}, {}] == rounds
    assert (4, []) == (len(lying), [key async for page in container.store.pages(folder) for key in page])
    assert (2, []) == (len(problems(before)), problems(after))
    assert (None, before["failedRows"], before["createdRows"]) == (
        after["errorReport"], after["failedRows"], after["createdRows"]
    )  # fmt: skip
    assert 0 == await container.mongo.database["import_row_outcomes"].count_documents({"import_id": id_})
    assert [("STATE", ["id"])] == codes(await payload(execute, RETRY_IMPORT, {"id": id_}))


async def test_an_import_that_somebody_reads_from_is_left_alone(
    execute: Api, house: House, container: Container, seller: str
) -> None:
    """
    A retry takes the report of another import for its file.
    """
    retried, unfinished = [(await announce(execute, csv(1)))[0] for _ in range(2)]
    imports = container.mongo.database["bulk_imports"]
    report = f"imports/{seller}/{retried}/errors.csv"
    over = {"status": "COMPLETED_WITH_ERRORS", "finished_at": house.clock.now(), "error_report_key": report}
    await imports.update_one({"_id": retried}, {"$set": over})
    await imports.update_one({"_id": unfinished}, {"$set": {"status": "RUNNING", "source.key": report}})
    await house.keep(SellerRules(retention_mode=RetentionMode.ACTIVE, retention_import_days=30))

    busy = await house.round(days=31)
    await imports.update_one({"_id": unfinished}, {"$set": {"status": "COMPLETED"}})
    over_by_now = await house.round()

    assert ({"kept": 1}, {"imports": 1}) == (counted(busy), counted(over_by_now))


# ------------------------------------------------------------------------------------- rules


@pytest.mark.parametrize("stage", RetentionStage)
async def test_a_plan_is_made_page_by_page(execute: Api, house: House, stage: RetentionStage) -> None:
    """
    Every stage goes on behind its last record, and ends.
    """
    for _ in range(3):
        await create(execute)
    policy, now = RetentionPolicy(inactive_months=1, ended_file_days=1), house.clock.now() + timedelta(days=40)
    found: Sequence[str] = []
    after, pages = None, 0
    while pages < 5:
        one = await look(house.seller, policy, stage, after, now, 2)
        found, after, pages = [*found, *(due.id for due in one.due)], one.place, pages + 1
        if after is None:
            break

    assert (3 if stage is RetentionStage.CUSTOMERS else 0) == len(set(found)) == len(found)
    assert 3 >= pages
