"""Files that are too large, in one way or another. They are made here and not kept."""

import tracemalloc
from collections.abc import AsyncIterator
from itertools import chain, repeat

import pytest
import pytest_asyncio

from core.drafts import BulkImportDraft
from core.errors import ErrorCode, Refused
from core.vocabulary import BulkImportStatus
from models.bulk_import import BulkImport
from services.csv.dialect import FileFormat
from services.csv.records import Record, read_all
from tests.import_cases.golden import problems_of
from tests.imports import OPERATOR, Bench, customers_csv, open_bench
from tests.servers import Servers

_CHUNK = 1 << 20
_GIGABYTE = 1024


@pytest_asyncio.fixture(name="bench")
async def _bench(servers: Servers) -> AsyncIterator[Bench]:
    async with open_bench(servers) as bench:
        yield bench


async def test_case_02_a_letter_cut_by_the_end_of_what_is_read_at_once_is_whole(bench: Bench) -> None:
    """Ranges of 256 KB are read; the letter's first byte is the last of one, its second the first of the next."""
    header = b"external_id,email,attribute.note\n"
    before = header + b"".join(b"%d,user%d@example.com,%s\n" % (number, number, b"x" * 1000) for number in range(254))
    before += b"last,last@example.com,"
    content = before + b"x" * (len(header) + 256 * 1024 - 1 - len(before))
    assert 0 < len(content) - len(before) < 4000
    record = await bench.run(content + "é\n".encode())

    (last,) = await bench.stored("customers", external_id="last")
    assert (BulkImportStatus.COMPLETED, "xé") == (record.status, last["attributes"][0]["value"][-2:])


@pytest.mark.parametrize(
    ("_case", "before", "after"),
    [
        ("a field of 1 GB", b'1,"', b'"\n'),
        ("a field of 1 GB that is not quoted", b"1,", b"\n"),
        ("a line of 1 GB", b"1,a@example.com,", b",x\n"),
        ("a quote that is never closed", b'1,"', b"\n"),
    ],
)
def test_case_08_a_gigabyte_in_one_row_is_one_refused_row_in_bounded_memory(_case: str, before: bytes, after: bytes) -> None:
    format = FileFormat(
        encoding="utf-8", bom_bytes=0, delimiter=",", header=("external_id", "email"), data_offset=0, newline="\n"
    )
    chunk = b"x" * _CHUNK
    chunks = chain([before], repeat(chunk, _GIGABYTE), [after, b"2,b@example.com\n"])
    tracemalloc.start()
    try:
        records: list[Record] = list(read_all(format, chunks))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert [False, True] == [record.problem is None for record in records]
    assert ("2", "b@example.com") == records[1].cells
    assert len(before) + _GIGABYTE * _CHUNK + len(after) == records[0].end
    assert peak < 16 * _CHUNK


async def test_case_08_long_cells_and_rows_cost_only_themselves(bench: Bench) -> None:
    header = b"external_id,email,first_name\n"
    rows = [b"1,a@example.com," + b"A" * 70_000, b'2,b@example.com,"' + b"B" * 300_000 + b'"', b"3,c@example.com,Carla"]
    record = await bench.run(header + b"\n".join(rows))

    assert (BulkImportStatus.COMPLETED_WITH_ERRORS, 1, 2) == (record.status, record.counts.created, record.counts.failed)
    assert [
        "1 - ERROR INVALID_CSV A cell of this row is longer than 64 KB.",
        "2 - ERROR INVALID_CSV A quote that opens in this row is not closed within 256 KB.",
    ] == [f"{line.partition('.')[0]}." for line in await problems_of(bench, record)]


async def test_case_08_a_hundred_thousand_columns_are_refused(bench: Bench) -> None:
    header = b",".join(b"c%d" % number for number in range(100_000))
    with pytest.raises(Refused) as refused:
        await bench.start(b"email," + header + b"\n")

    assert [ErrorCode.INVALID_CSV] == [problem.code for problem in refused.value.problems]


async def test_case_09_a_file_beyond_the_limit_is_refused_when_announced_and_when_it_arrives(servers: Servers) -> None:
    async with open_bench(servers, max_bytes=1000) as bench:
        with pytest.raises(Refused) as announced:
            await bench.service.create(OPERATOR, BulkImportDraft(file_name="a.csv", size=5 << 30), None)
        record, _ = await bench.service.create(OPERATOR, BulkImportDraft(file_name="a.csv"), None)
        async with bench.store.write(record.source.key, content_type="text/csv") as upload:
            await upload.write(customers_csv(100))
        with pytest.raises(Refused) as arrived:
            await bench.service.start(OPERATOR, record.id)

        assert [ErrorCode.TOO_LONG] * 2 == [each.value.problems[0].code for each in (announced, arrived)]
        assert [] == await bench.stored("customers")


async def test_case_24_thousands_of_errors_are_counted_paged_and_reported_to_the_last(bench: Bench) -> None:
    record: BulkImport = await bench.run(
        b"external_id,email\n" + b"".join(b"c%d,nobody\n" % number for number in range(1, 3001))
    )

    assert (3000, 3000) == (record.counts.failed, len(await problems_of(bench, record)))
    assert record.error_report_key is not None
    report = (await bench.read(record.error_report_key)).splitlines()
    assert [str(row) for row in range(1, 3001)] == [line.partition(",")[0] for line in report[1:]]
