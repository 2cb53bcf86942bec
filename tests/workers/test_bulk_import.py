"""Whatever is killed, doubled, delayed or replaced: each row has one effect, and every import ends."""

import asyncio
import gc
import random
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from core.errors import ErrorCode, Unavailable
from core.files import ObjectTruncated
from core.vocabulary import BulkImportStatus
from models.bulk_import import BulkImport
from services import import_reading
from tests.import_worker import start_process
from tests.imports import OPERATOR, Bench, customers_csv, open_bench
from tests.servers import Servers


@pytest_asyncio.fixture(name="bench")
async def _bench(servers: Servers) -> AsyncIterator[Bench]:
    async with open_bench(servers, lease_seconds=2.0) as bench:
        yield bench


async def each_row_had_one_effect(bench: Bench, record: BulkImport, rows: int) -> None:
    """Compare what is stored with what an undisturbed import of `customers_csv` would have stored."""
    counts = record.counts
    assert BulkImportStatus.COMPLETED is record.status
    assert (rows, rows, rows, 0, 0) == (record.total_rows, counts.processed, counts.created, counts.updated, counts.failed)
    customers = await bench.stored("customers")
    assert {f"c{number}" for number in range(1, rows + 1)} == {one["external_id"] for one in customers}
    assert rows == len(customers)
    assert [(one["_id"], 1) for one in customers] == sorted(
        (one["customer_id"], one["version"]) for one in await bench.stored("customer_events")
    )
    assert [one["_id"] for one in customers] == sorted(one["customer_id"] for one in await bench.stored("addresses"))


async def until(bench: Bench, record: BulkImport, processed: int) -> BulkImport:
    """Wait until so many rows are done."""
    async with asyncio.timeout(50):
        while True:
            found = await bench.service.get(OPERATOR, record.id)
            assert found is not None
            if found.counts.processed >= processed:
                return found
            await asyncio.sleep(0.02)


async def test_a_worker_that_is_killed_is_replaced_where_it_was(bench: Bench, servers: Servers) -> None:
    """
    SIGKILL, twice, of a real process; the last worker finishes what the others began.
    """
    record = await bench.start(customers_csv(2000))
    processed = 0
    for _ in range(2):
        process = start_process(servers, bench.database.name, lease_seconds=2.0)
        try:
            processed = (await until(bench, record, processed + 200)).counts.processed
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    async with bench.working():
        await each_row_had_one_effect(bench, await bench.ended(record), 2000)


# Clients that are cut off while they connect leave their sockets to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("seed", range(3))
async def test_a_worker_that_is_cut_off_anywhere_leaves_nothing_half_done(bench: Bench, seed: int) -> None:
    moments = random.Random(seed)
    record = await bench.start(customers_csv(1200))
    for number in range(3):
        worker = asyncio.create_task(bench.worker(f"worker-{number}").run(asyncio.Event()))
        await asyncio.sleep(moments.uniform(0.05, 0.6))
        worker.cancel()
        await asyncio.wait([worker])
    async with bench.working():
        await each_row_had_one_effect(bench, await bench.ended(record), 1200)
    gc.collect()


async def test_the_same_message_five_times_at_once_is_one_import(bench: Bench) -> None:
    record = await bench.start(customers_csv(1000))
    for _ in range(5):
        await bench.queue.send({"type": "plan", "importId": record.id})
        for number in range(4):
            await bench.queue.send({"type": "segment", "importId": record.id, "number": number})
    async with bench.working(segment_rows=300), bench.working(holder="worker-2", segment_rows=300):
        await each_row_had_one_effect(bench, await bench.ended(record), 1000)


async def test_a_zombie_writes_nothing(bench: Bench) -> None:
    """
    A worker that lost its lease while it was frozen goes on with its old token.
    """
    record = await bench.start(customers_csv(500))
    await bench.runs().plan(record.id)
    zombie = await bench.runs("zombie").take(record.id, 0)
    assert zombie is not None
    assert None is await bench.runs("heir").take(record.id, 0)
    await bench.database["import_segments"].update_one({"_id": zombie.id}, [{"$set": {"leased_until": "$$NOW"}}])
    heir = await bench.runs("heir").take(record.id, 0)
    assert heir is not None
    assert not await bench.runs("zombie").extend(zombie)
    await asyncio.gather(
        bench.runs("zombie").work_through(zombie, stopping=lambda: False),
        bench.runs("heir").work_through(heir, stopping=lambda: False),
    )

    await each_row_had_one_effect(bench, await bench.ended(record), 500)


async def test_a_worker_that_is_told_to_stop_gives_its_work_back(bench: Bench) -> None:
    record = await bench.start(customers_csv(2000))
    async with bench.working(lease_seconds=60.0):
        stopped = await until(bench, record, 100)
    assert not stopped.status.final
    async with asyncio.timeout(10), bench.working(lease_seconds=60.0):
        await each_row_had_one_effect(bench, await bench.ended(record), 2000)


async def test_a_file_that_is_replaced_meanwhile_ends_the_import(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_reading, "_RANGE_BYTES", 20_000)
    record = await bench.start(customers_csv(2000))
    async with bench.working():
        await until(bench, record, 100)
        async with bench.store.write(record.source.key, content_type="text/csv") as other:
            await other.write(customers_csv(2000, first=5000))
        failed = await bench.ended(record)

    assert failed.failure is not None
    assert (BulkImportStatus.FAILED, ErrorCode.SOURCE_CHANGED) == (failed.status, failed.failure.code)
    customers = await bench.stored("customers")
    assert failed.counts.created == len(customers) == len(await bench.stored("customer_events"))
    assert all(int(one["external_id"][1:]) <= 2000 for one in customers)


async def test_a_file_that_is_gone_ends_the_import(bench: Bench) -> None:
    record = await bench.start(customers_csv(10))
    await bench.store.delete(record.source.key)
    async with bench.working():
        failed = await bench.ended(record)

    assert failed.failure is not None
    assert (BulkImportStatus.FAILED, ErrorCode.UPLOAD_MISSING) == (failed.status, failed.failure.code)


@pytest.mark.parametrize("error", [Unavailable("no answer"), ObjectTruncated("cut off")])
async def test_a_store_that_fails_for_a_while_delays_the_import(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    record = await bench.start(customers_csv(300))
    real, failures = import_reading._range, [error, error]

    async def failing(*arguments: Any) -> bytes:
        if failures:
            raise failures.pop()
        return await real(*arguments)

    monkeypatch.setattr(import_reading, "_range", failing)
    async with bench.working():
        await each_row_had_one_effect(bench, await bench.ended(record), 300)


async def test_a_segment_that_always_fails_fails_its_import_and_is_put_aside(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = await bench.start(customers_csv(10))

    async def broken(*_arguments: Any) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(import_reading, "_range", broken)
    async with bench.working(max_attempts=2) as worker:
        failed = await bench.ended(record)
        await asyncio.sleep(0.5)

    assert failed.failure is not None
    assert (BulkImportStatus.FAILED, ErrorCode.INTERNAL) == (failed.status, failed.failure.code)
    assert 1 == worker.dead_letters


async def test_messages_that_make_no_sense_are_put_aside_and_the_others_done(bench: Bench) -> None:
    record = await bench.start(customers_csv(5))
    for message in (
        {"type": "dance", "importId": record.id},
        {"type": "segment", "importId": record.id},
        {"type": "plan", "importId": "imp_01m827zpbae9k9dzq6ks358976"},
        {"type": "plan", "importId": {"$ne": None}},
    ):
        await bench.queue.send(message)
    async with bench.working() as worker:
        await each_row_had_one_effect(bench, await bench.ended(record), 5)
        async with asyncio.timeout(10):
            while worker.dead_letters < 4:  # noqa: ASYNC110 - it counts, it does not tell
                await asyncio.sleep(0.05)

    assert 4 == worker.dead_letters


async def test_lost_messages_are_sent_again(bench: Bench) -> None:
    """
    The plan's message is lost, then the segment's, then the worker between the last row and the final state.
    """
    record = await bench.start(customers_csv(5))
    runs = bench.runs()
    for _ in await bench.queue.receive(10, 0):
        pass
    await bench.database["bulk_imports"].update_one({"_id": record.id}, [{"$set": {"nudge_at": "$$NOW"}}])
    await asyncio.sleep(0.01)
    assert await runs.sweep()
    assert not await runs.sweep()
    assert [{"type": "plan", "importId": record.id}] == [one.body for one in await bench.queue.receive(10, 1)]

    await runs.plan(record.id)
    assert not await runs.sweep()
    await bench.database["import_segments"].update_one({}, [{"$set": {"leased_until": "$$NOW"}}])
    await bench.queue.receive(10, 1)
    await asyncio.sleep(0.01)
    assert await runs.sweep()
    offered = {"type": "segment", "importId": record.id, "number": 0}
    assert [offered] == [one.body for one in await bench.queue.receive(10, 1)]

    segment = await runs.take(record.id, 0)
    assert segment is not None
    async for _ in runs._advance(record, segment):
        pass
    assert BulkImportStatus.RUNNING is (await until(bench, record, 0)).status
    async with bench.working():
        await each_row_had_one_effect(bench, await bench.ended(record), 5)


async def test_an_upload_that_never_came_expires(bench: Bench) -> None:
    record = await bench.upload(customers_csv(1))
    assert not await bench.runs().sweep()
    past = record.upload_expires_at - timedelta(hours=2)
    await bench.database["bulk_imports"].update_one({"_id": record.id}, {"$set": {"upload_expires_at": past}})

    assert await bench.runs().sweep()
    assert BulkImportStatus.EXPIRED is (await bench.ended(record)).status
