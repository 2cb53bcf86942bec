"""Many segments and few places: who is offered what, and what a cancel stops."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from core.errors import ErrorCode
from core.vocabulary import BulkImportStatus
from models.bulk_import import BulkImport
from repositories.unit_of_work import OwnSession
from services.import_states import WINDOW
from tests.import_oracle import nothing_is_left_over
from tests.imports import OPERATOR, Bench, customers_csv, open_bench
from tests.servers import Servers

OTHER = replace(OPERATOR, seller_id="other")


@pytest_asyncio.fixture(name="bench")
async def _bench(servers: Servers) -> AsyncIterator[Bench]:
    async with open_bench(servers, lease_seconds=2.0, segment_rows=100) as bench:
        yield bench


async def waiting(bench: Bench) -> list[int]:
    """Take all messages, and return the numbers of the segments that they are about."""
    numbers = []
    while messages := await bench.queue.receive(10, 0):
        for message in messages:
            numbers.append(int(str((message.body or {})["number"])) if "number" in (message.body or {}) else -1)
            await bench.queue.delete(message)
    return numbers


async def work(bench: Bench, record: BulkImport, number: int) -> None:
    """Work on one segment."""
    runs = bench.runs()
    segment = await runs.take(record.id, number)
    assert segment is not None
    await runs.work_through(segment, stopping=lambda: False)


class TestOffers:
    async def test_few_segments_wait_and_each_that_is_taken_is_replaced(self, bench: Bench) -> None:
        record = await bench.start(customers_csv(2500))
        await bench.runs().plan(record.id)
        assert [-1, *range(WINDOW)] == sorted(await waiting(bench))

        await work(bench, record, 0)

        assert [WINDOW] == await waiting(bench)

    async def test_a_broken_chain_is_mended_without_a_flood(self, bench: Bench) -> None:
        """
        Those who took the first segments died before they offered the next ones, and their messages are gone with them.
        """
        record = await bench.start(customers_csv(2500))
        runs = bench.runs()
        await runs.plan(record.id)
        await waiting(bench)
        everybody = {"import_id": record.id, "leased_until": {"$exists": True}}
        await bench.database["import_segments"].update_many(everybody, {"$set": {"done": True}})
        assert not await runs.sweep()
        await bench.database["bulk_imports"].update_one({"_id": record.id}, [{"$set": {"nudge_at": "$$NOW"}}])
        await asyncio.sleep(0.01)

        assert await runs.sweep()
        assert list(range(WINDOW, 2 * WINDOW)) == sorted(await waiting(bench))
        assert not await runs.sweep()
        assert [] == await waiting(bench)

    async def test_a_segment_that_is_put_back_is_offered_again_and_no_attempt_is_counted(self, bench: Bench) -> None:
        record = await bench.start(customers_csv(300))
        runs = bench.runs()
        await runs.plan(record.id)
        await waiting(bench)
        for _ in range(7):
            segment = await runs.take(record.id, 1)
            assert segment is not None
            await runs.put_back(segment)
            await runs.go_on(record.id)
            assert [1] == await waiting(bench)

        assert [0, 0, 0, 0] == [one["attempts"] for one in await bench.stored("import_segments")]


class TestFairness:
    async def test_a_small_file_is_done_long_before_another_sellers_large_one(self, bench: Bench) -> None:
        large = await bench.start(customers_csv(6000))
        async with bench.working(max_workers=3):
            async with asyncio.timeout(30):
                while not await bench.stored("customers"):  # noqa: ASYNC110 - a database does not tell
                    await asyncio.sleep(0.02)
            small = await bench.upload(customers_csv(5), viewer=OTHER)
            await bench.service.start(OTHER, small.id)
            found = await bench.ended(small, viewer=OTHER)
            meanwhile = await bench.service.get(OPERATOR, large.id)
            await bench.service.cancel(OPERATOR, large.id)

        assert meanwhile is not None
        assert 5 == found.counts.created
        assert 3000 > meanwhile.counts.processed

    async def test_a_seller_never_holds_all_places(self, bench: Bench) -> None:
        records = [await bench.start(customers_csv(400, first=1 + 400 * number)) for number in range(3)]
        most = 0
        async with bench.working(max_workers=3):
            while await bench.stored("bulk_imports", status={"$in": ["QUEUED", "RUNNING"]}):
                held = await bench.stored("import_segments", done=False, session={"$exists": True})
                most = max(most, len(held))
                await asyncio.sleep(0.01)
            ended = [await bench.ended(one) for one in records]

        assert 2 == most
        assert [400] * 3 == [one.counts.created for one in ended]
        assert [0] == list({one["attempts"] for one in await bench.stored("import_segments")})


class TestCommits:
    @pytest.mark.parametrize("options", [{}, {"dry_run": True}], ids=["real", "dry"])
    async def test_a_batch_whose_commit_nobody_heard_of_is_not_counted_again(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
    ) -> None:
        """
        Everything is said twice, so that some batches are of rows that waited: nothing but the checkpoint tells these apart.
        """
        half = customers_csv(120)
        content = half + half.split(b"\n", 1)[1]
        real, commits = OwnSession.run, 0

        async def forgetful(self: OwnSession, *arguments: Any) -> Any:
            nonlocal commits
            answer = await real(self, *arguments)
            commits += 1
            if commits in {2, 5, 7}:
                raise RuntimeError("Nobody heard of it.")
            return answer

        monkeypatch.setattr(OwnSession, "run", forgetful)
        record = await bench.start(content, **options)
        async with bench.working(batch_size=50):
            ended = await bench.ended(record)

        counts = ended.counts
        assert (240, 240, 120, 120) == (ended.total_rows, counts.processed, counts.created, counts.failed)
        assert 120 == len(await bench.stored("import_row_outcomes"))
        assert 7 < commits


class TestCancelling:
    async def test_it_takes_two_seconds_at_most_and_nothing_is_written_afterwards(self, bench: Bench) -> None:
        record = await bench.start(customers_csv(8000))
        async with bench.working(), bench.working(holder="worker-2"):
            async with asyncio.timeout(60):
                while len(await bench.stored("customers")) < 500:  # noqa: ASYNC110 - a database does not tell
                    await asyncio.sleep(0.02)
            began = time.monotonic()
            cancelled = await bench.service.cancel(OPERATOR, record.id)
            took = time.monotonic() - began
            written = len(await bench.stored("customers"))
            await asyncio.sleep(1.5)
            told = await self.reported(bench, record)

        assert 2 > took
        assert BulkImportStatus.CANCELED is cancelled.status
        assert cancelled.counts.created == cancelled.counts.processed == written == len(await bench.stored("customers"))
        assert written == len(await bench.stored("customer_events"))
        assert (8000, 0) == (told.total_rows, len(await bench.stored("import_row_outcomes")))
        await nothing_is_left_over(bench, told)
        assert told.result_report_key is not None
        outcomes = [line.split(",")[1] for line in (await bench.read(told.result_report_key)).splitlines()[1:]]
        assert (written, 8000 - written) == (outcomes.count("CREATED"), outcomes.count("UNPROCESSED"))
        assert (await bench.stored("import_segments"))[0]["done"]

    async def test_rows_that_waited_for_others_are_left_like_those_never_read(self, bench: Bench) -> None:
        """
        The file says everything twice, and is cancelled before the second half is decided.
        """
        half = customers_csv(250)
        content = half + half.split(b"\n", 1)[1]
        record = await bench.start(content)
        await bench.runs().plan(record.id)
        for number in range(5):
            await work(bench, record, number)
        assert 250 == len(await bench.stored("import_deferred_rows"))
        cancelled = await bench.service.cancel(OPERATOR, record.id)
        async with bench.working():
            told = await self.reported(bench, cancelled)
            again, _ = await bench.service.retry(OPERATOR, record.id)
            ended = await bench.ended(again)

        assert (500, 250, 250) == (told.total_rows, told.counts.processed, told.counts.created)
        assert told.error_report_key is not None
        rows = [line.split(",")[0] for line in (await bench.read(told.error_report_key)).splitlines()[1:]]
        assert [str(row) for row in range(251, 501)] == rows
        assert (250, 250) == (ended.total_rows, ended.counts.failed)
        assert {ErrorCode.TAKEN} == {
            problem["code"]
            for one in await bench.stored("import_row_outcomes", import_id=again.id)
            for problem in one["problems"]
        }

    async def test_who_dies_between_the_mark_and_the_end_is_replaced(self, bench: Bench) -> None:
        record = await bench.start(customers_csv(500))
        await bench.runs().plan(record.id)
        await work(bench, record, 0)
        ending: dict[str, Any] = {"ending": {"status": "CANCELED"}}
        await bench.database["bulk_imports"].update_one({"_id": record.id}, [{"$set": {**ending, "nudge_at": "$$NOW"}}])
        async with bench.working():
            told = await self.reported(bench, await bench.ended(record))

        assert (BulkImportStatus.CANCELED, 100, 500) == (told.status, told.counts.created, told.total_rows)
        assert 100 == len(await bench.stored("customers"))

    async def reported(self, bench: Bench, record: BulkImport) -> BulkImport:
        """Wait until the reports of an import that ended early are written."""
        async with asyncio.timeout(30):
            while True:
                found = await bench.service.get(OPERATOR, record.id)
                if found is not None and found.status.final and found.nudge_at is None:
                    return found
                await asyncio.sleep(0.05)
