"""Exports of everything about a customer: one at a time, for whom, by workers that may die, and until an erasure."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import bson
import pytest

from app.container import Container, build_exports, export_worker, housekeeping
from auth.principal import CUSTOMER_SCOPES, OPERATOR_SCOPES, Scope
from core.errors import Unavailable
from core.ids import IdKind, new_id
from core.tenancy import Tenant
from infra.multipart import PART_BYTES
from repositories.unit_of_work import Repositories
from services.archive_contents import archive_folder_of
from services.data_export import MOST_A_DAY
from services.data_export_work import ATTEMPTS
from services.erased_files import ErasedFiles
from services.ports import ObjectWriter
from tests.api import Api, Tokens, codes, fresh
from tests.exports import LINK, LIST, Desk
from tests.graphql.operations import create, payload
from tests.graphql.test_erase import erased, filed
from tests.graphql.test_merge import MERGE
from tests.services.test_leftovers import Empty, search


@pytest.fixture(name="desk")
def _desk(execute: Api, container: Container, tokens: Tokens, seller: str) -> Desk:
    token = tokens.operator(seller, OPERATOR_SCOPES | {Scope.PRIVACY_EXPORT, Scope.DOCUMENTS_READ_FULL})
    return Desk(execute, container, token)


# ------------------------------------------------------------------------- one at a time


async def test_whoever_asks_again_is_answered_with_the_one_under_way(desk: Desk, tokens: Tokens, seller: str) -> None:
    customer = await create(desk.execute)

    answers = await asyncio.gather(*(desk.ask(customer["id"]) for _ in range(8)))
    own = await desk.ask(customer["id"], tokens.customer(customer["id"], seller))

    assert [[]] * 8 == [one["userErrors"] for one in answers]
    assert 1 == len({one["dataExport"]["id"] for one in [*answers, own]})
    assert (1, False) == ([one["created"] for one in answers].count(True), own["created"])
    assert 1 == await desk.container.mongo.database["data_exports"].count_documents({"customer_id": customer["id"]})


async def test_the_database_itself_allows_one_at_a_time(desk: Desk, seller: str) -> None:
    customer = await create(desk.execute)
    first = await desk.asked(customer["id"])
    stored = await desk.container.mongo.database["data_exports"].find_one({"_id": first}) or {}

    with pytest.raises(Exception, match="unique_in_flight"):
        await desk.container.mongo.database["data_exports"].insert_one({**stored, "_id": new_id(IdKind.DATA_EXPORT)})


async def test_a_later_one_takes_the_place_of_the_archive_before(desk: Desk, seller: str) -> None:
    customer = await create(desk.execute)
    first, _ = await desk.made(customer["id"])
    second, _ = await desk.made(customer["id"])

    while await desk.work().sweep():
        pass

    listed = (await desk.execute.data(LIST, {"id": customer["id"]}, as_=desk.token))["customer"]["dataExports"]
    assert [(second["id"], "READY"), (first["id"], "EXPIRED")] == [(one["id"], one["status"]) for one in listed]
    assert 1 == len(await desk.objects(seller, customer["id"]))
    assert await desk.url(first["id"]) is None


async def test_no_customer_is_exported_all_day_long(desk: Desk) -> None:
    customer = await create(desk.execute)
    database = desk.container.mongo.database
    for _ in range(MOST_A_DAY):
        export = await desk.asked(customer["id"])
        await database["data_exports"].update_one({"_id": export}, {"$set": {"status": "EXPIRED"}})

    refused = await desk.ask(customer["id"])

    assert [("TOO_MANY", ["id"])] == codes(refused)
    assert MOST_A_DAY == await database["data_exports"].count_documents({"customer_id": customer["id"]})


# ------------------------------------------------------------------------------ who may


async def test_staff_fetches_numbers_in_full_only_with_the_scope_for_them(desk: Desk, tokens: Tokens, seller: str) -> None:
    customer = await create(desk.execute)
    export, _ = await desk.made(customer["id"])
    may_ask = tokens.operator(seller, OPERATOR_SCOPES | {Scope.PRIVACY_EXPORT})

    assert "READY" == (await desk.read(export["id"], may_ask))["status"]
    assert "FORBIDDEN" == await desk.execute.code(LINK, {"id": export["id"]}, as_=may_ask)
    assert Scope.DOCUMENTS_READ_FULL not in CUSTOMER_SCOPES
    assert await desk.url(export["id"], tokens.customer(customer["id"], seller)) is not None


async def test_a_link_is_a_read_of_numbers_and_files_in_the_history(desk: Desk) -> None:
    customer = await create(desk.execute)
    document, _, _ = await filed(desk.execute, customer["id"], number="X1234567")
    await desk.made(customer["id"])

    reads = [
        one["reads"] async for one in desk.container.mongo.database["customer_accesses"].find({"customer_id": customer["id"]})
    ]

    by_export = [[{"document_id": document, "part": part}] for part in ("NUMBER", "FILE")]
    assert by_export == reads[-2:]


async def test_others_and_the_erased_are_not_found(desk: Desk, tokens: Tokens) -> None:
    theirs = tokens.operator(fresh("seller"), set(Scope))
    foreign = await create(desk.execute, as_=theirs)
    export = await desk.asked(foreign["id"], theirs)
    gone = await create(desk.execute)
    await erased(desk.execute, gone["id"])
    me, other = await create(desk.execute), await create(desk.execute)

    answers = [await desk.ask(id_) for id_ in (foreign["id"], gone["id"], new_id(IdKind.CUSTOMER), "x")]
    answers.append(await desk.ask(other["id"], tokens.customer(me["id"], me["sellerId"])))

    assert [[("NOT_FOUND", ["id"])]] * 5 == [codes(one) for one in answers]
    assert (None, None) == (await desk.read(export), await desk.read("exp_1"))
    left = {"customer_id": {"$in": [gone["id"], other["id"]]}}
    assert 0 == await desk.container.mongo.database["data_exports"].count_documents(left)


# ------------------------------------------------------------------------------- the work


async def test_a_worker_that_died_is_replaced_and_leaves_nothing_behind(desk: Desk, seller: str) -> None:
    """
    Killed in the middle of its upload: its lease runs out, another one begins anew, and the parts it had sent are removed.
    """
    customer = await create(desk.execute)
    await filed(desk.execute, customer["id"])
    export = await desk.asked(customer["id"])
    dead = await desk.work()._jobs.claim(desk.clock.now(), timedelta(minutes=1))
    while dead is not None and dead.id != export:
        dead = await desk.work()._jobs.claim(desk.clock.now(), timedelta(minutes=1))
    store, bucket = desk.container.store, desk.container.settings.aws.s3.bucket
    key = f"{archive_folder_of(seller, customer['id'])}{export}/1.zip"
    begun = await store._client.create_multipart_upload(Bucket=bucket, Key=key, ContentType="application/zip")
    await store._client.upload_part(Bucket=bucket, Key=key, UploadId=begun["UploadId"], PartNumber=1, Body=b"x" * PART_BYTES)

    assert "RUNNING" == (await desk.read(export))["status"]
    desk.clock.advance(minutes=2)
    await desk.until_made(export)

    assert "READY" == (await desk.read(export))["status"]
    assert [f"{archive_folder_of(seller, customer['id'])}{export}/2.zip"] == await desk.objects(seller, customer["id"])
    unfinished = await store._client.list_multipart_uploads(Bucket=bucket, Prefix=key)
    assert [] == [one["Key"] for one in unfinished.get("Uploads", [])]


class Slow:
    """An object store in which the archive of one export waits for a sign before its first byte is taken."""

    def __init__(self, store: Any, export: str) -> None:
        self._store = store
        self._export = export
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, key: str, *, content_type: str) -> Any:
        writing = self._store.write(key, content_type=content_type)
        return _Held(self, writing) if self._export in key else writing


class _Held:
    def __init__(self, slow: Slow, inner: Any) -> None:
        self._slow, self._inner = slow, inner

    async def __aenter__(self) -> ObjectWriter:
        writer: ObjectWriter = await self._inner.__aenter__()
        self._slow.begun.set()
        await self._slow.go.wait()
        return writer

    async def __aexit__(self, *error: object) -> None:
        await self._inner.__aexit__(*error)


async def test_one_that_was_taken_for_dead_spoils_nothing(desk: Desk, seller: str) -> None:
    customer = await create(desk.execute)
    export = await desk.asked(customer["id"])
    slow = Slow(desk.container.store, export)
    frozen = asyncio.create_task(until_begun(desk, slow))
    await slow.begun.wait()
    desk.clock.advance(minutes=2)
    await desk.until_made(export)
    made = await desk.read(export)

    slow.go.set()
    await frozen

    assert made == await desk.read(export)
    assert [f"{archive_folder_of(seller, customer['id'])}{export}/2.zip"] == await desk.objects(seller, customer["id"])


async def until_begun(desk: Desk, slow: Slow) -> None:
    """Make exports with a slow store, whoever's they are, until one has been written."""
    while not slow.begun.is_set():
        await desk.work(slow).step()


async def test_a_worker_that_is_told_to_stop_leaves_it_to_others_at_once(desk: Desk) -> None:
    customer = await create(desk.execute)
    export = await desk.asked(customer["id"])
    slow = Slow(desk.container.store, export)
    working = asyncio.create_task(until_begun(desk, slow))
    await slow.begun.wait()

    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    assert "QUEUED" == (await desk.read(export))["status"]
    await desk.until_made(export)


class Away:
    """An object store that does not answer when an archive is to be written."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, key: str, *, content_type: str) -> Any:
        raise Unavailable("The object store did not answer as it should. Try again in a moment.")


async def test_what_fails_again_and_again_is_given_up(desk: Desk, seller: str) -> None:
    customer = await create(desk.execute)
    export = await desk.asked(customer["id"])
    seen = []

    for _ in range(ATTEMPTS):
        while (await desk.read(export))["status"] == "QUEUED" and await desk.work(Away(desk.container.store)).step():
            pass
        seen.append((await desk.read(export))["status"])
        desk.clock.advance(minutes=20)

    assert ["QUEUED"] * (ATTEMPTS - 1) + ["FAILED"] == seen
    assert [] == await desk.objects(seller, customer["id"])
    assert (await desk.ask(customer["id"]))["created"]


async def test_archives_go_when_their_time_is_over(desk: Desk, seller: str) -> None:
    customer = await create(desk.execute)
    export, _ = await desk.made(customer["id"])
    made = datetime.fromisoformat(export["finishedAt"])
    assert timedelta(days=7) == datetime.fromisoformat(export["expiresAt"]) - made

    desk.clock.advance(days=7, minutes=1)
    while await desk.work().sweep():
        pass

    assert "EXPIRED" == (await desk.read(export["id"]))["status"]
    assert [] == await desk.objects(seller, customer["id"])
    assert await desk.url(export["id"]) is None


def test_every_worker_does_this(container: Container) -> None:
    assert "DataExportWork.sweep" in {getattr(chore, "__qualname__", "") for chore, _ in housekeeping(container)._chores}
    assert "DataExportWork.step" == getattr(export_worker(container)._step, "__qualname__", "")
    assert timedelta(days=7) == build_exports(container)._rules.lifetime


# --------------------------------------------------------------------------- and erasure


async def left_of(container: Container, *words: str) -> set[str]:
    """Return where any of *words* is in the database."""
    found = set()
    for name in await container.mongo.database.list_collection_names():
        async for stored in container.mongo.database[name].find({}):
            if any(word.encode() in bson.encode(stored) for word in words):
                found.add(name)
    return found


async def test_an_erasure_takes_exports_and_archives_along(desk: Desk, seller: str) -> None:
    customer = await create(desk.execute)
    export, _ = await desk.made(customer["id"])
    waiting = await desk.asked(customer["id"])
    # The search for what is left of somebody sees into archives.
    assert {"bucket", "customers"} <= {one.where for one in await search(desk.container, seller, [customer["email"]], Empty())}

    await erased(desk.execute, customer["id"])

    assert (None, None) == (await desk.read(export["id"]), await desk.read(waiting))
    assert set() == await left_of(desk.container, export["id"], waiting)
    assert [] == await search(desk.container, seller, [customer["email"]], Empty())
    assert [] == await desk.objects(seller, customer["id"])


async def test_an_archive_that_is_written_during_an_erasure_is_nobodys(desk: Desk, seller: str) -> None:
    """
    The worker has read everything by then, and writes it afterwards.
    """
    customer = await create(desk.execute)
    export = await desk.asked(customer["id"])
    slow = Slow(desk.container.store, export)
    working = asyncio.create_task(until_begun(desk, slow))
    await slow.begun.wait()

    await erased(desk.execute, customer["id"])
    slow.go.set()
    await working
    note = ErasedFiles(desk.container.store, desk.clock, desk.container.rules.sealer)
    desk.clock.advance(minutes=20)
    while await note.sweep():
        pass

    assert [] == await desk.objects(seller, customer["id"])
    assert 0 == await desk.container.mongo.database["data_exports"].count_documents({"customer_id": customer["id"]})


async def test_one_that_is_under_way_is_broken_off_by_an_erasure(desk: Desk, seller: str) -> None:
    """
    It is not written to its end first: the worker looks whether it is still its own meanwhile, and finds none.
    """
    customer = await create(desk.execute)
    export = await desk.asked(customer["id"])
    slow = Slow(desk.container.store, export)

    async def until_begun_briefly() -> None:
        while not slow.begun.is_set():
            await desk.work(slow, look=timedelta(milliseconds=50)).step()

    working = asyncio.create_task(until_begun_briefly())
    await slow.begun.wait()
    await erased(desk.execute, customer["id"])

    async with asyncio.timeout(60):
        await working  # although nobody lets it go on

    assert not slow.go.is_set()
    assert [] == await desk.objects(seller, customer["id"])


async def test_merging_and_exporting_meet_in_one_record(desk: Desk, seller: str) -> None:
    """
    What was asked for of one that is merged away is destroyed with the one that is left.
    """
    gone, into = await create(desk.execute), await create(desk.execute)
    await desk.made(gone["id"])
    await payload(desk.execute, MERGE, {"into": into["id"], "from": gone["id"]})

    await erased(desk.execute, into["id"])

    assert [] == await desk.objects(seller, gone["id"])
    assert [] == await Repositories(Tenant(seller)).data_exports.of_customer(seller, gone["id"])
