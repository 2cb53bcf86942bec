"""Everything about a customer in one archive: the records as the map of personal data says, the files, and what is what."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog

from core.clock import Clock, rfc3339
from core.data_map import COLLECTIONS
from core.errors import Unavailable
from core.files import ObjectChanged, ObjectMissing, ObjectTruncated
from core.tenancy import Tenant
from models.customer import Customer
from models.document import Document
from repositories.unit_of_work import Repositories
from services.archive_contents import NUMBER, Withheld, file_path, given, path_of, readme
from services.customer_keys import opened_numbers
from services.ports import ObjectStore, ObjectWriter
from services.records import RecordMaker
from services.uploads import DocumentFiles
from services.zip_stream import Part, Whole, ZipStream, open_zip

_log = structlog.get_logger("data_export")

FORMAT = 1
"""Goes up when a program that reads the manifest would have to change."""

_PIECE = 64 << 10
"""Bytes of JSON that are written at once."""

_NEVER_COMPLETED = "An upload was announced and never completed, so that nobody has checked the file."
_GONE = "The file is no longer in the object store."


class NobodyThere(Exception):
    """There is no such customer, or it was erased."""


@dataclass(frozen=True, slots=True)
class Archived:
    """An archive that is complete, and what is in it."""

    whole: Whole
    parts: list[Part]
    withheld: list[Withheld]


class DataArchives:
    """Writes archives, a piece at a time. What is stored meanwhile may be in it or not."""

    def __init__(self, records: RecordMaker, store: ObjectStore, files: DocumentFiles, clock: Clock) -> None:
        self._records = records
        self._store = store
        self._files = files
        self._clock = clock

    async def write(self, seller_id: str, customer_id: str, to: ObjectWriter) -> Archived:
        """Write the archive of a customer, deleted or not, and of everybody who was merged into it.

        Raises:
            NobodyThere: there is none, or it was erased.
            Unavailable: the database, the object store or what wraps the keys of numbers did not answer.
        """
        work = Repositories(Tenant(seller_id))
        customer = await work.remains.customer(customer_id)
        if customer is None or customer.erased_at is not None:
            raise NobodyThere(customer_id)
        people = [customer, *await work.remains.merged_into(customer)]
        async with open_zip(to, at := self._clock.now()) as archive:
            return await _Archive(self._records, self._store, self._files, work, people, archive, at).write()


class _Archive:
    """One archive while it is written."""

    def __init__(
        self,
        records: RecordMaker,
        store: ObjectStore,
        document_files: DocumentFiles,
        work: Repositories,
        people: list[Customer],
        archive: ZipStream,
        at: datetime,
    ) -> None:
        self._records = records
        self._store = store
        self._document_files = document_files
        self._work = work
        self._people = people
        self._archive = archive
        self._at = at
        self._counts: dict[str, int] = {}
        self._parts: list[Part] = []
        self._withheld: list[Withheld] = []

    async def write(self) -> Archived:
        for collection in exported():
            self._counts[collection] = 0
            await self._add(path_of(collection), self._json(collection))
        files = await self._files()
        page = readme(self._people[0].seller_id, self._at, self._counts, files, self._withheld)
        await self._add("README.txt", _whole(page.encode()))
        # Not among its own parts: it cannot have its own checksum.
        await self._archive.add("manifest.json", _whole(self._manifest()))
        return Archived(await self._archive.finish(), self._parts, self._withheld)

    async def _add(self, path: str, chunks: AsyncGenerator[bytes, None]) -> None:
        async with aclosing(chunks):
            self._parts.append(await self._archive.add(path, chunks))

    async def _json(self, collection: str) -> AsyncGenerator[bytes, None]:
        """Yield the records of a collection as one list."""
        piece = bytearray(b"[")
        async with aclosing(self._stored(collection)) as records:
            async for record in records:
                piece += b",\n" if self._counts[collection] else b"\n"
                piece += orjson.dumps(given(collection, record), option=orjson.OPT_INDENT_2)
                self._counts[collection] += 1
                if len(piece) >= _PIECE:
                    yield bytes(piece)
                    piece.clear()
        yield bytes(piece) + b"\n]\n"

    async def _stored(self, collection: str) -> AsyncGenerator[dict[str, Any], None]:
        """Yield what is stored of everybody in a collection, with ids as ``id`` and numbers of documents in clear."""
        owner = COLLECTIONS[collection].owner
        for one in self._people:
            numbers = await self._numbers(one) if collection == "documents" else {}
            found = self._work.remains.remarks(one) if owner is None else self._work.remains.each(one, collection, owner)
            async with aclosing(found) as records:
                async for record in records:
                    id_ = record["_id"]
                    yield {"id": id_, **record, **({NUMBER: numbers[id_]} if id_ in numbers else {})}

    async def _numbers(self, customer: Customer) -> dict[str, str | None]:
        documents = await self._work.remains.documents(customer)
        found: dict[str, str | None] = {}
        for document, number in zip(documents, await opened_numbers(self._work, self._records, documents), strict=True):
            if isinstance(number, Exception):
                _log.error("a number that cannot be opened is left out of an archive", document_id=document.id)
            found[document.id] = None if isinstance(number, Exception) else number
        return found

    async def _files(self) -> int:
        """Add the files of all documents; return how many there are."""
        files = 0
        for customer in self._people:
            for document in await self._work.remains.documents(customer):
                if reason := self._reason_to_withhold(document):
                    self._withheld.append(Withheld(document.id, reason))
                elif document.file is not None:
                    files += await self._file(document, document.file.key)
        return files

    def _reason_to_withhold(self, document: Document) -> str | None:
        """Say why the file of a document is not handed out; None when it is, or when there is none."""
        if document.file is not None:
            return self._document_files.withheld(document.file)
        return None if document.upload is None else _NEVER_COMPLETED

    async def _file(self, document: Document, key: str) -> int:
        stored = await self._store.describe(key)
        if stored is None:
            self._withheld.append(Withheld(document.id, _GONE))
            return 0
        try:
            await self._add(file_path(document), self._store.read(key, etag=stored.etag))
        except (ObjectMissing, ObjectChanged, ObjectTruncated) as error:
            # Half of it is in the archive by now: from the start once more.
            raise Unavailable("A file could not be read to its end. Try again.") from error
        return 1

    def _manifest(self) -> bytes:
        said = {
            "format": FORMAT,
            "customerId": self._people[0].id,
            "mergedCustomerIds": [one.id for one in self._people[1:]],
            "sellerId": self._people[0].seller_id,
            "createdAt": rfc3339(self._at),
            "parts": [_part(one, self._counts) for one in self._parts],
            "withheld": [{"documentId": one.document_id, "reason": one.reason} for one in self._withheld],
        }
        return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def exported() -> list[str]:
    """Return the collections of which a person is given something, in the order of the map."""
    return [name for name, one in COLLECTIONS.items() if one.names(lambda field: field.exported)]


def _part(part: Part, counts: dict[str, int]) -> dict[str, Any]:
    paths = {path_of(collection): count for collection, count in counts.items()}
    records = {"records": paths[part.path]} if part.path in paths else {}
    return {"path": part.path, "size": part.size, "sha256": part.sha256, **records}


async def _whole(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data
