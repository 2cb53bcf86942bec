"""Files of documents are looked through for malware: a chore of the workers, over all sellers.

Safe to do twice and in several processes at once. A file is claimed for a while; whoever dies in the middle leaves it to the
next one, and until then it has no verdict, so that nobody can read it.
"""

from contextlib import aclosing
from datetime import timedelta

import structlog
from prometheus_client import Counter

from core.clock import Clock
from core.errors import Unavailable
from core.files import ObjectChanged, ObjectMissing, ObjectTruncated
from core.scanning import ScanFailed
from core.tenancy import Tenant
from core.vocabulary import DocumentRejectionReason, DocumentStatus, ScanVerdict
from models.document import Document, FileScan, StoredFile
from repositories.file_scan import FileScans
from repositories.unit_of_work import Repositories, UnitOfWork
from services.document_changes import DocumentChanges
from services.ports import FileScanner, ObjectStore
from services.rules.rejection import SENTENCES
from services.uploads import MOST_FAILURES, upload_key_of

_log = structlog.get_logger(__name__)

ACTOR = "system:scan"
"""How the history names this chore."""

PATIENCE = timedelta(minutes=5)
"""How long whoever took a file has for it, and so how soon another one tries after a crash. 10 MiB take seconds."""

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=6)
"""Pauses after a scan that failed because of the file: doubling from the first to the longest."""

_SCANS = Counter(
    "document_scans_total", "Files that were given to the malware scanner: clean, infected, failed, unavailable.", ["outcome"]
)


class DocumentScans:
    """Gives files to a *scanner*, and removes those that carry malware."""

    def __init__(
        self, units: UnitOfWork, changes: DocumentChanges, store: ObjectStore, scanner: FileScanner, clock: Clock
    ) -> None:
        self._units = units
        self._changes = changes
        self._store = store
        self._scanner = scanner
        self._clock = clock

    async def sweep(self) -> bool:
        """Look after one file. Say whether there was any.

        Raises:
            Unavailable: the scanner, the store or the database did not answer; the file is due again in half a minute.
        """
        if await self._remove_one():
            return True
        document = await FileScans().claim(self._clock.now(), PATIENCE)
        if document is None or document.file is None:
            return False
        try:
            scan = await self._look_through(document.file)
        except Unavailable:
            _SCANS.labels("unavailable").inc()
            # Behind the others: should it be this file that the scanner falls over, they have their turn first.
            before = (document.file.scan or FileScan()).model_copy(update={"due_at": self._clock.now() + FIRST_RETRY})
            await FileScans().settle(document.id, document.file, before)
            raise
        if scan.verdict is ScanVerdict.INFECTED:
            await self._reject(document, document.file, scan)
        else:
            await FileScans().settle(document.id, document.file, scan)
        _SCANS.labels("failed" if scan.verdict is None else scan.verdict.lower()).inc()
        return True

    async def _look_through(self, file: StoredFile) -> FileScan:
        """Return what the scanner says of a file.

        Raises:
            Unavailable: it, or the store, says nothing.
        """
        try:
            finding = await self._finding(file.key)
        except (ScanFailed, ObjectMissing, ObjectChanged, ObjectTruncated) as error:
            failures = (file.scan or FileScan()).failures + 1
            _log.warning(
                "document.scan_failed", key=file.key, failures=failures, for_now=failures < MOST_FAILURES, reason=str(error)
            )
            pause = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(failures - 1, 16))
            return FileScan(failures=failures, due_at=self._clock.now() + pause)
        now = self._clock.now()
        if finding is None:
            return FileScan(verdict=ScanVerdict.CLEAN, scanned_at=now)
        return FileScan(verdict=ScanVerdict.INFECTED, finding=finding, scanned_at=now, due_at=now)

    async def _finding(self, key: str) -> str | None:
        found = await self._store.describe(key)
        if found is None:
            raise ObjectMissing(f"There is no object {key!r}.")
        async with aclosing(self._store.read(key, etag=found.etag)) as chunks:
            return await self._scanner.scan(chunks)

    async def _reject(self, found: Document, file: StoredFile, scan: FileScan) -> None:
        """Reject a document for its file. The file itself goes next; whoever is killed in between leaves that to others."""

        async def body(work: Repositories) -> bool:
            document = await work.documents.get(found.id)
            if document is None or document.file is None or document.file.key != file.key:
                return False  # gone, or replaced, and its object with it
            if document.file.scan is not None and document.file.scan.verdict is ScanVerdict.INFECTED:
                return False
            infected = document.file.model_copy(update={"scan": scan})
            values = {
                "file": infected.model_dump(exclude_none=True),
                "status": DocumentStatus.REJECTED,
                "rejection_code": DocumentRejectionReason.MALWARE,
                "rejection_reason": SENTENCES[DocumentRejectionReason.MALWARE],
            }
            await self._changes.write(work, ACTOR, document, values)
            return True

        if await self._units.run(Tenant(found.seller_id), body, turn=found.customer_id):
            _log.warning("document.infected", document_id=found.id, seller=found.seller_id, finding=scan.finding)

    async def _remove_one(self) -> bool:
        """Remove an infected file from the store: what was accepted, and what was uploaded, should it still lie there."""
        document = await FileScans().claim_infected(self._clock.now(), PATIENCE)
        if document is None or document.file is None or document.file.scan is None:
            return False
        for key in (document.file.key, upload_key_of(document.file)):
            await self._store.delete(key)
        await FileScans().settle(document.id, document.file, document.file.scan.model_copy(update={"due_at": None}))
        _log.info("document.infected_file_removed", document_id=document.id)
        return True
