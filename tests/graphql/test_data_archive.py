"""What is in the archive of a person: all that the map of personal data says, its files, and what is what."""

import hashlib
import json
import types
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from app.container import Container
from auth.principal import OPERATOR_SCOPES, Scope
from core.clock import rfc3339
from core.data_map import COLLECTIONS
from core.vocabulary import DataExportStatus, PrincipalKind
from models.registry import STORED_MODELS
from services.archive_contents import EXPLAINED, NUMBER, SEALED, path_of
from services.data_archive import exported
from services.records import changed_fields
from services.uploads import DocumentFiles
from tests.api import Api, Json, Tokens, fresh
from tests.exports import Desk, records
from tests.graphql.operations import CREATE_DOCUMENT, DELETE, PDF, announced, create, payload
from tests.graphql.test_erase import filed
from tests.graphql.test_merge import MERGE

MODELS = {model.Settings.name: model for model in STORED_MODELS}
FUTURE = datetime(2100, 1, 2, tzinfo=UTC)


@pytest.fixture(name="desk")
def _desk(execute: Api, container: Container, tokens: Tokens, seller: str) -> Desk:
    token = tokens.operator(seller, OPERATOR_SCOPES | {Scope.PRIVACY_EXPORT, Scope.DOCUMENTS_READ_FULL})
    return Desk(execute, container, token)


class Everything:
    """Stores something about a customer in every field of every collection of which a person is given anything."""

    def __init__(self, desk: Desk, seller: str, customer_id: str) -> None:
        self._database = desk.container.mongo.database
        self._seller = seller
        self._customer_id = customer_id
        self._row = fresh("imp")

    async def store(self, collection: str) -> Json:
        """Store a record and return it."""
        record = {"_id": fresh("record"), **sample(collection, MODELS[collection]), **await self._of(collection)}
        record |= {"seller_id": self._seller, "live": True}
        # A customer who was erased is not exported, and a record whose time is over is removed.
        kept = {name: one for name, one in record.items() if name not in {"id", "erased_at", "due_at", "forget_at"}}
        await self._database[collection].replace_one({"_id": kept["_id"]}, kept, upsert=True)
        return kept

    async def _of(self, collection: str) -> Json:
        """Return what has to be so in a record that it is found, and can be read."""
        owner = COLLECTIONS[collection].owner
        match collection:
            case "customers":
                return {"_id": self._customer_id, "source": {"import_id": self._row, "row": 7}}
            case "documents":
                made = await self._database[collection].find_one({"customer_id": self._customer_id}) or {}
                return {name: made[name] for name in ("_id", "customer_id", "number_box")}
            case "sessions":
                return {"subject": self._customer_id, "kind": PrincipalKind.CUSTOMER.value, "expires_at": FUTURE}
            case "data_exports":
                return {"customer_id": self._customer_id, "status": DataExportStatus.EXPIRED.value}
            case _:
                return {"_id": f"{self._row}:7"} if owner is None else {owner: self._customer_id}


def sample(name: str, annotation: Any) -> Any:
    """Return a value for a field of a type; a text says whose it is."""
    origin, inner = get_origin(annotation), [one for one in get_args(annotation) if one is not type(None)]
    if origin in {Union, types.UnionType}:
        return sample(name, inner[0])
    if origin is list:
        return [sample(name, inner[0])]
    if origin is dict:
        return {"canary": name}
    if issubclass(annotation, BaseModel):
        fields = {key: one for key, one in annotation.model_fields.items() if key != "revision_id"}
        return {key: sample(f"{name}.{key}", one.annotation) for key, one in fields.items()}
    if issubclass(annotation, Enum):
        return next(iter(annotation)).value
    plain: dict[Any, Any] = {bool: True, int: 7, bytes: b"\x07", datetime: datetime(2026, 1, 2, tzinfo=UTC)}
    return plain.get(annotation, name)


def at(record: Any, names: list[str]) -> Any:
    """Return what a record has under a dotted name, through lists."""
    for name in names:
        record = record[0] if isinstance(record, list) else record
        record = record[name]
    return record


def leaves(record: Any, before: str = "") -> set[str]:
    """Return the dotted names of everything in a record of an archive."""
    if isinstance(record, dict) and "canary" not in record:
        return {name for key, one in record.items() for name in leaves(one, f"{before}.{key}")}
    if isinstance(record, list) and isinstance(record[0], dict):
        return leaves(record[0], before)
    return {before[1:]}


def shown(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else value


async def test_everything_that_the_map_exports_is_in_the_archive_and_nothing_else(desk: Desk, seller: str) -> None:
    """
    Of every collection, with something in every field. A field that is added to the map and not given fails this.
    """
    customer = await create(desk.execute, documents=[{"type": "PASSPORT", "number": "X1234567"}])
    everything = Everything(desk, seller, customer["id"])
    stored = {collection: await everything.store(collection) for collection in exported()}

    _, archive = await desk.made(customer["id"])

    for collection, record in stored.items():
        (given,) = [one for one in records(archive, collection) if one["id"] == record["_id"]]
        expected = {}
        for name in COLLECTIONS[collection].names(lambda field: field.exported):
            if name in {"id", "erased_at"}:
                continue
            public = NUMBER if name == SEALED else name
            spelled = changed_fields(public.split("."))
            expected[".".join(spelled)] = "X1234567" if name == SEALED else shown(at(record, name.split(".")))
        assert expected == {name: at(given, name.split(".")) for name in expected}, collection
        assert {"id", *expected} == leaves(given), collection


def test_whatever_is_exported_is_found_and_explained() -> None:
    """
    Else a field could be marked in the map, and nobody would ever be given it.
    """
    assert EXPLAINED.keys() == set(exported())
    assert ["import_row_outcomes"] == [name for name in exported() if COLLECTIONS[name].owner is None]


async def test_archive_holds_records_numbers_files_and_says_what_is_what(desk: Desk, seller: str) -> None:
    customer = await create(desk.execute, firstName="Ada")
    document, _, _ = await filed(desk.execute, customer["id"], "pass:wd.pdf", number="X1234567")
    waiting = {"type": "PASSPORT", "file": announced()}
    pending = (await payload(desk.execute, CREATE_DOCUMENT, {"customer": customer["id"], "input": waiting}))["document"]["id"]

    said, archive = await desk.made(customer["id"])

    assert ("READY", "operator:ada", customer["id"], seller) == tuple(
        said[key] for key in ("status", "requestedBy", "customerId", "sellerId")
    )
    assert archive.testzip() is None
    scan = f"files/{document}/pass_wd.pdf"
    assert {*(path_of(one) for one in exported()), scan, "README.txt", "manifest.json"} == set(archive.namelist())
    assert PDF == archive.read(scan)
    assert ["Ada"] == [one["firstName"] for one in records(archive, "customers")]
    assert {document: "X1234567", pending: None} == {one["id"]: one["number"] for one in records(archive, "documents")}
    assert ["CREATED"] == [one["type"] for one in records(archive, "customer_events")][-1:]
    manifest = json.loads(archive.read("manifest.json"))
    assert {*archive.namelist()} - {"manifest.json"} == {one["path"] for one in manifest["parts"]}
    for part in manifest["parts"]:
        content = archive.read(part["path"])
        assert (len(content), hashlib.sha256(content).hexdigest()) == (part["size"], part["sha256"])
    assert [pending] == [one["documentId"] for one in manifest["withheld"]]
    readme = archive.read("README.txt").decode()
    assert all(one["path"] in readme for one in manifest["parts"] if one["path"].startswith("data/"))
    assert pending in readme


async def test_who_was_merged_into_it_and_what_was_deleted_is_in_it(desk: Desk) -> None:
    earlier = await create(desk.execute, firstName="Augusta", addresses=[])
    await filed(desk.execute, earlier["id"], number="L01X00T47")
    customer = await create(desk.execute)
    await payload(desk.execute, MERGE, {"into": customer["id"], "from": earlier["id"]})
    await payload(desk.execute, DELETE, {"id": customer["id"]})

    _, archive = await desk.made(customer["id"])

    assert [customer["id"], earlier["id"]] == [one["id"] for one in records(archive, "customers")]
    assert ["L01X00T47"] == [one["number"] for one in records(archive, "documents")]
    assert {customer["id"], earlier["id"]} == {one["customerId"] for one in records(archive, "customer_events")}


async def test_a_file_that_is_gone_is_said_to_be(desk: Desk) -> None:
    customer = await create(desk.execute)
    document, _, _ = await filed(desk.execute, customer["id"])
    stored = await desk.container.mongo.database["documents"].find_one({"_id": document}) or {}
    await desk.container.store.delete(stored["file"]["key"])

    _, archive = await desk.made(customer["id"])

    manifest = json.loads(archive.read("manifest.json"))
    assert [(document, "The file is no longer in the object store.")] == [
        (one["documentId"], one["reason"]) for one in manifest["withheld"]
    ]


async def test_a_file_that_nobody_may_read_is_not_handed_out_in_an_archive_either(desk: Desk) -> None:
    """
    One in which the scanner found something, and one that it has not seen yet.
    """
    customer = await create(desk.execute)
    infected, _, _ = await filed(desk.execute, customer["id"])
    unseen, _, _ = await filed(desk.execute, customer["id"])
    await desk.container.mongo.database["documents"].update_one(
        {"_id": infected}, {"$set": {"file.scan": {"verdict": "INFECTED", "failures": 0}}}
    )
    desk.files = DocumentFiles(desk.container.store, scanning=True)

    _, archive = await desk.made(customer["id"])

    assert [] == [name for name in archive.namelist() if name.startswith("files/")]
    assert {infected, unseen} == {one["documentId"] for one in json.loads(archive.read("manifest.json"))["withheld"]}
