"""What happens to files and messages while an import is at work; more of it in tests/workers/test_bulk_import.py."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from core.errors import ErrorCode, Refused
from core.files import ObjectTruncated
from core.vocabulary import BulkImportStatus
from tests.imports import OPERATOR, STRANGER, Bench, customers_csv, open_bench
from tests.servers import Servers


@pytest_asyncio.fixture(name="bench")
async def _bench(servers: Servers) -> AsyncIterator[Bench]:
    async with open_bench(servers, lease_seconds=2.0) as bench:
        yield bench


async def test_case_17_a_file_lies_where_the_service_says_whatever_it_is_called(bench: Bench) -> None:
    record = await bench.upload(customers_csv(1), file_name="../../other/imports/source.csv")

    assert f"imports/acme/{record.id}/source.csv" == record.source.key
    with pytest.raises(Refused) as refused:
        await bench.service.start(STRANGER, record.id)
    assert [ErrorCode.NOT_FOUND] == [problem.code for problem in refused.value.problems]


async def test_case_17_a_message_can_name_no_file(bench: Bench) -> None:
    record = await bench.start(customers_csv(2))
    await bench.queue.send({"type": "plan", "importId": record.id, "key": "imports/other/secret.csv", "bucket": "theirs"})
    async with bench.working():
        ended = await bench.ended(record)

    assert (BulkImportStatus.COMPLETED, 2, record.source.key) == (ended.status, ended.counts.created, ended.source.key)


async def test_case_18_a_file_replaced_before_its_rows_are_read_is_not_imported(bench: Bench) -> None:
    record = await bench.start(customers_csv(3))
    async with bench.store.write(record.source.key, content_type="text/csv") as other:
        await other.write(customers_csv(3, first=100))
    async with bench.working():
        ended = await bench.ended(record)

    assert ended.failure is not None
    assert (BulkImportStatus.FAILED, ErrorCode.SOURCE_CHANGED) == (ended.status, ended.failure.code)
    assert [] == await bench.stored("customers")


async def test_case_19_a_body_that_breaks_off_is_read_again_and_never_taken_for_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = await bench.start(customers_csv(50))
    real, breaks = bench.store.read, [1, 2]

    async def breaking(*arguments: Any, **options: Any) -> AsyncIterator[bytes]:
        async for chunk in real(*arguments, **options):
            if breaks:
                breaks.pop()
                yield chunk[: len(chunk) // 2]
                raise ObjectTruncated("cut off")
            yield chunk

    monkeypatch.setattr(bench.store, "read", breaking)
    async with bench.working():
        ended = await bench.ended(record)

    assert [] == breaks
    assert (BulkImportStatus.COMPLETED, 50) == (ended.status, ended.counts.created)


async def test_case_20_a_file_that_is_gone_fails_its_import_once(bench: Bench) -> None:
    record = await bench.start(customers_csv(3))
    await bench.store.delete(record.source.key)
    async with bench.working() as worker:
        ended = await bench.ended(record)

    assert ended.failure is not None
    assert (BulkImportStatus.FAILED, ErrorCode.UPLOAD_MISSING) == (ended.status, ended.failure.code)
    assert 0 == worker.dead_letters


async def test_case_21_messages_about_nothing_are_put_aside_and_those_about_the_past_pass(bench: Bench) -> None:
    over = await bench.run(customers_csv(2))
    cancelled = await bench.service.cancel(OPERATOR, (await bench.start(customers_csv(2, first=10))).id)
    for message in ({"type": "dance"}, {"type": "plan", "importId": "imp_01m827zpbae9k9dzq6ks358976"}, {"importId": over.id}):
        await bench.queue.send(message)
    for record in (over, over, cancelled):
        await bench.queue.send({"type": "plan", "importId": record.id})
    async with bench.working() as worker, asyncio.timeout(30):
        while worker.dead_letters < 3:  # noqa: ASYNC110 - it counts, it does not tell
            await asyncio.sleep(0.05)
        record = await bench.start(customers_csv(1, first=100))
        assert 1 == (await bench.ended(record)).counts.created

    assert 3 == worker.dead_letters
    assert {"c1", "c2", "c100"} == {one["external_id"] for one in await bench.stored("customers")}


async def test_case_22_a_worker_that_is_gone_is_replaced_where_it_was(bench: Bench) -> None:
    record = await bench.start(customers_csv(600))
    worker = asyncio.create_task(bench.worker("gone").run(asyncio.Event()))
    async with asyncio.timeout(30):
        while not await bench.stored("customers"):  # noqa: ASYNC110 - a database does not tell
            await asyncio.sleep(0.02)
    worker.cancel()
    await asyncio.wait([worker])
    async with bench.working("heir"):
        ended = await bench.ended(record)

    assert (BulkImportStatus.COMPLETED, 600) == (ended.status, ended.counts.created)
    assert 600 == len(await bench.stored("customers")) == len(await bench.stored("customer_events"))


async def test_case_23_a_small_file_is_done_before_the_many_of_another_seller(bench: Bench, servers: Servers) -> None:
    other = replace(OPERATOR, seller_id="other")
    many = [await bench.start(customers_csv(1500, first=1 + 1500 * number)) for number in range(5)]
    small = await bench.upload(customers_csv(5), viewer=other)
    await bench.service.start(other, small.id)
    async with bench.working(max_workers=2), asyncio.timeout(100):
        found = await bench.ended(small, viewer=other)
        states = [await bench.service.get(OPERATOR, record.id) for record in many]

    assert 5 == found.counts.created
    assert any(one is not None and not one.status.final for one in states)
