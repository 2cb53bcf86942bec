"""The files of imports, before any row is read: announced, uploaded, recognised."""

from collections.abc import Mapping
from contextlib import aclosing

from core.drafts import BulkImportDraft
from core.errors import ErrorCode, Problem, Refused, Unavailable
from core.files import ObjectChanged, ObjectMissing, ObjectTruncated, StoredObject
from models.bulk_import import BulkImport, StoredColumnMapping
from services.csv.columns import map_columns
from services.csv.dialect import FileFormat
from services.csv.format import HEAD_BYTES, recognise
from services.ports import ObjectStore
from services.rules.text import clean_text

MAX_FILE_NAME = 255
MAX_COLUMN_MAPPINGS = 200
SPELLED_DELIMITERS = {",": ",", ";": ";", "\t": "\t", "|": "|", "\\t": "\t", "tab": "\t"}
"""What callers may write for a delimiter, and which one that is."""


class ImportFiles:
    """Refuses what cannot be imported, with what to do about it. The largest file has *max_bytes*."""

    def __init__(self, store: ObjectStore, max_bytes: int) -> None:
        self._store = store
        self._max_bytes = max_bytes

    def checked(self, draft: BulkImportDraft) -> str:
        """Return the file's name, cleaned.

        Raises:
            Refused: with every problem of the draft.
        """
        problems: list[Problem] = []
        name = clean_text(draft.file_name, limit=MAX_FILE_NAME, field=("fileName",), problems=problems, required=True)
        if draft.size is not None and draft.size < 1:
            problems.append(Problem(ErrorCode.INVALID, "The size is the file's length in bytes, at least 1.", ("size",)))
        if draft.size is not None and draft.size > self._max_bytes:
            problems.append(self._too_large(draft.size, "size"))
        if draft.delimiter is not None and draft.delimiter.lower() not in SPELLED_DELIMITERS:
            message = "Use a comma, a semicolon, a tab or “|” as delimiter, or leave it out to have it found out."
            problems.append(Problem(ErrorCode.INVALID, message, ("delimiter",)))
        if len(draft.columns) > MAX_COLUMN_MAPPINGS:
            message = f"At most {MAX_COLUMN_MAPPINGS} columns can be mapped; there are {len(draft.columns)}."
            problems.append(Problem(ErrorCode.TOO_MANY, message, ("columns",)))
        else:
            for number, pair in enumerate(draft.columns):
                for part, text in zip(("from", "to"), pair, strict=True):
                    path = ("columns", str(number), part)
                    clean_text(text, limit=MAX_FILE_NAME, field=path, problems=problems, required=True)
        if problems or name is None:
            raise Refused(problems)
        return name

    def _too_large(self, size: int, *field: str) -> Problem:
        message = f"The file has {size:,} bytes; at most {self._max_bytes:,} are allowed. Split it."
        return Problem(ErrorCode.TOO_LONG, message, field)

    async def uploaded(self, record: BulkImport) -> StoredObject:
        """Return the uploaded file of an import.

        Raises:
            Refused: UPLOAD_MISSING, UPLOAD_MISMATCH when it is not as long as announced, TOO_LONG.
        """
        found = await self._store.describe(record.source.key)
        if found is None:
            message = "No file has arrived. Send it to the upload target, then start the import again."
            raise Refused.because(ErrorCode.UPLOAD_MISSING, message, "id")
        if record.declared_size is not None and found.size != record.declared_size:
            message = (
                f"The file has {found.size:,} bytes, but {record.declared_size:,} were announced. "
                "Upload the right file, then start the import again."
            )
            raise Refused.because(ErrorCode.UPLOAD_MISMATCH, message, "id")
        if found.size > self._max_bytes:
            raise Refused([self._too_large(found.size, "id")])
        return found

    async def recognised(self, found: StoredObject, record: BulkImport) -> FileFormat:
        """Read the first bytes of a file, and make sure that its columns can be mapped.

        Raises:
            Refused: with what is wrong with the file, its encoding or its header.
            Unavailable: the store broke off.
        """
        head = await self.head(found)
        form = recognise(head, delimiter=record.delimiter, size=found.size, encoding=record.encoding)
        map_columns(form.header, [(one.source, one.target) for one in record.columns])
        return form

    async def head(self, found: StoredObject) -> bytes:
        """Return the first bytes of a file, at most `HEAD_BYTES`.

        Raises:
            Refused: SOURCE_CHANGED when it was replaced meanwhile.
            Unavailable: the store broke off.
        """
        try:
            reading = self._store.read(found.key, etag=found.etag, start=0, end=min(found.size, HEAD_BYTES))
            async with aclosing(reading) as chunks:
                return b"".join([chunk async for chunk in chunks])
        except (ObjectMissing, ObjectChanged):
            message = "The file was replaced while it was being looked at. Start the import again."
            raise Refused.because(ErrorCode.SOURCE_CHANGED, message, "id") from None
        except ObjectTruncated as error:
            raise Unavailable("The file could not be read. Try again.") from error


def draft_of(record: BulkImport) -> BulkImportDraft:
    """Return what was asked for when an import was announced, as it may be asked for anew."""
    return BulkImportDraft(
        file_name=record.file_name,
        size=record.declared_size,
        mode=record.mode,
        match_by=record.match_by,
        validation=record.validation,
        dry_run=record.dry_run,
        columns=tuple((one.source, one.target) for one in record.columns),
        delimiter=record.delimiter,
        encoding=record.encoding,
    )


def settings_of(draft: BulkImportDraft) -> Mapping[str, object]:
    """Return the stored fields that say how the rows of a checked draft's file are to be read and what they do."""
    return {
        "mode": draft.mode,
        "match_by": draft.match_by,
        "validation": draft.validation,
        "dry_run": draft.dry_run,
        "columns": [StoredColumnMapping(source=source, target=target) for source, target in draft.columns],
        "delimiter": None if draft.delimiter is None else SPELLED_DELIMITERS[draft.delimiter.lower()],
        "encoding": draft.encoding,
    }
