"""What a person is given of what is stored about it, and under which names. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import rfc3339
from core.data_map import COLLECTIONS
from models.document import Document
from services.records import changed_fields

NUMBER = "number"
"""Under which name a document's number is given in clear, in the place of the field that it is sealed in."""

SEALED = "number_box"

EXPLAINED: Mapping[str, str] = {
    "customers": "Your profile: names, contact data, and what the seller noted about you. Older records of yours that were "
    "joined with it are there as well.",
    "addresses": "Your addresses, those that were deleted too.",
    "documents": "Your documents, those that were deleted too, with their numbers in full. Their files are in the folder "
    "`files`, each in a folder that has the document's id as its name.",
    "customer_events": "Your history: what was changed, when and by whom, and what other programs of the seller were told.",
    "customer_accesses": "Who was given the number or the file of which of your documents, and when.",
    "sessions": "Where and when you were signed in.",
    "consents": "What you have agreed to and taken back: for which purpose, over which channel, when, where, and which text "
    "you were shown. The latest entry of a purpose and a channel is what holds.",
    "data_exports": "Archives like this one that were asked for.",
    "import_row_outcomes": "Remarks about the row of the file that your profile was imported from.",
}
"""What the records of each collection are, in words for the person."""

MOST_NAME = 60
"""Characters that are left of a file's name, its ending among them: file systems count to 255 bytes."""

_NOT_IN_NAMES = frozenset('<>:"|?*/\\')


@dataclass(frozen=True, slots=True)
class Withheld:
    """A file that is stored and is not handed out, and why, in a sentence for the person."""

    document_id: str
    reason: str


def archive_folder_of(seller_id: str, customer_id: str) -> str:
    """Return where the archives of a customer are in the object store."""
    return f"exports/{seller_id}/{customer_id}/"


def path_of(collection: str) -> str:
    """Return where the records of a collection are in an archive."""
    return f"data/{collection}.json"


def file_path(document: Document) -> str:
    """Return where the file of a document is in an archive: never outside of it, on no system, whatever the file was called."""
    name = "" if document.file is None else document.file.name.replace("\\", "/").rpartition("/")[2]
    kept = "".join("_" if char in _NOT_IN_NAMES else char for char in name if char.isprintable()).strip(" .")
    return f"files/{document.id}/{kept[-MOST_NAME:].strip(' .') or 'file'}"


def given(collection: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a stored record what the map of personal data exports, with the names of the API.

    *record* has its id as ``id``, and a document's number in clear as `NUMBER`.
    """
    wanted: dict[str, Any] = {}
    for name in COLLECTIONS[collection].names(lambda field: field.exported):
        place = wanted
        for part in (NUMBER if name == SEALED else name).split("."):
            place = place.setdefault(part, {})
    shown: dict[str, Any] = _chosen(record, wanted)
    return shown


def _chosen(value: Any, wanted: Mapping[str, Any]) -> Any:
    if not wanted:
        return _plain(value)
    if isinstance(value, Mapping):
        names = [name for name in wanted if name in value]
        return {shown: _chosen(value[name], wanted[name]) for name, shown in zip(names, changed_fields(names), strict=True)}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_chosen(one, wanted) for one in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, Sequence) and not isinstance(value, str) else value


def readme(seller_id: str, at: datetime, records: Mapping[str, int], files: int, withheld: Sequence[Withheld]) -> str:
    """Return the page that tells the person what is what; *records* counts those of each collection."""
    lines = [
        "Your data",
        "=========",
        "",
        f"This archive holds what is stored about you as a customer of the seller {seller_id!r}.",
        f"It was made at {rfc3339(at)}.",
        "",
        "data/ has the records, as JSON: any text editor and any browser shows it. Moments are in UTC.",
        "",
    ]
    for collection, count in records.items():
        lines += [
            f"{path_of(collection)} ({_counted(count, 'record')})",
            f"    {EXPLAINED[collection]}",
            "",
        ]
    lines += [
        f"files/ ({_counted(files, 'file')})",
        "    The files of your documents, as they were sent.",
        "",
        "manifest.json",
        "    For programs: every file of this archive with its size in bytes and its SHA-256.",
        "",
    ]
    if withheld:
        lines += [
            "Not in this archive:",
            *(f"  - The file of document {one.document_id}: {one.reason}" for one in withheld),
            "",
        ]
    lines += [
        "The archive has no password. Whoever has it knows everything in it: keep it where nobody else can read it.",
        "",
    ]
    return "\n".join(lines)


def _counted(count: int, what: str) -> str:
    return f"{count} {what if count == 1 else what + 's'}"
