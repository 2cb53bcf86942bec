"""Many who watch the same are sent the same bytes, made once; whoever asks for something else, or as somebody, is not."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
import pytest_asyncio
from strawberry.types.execution import ExecutionResult

from app.graphql.response import body_of
from app.graphql.schema import build_schema
from app.graphql.shared_events import SharedData, written
from auth.principal import SCOPES, Principal
from core.errors import ErrorCode
from core.ids import IdKind, new_id
from core.paging import Page
from core.vocabulary import BulkImportMatch, BulkImportMode, BulkImportStatus, BulkImportValidation, PrincipalKind
from models.bulk_import import BulkImport, SourceObject, StoredFailure
from schema.context import Context
from services.registry import Services
from tests.mock_mongo import mock_mongo

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
ADA = Principal(PrincipalKind.OPERATOR, "ada", SCOPES[PrincipalKind.OPERATOR], "acme")
BOB = Principal(PrincipalKind.OPERATOR, "bob", SCOPES[PrincipalKind.OPERATOR], "acme")

PLAIN = {
    "leaves": "subscription($id: ID!) { bulkImportProgress(id: $id) { id status processedRows progress fileName } }",
    "all imports": "subscription { bulkImportsProgress { id sellerId rowsPerSecond estimatedCompletionAt } }",
    "fragments": """subscription Watch($id: ID!) { bulkImportProgress(id: $id) { ...Told here: status __typename
      ... on BulkImport { failure { code message } } ... { createdAt } } }
      fragment Told on BulkImport { id: fileName again: id }""",
}
OTHERWISE = {
    "what asks": "subscription($id: ID!) { bulkImportProgress(id: $id) { id errors(first: 1) { nodes { row } } } }",
    "a report": "subscription($id: ID!) { bulkImportProgress(id: $id) { id errorReport { url } } }",
    "a choice": "subscription($id: ID!, $s: Boolean = true) { bulkImportProgress(id: $id) { id status @include(if: $s) } }",
    "a chosen fragment": "subscription($id: ID!) { bulkImportProgress(id: $id) { id ... @skip(if: false) { status } } }",
    "an interface": "subscription($id: ID!) { bulkImportProgress(id: $id) { ... on Node { id } } }",
}


@pytest_asyncio.fixture(autouse=True)
async def _models() -> AsyncIterator[None]:
    """Stored shapes can be made only once Beanie knows a database."""
    async with mock_mongo():
        yield


class Imports:
    """Imports that were made up: each watcher is shown the same records, and problems are told to whoever asks."""

    def __init__(self, records: list[BulkImport]) -> None:
        self._records = records
        self.asked: list[str] = []

    async def watch(self, _viewer: Principal, _id: str) -> AsyncIterator[BulkImport]:
        for record in self._records:
            yield record

    watch_all = watch

    async def error_report(self, *_: object) -> None:
        return None

    async def errors(self, viewer: Principal, *_: object) -> Page[Any]:
        self.asked.append(viewer.subject)
        return Page([], has_next=False, has_previous=False)


def record(version: int = 1) -> BulkImport:
    return BulkImport(
        id=new_id(IdKind.BULK_IMPORT),
        seller_id="acme",
        version=version,
        status=BulkImportStatus.RUNNING,
        mode=BulkImportMode.CREATE,
        match_by=BulkImportMatch.EXTERNAL_ID,
        validation=BulkImportValidation.LENIENT,
        dry_run=False,
        file_name=f'Kündinnen "{version}" 李.csv',
        source=SourceObject(key="k", size=1_000),
        failure=StoredFailure(code=ErrorCode.INVALID_CSV, message="Zeile 1: \u2028"),
        requested_by="operator:ada",
        upload_expires_at=AT + timedelta(days=1),
        created_at=AT,
        updated_at=AT,
        started_at=AT,
    )


async def watch(schema: Any, document: str, imports: Imports, viewer: Principal = ADA) -> list[ExecutionResult]:
    services = cast("Services", SimpleNamespace(bulk_imports=imports))
    context = Context(services, request_id="r-1", principal=viewer)
    stream = await schema.stream(document, variable_values={"id": new_id(IdKind.BULK_IMPORT)}, context_value=context)
    results = [result async for result in stream]
    assert [] == [result.errors for result in results if result.errors]
    return results


def sent(result: ExecutionResult) -> bytes:
    """Return what goes to a client, but for what the answer cost, which is each caller's own."""
    result.extensions = None
    return orjson.dumps(written(body_of(result)))


@pytest.mark.parametrize("document", PLAIN.values(), ids=PLAIN)
async def test_watchers_of_the_same_are_sent_the_same_bytes_made_once(document: str) -> None:
    schema = build_schema()
    records = [record(1), record(2), record(3)]

    mine = await watch(schema, document, Imports(records))
    theirs = await watch(schema, document, Imports(records), BOB)

    assert [SharedData] * 3 == [type(result.data) for result in mine]
    assert all(one.data is other.data for one, other in zip(mine, theirs, strict=True))
    assert [sent(one) for one in mine] == [sent(one) for one in theirs]
    assert 3 == len({sent(one) for one in mine})
    assert [orjson.dumps({"data": dict(one.data or {})}) for one in mine] == [sent(one) for one in mine]


@pytest.mark.parametrize("document", PLAIN.values(), ids=PLAIN)
async def test_what_is_shared_is_what_each_would_have_been_sent_alone(document: str, monkeypatch: pytest.MonkeyPatch) -> None:
    schema, some = build_schema(), [record()]
    (first,) = await watch(schema, document, Imports(some))
    (shared,) = await watch(schema, document, Imports(some))
    monkeypatch.setattr("app.graphql.shared_events._is_plain", lambda _: False)

    (alone,) = await watch(build_schema(), document, Imports(some), BOB)

    assert dict is type(alone.data)
    assert sent(first) == sent(shared) == sent(alone)


@pytest.mark.parametrize("document", OTHERWISE.values(), ids=OTHERWISE)
async def test_what_may_differ_is_made_for_each_watcher(document: str) -> None:
    schema, imports = build_schema(), Imports([record()])

    (mine,) = await watch(schema, document, imports)
    (theirs,) = await watch(schema, document, imports, BOB)

    assert [dict, dict] == [type(mine.data), type(theirs.data)]
    assert mine.data == theirs.data
    assert mine.data is not theirs.data
    assert imports.asked == (["ada", "bob"] if "errors" in document else [])


async def test_two_ways_to_watch_one_change_do_not_meet() -> None:
    schema, some = build_schema(), [record()]
    other = PLAIN["leaves"].replace("id status", "status id")

    (one,) = await watch(schema, PLAIN["leaves"], Imports(some))
    (two,) = await watch(schema, other, Imports(some))

    assert ["id", "status"] == list(one.data["bulkImportProgress"])[:2]  # type: ignore[index]  # it has data
    assert ["status", "id"] == list(two.data["bulkImportProgress"])[:2]  # type: ignore[index]  # as above
