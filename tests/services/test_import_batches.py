"""Batches of new customers are written without a look first; what is told of their rows does not depend on that."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from core.vocabulary import BulkImportStatus
from repositories.customer import CustomerRepository
from services.import_rows import ImportPlan
from tests.import_cases.golden import customers_of, report
from tests.imports import Bench, customers_csv, open_bench
from tests.servers import Servers

BATCH = 5


@pytest_asyncio.fixture(name="bench")
async def _bench(servers: Servers) -> AsyncIterator[Bench]:
    async with open_bench(servers, batch_size=BATCH) as bench:
        yield bench


@pytest.fixture(name="looks")
def _looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the values that are looked for, look by look."""
    counted: list[int] = []
    real = CustomerRepository.holders

    async def holders(self: CustomerRepository, keys: Any) -> Any:
        counted.append(sum(map(len, keys.values())))
        return await real(self, keys)

    monkeypatch.setattr(CustomerRepository, "holders", holders)
    return counted


def crowded_csv(seed: int) -> bytes:
    """Return 120 rows of which many want what an earlier row, or a customer of `customers_csv(20)`, has already."""
    chance = random.Random(seed)
    lines = ["external_id,email,phone,document_type,document_number,last_name,tags"]
    for number in range(120):
        crowd = 30 if number % 40 < 20 else 4000
        values = (
            f"c{chance.randrange(crowd)}" if chance.random() < 0.8 else "",
            f"user{chance.randrange(crowd)}@example.com" if chance.random() < 0.9 else "nobody",
            f"+1650253{chance.randrange(crowd):04d}" if chance.random() < 0.4 else "",
            *(("passport", f"X{chance.randrange(crowd):07d}") if chance.random() < 0.4 else ("", "")),
        )
        lines.append(",".join([*values, f"Last{number}", "x" * chance.choice([3, 3, 3, 100])]))
    return "\n".join(lines).encode() + b"\n"


async def told(servers: Servers, content: bytes) -> list[Any]:
    """Import *content* where there are 20 customers; return what is told of it, and every customer that is there then."""
    async with open_bench(servers, batch_size=BATCH) as bench:
        await bench.run(customers_csv(20))
        record = await bench.run(content)
        return [await report(bench, record), await customers_of(bench)]


@pytest.mark.parametrize("seed", [1, 2])
async def test_rows_that_meet_others_are_told_the_same_whether_or_not_anybody_looked_first(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    unseen = await told(servers, crowded_csv(seed))
    monkeypatch.setattr(ImportPlan, "only_creates", False)
    looked = await told(servers, crowded_csv(seed))

    assert looked == unseen
    counts = unseen[0]["counts"]
    assert counts["created"] > 20
    assert counts["failed"] > 20


async def test_nobody_looks_for_customers_while_all_rows_are_new(bench: Bench, looks: list[int]) -> None:
    record = await bench.run(customers_csv(30))

    assert (BulkImportStatus.COMPLETED, 30) == (record.status, record.counts.created)
    assert [] == looks


async def test_a_look_follows_where_a_row_met_somebody_and_no_longer(bench: Bench, looks: list[int]) -> None:
    await bench.run(customers_csv(1, first=8))
    record = await bench.run(customers_csv(40))

    assert (39, 1) == (record.counts.created, record.counts.failed)
    # The batch that met customer 8, and the next one, which met nobody; ids and e-mail addresses.
    assert [2 * BATCH, 2 * BATCH] == looks
