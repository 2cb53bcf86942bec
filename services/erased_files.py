"""Files that notes tell of, those of erased customers above all: removed from the object store, however often it takes."""

import asyncio
from contextlib import aclosing
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.errors import ServiceError
from core.sealing import Sealer
from core.tenancy import Tenant
from models.document import Document
from models.erasure import Erasure
from repositories.erasure import ErasureNotes
from repositories.unit_of_work import Repositories
from services.archive_contents import archive_folder_of
from services.erasure_receipts import signed
from services.ports import ObjectStore
from services.uploads import UPLOAD_LIFETIME, folder_of

_log = structlog.get_logger("erasure")

LAST_LOOK = UPLOAD_LIFETIME + timedelta(minutes=5)
"""When after an erasure nobody can upload a file any more: links hold for ten minutes, and an upload that has begun ends."""

RETRY = timedelta(minutes=1)
"""How long whoever took a note has for it, and so how soon another one tries after a failure."""

AT_ONCE = 3.0
"""Seconds that the caller of an erasure waits for the files; what is left then is for the worker."""


class ErasedFiles:
    """Removes the files that notes tell of. Doing it twice, or at once, changes nothing."""

    def __init__(self, store: ObjectStore, clock: Clock, sealer: Sealer) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer

    def note(self, seller_id: str, customers: list[str], documents: list[Document], at: datetime) -> Erasure:
        """Return the note about the files of *customers*, the one that was asked for in front, who had *documents*."""
        folders = [of(seller_id, customer_id) for customer_id in customers for of in (folder_of, archive_folder_of)]
        stored = [one.key for document in documents for one in (document.file, document.upload) if one is not None]
        # A document that came from another customer has its file in that one's folder.
        elsewhere = [key for key in stored if not key.startswith(tuple(folders))]
        return Erasure(
            id=customers[0], seller_id=seller_id, prefixes=folders, keys=elsewhere, due_at=at + RETRY, until=at + LAST_LOOK
        )

    async def remove_now(self, note: Erasure) -> None:
        """Remove the files of a note that was just written, if the store answers in time; otherwise leave them to `sweep`."""
        try:
            async with asyncio.timeout(AT_ONCE):
                await self._deal_with(note)
        except (ServiceError, TimeoutError) as error:
            reason = str(error) or f"There was no answer within {AT_ONCE:g} seconds."
            _log.warning("files that have to go wait for the worker", of=note.id, reason=reason)

    async def sweep(self) -> bool:
        """Remove the files of the note that is due longest; say whether there was one.

        Raises:
            Unavailable: the store or the database did not answer; the note is due again in a minute.
        """
        note = await ErasureNotes().claim(self._clock.now(), RETRY)
        if note is None:
            return False
        await self._deal_with(note)
        return True

    async def _deal_with(self, note: Erasure) -> None:
        # Asked before: a file that arrives while the store is looked through is for the next look.
        last = self._clock.now() >= note.until
        for key in note.keys:
            await self._store.delete(key)
        removed = len(note.keys)
        for folder in note.prefixes:
            removed += await self._clear(note.seller_id, folder)
        await self._confirm(note, removed, last=last)
        if last:
            await ErasureNotes().forget(note)
        else:
            await ErasureNotes().put_off(note, note.until)
        _log.info("files were removed", of=note.id, files=removed, for_good=last)

    async def _confirm(self, note: Erasure, removed: int, *, last: bool) -> None:
        """Let the receipt of the erasure say what became of the files."""
        receipt = await ErasureNotes().receipt(note.id)
        if receipt is not None and (removed or last):
            told = {"files": receipt.files + removed, "files_gone_at": self._clock.now() if last else None}
            await ErasureNotes().complete(signed(receipt.model_copy(update=told), self._sealer))

    async def _clear(self, seller_id: str, folder: str) -> int:
        """Remove what lies in a folder, but for files of documents that belong to somebody else by now."""
        remains = Repositories(Tenant(seller_id)).remains
        removed = 0
        await self._store.forget_unfinished(folder)
        async with aclosing(self._store.pages(folder)) as pages:
            async for keys in pages:
                owners = {key: key.removeprefix(folder).partition("/")[0] for key in keys}
                moved = await remains.existing_documents(set(owners.values()))
                for key, document_id in owners.items():
                    if document_id not in moved:
                        await self._store.delete(key)
                        removed += 1
        return removed
