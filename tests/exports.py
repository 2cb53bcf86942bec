"""Exports of everything about a customer, as tests ask for them, have them made, and look into them."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

from app.container import Container
from services.archive_contents import archive_folder_of, path_of
from services.data_archive import DataArchives
from services.data_export_work import DataExportWork, ExportRules
from services.uploads import DocumentFiles
from tests.api import Api, Json
from tests.clocks import MovableClock
from tests.graphql.operations import ERRORS, fetch, payload

SHOWN = "id customerId sellerId status requestedBy createdAt startedAt finishedAt expiresAt size sha256"
ASK = f"mutation($id: ID!) {{ exportCustomerData(id: $id) {{ created dataExport {{ {SHOWN} }} {ERRORS} }} }}"
READ = f"query($id: ID!) {{ customerDataExport(id: $id) {{ {SHOWN} }} }}"
LINK = "query($id: ID!) { customerDataExport(id: $id) { url } }"
LIST = f"query($id: ID!) {{ customer(id: $id) {{ dataExports {{ {SHOWN} }} }} }}"


class Desk:
    """Somebody of a seller's staff who may export, and the worker that does it."""

    def __init__(self, execute: Api, container: Container, token: str) -> None:
        self.execute = execute
        self.container = container
        self.token = token
        self.clock = MovableClock()
        self.files = DocumentFiles(container.store, scanning=False)

    def work(self, store: Any = None, look: timedelta = timedelta(seconds=5)) -> DataExportWork:
        """Return what a worker does; its *store* may be one that fails."""
        store = store or self.container.store
        archives = DataArchives(self.container.rules.records, store, self.files, self.clock)
        return DataExportWork(archives, store, self.clock, ExportRules(timedelta(days=7), look=look))

    async def ask(self, id_: str, as_: str = "") -> Json:
        """Ask for an export; return the payload."""
        return await payload(self.execute, ASK, {"id": id_}, as_=as_ or self.token)

    async def asked(self, id_: str, as_: str = "") -> str:
        """Ask for an export, which has to go well; return its id."""
        answer = await self.ask(id_, as_)
        assert [] == answer["userErrors"]
        found: str = answer["dataExport"]["id"]
        return found

    async def read(self, export: str, as_: str = "") -> Any:
        """Return an export as it is now; None for what cannot be seen."""
        return (await self.execute.data(READ, {"id": export}, as_=as_ or self.token))["customerDataExport"]

    async def url(self, export: str, as_: str = "") -> str | None:
        """Return a new link."""
        found: str | None = (await self.execute.data(LINK, {"id": export}, as_=as_ or self.token))["customerDataExport"]["url"]
        return found

    async def made(self, id_: str) -> tuple[Json, zipfile.ZipFile]:
        """Ask for an export, have it made, and download it."""
        export = await self.asked(id_)
        await self.until_made(export)
        url = await self.url(export)
        assert url is not None
        archive = (await fetch(url)).content
        said = await self.read(export)
        assert (len(archive), hashlib.sha256(archive).hexdigest()) == (said["size"], said["sha256"])
        return said, zipfile.ZipFile(io.BytesIO(archive))

    async def until_made(self, export: str) -> None:
        """Do what workers do until an export is done: others that wait are done as well."""
        work = self.work()
        while (await self.read(export))["status"] in {"QUEUED", "RUNNING"}:
            assert await work.step()

    async def objects(self, seller: str, id_: str) -> list[str]:
        """Return the keys of everything of a customer's exports that is in the object store."""
        return [key async for page in self.container.store.pages(archive_folder_of(seller, id_)) for key in page]


def records(archive: zipfile.ZipFile, collection: str) -> list[Json]:
    """Return the records of a collection that are in an archive."""
    found: list[Json] = json.loads(archive.read(path_of(collection)))
    return found
