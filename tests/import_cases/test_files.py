"""One file each, imported for real. The numbers are those of the table in docs/importing.md."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from core.drafts import BulkImportDraft
from core.errors import Refused
from core.vocabulary import BulkImportEncoding, BulkImportValidation
from models.bulk_import import BulkImport
from tests.import_cases.golden import assert_golden, customers_of, refusal, report
from tests.imports import OPERATOR, Bench, open_bench
from tests.servers import Servers

_FILES = Path(__file__).with_name("files")


class Case(NamedTuple):
    """A file, how it is imported, what was imported before it, and the name of its golden file if another has the same."""

    file: str
    options: Mapping[str, Any] = MappingProxyType({})
    before: str | None = None
    golden: str | None = None


def _name(case: Case) -> str:
    return "-".join([case.file, *map(str.lower, case.options.values())])


CASES = [
    Case("01-empty"),
    Case("01-header-only"),
    Case("01-only-bom"),
    Case("01-only-blank-lines"),
    Case("02-utf8-bom", golden="02-encodings"),
    Case("02-utf16-le-bom", golden="02-encodings"),
    Case("02-utf16-be-bom", golden="02-encodings"),
    Case("02-utf16-without-bom"),
    Case("02-utf16-without-bom", {"encoding": BulkImportEncoding.UTF_16}, golden="02-encodings"),
    Case("02-latin-1"),
    Case("02-latin-1", {"encoding": BulkImportEncoding.LATIN_1}, golden="02-encodings"),
    Case("02-windows-1252", {"encoding": BulkImportEncoding.WINDOWS_1252}),
    Case("02-damaged-byte"),
    Case("03-lf", golden="03-newlines"),
    Case("03-crlf", golden="03-newlines"),
    Case("03-cr", golden="03-newlines"),
    Case("03-mixed", golden="03-newlines"),
    Case("03-no-final-newline", golden="03-newlines"),
    Case("04-quotes"),
    Case("04-semicolon"),
    Case("04-tab", golden="04-tab-or-bar"),
    Case("04-bar", golden="04-tab-or-bar"),
    Case("04-wrong-delimiter", {"delimiter": ";"}, golden="04-wrong-delimiter"),
    Case("05-unclosed-quote"),
    Case("05-text-after-a-quote"),
    Case("06-ragged"),
    Case("07-no-identifier"),
    Case("07-unknown-columns"),
    Case("07-same-name-twice"),
    Case("07-two-columns-for-one-field"),
    Case("07-order-case-blanks"),
    Case("07-homoglyph"),
    Case("07-unnamed-column"),
    Case("07-no-header"),
    Case("10-zip"),
    Case("10-xlsx"),
    Case("10-gzip"),
    Case("10-html"),
    Case("10-pdf"),
    Case("10-json"),
    Case("11-formulas"),
    Case("12-characters"),
    Case("13-emails"),
    Case("14-phones"),
    Case("14-phones", {"validation": BulkImportValidation.STRICT}),
    Case("15-duplicates", before="15-before"),
    Case("16-tenant-columns"),
    Case("25-numbers-and-dates"),
    Case("25-numbers-and-dates", {"validation": BulkImportValidation.STRICT}),
]


@pytest_asyncio.fixture(name="shared", scope="module")
async def _shared(servers: Servers) -> AsyncIterator[Bench]:
    # Three rows a segment, two a batch: what depends on rows of others has to come out the same.
    async with open_bench(servers, segment_rows=3, batch_size=2) as bench, bench.working():
        yield bench


@pytest_asyncio.fixture(name="bench")
async def _bench(shared: Bench) -> Bench:
    """A database without anything in it, on a worker that goes on from file to file."""
    for name in await shared.database.list_collection_names():
        await shared.database[name].delete_many({})
    return shared


@pytest.mark.parametrize("case", CASES, ids=_name)
async def test_a_file_is_reported_as_promised_and_a_dry_run_says_the_same(bench: Bench, case: Case) -> None:
    if case.before is not None:
        await _run(bench, (_FILES / f"{case.before}.csv").read_bytes(), {})
    before = await customers_of(bench)
    content = (_FILES / f"{case.file}.csv").read_bytes()

    rehearsed = await _outcome(bench, content, {**case.options, "dry_run": True})
    assert before == await customers_of(bench)
    told = await _outcome(bench, content, case.options)

    assert told == rehearsed
    assert_golden(case.golden or _name(case), {**told, "customers": await customers_of(bench)})


def test_every_file_is_a_case() -> None:
    assert {path.stem for path in _FILES.iterdir()} == {case.file for case in CASES} | {"15-before"}


async def _outcome(bench: Bench, content: bytes, options: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return await report(bench, await _run(bench, content, options))
    except Refused as refused:
        kept = (await bench.stored("bulk_imports"))[-1]
        assert "AWAITING_UPLOAD" == kept["status"]
        return refusal(refused)


async def _run(bench: Bench, content: bytes, options: Mapping[str, Any]) -> BulkImport:
    """Import *content*; an empty file is one whose size nobody announced."""
    if content:
        return await bench.ended(await bench.start(content, **options))
    record, _ = await bench.service.create(OPERATOR, BulkImportDraft(file_name="empty.csv", **options), None)
    async with bench.store.write(record.source.key, content_type="text/csv"):
        pass
    return await bench.service.start(OPERATOR, record.id)
