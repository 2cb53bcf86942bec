"""Transactions: all or nothing, again when somebody got in the way, and never cut in the middle."""

import asyncio
import gc
from collections.abc import Mapping
from typing import Any

import pytest
import structlog
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, WriteConcernError, WriteError

from core.errors import Unavailable
from core.paging import page_request
from core.tenancy import Tenant
from core.vocabulary import CustomerEventType
from models.customer import Customer
from repositories import unit_of_work
from repositories.unit_of_work import Repositories, UnitOfWork
from services.records import moment_after
from tests.repositories.records import MAKER, START, crowd, made, store


class OutOfPaper(Exception):
    """Something goes wrong in the middle."""


async def test_what_is_returned_is_committed(units: UnitOfWork, mine: Repositories, seller: str) -> None:
    records = made(seller)

    async def body(work: Repositories) -> str:
        await store(work, [records])
        assert await mine.customers.get(records.customer.id) is None  # nobody else sees it yet
        assert await work.customers.get(records.customer.id) is not None
        return "done"

    assert "done" == await units.run(Tenant(seller), body)
    assert records.customer == await mine.customers.get(records.customer.id)


async def test_an_exception_inside_undoes_everything(units: UnitOfWork, mine: Repositories, seller: str) -> None:
    existing = await mine.customers.insert(made(seller).customer)
    (records,) = crowd(seller, 1)

    async def body(work: Repositories) -> None:
        await store(work, [records])
        await work.customers.change(existing, START, {"last_name": "King"})
        await work.addresses.delete_of_customer(seller, records.customer.id, START)
        raise OutOfPaper

    with pytest.raises(OutOfPaper):
        await units.run(Tenant(seller), body)

    assert existing == await mine.customers.get(existing.id)
    assert await mine.customers.get(records.customer.id) is None
    assert [] == await mine.addresses.of_customer(seller, records.customer.id)
    assert [] == await mine.documents.of_customer(seller, records.customer.id)
    assert [] == (await mine.events.history(seller, records.customer.id, page_request("any"))).items


async def test_the_tenant_holds_inside_too(units: UnitOfWork, mine: Repositories, seller: str) -> None:
    eve = await mine.customers.insert(made(seller).customer)

    async def body(work: Repositories) -> tuple[object, object]:
        return await work.customers.get(eve.id), await work.customers.change(eve, START, {"last_name": "King"})

    assert (None, None) == await units.run(Tenant("somebody else"), body)
    assert eve == await mine.customers.get(eve.id)


async def test_a_write_conflict_is_tried_again(units: UnitOfWork, mine: Repositories, seller: str) -> None:
    """
    The body reads, somebody else writes, the body writes: it has to start over and read what the other one wrote.
    """
    one = await mine.customers.insert(made(seller).customer)
    seen: list[str | None] = []

    async def body(work: Repositories) -> Customer | None:
        read = await work.customers.get(one.id)
        assert read is not None
        seen.append(read.last_name)
        if len(seen) == 1:
            await mine.customers.change(read, START, {"last_name": "King"})
        return await work.customers.change(read, START, {"company": "Acme"})

    saved = await units.run(Tenant(seller), body)

    assert [None, "King"] == seen
    assert saved is not None
    assert ("King", "Acme", 3) == (saved.last_name, saved.company, saved.version)


async def test_twenty_at_once_give_twenty_versions_and_twenty_events_in_order(
    units: UnitOfWork, mine: Repositories, seller: str
) -> None:
    one = await mine.customers.insert(made(seller).customer)

    async def bump(work: Repositories) -> int:
        read = await work.customers.get(one.id)
        assert read is not None
        # A clock that stands still: the order has to come from the record.
        changed = await work.customers.change(read, moment_after(read, START), {"last_name": f"v{read.version}"})
        assert changed is not None
        await work.events.append([MAKER.event(changed, CustomerEventType.UPDATED, actor="a", changed=("lastName",))])
        return changed.version

    versions = await asyncio.gather(*(units.run(Tenant(seller), bump) for _ in range(20)))

    assert list(range(2, 22)) == sorted(versions)
    history = (await mine.events.history(seller, one.id, page_request("any", first=100))).items
    assert list(range(21, 1, -1)) == [event.version for event in history]
    moments = [event.occurred_at for event in history]
    assert sorted(set(moments), reverse=True) == moments
    now = await mine.customers.get(one.id)
    assert now is not None
    assert (21, "v20", moments[0]) == (now.version, now.last_name, now.updated_at)


async def test_a_caller_that_goes_away_does_not_cut_a_write_in_the_middle(
    units: UnitOfWork, mine: Repositories, seller: str
) -> None:
    records = made(seller)
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def body(work: Repositories) -> None:
        await work.customers.insert(records.customer)
        inside.set()
        await go_on.wait()

    caller = asyncio.create_task(units.run(Tenant(seller), body))
    await inside.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()

    for _ in range(100):
        if await mine.customers.get(records.customer.id) is not None:
            break
        await asyncio.sleep(0.02)
    assert records.customer == await mine.customers.get(records.customer.id)


async def test_a_failure_that_nobody_waits_for_is_noted_in_one_line(units: UnitOfWork, seller: str) -> None:
    """
    asyncio would print a traceback of it, as of something that was forgotten.
    """
    inside, go_on = asyncio.Event(), asyncio.Event()
    done = asyncio.Event()

    async def body(_: Repositories) -> None:
        inside.set()
        await go_on.wait()
        done.set()
        raise Unavailable("The database has gone.")

    complaints: list[Mapping[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    try:
        with structlog.testing.capture_logs() as log:
            caller = asyncio.create_task(units.run(Tenant(seller), body))
            await inside.wait()
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            go_on.set()
            await done.wait()
            del caller
            for _ in range(50):
                await asyncio.sleep(0.01)
            gc.collect()
    finally:
        asyncio.get_running_loop().set_exception_handler(None)

    assert [("info", "Unavailable")] == [(line["log_level"], line.get("error")) for line in log]
    assert [] == complaints


async def test_what_the_database_refuses_for_another_reason_is_not_called_taken(units: UnitOfWork, seller: str) -> None:
    async def body(work: Repositories) -> None:
        await work.customers.change_many([(made(seller).customer, START, {"": 1})])

    with pytest.raises((OperationFailure, WriteError)):
        await units.run(Tenant(seller), body)


async def test_a_database_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_of_work, "LONGEST_TRANSACTION", 0.3)
    client = AsyncMongoClient[dict[str, object]]("mongodb://127.0.0.1:1/?replicaSet=rs0")

    async def body(_work: Repositories) -> object:
        return await client.admin.command("ping")

    async with client:
        with pytest.raises(Unavailable, match="did not answer in time"):
            await UnitOfWork(client).run(Tenant("acme"), body)


@pytest.mark.parametrize(
    "error",
    [WriteConcernError("interrupted", 64), OperationFailure("operation was interrupted", 11601)],
    ids=["commit", "write"],
)
async def test_a_write_in_a_session_that_somebody_ended_has_an_unknown_outcome(units: UnitOfWork, error: Exception) -> None:
    async def body(_work: Repositories) -> None:
        raise error

    with pytest.raises(Unavailable):
        await units.run(Tenant("acme"), body)


async def test_pieces_of_work_with_several_turns_never_wait_for_each_other_in_a_circle(units: UnitOfWork, seller: str) -> None:
    """
    Nor do two of them that share a turn run at once.
    """
    running: list[str] = []

    async def body(_work: Repositories) -> int:
        running.append("in")
        await asyncio.sleep(0)
        running.pop()
        return len(running)

    async with asyncio.timeout(30):
        others = await asyncio.gather(
            *(
                units.run(Tenant(seller), body, turn=turn)
                for turn in [("one", "two"), ("two", "one"), "one", ("one", "one")] * 5
            )
        )

    assert [0] * 20 == others
