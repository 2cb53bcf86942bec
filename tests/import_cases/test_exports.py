"""What shops, a CRM and two well-known databases export, imported as their owners would expect."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from core.vocabulary import BulkImportValidation
from tests.import_cases.golden import assert_golden, customers_of, report
from tests.imports import Bench, open_bench
from tests.servers import Servers

_EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest_asyncio.fixture(name="bench")
async def _bench(servers: Servers) -> AsyncIterator[Bench]:
    async with open_bench(servers) as bench, bench.working():
        yield bench


@pytest.mark.parametrize("validation", BulkImportValidation)
@pytest.mark.parametrize("file", sorted(path.stem for path in _EXAMPLES.glob("*.csv")))
async def test_an_export_becomes_the_customers_that_its_owner_knows(
    bench: Bench, file: str, validation: BulkImportValidation
) -> None:
    content = (_EXAMPLES / f"{file}.csv").read_bytes()
    record = await bench.ended(await bench.start(content, validation=validation))

    told = await report(bench, record)
    assert_golden(f"{file}-{validation.lower()}", {**told, "customers": await customers_of(bench)})
