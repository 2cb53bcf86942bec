"""Files that have been kept for long enough: those of documents, and what is stored of imports."""

from contextlib import aclosing
from datetime import datetime

from core.tenancy import Tenant
from models.bulk_import import BulkImport
from models.erasure import Erasure
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_lookup import require_customer
from services.document_changes import DocumentChanges
from services.erased_files import RETRY, ErasedFiles
from services.import_references import folder_of
from services.legal_hold import require_no_hold
from services.ports import ObjectStore


class RetiredFiles:
    """Removes files; *actor* is how the history names who does it."""

    def __init__(self, units: UnitOfWork, changes: DocumentChanges, files: ErasedFiles, store: ObjectStore, actor: str) -> None:
        self._units = units
        self._changes = changes
        self._files = files
        self._store = store
        self._actor = actor

    async def remove_file(self, seller_id: str, document_id: str, since: datetime, now: datetime) -> bool:
        """Remove the file of a document that is still as it was at *since*; the document stays, and says when its file went.

        With the change a note is stored, so that the file goes whatever becomes of this process.

        Raises:
            Refused: LEGAL_HOLD; NOT_FOUND when the customer was deleted meanwhile.
        """

        async def body(work: Repositories) -> Erasure | None:
            document = await work.documents.get(document_id)
            if document is None or document.file is None or document.upload is not None or document.updated_at != since:
                return None
            await require_no_hold(work, await require_customer(work, document.customer_id))
            await self._changes.write(work, self._actor, document, {"file": None, "file_removed_at": now})
            key = document.file.key
            note = Erasure(id=key, seller_id=seller_id, prefixes=[], keys=[key], due_at=now + RETRY, until=now)
            await work.remains.note(note)
            return note

        note = await self._units.run(Tenant(seller_id), body)
        if note is not None:
            await self._files.remove_now(note)
        return note is not None

    async def remove_import(self, seller_id: str, import_id: str, now: datetime) -> bool:
        """Remove what is stored of an import besides its figures: its file, both reports, refused rows and remarks about rows.

        First it names its reports no more, so that nobody begins to read them; whoever has begun is left the files, which are
        for the next round then. It is marked last: what dies in between begins again.

        Raises:
            Unavailable: the store or the database did not answer.
        """
        work = Repositories(Tenant(seller_id))
        record = await work.bulk_imports.get(import_id)
        if record is None or record.content_removed_at is not None or await work.retained.is_read(record):
            return False
        withdrawn = await work.retained.withdraw_reports(record, now)
        if withdrawn is None or await work.retained.is_read(record):
            return False
        while await work.retained.remove_rows(import_id):
            pass
        folder = f"{folder_of(seller_id)}{import_id}/"
        async with aclosing(self._store.pages(folder)) as pages:
            async for keys in pages:
                for key in keys:
                    await self._store.delete(key)
        await self._remove_named(record, folder)
        return await work.retained.mark_removed(withdrawn, now)

    async def _remove_named(self, record: BulkImport, folder: str) -> None:
        """Remove a source that lies elsewhere, because another system had put it there: this very file, and no later one."""
        source = record.source
        if source.etag is None or source.key.startswith(folder):
            return
        found = await self._store.describe(source.key)
        if found is not None and found.etag == source.etag:
            await self._store.delete(source.key)
