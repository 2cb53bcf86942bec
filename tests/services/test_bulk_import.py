"""Imports as callers see them: announced, started, watched, cancelled, retried."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from auth.principal import Principal, Scope
from core.drafts import BulkImportDraft
from core.errors import BadInput, ErrorCode, Forbidden, NotFound, Refused, Unavailable
from core.paging import page_request
from core.vocabulary import (
    BulkImportMatch,
    BulkImportMode,
    BulkImportStatus,
    BulkImportValidation,
    PrincipalKind,
    Severity,
)
from models.bulk_import import BulkImport
from tests.imports import OPERATOR, STRANGER, Bench, customers_csv, open_bench
from tests.leftovers import left_since, ours
from tests.servers import Servers

EXAMPLES = Path(__file__).parents[2] / "examples"
UNREADABLE = [7, 8, 9, 15, 18, 21, 22, 23, 26, 29, 30, 31, 34, 40, 57, 61, 62, 67, 69, 74, 76, 81, 84, 88]
"""The rows of the Northwind file with an unquoted comma in their address."""


@pytest_asyncio.fixture(name="bench")
async def _bench(servers: Servers) -> AsyncIterator[Bench]:
    async with open_bench(servers) as bench:
        yield bench


async def problems_of(bench: Bench, record: BulkImport) -> list[tuple[int, str | None, Severity, ErrorCode]]:
    """Return all problems of an import, page by page."""
    found: list[tuple[int, str | None, Severity, ErrorCode]] = []
    after = None
    while True:
        page = await bench.service.errors(OPERATOR, record, 7, after)
        found += [(one.row, one.column, one.severity, one.code) for one in page.items]
        if not page.has_next:
            return found
        after = page.items[-1].cursor


def outcome(record: BulkImport) -> tuple[BulkImportStatus, int, int, int, int, int]:
    """Return the state, and the processed, created, updated, unchanged and failed rows."""
    counts = record.counts
    return record.status, counts.processed, counts.created, counts.updated, counts.unchanged, counts.failed


class TestExamples:
    async def test_a_lenient_import_takes_every_customer_of_the_chinook_file(self, bench: Bench) -> None:
        record = await bench.run((EXAMPLES / "chinook-customers.csv").read_bytes())

        assert (BulkImportStatus.COMPLETED, 59, 59, 0, 0, 0) == outcome(record)
        assert (12, 59, record.source.size) == (record.counts.warning, record.total_rows, record.bytes_done)
        assert 59 == len(await bench.stored("customers"))
        assert 59 == len(await bench.stored("addresses"))
        assert ["CREATED"] * 59 == [event["type"] for event in await bench.stored("customer_events")]
        assert None is record.error_report_key
        assert [
            (9, "Phone", Severity.WARNING, ErrorCode.INVALID_PHONE),
            (20, "PostalCode", Severity.WARNING, ErrorCode.INVALID_ADDRESS),
        ] == (await problems_of(bench, record))[:2]

    async def test_a_strict_import_refuses_the_imperfect_rows_of_the_chinook_file(self, bench: Bench) -> None:
        record = await bench.run((EXAMPLES / "chinook-customers.csv").read_bytes(), validation=BulkImportValidation.STRICT)

        assert (BulkImportStatus.COMPLETED_WITH_ERRORS, 59, 47, 0, 0, 12) == outcome(record)
        refused = [9, 20, 23, 34, 35, 45, 46, 48, 50, 57, 58, 59]
        assert refused == sorted({row for row, *_ in await problems_of(bench, record)})

    async def test_the_northwind_file_loses_only_the_rows_that_cannot_be_read(self, bench: Bench) -> None:
        record = await bench.run((EXAMPLES / "northwind-customers.csv").read_bytes())

        assert (BulkImportStatus.COMPLETED_WITH_ERRORS, 91, 67, 0, 0, 24) == outcome(record)
        errors = [row for row, _, severity, code in await problems_of(bench, record) if severity is Severity.ERROR]
        assert UNREADABLE == errors
        assert record.error_report_key is not None
        report = (await bench.read(record.error_report_key)).splitlines()
        assert 25 == len(report)
        assert report[1].startswith("7,,INVALID_CSV,")
        assert ",BLONP,Blondesddsl père et fils,Frédérique Citeaux,Marketing Manager,24, place Kléber," in report[1]


class TestCreating:
    @pytest.mark.parametrize(
        ("changes", "field", "code"),
        [
            ({"file_name": "  "}, ("fileName",), ErrorCode.REQUIRED),
            ({"file_name": "a" * 256}, ("fileName",), ErrorCode.TOO_LONG),
            ({"size": 0}, ("size",), ErrorCode.INVALID),
            ({"size": (1 << 30) + 1}, ("size",), ErrorCode.TOO_LONG),
            ({"delimiter": "x"}, ("delimiter",), ErrorCode.INVALID),
            ({"columns": (("Mail", ""),)}, ("columns", "0", "to"), ErrorCode.REQUIRED),
        ],
    )
    async def test_what_makes_no_sense_is_refused(
        self, bench: Bench, changes: dict[str, Any], field: tuple[str, ...], code: ErrorCode
    ) -> None:
        with pytest.raises(Refused) as refused:
            await bench.service.create(OPERATOR, replace(BulkImportDraft(file_name="a.csv"), **changes), None)

        assert [(field, code)] == [(problem.field, problem.code) for problem in refused.value.problems]
        assert [] == await bench.stored("bulk_imports")

    async def test_customers_and_readers_may_not(self, bench: Bench) -> None:
        draft = BulkImportDraft(file_name="a.csv")
        customer = Principal(PrincipalKind.CUSTOMER, "cus_1", frozenset(Scope), "acme")
        for viewer in (customer, replace(OPERATOR, scopes=frozenset({Scope.IMPORTS_READ}))):
            with pytest.raises(Forbidden):
                await bench.service.create(viewer, draft, None)

        assert [] == await bench.stored("bulk_imports")

    async def test_another_sellers_import_is_not_there(self, bench: Bench) -> None:
        record = await bench.upload(customers_csv(1))
        for call in (bench.service.start, bench.service.cancel, bench.service.retry):
            with pytest.raises(Refused) as refused:
                await call(STRANGER, record.id)
            assert [ErrorCode.NOT_FOUND] == [problem.code for problem in refused.value.problems]
        with pytest.raises(NotFound):
            await anext(bench.service.watch(STRANGER, record.id))

        assert None is await bench.service.get(STRANGER, record.id)
        assert [] == (await bench.service.list(STRANGER, None, None, page_request("c"))).items
        assert [record.id] == [one.id for one in (await bench.service.list(OPERATOR, None, None, page_request("c"))).items]


class TestStarting:
    async def test_without_an_upload_it_is_refused_and_may_be_tried_again(self, bench: Bench) -> None:
        content = customers_csv(1)
        record, ticket = await bench.service.create(OPERATOR, BulkImportDraft(file_name="a.csv"), None)
        with pytest.raises(Refused) as refused:
            await bench.service.start(OPERATOR, record.id)
        assert ErrorCode.UPLOAD_MISSING is refused.value.problems[0].code

        async with httpx.AsyncClient() as client:
            await client.put(ticket.url, headers=dict(ticket.headers), content=content)
        assert BulkImportStatus.QUEUED is (await bench.service.start(OPERATOR, record.id)).status

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"PK\x03\x04 not a text", ErrorCode.INVALID_CSV),
            (b"name,city\nAda,London\n", ErrorCode.MISSING_COLUMN),
            ("email,name\na@example.com,Jörg\n".encode("latin-1"), ErrorCode.UNSUPPORTED_ENCODING),
        ],
    )
    async def test_a_file_that_cannot_be_read_is_refused_before_the_first_row(
        self, bench: Bench, content: bytes, code: ErrorCode
    ) -> None:
        record = await bench.upload(content)
        with pytest.raises(Refused) as refused:
            await bench.service.start(OPERATOR, record.id)

        assert [code] == [problem.code for problem in refused.value.problems]
        kept = await bench.service.get(OPERATOR, record.id)
        assert kept is not None
        assert BulkImportStatus.AWAITING_UPLOAD is kept.status

    async def test_twice_is_once(self, bench: Bench) -> None:
        record = await bench.upload(customers_csv(3))
        starts = await asyncio.gather(*(bench.service.start(OPERATOR, record.id) for _ in range(3)), return_exceptions=True)

        assert 1 == len([one for one in starts if isinstance(one, BulkImport)])
        assert 2 == len([one for one in starts if isinstance(one, Refused)])

    async def test_a_queue_that_is_down_delays_it_only(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        record = await bench.upload(customers_csv(3))
        with monkeypatch.context() as broken:

            async def down(_message: object) -> None:
                raise Unavailable("down")

            broken.setattr(bench.queue, "send", down)
            assert BulkImportStatus.QUEUED is (await bench.service.start(OPERATOR, record.id)).status
        async with bench.working():
            assert 3 == (await bench.ended(record)).counts.created


class TestRows:
    async def test_an_identifier_counts_once_in_the_file_and_in_the_database(self, bench: Bench) -> None:
        await bench.run(b"external_id,email\nold,ada@example.com\n")
        record = await bench.run(
            b"external_id,email\n1,bob@example.com\n2,Bob@Example.com\n3,ADA@example.com\nold,new@example.com\n5,eve@example.com\n"
        )

        assert (BulkImportStatus.COMPLETED_WITH_ERRORS, 5, 2, 0, 0, 3) == outcome(record)
        assert [
            (2, "email", Severity.ERROR, ErrorCode.DUPLICATE_ROW),
            (3, "email", Severity.ERROR, ErrorCode.TAKEN),
            (4, "external_id", Severity.ERROR, ErrorCode.TAKEN),
        ] == await problems_of(bench, record)

    @pytest.mark.parametrize("dry_run", [False, True])
    async def test_a_duplicate_in_a_later_batch_names_the_first_row(self, bench: Bench, dry_run: bool) -> None:
        content = customers_csv(150) + b"x,user3@example.com,,,,,,,\n"
        record = await bench.run(content, dry_run=dry_run)

        assert (BulkImportStatus.COMPLETED_WITH_ERRORS, 151, 150, 0, 0, 1) == outcome(record)
        page = await bench.service.errors(OPERATOR, record)
        assert ["Row 3 of this file has the same e-mail address; the first one counts."] == [one.message for one in page.items]
        assert [] == await bench.stored("import_keys")
        assert (0 if dry_run else 150) == len(await bench.stored("customers"))
        assert (0 if dry_run else 150) == len(await bench.stored("customer_events"))

    async def test_an_upsert_changes_what_differs_and_nothing_else(self, bench: Bench) -> None:
        await bench.run(customers_csv(3))
        content = (
            b"external_id,email,first_name,last_name,line1,city,region,postal_code,country\n"
            b"c1,user1@example.com,First1,Last1,1 Main Street,Springfield,IL,62701,US\n"
            b"c2,user2@example.com,Ada,Last2,9 Side Street,Springfield,IL,62701,US\n"
            b"c3,user1@example.com,,,,,,,\n"
            b",lost@example.com,,,,,,,\n"
            b"c9,user9@example.com,New,Customer,,,,,\n"
            b"c2,again@example.com,,,,,,,\n"
        )
        record = await bench.run(content, mode=BulkImportMode.UPSERT, match_by=BulkImportMatch.EXTERNAL_ID)

        assert (BulkImportStatus.COMPLETED_WITH_ERRORS, 6, 1, 1, 1, 3) == outcome(record)
        assert [
            (3, "email", Severity.ERROR, ErrorCode.DUPLICATE_ROW),
            (4, "external_id", Severity.ERROR, ErrorCode.REQUIRED),
            (6, "external_id", Severity.ERROR, ErrorCode.DUPLICATE_ROW),
        ] == await problems_of(bench, record)
        ada = (await bench.stored("customers", external_id="c2"))[0]
        assert ("Ada", "Ada Last2", 2) == (ada["first_name"], ada["full_name"], ada["version"])
        events = await bench.stored("customer_events", customer_id=ada["_id"])
        assert [(1, "CREATED"), (2, "UPDATED")] == [(event["version"], event["type"]) for event in events]
        assert ["firstName", "addresses"] == events[1]["changed"]
        addresses = await bench.stored("addresses", customer_id=ada["_id"])
        assert [("2 Main Street", True), ("9 Side Street", False)] == [(one["line1"], one["is_default"]) for one in addresses]

    async def test_the_report_of_rejected_rows_is_itself_an_import(self, bench: Bench) -> None:
        record = await bench.run(b'external_id;email;note\n1;nobody;"a;b"\n2;ada@example.com;\n')
        assert record.error_report_key is not None
        assert "_row,_column,_code,_message,external_id,email,note" == (await bench.read(record.error_report_key)).splitlines()[
            0
        ].lstrip("\ufeff")

        retried, ticket = await bench.service.retry(OPERATOR, record.id)
        assert None is ticket
        async with bench.working():
            again = await bench.ended(retried)
        assert (BulkImportStatus.COMPLETED_WITH_ERRORS, 1, 0, 0, 0, 1) == outcome(again)
        assert [(1, "email", Severity.ERROR, ErrorCode.INVALID_EMAIL)] == await problems_of(bench, again)

    async def test_only_what_was_rejected_can_be_retried(self, bench: Bench) -> None:
        record = await bench.run(customers_csv(1))
        with pytest.raises(Refused) as refused:
            await bench.service.retry(OPERATOR, record.id)

        assert [ErrorCode.STATE] == [problem.code for problem in refused.value.problems]

    async def test_a_header_alone_is_an_import_of_nothing(self, bench: Bench) -> None:
        record = await bench.run(b"external_id,email")

        assert (BulkImportStatus.COMPLETED, 0, 0, 0, 0, 0) == outcome(record)

    async def test_cursors_of_other_lists_are_refused(self, bench: Bench) -> None:
        record = await bench.upload(customers_csv(1))
        with pytest.raises(BadInput):
            await bench.service.errors(OPERATOR, record, 10, "nonsense")


class TestCancelling:
    async def test_nothing_is_written_afterwards(self, bench: Bench) -> None:
        record = await bench.start(customers_csv(5000))
        async with bench.working():
            async for state in bench.service.watch(OPERATOR, record.id):
                if state.counts.processed:
                    break
            cancelled = await bench.service.cancel(OPERATOR, record.id)
            written = len(await bench.stored("customers"))
            await asyncio.sleep(1)

        assert BulkImportStatus.CANCELED is cancelled.status
        assert 0 < written < 5000
        assert cancelled.counts.created == written == len(await bench.stored("customers"))
        with pytest.raises(Refused) as refused:
            await bench.service.cancel(OPERATOR, record.id)
        assert [ErrorCode.STATE] == [problem.code for problem in refused.value.problems]

    async def test_an_import_that_waits_never_begins(self, bench: Bench) -> None:
        record = await bench.start(customers_csv(3))
        await bench.service.cancel(OPERATOR, record.id)
        async with bench.working():
            await asyncio.sleep(0.5)

        assert [] == await bench.stored("customers")
        kept = await bench.service.get(OPERATOR, record.id)
        assert kept is not None
        assert BulkImportStatus.CANCELED is kept.status


class TestWatching:
    async def test_the_state_now_then_changes_then_the_end(self, bench: Bench) -> None:
        record = await bench.start(customers_csv(2000))
        seen: list[tuple[float, BulkImport]] = []
        time = asyncio.get_running_loop().time
        async with asyncio.timeout(60), bench.working():
            seen += [(time(), state) async for state in bench.service.watch(OPERATOR, record.id)]

        states = [state for _, state in seen]
        assert BulkImportStatus.QUEUED is states[0].status
        assert [BulkImportStatus.COMPLETED] == [state.status for state in states if state.status.final]
        assert (BulkImportStatus.COMPLETED, 2000) == (states[-1].status, states[-1].counts.created)
        assert sorted({state.bytes_done for state in states}) == list(dict.fromkeys(state.bytes_done for state in states))
        assert all(later - sooner > 0.24 for (sooner, _), (later, _) in pairwise(seen))
        assert 0 == bench.live.watchers

    async def test_an_import_that_is_over_is_told_once(self, bench: Bench) -> None:
        record = await bench.run(customers_csv(1))
        states = [state.status async for state in bench.service.watch(OPERATOR, record.id)]

        assert [BulkImportStatus.COMPLETED] == states

    async def test_all_imports_of_a_seller_and_no_others(self, bench: Bench) -> None:
        ended: list[str] = []
        strange: list[str] = []

        async def watch() -> None:
            async for state in bench.service.watch_all(OPERATOR, None):
                if state.status.final:
                    ended.append(state.id)
                if len(ended) == 2:
                    return

        async def watch_strangers() -> None:
            async for state in bench.service.watch_all(STRANGER, None):
                strange.append(state.id)  # noqa: PERF401 - it never ends

        watchers = [asyncio.create_task(watch()), asyncio.create_task(watch_strangers())]
        await asyncio.sleep(0.5)
        records = [await bench.start(customers_csv(1, first=number)) for number in (1, 2)]
        async with asyncio.timeout(30), bench.working():
            await watchers[0]
        watchers[1].cancel()
        await asyncio.wait(watchers)

        assert {record.id for record in records} == set(ended)
        assert [] == strange
        assert 0 == bench.live.watchers

    async def test_thousands_of_watchers_come_and_go(self, bench: Bench) -> None:
        """Nothing is left of them: no mailbox, no stream, no task."""
        record = await bench.upload(customers_csv(1))

        async def come_and_go(times: int) -> None:
            for _ in range(times):
                watching = bench.service.watch(OPERATOR, record.id)
                await anext(watching)
                await watching.aclose()
            async with asyncio.timeout(10):
                while bench.live.following:  # noqa: ASYNC110  nobody else waits for the end of a stream
                    await asyncio.sleep(0.01)

        before = ours()
        await come_and_go(1000)

        assert [] == await left_since(before)
        assert 0 == bench.live.watchers
