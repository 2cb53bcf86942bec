"""Nobody reads a file before the malware scanner has found nothing in it; what it finds goes, and is told.

The scanner is the embedded one, over a real socket. Scans reach over all sellers, so that files of other tests get their
verdict first.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import pytest_asyncio

from app.container import Container, housekeeping, measurements
from core.errors import Unavailable
from core.scanning import ScanFailed
from infra.clamd import Clamd, ClamdAddress
from repositories.unit_of_work import UnitOfWork
from services.document_changes import DocumentChanges
from services.document_scan import FIRST_RETRY, PATIENCE, DocumentScans
from services.ports import FileScanner
from services.uploads import MOST_FAILURES
from tests.api import Api, Json, Tokens, codes
from tests.clocks import MovableClock
from tests.graphql.operations import (
    COMPLETE,
    CREATE_DOCUMENT,
    PDF,
    REVIEW,
    announced,
    create,
    events,
    fetch,
    payload,
    send,
)
from tests.scanner import INFECTED_PDF, embedded_scanner

LOOK = """query ($id: ID!) { document(id: $id) { id customerId status version rejectionCode rejectionReason
  scan { verdict finding scannedAt } file { name size download { url } } } }"""
LINK = "query ($id: ID!) { document(id: $id) { id file { downloadUrl } } }"
LINK_ENDS = "query ($id: ID!) { document(id: $id) { id file { downloadUrlExpiresAt } } }"
OF_CUSTOMER = "query ($id: ID!) { customer(id: $id) { documents { file { downloadUrl } } } }"
WITH_CODE = """mutation ($id: ID!, $code: DocumentRejectionReason) { reviewDocument(
  id: $id, approve: false, reasonCode: $code) { document { status rejectionCode } userErrors { code field } } }"""


class Killed(BaseException):
    """As by a signal: nothing that is meant for errors takes notice."""


@dataclass
class Scanning:
    """The service as it is with a scanner, and its chore, whose clock tests can move."""

    container: Container
    scanner: FileScanner
    clock: MovableClock = field(default_factory=MovableClock)

    def chore(self, scanner: FileScanner | None = None, units: UnitOfWork | None = None) -> DocumentScans:
        """Return the chore of one worker."""
        changes = DocumentChanges(self.container.rules.records, self.clock)
        store = self.container.store
        return DocumentScans(units or self.container.units, changes, store, scanner or self.scanner, self.clock)

    async def stored(self, document: str) -> Any:
        """Return a document as it is stored."""
        return await self.container.mongo.database["documents"].find_one({"_id": document})

    async def objects(self, document: str) -> list[str]:
        """Return the keys of what lies in the bucket for a document."""
        found = await self.stored(document)
        folder = f"documents/{found['seller_id']}/{found['customer_id']}/{document}/"
        return [key async for keys in self.container.store.pages(folder) for key in keys]


class Answers:
    """A scanner that answers every file alike; an exception is raised."""

    def __init__(self, answer: str | BaseException | None) -> None:
        self.answer = answer

    async def scan(self, chunks: Any) -> str | None:
        """Answer."""
        async for _ in chunks:
            pass
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest_asyncio.fixture(scope="module", name="address")
async def _address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClamdAddress]:
    async with embedded_scanner(tmp_path_factory.mktemp("clamd") / "log") as address:
        yield address


@pytest_asyncio.fixture(name="scanning")
async def _scanning(container: Container, address: ClamdAddress, monkeypatch: pytest.MonkeyPatch) -> Scanning:
    services = container.services
    for one in (services.documents, services.document_reviews):
        monkeypatch.setattr(one._files, "_scanning", True)
    clean = {"$set": {"file.scan.verdict": "CLEAN"}, "$unset": {"file.scan.due_at": ""}}
    await container.mongo.database["documents"].update_many({"file.key": {"$exists": True}}, clean)
    return Scanning(container, Clamd(address, within=30))


async def uploaded(execute: Api, content: bytes = PDF) -> str:
    """Let a new customer file a passport with this file; return the document's id."""
    customer = await create(execute)
    given = {"type": "PASSPORT", "file": announced(content)}
    made = await payload(execute, CREATE_DOCUMENT, {"customer": customer["id"], "input": given})
    return await sent(execute, made, content)


async def sent(execute: Api, made: Json, content: bytes) -> str:
    await send(made["upload"], content)
    id_: str = made["document"]["id"]
    bare = "mutation($id: ID!) { completeDocumentUpload(id: $id) { document { scan { verdict } } userErrors { code } } }"
    completed = await payload(execute, bare, {"id": id_})
    assert ([], "PENDING") == (completed["userErrors"], completed["document"]["scan"]["verdict"])
    return id_


async def look(execute: Api, document: str, as_: str = "") -> Json:
    found: Json = (await execute.data(LOOK, {"id": document}, as_=as_))["document"]
    return found


async def every_way_to_a_link(execute: Api, document: str, *callers: str) -> list[object]:
    """Return what each way to a file's link comes to, for each caller: a link, None, or the code of an error."""
    customer = (await look(execute, document))["customerId"]
    found: list[object] = []
    for as_ in callers:
        file = (await look(execute, document, as_))["file"]
        found.append(file and file["download"] and file["download"]["url"])
        for query, id_ in ((LINK, document), (LINK_ENDS, document), (OF_CUSTOMER, customer)):
            answer = await execute(query, {"id": id_}, as_=as_)
            found += [error["extensions"]["code"] for error in answer.get("errors", [])] or ["a link"]
            if "errors" in answer:
                assert "X-Amz-Signature" not in str(answer)
        own = {"authorization": f"Bearer {as_}"} if as_ else execute.headers()
        told = (await execute.http.get(f"/api/v1/customer/{customer}", headers=own)).text
        assert "X-Amz-Signature" not in told
    return found


WITHHELD = [None, "FILE_WITHHELD", "FILE_WITHHELD", "FILE_WITHHELD"]


async def test_malware_never_gets_a_link_is_removed_and_told(
    execute: Api, scanning: Scanning, tokens: Tokens, seller: str
) -> None:
    document = await uploaded(execute, INFECTED_PDF)
    customer = (await look(execute, document))["customerId"]
    callers = [tokens.operator(seller), tokens.service(), tokens.customer(customer, seller)]
    before = await events(execute, customer)
    assert 1 == len(await scanning.objects(document))

    assert WITHHELD * 3 == await every_way_to_a_link(execute, document, *callers)
    assert await scanning.chore().sweep()
    assert WITHHELD * 3 == await every_way_to_a_link(execute, document, *callers)
    assert await scanning.chore().sweep()
    assert not await scanning.chore().sweep()

    assert WITHHELD * 3 == await every_way_to_a_link(execute, document, *callers)
    assert [] == await scanning.objects(document)
    found = await look(execute, document)
    assert ("REJECTED", "MALWARE") == (found["status"], found["rejectionCode"])
    assert "malware" in found["rejectionReason"]
    assert ("INFECTED", "Eicar-Test-Signature") == (found["scan"]["verdict"], found["scan"]["finding"])
    (told,) = (await events(execute, customer))[len(before) :]
    assert ("UPDATED", "system:scan", ["documents"]) == (told["type"], told["actor"], told["changed"])
    refused = await payload(execute, REVIEW, {"id": document, "approve": True})
    assert [("STATE", ["id"])] == codes(refused)


async def test_what_is_clean_can_be_read_and_is_no_change(execute: Api, scanning: Scanning) -> None:
    document = await uploaded(execute)
    before = await look(execute, document)
    assert ("PENDING", None) == (before["scan"]["verdict"], before["file"]["download"])

    assert await scanning.chore().sweep()
    assert not await scanning.chore().sweep()

    after = await look(execute, document)
    assert ("CLEAN", None) == (after["scan"]["verdict"], after["scan"]["finding"])
    assert after["scan"]["scannedAt"] is not None
    assert PDF == (await fetch(after["file"]["download"]["url"])).content
    assert before["version"] == after["version"]
    assert 3 == len(await events(execute, before["customerId"]))


async def test_only_what_is_clean_can_be_approved(execute: Api, scanning: Scanning) -> None:
    document = await uploaded(execute)
    before = await look(execute, document)

    refused = await execute.data(
        "mutation ($id: ID!) { reviewDocument(id: $id, approve: true) { document { id } userErrors { code field } } }",
        {"id": document},
    )
    assert {"document": None, "userErrors": [{"code": "DOCUMENT_NOT_SCANNED", "field": ["id"]}]} == refused["reviewDocument"]
    assert before == await look(execute, document)
    await scanning.chore().sweep()

    approved = await payload(execute, REVIEW, {"id": document, "approve": True})

    assert "VERIFIED" == approved["document"]["status"]


async def test_what_waits_for_the_scanner_can_be_rejected(execute: Api, scanning: Scanning) -> None:
    document = await uploaded(execute)

    rejected = await payload(execute, WITH_CODE, {"id": document, "code": "WRONG_TYPE"})

    assert {"status": "REJECTED", "rejectionCode": "WRONG_TYPE"} == rejected["document"]


async def test_another_file_is_scanned_anew(execute: Api, scanning: Scanning) -> None:
    document = await uploaded(execute, INFECTED_PDF)
    await scanning.chore().sweep()
    again = await payload(
        execute,
        "mutation($id: ID!, $file: FileFields!) { requestDocumentUpload(id: $id, file: $file) { document { id } "
        "upload { url method headers { name value } } userErrors { code } } }",
        {"id": document, "file": announced()},
    )

    await sent(execute, again, PDF)
    assert 1 == len(await scanning.objects(document))
    assert "PENDING_REVIEW" == (await look(execute, document))["status"]
    await scanning.chore().sweep()

    after = await look(execute, document)
    assert ("CLEAN", None, None) == (after["scan"]["verdict"], after["scan"]["finding"], after["rejectionCode"])


async def test_while_the_scanner_is_away_files_wait_and_nothing_is_held_against_them(execute: Api, scanning: Scanning) -> None:
    document = await uploaded(execute)

    for _ in range(MOST_FAILURES + 1):
        with pytest.raises(Unavailable):
            await scanning.chore(Answers(Unavailable("gone"))).sweep()
        assert not await scanning.chore().sweep()
        scanning.clock.advance(seconds=FIRST_RETRY.total_seconds())

    assert "PENDING" == (await look(execute, document))["scan"]["verdict"]
    assert await scanning.chore().sweep()
    assert "CLEAN" == (await look(execute, document))["scan"]["verdict"]


async def test_a_file_that_cannot_be_scanned_is_tried_again_ever_later_and_can_be_replaced(
    execute: Api, scanning: Scanning
) -> None:
    document = await uploaded(execute)
    failing = scanning.chore(Answers(ScanFailed("too odd")))
    verdicts = []
    for attempt in range(MOST_FAILURES):
        assert await failing.sweep()
        assert not await failing.sweep()
        verdicts.append((await look(execute, document))["scan"]["verdict"])
        scanning.clock.advance(seconds=FIRST_RETRY.total_seconds() * 2**attempt)

    assert ["PENDING"] * (MOST_FAILURES - 1) + ["FAILED"] == verdicts
    again = await payload(
        execute,
        "mutation($id: ID!, $file: FileFields!) { requestDocumentUpload(id: $id, file: $file) { userErrors { code } } }",
        {"id": document, "file": announced()},
    )
    assert [] == again["userErrors"]
    assert await scanning.chore().sweep()
    assert "CLEAN" == (await look(execute, document))["scan"]["verdict"]


async def test_a_file_that_is_not_there_is_never_clean(execute: Api, scanning: Scanning) -> None:
    document = await uploaded(execute)
    for key in await scanning.objects(document):
        await scanning.container.store.delete(key)

    assert await scanning.chore().sweep()

    assert "PENDING" == (await look(execute, document))["scan"]["verdict"]
    assert 1 == (await scanning.stored(document))["file"]["scan"]["failures"]


async def test_files_of_earlier_versions_are_scanned_after_those_that_somebody_waits_for(
    execute: Api, scanning: Scanning
) -> None:
    old = await uploaded(execute, INFECTED_PDF)
    new = await uploaded(execute)
    documents = scanning.container.mongo.database["documents"]
    await documents.update_one({"_id": old}, {"$unset": {"file.scan": ""}, "$set": {"status": "VERIFIED"}})
    assert WITHHELD == await every_way_to_a_link(execute, old, "")

    await scanning.chore().sweep()
    assert ("PENDING", "CLEAN") == tuple([(await look(execute, one))["scan"]["verdict"] for one in (old, new)])
    await scanning.chore().sweep()

    found = await look(execute, old)
    assert ("INFECTED", "REJECTED") == (found["scan"]["verdict"], found["status"])


@pytest.mark.parametrize("where", ["before the verdict", "before it is written", "before the file is removed"])
async def test_whoever_is_killed_leaves_the_file_to_the_next(
    execute: Api, scanning: Scanning, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    document = await uploaded(execute, INFECTED_PDF)

    async def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as death:
        victim = scanning.chore(Answers(Killed()) if where == "before the verdict" else None)
        if where == "before it is written":
            death.setattr(victim, "_reject", killed)
        if where == "before the file is removed":
            await victim.sweep()
            death.setattr(victim, "_remove_one", victim._remove_one)
            death.setattr(scanning.container.store, "delete", killed)
        with pytest.raises(Killed):
            await victim.sweep()
    assert 1 == len(await scanning.objects(document))
    assert WITHHELD == await every_way_to_a_link(execute, document, "")

    assert not await scanning.chore().sweep()
    scanning.clock.advance(seconds=PATIENCE.total_seconds())
    while await scanning.chore().sweep():
        pass

    found = await look(execute, document)
    assert ("REJECTED", "INFECTED") == (found["status"], found["scan"]["verdict"])
    assert [] == await scanning.objects(document)
    assert 4 == len(await events(execute, found["customerId"]))


async def test_of_two_workers_with_one_file_one_tells(execute: Api, scanning: Scanning) -> None:
    """
    The first one took so long that another one has taken the file meanwhile.
    """
    document = await uploaded(execute, INFECTED_PDF)
    slow, taken = asyncio.Event(), asyncio.Event()

    class Slow:
        async def scan(self, chunks: Any) -> str | None:
            async for _ in chunks:
                pass
            taken.set()
            await slow.wait()
            return "Slow"

    first = asyncio.create_task(scanning.chore(Slow()).sweep())
    await taken.wait()
    scanning.clock.advance(seconds=PATIENCE.total_seconds() + 1)
    units = UnitOfWork(scanning.container.mongo.database.client)
    while await scanning.chore(units=units).sweep():
        pass
    slow.set()
    await first

    found = await look(execute, document)
    assert "Eicar-Test-Signature" == found["scan"]["finding"]
    assert 4 == len(await events(execute, found["customerId"]))


async def test_the_worker_process_does_it_and_counts_what_waits(execute: Api, scanning: Scanning) -> None:
    document = await uploaded(execute, INFECTED_PDF)
    to = replace(scanning.container, scanner=scanning.scanner)
    assert 1 == len(measurements(to)) - len(measurements(scanning.container))
    stop = asyncio.Event()
    working = asyncio.create_task(housekeeping(to).run(stop))

    async with asyncio.timeout(30):
        while await scanning.objects(document):  # noqa: ASYNC110  nobody tells of it
            await asyncio.sleep(0.02)

    stop.set()
    await working
    assert "MALWARE" == (await look(execute, document))["rejectionCode"]


async def test_without_a_scanner_files_can_be_read_and_say_so(execute: Api, container: Container) -> None:
    customer = await create(execute)
    given = {"type": "PASSPORT", "file": announced()}
    made = await payload(execute, CREATE_DOCUMENT, {"customer": customer["id"], "input": given})
    await send(made["upload"], PDF)
    await payload(execute, COMPLETE, {"id": made["document"]["id"]})

    found = await look(execute, made["document"]["id"])

    assert {"verdict": "NOT_SCANNED", "finding": None, "scannedAt": None} == found["scan"]
    assert PDF == (await fetch(found["file"]["download"]["url"])).content
