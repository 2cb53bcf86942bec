"""What is written about an import when it is over, and how what is left is taken up again."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from core.errors import ErrorCode, Refused
from core.vocabulary import BulkImportStatus
from models.bulk_import import BulkImport
from tests.imports import OPERATOR, Bench, customers_csv, open_bench
from tests.servers import Servers


@pytest_asyncio.fixture(name="bench")
async def _bench(servers: Servers) -> AsyncIterator[Bench]:
    async with open_bench(servers) as bench:
        yield bench


async def rows_of(bench: Bench, key: str | None) -> list[dict[str, str]]:
    """Return the rows of a report."""
    assert key is not None
    return list(csv.DictReader(io.StringIO(await bench.read(key))))


async def reported(bench: Bench, record: BulkImport) -> BulkImport:
    """Wait for the reports of an import that ended early."""
    async with asyncio.timeout(30):
        while True:
            found = await bench.service.get(OPERATOR, record.id)
            assert found is not None
            if found.nudge_at is None:
                return found
            await asyncio.sleep(0.05)


async def cancelled_halfway(bench: Bench, content: bytes) -> BulkImport:
    """Cancel an import after its first rows, and wait for its reports."""
    record = await bench.start(content)
    async with bench.working():
        async for state in bench.service.watch(OPERATOR, record.id):
            if state.counts.processed:
                break
        return await reported(bench, await bench.service.cancel(OPERATOR, record.id))


class TestResults:
    async def test_every_row_of_the_file_is_told_with_its_customer(self, bench: Bench) -> None:
        record = await bench.run(customers_csv(250) + b"x,nobody,,,,,,,\ny,user7@example.com,,,,,,,\n")

        rows = await rows_of(bench, record.result_report_key)
        ids = {one["source"]["row"]: one["_id"] for one in await bench.stored("customers")}
        assert [(str(row), "CREATED", ids[row]) for row in range(1, 251)] + [("251", "FAILED", ""), ("252", "FAILED", "")] == [
            tuple(row.values()) for row in rows
        ]
        assert [] == await bench.stored("import_batch_results")

    async def test_a_dry_run_names_outcomes_and_no_customers(self, bench: Bench) -> None:
        record = await bench.run(customers_csv(3) + b"x,nobody,,,,,,,\n", dry_run=True)

        rows = await rows_of(bench, record.result_report_key)
        assert ["CREATED", "CREATED", "CREATED", "FAILED"] == [row["outcome"] for row in rows]

    async def test_a_file_without_rows_has_a_report_without_rows(self, bench: Bench) -> None:
        record = await bench.run(b"external_id,email\n")

        assert [] == await rows_of(bench, record.result_report_key)
        assert None is record.error_report_key


class TestEndedEarly:
    async def test_reports_of_a_cancelled_import_account_for_every_row(self, bench: Bench) -> None:
        record = await cancelled_halfway(bench, b"external_id,email,note\nx,nobody,=1+1\n" + customers_rows(4000))

        done = record.counts.processed
        left = await rows_of(bench, record.error_report_key)
        assert (BulkImportStatus.CANCELED, 4001) == (record.status, record.total_rows)
        assert ["INVALID_EMAIL"] + ["UNPROCESSED"] * (4001 - done) == [row["_code"] for row in left]
        assert [1, *range(done + 1, 4002)] == [int(row["_row"]) for row in left]
        assert "'=1+1" == left[0]["note"]
        results = await rows_of(bench, record.result_report_key)
        assert list(range(1, 4002)) == [int(row["row"]) for row in results]
        assert ["FAILED"] + ["CREATED"] * (done - 1) + ["UNPROCESSED"] * (4001 - done) == [row["outcome"] for row in results]

    async def test_a_retry_goes_on_where_the_import_was_cancelled(self, bench: Bench) -> None:
        record = await cancelled_halfway(bench, b"external_id,email,note\n" + customers_rows(3000))
        written = record.counts.created

        again, _ = await bench.service.retry(OPERATOR, record.id)
        async with bench.working():
            ended = await bench.ended(again)

        assert (BulkImportStatus.COMPLETED, 3000 - written) == (ended.status, ended.counts.created)
        assert 3000 == len(await bench.stored("customers"))

    async def test_an_import_that_never_began_leaves_all_its_rows(self, bench: Bench) -> None:
        record = await bench.start(b'external_id;email\n1;a@example.com\n2;"b@example.com"\n')
        await bench.service.cancel(OPERATOR, record.id)
        with pytest.raises(Refused) as refused:
            await bench.service.retry(OPERATOR, record.id)
        assert [ErrorCode.STATE] == [problem.code for problem in refused.value.problems]

        async with bench.working():
            told = await reported(bench, record)
            again, _ = await bench.service.retry(OPERATOR, record.id)
            ended = await bench.ended(again)

        assert ["1", "2"] == [row["_row"] for row in await rows_of(bench, told.error_report_key)]
        assert (2, 2) == (told.total_rows, ended.counts.created)

    async def test_an_import_whose_file_is_gone_tells_what_it_did(self, bench: Bench) -> None:
        record = await bench.start(b"external_id,email\n1,a@example.com\n")
        await bench.store.delete(record.source.key)
        async with bench.working():
            told = await reported(bench, await bench.ended(record))

        assert (BulkImportStatus.FAILED, None) == (told.status, told.error_report_key)
        assert [] == await rows_of(bench, told.result_report_key)

    async def test_an_import_without_a_file_has_no_reports(self, bench: Bench) -> None:
        record = await bench.upload(customers_csv(1))
        async with bench.working():
            told = await reported(bench, await bench.service.cancel(OPERATOR, record.id))

        assert (None, None) == (told.error_report_key, told.result_report_key)

    async def test_whoever_is_overtaken_while_reporting_spoils_nothing(self, bench: Bench) -> None:
        record = await bench.start(b"external_id,email\n1,a@example.com\n")
        cancelled = await bench.service.cancel(OPERATOR, record.id)
        runs = bench.runs()
        await runs.finish(record.id)
        told = await reported(bench, record)

        await runs._finisher.finish(cancelled)

        assert told == await bench.service.get(OPERATOR, record.id)
        assert ["1"] == [row["_row"] for row in await rows_of(bench, told.error_report_key)]
        keys = [key async for page in bench.store.pages(f"imports/acme/{record.id}/") for key in page]
        assert {record.source.key, told.error_report_key, told.masked_report_key, told.result_report_key} == set(keys)


def customers_rows(count: int) -> bytes:
    """Return rows of sound customers with an external id, an e-mail address and a note."""
    return b"".join(b"c%d,user%d@example.com,\n" % (number, number) for number in range(1, count + 1))
