"""Messages of other systems on the queue of imports: a file is named, and imported once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from core.errors import BadInput, Unavailable
from core.vocabulary import BulkImportMode, BulkImportStatus
from models.bulk_import import BulkImport
from services.import_references import ImportReferences
from tests.imports import OPERATOR, Bench, customers_csv, open_bench
from tests.servers import Servers
from workers.file_message import names_file, start_import

SELLER = str(OPERATOR.seller_id)


@pytest_asyncio.fixture(name="bench")
async def _bench(servers: Servers) -> AsyncIterator[Bench]:
    async with open_bench(servers) as bench:
        yield bench


async def put(bench: Bench, name: str, rows: int = 3) -> str:
    """Put a file into the seller's folder, and return its path."""
    path = f"imports/{SELLER}/{bench.database.name}/{name}"
    async with bench.store.write(path, content_type="text/csv") as file:
        await file.write(customers_csv(rows))
    return path


async def only_import(bench: Bench) -> BulkImport:
    """Wait for the one import that there is to end."""
    async with asyncio.timeout(30):
        while not (found := await bench.stored("bulk_imports")):  # noqa: ASYNC110  a worker stores it
            await asyncio.sleep(0.05)
    (one,) = found
    record = await bench.service.get(OPERATOR, one["_id"])
    assert record is not None
    return await bench.ended(record)


@pytest.mark.parametrize("spelled", ["camel", "snake"])
async def test_the_file_that_a_message_names_is_imported(bench: Bench, spelled: str) -> None:
    path = await put(bench, "customers.csv")
    bucket = bench.store._bucket
    messages: dict[str, dict[str, object]] = {
        "camel": {"sellerId": SELLER, "bucket": bucket, "filePath": path, "mode": "UPSERT"},
        "snake": {"seller_id": SELLER, "bucket_name": bucket, "file_path": path, "mode": "upsert"},
    }

    await bench.queue.send(messages[spelled])
    async with bench.working() as worker:
        record = await only_import(bench)

    assert 0 == worker.dead_letters
    assert (BulkImportStatus.COMPLETED, 3, BulkImportMode.UPSERT) == (record.status, record.counts.created, record.mode)
    assert ("service:import-queue", "customers.csv") == (record.requested_by, record.file_name)


async def test_a_message_that_arrives_twice_starts_one_import(bench: Bench) -> None:
    body = {"sellerId": SELLER, "bucket": bench.store._bucket, "filePath": await put(bench, "twice.csv")}

    await asyncio.gather(*(start_import(bench.references, "message-1", body) for _ in range(3)))
    await start_import(bench.references, "message-1", body)
    assert 1 == len(await bench.stored("bulk_imports"))

    await start_import(bench.references, "message-2", body)
    assert 2 == len(await bench.stored("bulk_imports"))


@pytest.mark.parametrize(
    "change",
    [
        {"bucket": "somebody-elses"},
        {"filePath": "imports/other/customers.csv"},
        {"filePath": f"imports/{SELLER}/none.csv"},
        {"sellerId": "a b"},
        {"sellerId": None},
        {"mode": "MERGE"},
    ],
    ids=str,
)
async def test_a_message_that_cannot_be_followed_is_put_aside(bench: Bench, change: dict[str, Any]) -> None:
    body = {"sellerId": SELLER, "bucket": bench.store._bucket, "filePath": await put(bench, "good.csv"), **change}

    await bench.queue.send(body)
    async with bench.working() as worker, asyncio.timeout(30):
        while not worker.dead_letters:  # noqa: ASYNC110  a worker tells nobody
            await asyncio.sleep(0.05)

    assert [] == await bench.stored("bulk_imports")


async def test_a_message_comes_again_while_the_store_is_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"sellerId": SELLER, "bucket": bench.store._bucket, "filePath": await put(bench, "later.csv")}
    describe = type(bench.store).describe
    asked: list[str] = []

    async def second_time(self: Any, key: str) -> Any:
        asked.append(key)
        if len(asked) == 1:
            raise Unavailable("The object store did not answer in time.")
        return await describe(self, key)

    monkeypatch.setattr(type(bench.store), "describe", second_time)

    await bench.queue.send(body)
    async with bench.working() as worker:
        record = await only_import(bench)

    assert (BulkImportStatus.COMPLETED, 0) == (record.status, worker.dead_letters)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"filePath": "a", "bucket": "b", "sellerId": "c"}, True),
        ({"file_path": "a"}, True),
        ({"type": "plan", "importId": "imp_1", "filePath": "a"}, False),
        ({"importId": "imp_1"}, False),
        (None, False),
    ],
)
def test_messages_are_told_apart(body: dict[str, object] | None, expected: bool) -> None:
    assert expected is names_file(body)


async def test_what_is_missing_is_named(bench: Bench) -> None:
    references: ImportReferences = bench.references

    with pytest.raises(BadInput, match="bucket"):
        await start_import(references, "message", {"filePath": "a", "sellerId": SELLER})
