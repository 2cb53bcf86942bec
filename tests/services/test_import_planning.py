"""Segments: a file that is cut is the file, whoever cuts it, and however often that is broken off."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from core.files import ObjectTruncated
from core.vocabulary import BulkImportStatus
from models.bulk_import import BulkImport, SourceObject
from services import import_reading
from services.csv.boundaries import RecordCutter
from services.csv.dialect import Encoding, FileFormat
from services.csv.records import Record, RecordReader
from services.import_reading import record_pages
from services.import_states import stored_format
from tests.import_fakes import MemoryStore
from tests.imports import OPERATOR, Bench, customers_csv, open_bench
from tests.servers import Servers
from tests.services.csv.test_boundaries import _FILES


@pytest_asyncio.fixture(name="bench")
async def _bench(servers: Servers) -> AsyncIterator[Bench]:
    async with open_bench(servers) as bench:
        yield bench


async def segments_of(bench: Bench, record: BulkImport) -> list[dict[str, Any]]:
    """Return the segments of an import in the order of the file, which they have to make up without a gap."""
    found = sorted(await bench.stored("import_segments", import_id=record.id), key=lambda one: int(one["number"]))
    assert list(range(len(found))) == [one["number"] for one in found]
    assert record.format is not None
    assert [record.format.data_offset, *(one["end"] for one in found)] == [*(one["start"] for one in found), record.source.size]
    assert [1, *(one["first_row"] + one["rows"] for one in found[:-2])] == [one["first_row"] for one in found[:-1]]
    assert [False] * (len(found) - 1) + [True] == [one["deferred"] for one in found]
    return found


async def until(bench: Bench, record: BulkImport, satisfied: Callable[[BulkImport], bool]) -> BulkImport:
    """Wait for a state of an import."""
    async with asyncio.timeout(20):
        while True:
            found = await bench.service.get(OPERATOR, record.id)
            assert found is not None
            if satisfied(found):
                return found
            await asyncio.sleep(0.05)


async def read_in_segments(data: bytes, form: FileFormat, *, part_rows: int) -> list[Record]:
    """Return the records of a file, read segment by segment as workers do."""
    store = MemoryStore()
    found = store.put("file", data)
    source = SourceObject(key="file", etag=found.etag, size=found.size)
    record = BulkImport.model_construct(id="imp", source=source, format=stored_format(form))
    cutter = RecordCutter(form, offset=form.data_offset, row=1, part_bytes=len(data) + 1, part_rows=part_rows)
    records = []
    for part in [*cutter.feed(data[form.data_offset :]), *cutter.finish()]:
        mine = [one async for page in record_pages(store, record, part.start, part.end, row=part.row) for one in page]
        assert part.rows == len(mine)
        records += mine
    return records


@settings(deadline=None)
@given(_FILES, st.sampled_from([",", ";"]), st.integers(1, 5), st.integers(1, 30))
def test_a_file_read_in_segments_is_the_file_read_whole(data: bytes, delimiter: str, part_rows: int, at_once: int) -> None:
    form = FileFormat(encoding="utf-8", bom_bytes=0, delimiter=delimiter, header=("a",), data_offset=0, newline="\n")
    assert whole(data, form) == in_segments(data, form, part_rows=part_rows, at_once=at_once)


@settings(deadline=None)
@given(st.text(alphabet='ab,"\n\r ä€😀\0', max_size=60), st.sampled_from(["utf-16-le", "utf-16-be"]), st.integers(1, 20))
def test_a_wide_file_read_in_segments_is_the_file_read_whole(text: str, encoding: Encoding, at_once: int) -> None:
    form = FileFormat(encoding=encoding, bom_bytes=0, delimiter=",", header=("a",), data_offset=0, newline="\n")
    data = text.encode(encoding, "surrogatepass")
    assert whole(data, form) == in_segments(data, form, part_rows=2, at_once=at_once)


def whole(data: bytes, form: FileFormat) -> list[Record]:
    """Return the records of a file, read from its beginning to its end."""
    reader = RecordReader(form, offset=0, row=1)
    return reader.feed(data) + reader.finish()


def in_segments(data: bytes, form: FileFormat, *, part_rows: int, at_once: int) -> list[Record]:
    """Return the records of a file, read in segments, a few bytes at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_reading, "_RANGE_BYTES", at_once)
        with asyncio.Runner() as runner:
            return runner.run(read_in_segments(data, form, part_rows=part_rows))


class TestPlanning:
    async def test_the_first_rows_are_done_while_the_rest_of_the_file_has_not_come(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content = customers_csv(40_000)
        record = await bench.start(content)
        real, more = bench.store.read, asyncio.Event()

        async def slow(key: str, *, etag: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
            async for chunk in real(key, etag=etag, start=start, end=end):
                yield chunk
                if end == len(content):
                    await more.wait()

        monkeypatch.setattr(bench.store, "read", slow)
        async with bench.working(max_workers=1):
            now = await until(bench, record, lambda one: one.counts.processed > 0)
            assert now.plan is not None
            assert (BulkImportStatus.RUNNING, None, False) == (now.status, now.total_rows, now.plan.done)
            more.set()
            now = await until(bench, record, lambda one: one.total_rows is not None)
            assert (BulkImportStatus.RUNNING, 40_000) == (now.status, now.total_rows)
            await bench.service.cancel(OPERATOR, record.id)

    async def test_a_plan_that_is_broken_off_goes_on_where_it_was(self, bench: Bench) -> None:
        record = await bench.start(customers_csv(1000))
        runs = bench.runs(segment_rows=20)
        real, stored = runs._planner._store_next, 0

        async def dying(*arguments: Any, **options: Any) -> Any:
            nonlocal stored
            stored += 1
            if stored == 2:
                raise ObjectTruncated("cut off")
            return await real(*arguments, **options)

        runs._planner._store_next = dying  # type: ignore[method-assign]
        # The planner stores the first segment at once, and is fed 64 bytes at a time, so that others follow.
        runs._store.read = small_bites(runs._store.read)  # type: ignore[method-assign]
        with suppress(ObjectTruncated):
            await runs.plan(record.id)
        half = await bench.service.get(OPERATOR, record.id)
        assert half is not None
        assert half.plan is not None
        assert (1, False, None) == (half.plan.segments, half.plan.done, half.total_rows)
        await runs.plan(record.id)

        known = await bench.service.get(OPERATOR, record.id)
        assert known is not None
        assert known.plan is not None
        assert (51, True, 1000) == (known.plan.segments, known.plan.done, known.total_rows)
        await segments_of(bench, known)

    async def test_two_planners_with_other_sizes_leave_no_gap(self, bench: Bench) -> None:
        record = await bench.start(customers_csv(500))
        planners = [
            bench.runs("old", segment_rows=30),
            bench.runs("new", segment_rows=45),
            bench.runs("newer", segment_bytes=900),
        ]
        bench.store.read = small_bites(bench.store.read)  # type: ignore[method-assign]
        await asyncio.gather(*(one.plan(record.id) for one in planners))

        known = await bench.service.get(OPERATOR, record.id)
        assert known is not None
        assert 500 == known.total_rows
        await segments_of(bench, known)

    async def test_a_file_without_rows_is_over_at_once(self, bench: Bench) -> None:
        record = await bench.run(b"external_id,email\n\n\n  \n")

        assert (BulkImportStatus.COMPLETED, 0, record.source.size) == (record.status, record.total_rows, record.bytes_done)


def small_bites(read: Any) -> Any:
    """Return a way to read that gives a few bytes at a time."""

    async def reading(*arguments: Any, **options: Any) -> AsyncGenerator[bytes]:
        async for chunk in read(*arguments, **options):
            for start in range(0, len(chunk), 64):
                yield chunk[start : start + 64]

    return reading
