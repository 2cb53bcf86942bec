"""What may have been kept for long enough is read off indexes, a page at a time, however much there is of it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from core.paging import Position
from core.tenancy import Tenant
from core.vocabulary import (
    BulkImportMatch,
    BulkImportMode,
    BulkImportStatus,
    BulkImportValidation,
    DocumentStatus,
    RetentionStage,
)
from models.bulk_import import BulkImport, SourceObject
from models.document import StoredFile
from repositories.retention_run import RetentionRuns
from repositories.unit_of_work import Repositories
from services.records import CustomerRecords
from tests.repositories.plans import Asked, Database
from tests.repositories.records import START, crowd, store

SELLERS, SIZE, PAGE = ("retained", "retained-too"), 60, 10
HALF = START + timedelta(minutes=SIZE // 2)
BEHIND = Position(START + timedelta(minutes=SIZE // 4), "")
Query = Callable[[Repositories, list[CustomerRecords]], Awaitable[Any]]


def _import(seller_id: str, number: int) -> BulkImport:
    at = START + timedelta(minutes=number)
    return BulkImport(
        id=f"imp_{seller_id}_{number}", seller_id=seller_id, status=BulkImportStatus.COMPLETED, mode=BulkImportMode.CREATE,
        match_by=BulkImportMatch.EMAIL, validation=BulkImportValidation.LENIENT, dry_run=False, file_name="a.csv",
        source=SourceObject(key=f"imports/{seller_id}/{number}"), requested_by="operator:ada", upload_expires_at=at,
        created_at=at, updated_at=at, finished_at=at,
    )  # fmt: skip


@pytest_asyncio.fixture(name="crowd")
async def _crowd(database: Database) -> list[CustomerRecords]:
    """Two sellers whose customers are flagged, every other one, and have documents with files, and imports."""
    for name in ("customers", "documents", "addresses", "customer_events", "customer_keys", "bulk_imports"):
        await database[name].delete_many({"seller_id": {"$in": list(SELLERS)}})
    for seller_id in SELLERS:
        people = crowd(seller_id, SIZE)
        for number, one in enumerate(people):
            if number % 2:
                one.customer.retention_flagged_at = one.customer.retention_due_at = one.customer.created_at
            for document in one.documents:
                document.status = DocumentStatus.REJECTED
                document.file = StoredFile(key="k", name="n", content_type="application/pdf", size=1, sha256="s")
        repositories = Repositories(Tenant(seller_id))
        await store(repositories, people)
        for number in range(SIZE):
            await repositories.bulk_imports.insert(_import(seller_id, number))
    return people


ME = SELLERS[-1]
QUERIES: dict[str, tuple[Query, str, int]] = {
    "customers": (lambda all_, _: all_.retained.created_before(ME, HALF, None, PAGE), "listed_by_created_at", PAGE + 1),
    "customers, further": (
        lambda all_, _: all_.retained.created_before(ME, HALF, BEHIND, PAGE), "listed_by_created_at", PAGE + 1
    ),
    "flagged": (lambda all_, _: all_.retained.flagged(ME, None, PAGE), "by_retention", PAGE + 1),
    "flagged, further": (lambda all_, _: all_.retained.flagged(ME, BEHIND, PAGE), "by_retention", PAGE + 1),
    "files": (
        lambda all_, _: all_.retained.files(ME, DocumentStatus.REJECTED, HALF, None, PAGE), "filed_by_status", PAGE + 1
    ),
    "files, further": (
        lambda all_, _: all_.retained.files(ME, DocumentStatus.REJECTED, HALF, BEHIND, PAGE), "filed_by_status", PAGE + 1
    ),
    "files in another state": (
        lambda all_, _: all_.retained.files(ME, DocumentStatus.VERIFIED, HALF, None, PAGE), "filed_by_status", 0
    ),
    "imports": (lambda all_, _: all_.retained.imports(ME, HALF, None, PAGE), "by_end", PAGE + 1),
    "imports, further": (lambda all_, _: all_.retained.imports(ME, HALF, BEHIND, PAGE), "by_end", PAGE + 1),
    "acts": (
        lambda all_, people: all_.retained.last_acts(ME, [one.customer.id for one in people[:5]], [], START),
        "unique_version",
        5,
    ),
    "merged": (
        lambda all_, people: all_.retained.merged_into(ME, [one.customer.id for one in people[:5]]), "by_merged_into", 0
    ),
}  # fmt: skip


@pytest.mark.parametrize(("query", "index", "documents"), QUERIES.values(), ids=QUERIES)
async def test_a_page_costs_what_it_has(
    database: Database, asked: Asked, crowd: list[CustomerRecords], query: Query, index: str, documents: int
) -> None:
    asked.forget()
    await query(Repositories(Tenant(ME)), crowd)
    plan = await asked.plan(database)

    assert {index} == plan.indexes
    assert set() == plan.stages & {"COLLSCAN", "SORT"}
    assert documents >= plan.documents
    assert plan.keys <= documents + 6  # where each value that is looked for ends is looked at, too


async def test_uses_of_sessions_are_looked_up_by_customer(
    database: Database, asked: Asked, crowd: list[CustomerRecords]
) -> None:
    asked.forget()
    await Repositories(Tenant(ME)).retained.last_acts(ME, [], [one.customer.id for one in crowd[:5]], START)
    live, ended = await asked.plans(database)

    assert [{"by_subject"}, {"ended_of_subject"}] == [set(one.indexes) for one in (live, ended)]


async def test_sellers_are_found_by_a_look_into_an_index_for_each(
    database: Database, asked: Asked, crowd: list[CustomerRecords]
) -> None:
    asked.forget()
    found = await RetentionRuns().sellers_after("retaine", 2)
    plans = await asked.plans(database)

    assert list(SELLERS) == found
    assert {1} == {plan.keys for plan in plans}
    assert {"by_created_at", "listed_by_created_at"} == {index for plan in plans for index in plan.indexes}


async def test_a_run_is_taken_by_one_and_put_down_by_who_has_it(database: Database) -> None:
    """
    Whoever was overtaken writes nothing.
    """
    runs, now = RetentionRuns(), START
    await database["retention_runs"].delete_many({})
    await runs.expect(["retained", "retained"], now)

    first, nobody = await runs.claim(now, timedelta(minutes=5)), await runs.claim(now, timedelta(minutes=5))
    second = await runs.claim(now + timedelta(minutes=5), timedelta(minutes=5))

    assert first is not None
    assert second is not None
    assert (None, True) == (nobody, first.step < second.step)
    assert not await runs.put_down(first, now, {"stage": RetentionStage.FLAGGED.value})
    assert await runs.put_down(second, now, {"stage": RetentionStage.IMPORTS.value, "place_id": None})
    kept = await runs.of("retained")
    assert kept is not None
    assert RetentionStage.IMPORTS is kept.stage
    assert ["retained"] == [one.id for one in await runs.after("", 5)]
