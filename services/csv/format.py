"""Finding out how a file is written, from its first bytes.

What cannot be read is refused here, before the first row, with a sentence that says what to do.
"""

import codecs
import re
import unicodedata
from collections.abc import Sequence

from core.errors import ErrorCode, Refused
from core.vocabulary import BulkImportEncoding
from services.csv.dialect import DELIMITERS, Encoding, FileFormat
from services.csv.grammar import MAX_RECORD_BYTES
from services.csv.records import Record, RecordReader
from services.csv.values import without_apostrophe

__all__ = ["HEAD_BYTES", "MAX_COLUMNS", "FileFormat", "recognise"]

HEAD_BYTES = 512 * 1024
"""How many bytes of a file `recognise` should be given: enough for a header of 256 KB in UTF-16."""

MAX_COLUMNS = 200
_STEP = 16 * 1024

_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"{\\rtf", "a rich-text document"),
    (b"SQLite format 3", "a database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"PAR1", "a Parquet file"),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|\?xml|head|body|table|!--)", re.IGNORECASE)
_JSON = re.compile(rb'\s*(?:\{\s*"[^"]*"\s*:|\[\s*[\[{])')
_BOMS: tuple[tuple[bytes, Encoding], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SPELT = {
    "utf-8": BulkImportEncoding.UTF_8,
    "utf-16-le": BulkImportEncoding.UTF_16,
    "utf-16-be": BulkImportEncoding.UTF_16,
    "latin-1": BulkImportEncoding.LATIN_1,
    "cp1252": BulkImportEncoding.WINDOWS_1252,
}
_UNMARKED: dict[BulkImportEncoding, Encoding] = {
    BulkImportEncoding.UTF_8: "utf-8",
    BulkImportEncoding.LATIN_1: "latin-1",
    BulkImportEncoding.WINDOWS_1252: "cp1252",
}
_HINT = re.compile(r"sep=(.?)", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SAVE = "Save the file as “CSV UTF-8” and upload it again."


def recognise(head: bytes, *, delimiter: str | None, size: int, encoding: BulkImportEncoding | None = None) -> FileFormat:
    """Describe the file that begins with *head* (its first `HEAD_BYTES`, or all of it) and is *size* bytes long.

    A *delimiter* of None is found out from the header; the word "tab" will do for one. An *encoding* of None is found out
    too, but only UTF-8 and UTF-16 can be: what a byte beyond ASCII means in an older encoding, nobody can tell from the file.

    Raises:
        Refused: with one problem, INVALID_CSV or UNSUPPORTED_ENCODING; INVALID for a delimiter that is none.
    """
    wanted = _delimiter(delimiter)
    if size == 0 or not head:
        raise _refused("The file is empty. Upload a CSV file with a header line and one line per customer.")
    _refuse_foreign(head)
    found, bom = _encoding(head) if encoding is None else _declared(head, encoding)
    whole = len(head) >= size
    body = head[bom:]
    if found == "utf-8":
        _refuse_legacy(body, bom, whole=whole)
    bom, wanted = _after_hint(body, bom, found, wanted)
    readings = [_read_header(head, bom, found, mark, whole=whole) for mark in ((wanted,) if wanted else DELIMITERS)]
    mark, record = max(readings, key=_likelihood)
    if record.problem:
        raise Refused.because(record.problem.code, f"The header cannot be read. {record.problem.message}")
    return FileFormat(
        encoding=found,
        bom_bytes=bom,
        delimiter=mark,
        header=_names(record.cells or ()),
        data_offset=record.end,
        newline=_newline(head[: record.end], found),
    )


def _refused(message: str, code: ErrorCode = ErrorCode.INVALID_CSV) -> Refused:
    return Refused.because(code, message)


def _delimiter(given: str | None) -> str | None:
    if given is None:
        return None
    mark = {"\\t": "\t", "tab": "\t"}.get(given.lower(), given)
    if mark not in DELIMITERS:
        raise Refused.because(
            ErrorCode.INVALID,
            f"{given!r} is no delimiter. Use a comma, a semicolon, a tab, or “|”, or leave it out.",
            "delimiter",
        )
    return mark


def _refuse_foreign(head: bytes) -> None:
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            raise _refused(f"This is {name}, not a CSV file. Open it, export the customers as CSV and upload that.")
    start = head.removeprefix(codecs.BOM_UTF8)[:1024]
    if _MARKUP.match(start):
        raise _refused(
            "This is a web page or an XML file, not a CSV file. Perhaps a sign-in page was saved instead of the export."
        )
    if _JSON.match(start):
        raise _refused("This is JSON, not a CSV file. Export the customers as CSV and upload that.")


def _encoding(head: bytes) -> tuple[Encoding, int]:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise _refused(f"The file is in UTF-32, which is not supported. {_SAVE}", ErrorCode.UNSUPPORTED_ENCODING)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding, len(bom)
    if _looks_wide(head):
        raise _refused(
            "The file looks like UTF-16 without a byte order mark, which cannot be told from binary data. "
            f"{_SAVE[:-1]}, or say UTF_16 in `encoding`.",
            ErrorCode.UNSUPPORTED_ENCODING,
        )
    return "utf-8", 0


def _looks_wide(head: bytes) -> bool:
    sample = head[:64]
    # Latin letters in UTF-16 leave every other byte zero.
    return max(sample[0::2].count(0), sample[1::2].count(0)) * 4 > len(sample)


def _declared(head: bytes, encoding: BulkImportEncoding) -> tuple[Encoding, int]:
    """Return the encoding that the caller named and the length of the byte order mark, which may not say otherwise."""
    for bom, marked in ((codecs.BOM_UTF32_LE, None), (codecs.BOM_UTF32_BE, None), *_BOMS):
        if head.startswith(bom):
            if marked is not None and encoding is _SPELT[marked]:
                return marked, len(bom)
            other = "UTF_32" if marked is None else _SPELT[marked]
            message = f"The file begins with the mark of {other}, but {encoding} was declared. Leave `encoding` out."
            raise _refused(message, ErrorCode.UNSUPPORTED_ENCODING)
    if encoding is BulkImportEncoding.UTF_16:
        # Delimiters and newlines have a zero byte in any language; it is the first of the two in big-endian order.
        zeros = head[0::2].count(0), head[1::2].count(0)
        if zeros != (0, 0):
            return ("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"), 0
    elif not _looks_wide(head):
        return _UNMARKED[encoding], 0
    message = f"The file is not in {encoding}: its zero bytes say otherwise. Leave `encoding` out, or name another one."
    raise _refused(message, ErrorCode.UNSUPPORTED_ENCODING)


def _refuse_legacy(body: bytes, bom: int, *, whole: bool) -> None:
    """Refuse a file in some older encoding as a whole; single damaged bytes in a UTF-8 file are left to their rows.

    The two are told apart by whether the head contains any letter that only valid UTF-8 can spell.
    """
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body, final=whole)
    except UnicodeDecodeError as error:
        if body.decode(errors="ignore").isascii():
            raise _refused(
                f"Byte {bom + error.start} of the file is not valid UTF-8; it may be in Latin-1 or Windows-1252. "
                f"{_SAVE[:-1]}, or name its encoding in `encoding`.",
                ErrorCode.UNSUPPORTED_ENCODING,
            ) from None


def _after_hint(body: bytes, bom: int, encoding: Encoding, wanted: str | None) -> tuple[int, str | None]:
    """Step over the line ``sep=;`` that spreadsheets understand; return the bytes before the header and the delimiter."""
    width = 2 if encoding.startswith("utf-16") else 1
    start = body[: 8 * width].decode(encoding, errors="replace")
    match = _HINT.match(start)
    if not match or match[1] not in DELIMITERS or start[match.end() : match.end() + 1] not in {"\r", "\n"}:
        return bom, wanted
    return bom + match.end() * width, wanted or match[1]


def _read_header(head: bytes, start: int, encoding: Encoding, mark: str, *, whole: bool) -> tuple[str, Record]:
    plan = FileFormat(encoding=encoding, bom_bytes=start, delimiter=mark, header=(), data_offset=start, newline="\n")
    reader = RecordReader(plan, offset=start, row=0)
    records: list[Record] = []
    for position in range(start, len(head), _STEP):
        records = reader.feed(head[position : position + _STEP])
        if records:
            return mark, records[0]
    if whole:
        records = reader.finish()
        if not records:
            raise _refused(
                "The file contains only blank lines. Upload a CSV file with a header line and one line per customer."
            )
        return mark, records[0]
    raise _refused(
        f"The header does not end within the first {MAX_RECORD_BYTES // 1024} KB. Check that the file has line breaks."
    )


def _likelihood(reading: tuple[str, Record]) -> tuple[int, int]:
    """Rank a reading of the header: a quote left in a cell betrays a delimiter that was not seen; then by columns."""
    cells = reading[1].cells or ()
    if reading[1].problem:
        return 1, 0
    if any('"' in cell for cell in cells):
        return (2 if len(cells) > 1 else 0), len(cells)
    return 3, len(cells)


def _names(cells: Sequence[str]) -> tuple[str, ...]:
    names = [without_apostrophe(cell.strip().strip("\ufeff\u200b").strip()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise _refused("The header has no column names. Put the names of the columns into the first line.")
    if len(names) > MAX_COLUMNS:
        raise _refused(f"The header has {len(names)} columns; {MAX_COLUMNS} are allowed. Remove those that are not needed.")
    if "" in names:
        raise _refused(f"Column {names.index('') + 1} has no name. Name it in the header or remove the column.")
    control = next(
        (name for name in names if any(unicodedata.category(letter) == "Cc" and letter not in "\r\n\t" for letter in name)),
        None,
    )
    if control is not None:
        raise _refused(f"The column name {control!r} contains control characters. Write it as plain text.")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            first, second = [number for number, other in enumerate(names, 1) if other == name][:2]
            raise _refused(f"Columns {first} and {second} are both called {name!r}. Rename or remove one of them.")
        seen.add(name)
    if any(_EMAIL.fullmatch(name) for name in names):
        raise _refused(
            "The first line looks like a customer, not like a header. Put the names of the columns into the first line."
        )
    return tuple(names)


def _newline(before_data: bytes, encoding: Encoding) -> str:
    tail = before_data[-4:].decode(encoding, errors="replace")
    return next((newline for newline in ("\r\n", "\n", "\r") if tail.endswith(newline)), "\n")
