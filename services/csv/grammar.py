"""What a record of a CSV file is: RFC 4180, with any delimiter and any newline, and limits."""

import csv
import re

from core.errors import ErrorCode, Problem

MAX_FIELD_BYTES = 64 * 1024
MAX_RECORD_BYTES = 256 * 1024

_NEWLINE = re.compile(rb"\r\n|\n|\r")


def first_line(data: bytes, start: int, *, final: bool) -> tuple[int, int] | None:
    """Return where the line's text ends and where the next line begins; None when that is not certain yet."""
    match = _NEWLINE.search(data, start)
    if match is None:
        return (len(data), len(data)) if final else None
    if match.end() == len(data) and match.group() == b"\r" and not final:
        return None  # an LF may follow
    return match.span()


_UNCLOSED = Problem(
    ErrorCode.INVALID_CSV,
    "A quote that opens in this row is not closed within 256 KB. Close it, or double every quote that belongs to the text.",
)
_GARBAGE = Problem(
    ErrorCode.INVALID_CSV,
    "Something follows a closing quote in this row. Double every quote that belongs to the text, and put the delimiter right "
    "after the closing quote.",
)
_LONG_ROW = Problem(ErrorCode.INVALID_CSV, "The row is longer than 256 KB. Shorten it, or check for a missing line break.")
_LONG_CELL = Problem(
    ErrorCode.INVALID_CSV,
    "A cell of this row is longer than 64 KB. Shorten it, or close the quote that opens it where it should end.",
)


_LF, _CR, _QUOTE = b'\n\r"'


class Grammar:
    """The grammar itself, one record at a time."""

    def __init__(self, delimiter: str) -> None:
        mark = re.escape(delimiter).encode()
        # The look-ahead keeps backtracking from taking the first half of a doubled quote for the end of the cell.
        cell = rb'(?:"[^"]*(?:""[^"]*)*"(?!")|[^"%(mark)s\r\n][^%(mark)s\r\n]*|)' % {b"mark": mark}
        self._record = re.compile(cell + rb"(?:" + mark + cell + rb")*")
        self._delimiter = delimiter

    def one(self, data: bytes, start: int, *, final: bool) -> tuple[int, int] | Problem | None:
        """Find the record at *start*: where its own text ends and where the next record begins.

        None means that only more data can tell. A problem ends the record at its first newline, whatever its quotes say, so
        that no sound row behind it is lost.
        """
        window = min(len(data), start + MAX_RECORD_BYTES)
        match = self._record.match(data, start, window)
        stop = match.end() if match else start
        if stop == len(data):
            return self._weighed(data, start, stop, stop) if final else None
        follower = data[stop]
        if follower == _LF:
            return self._weighed(data, start, stop, stop + 1)
        if follower == _CR:
            if stop + 1 == len(data):
                return self._weighed(data, start, stop, stop + 1) if final else None
            return self._weighed(data, start, stop, stop + 1 + (data[stop + 1] == _LF))
        if stop == start + MAX_RECORD_BYTES:
            return _LONG_ROW
        if follower == _QUOTE:
            return _UNCLOSED if final or len(data) > start + MAX_RECORD_BYTES else None
        return _GARBAGE

    def _weighed(self, data: bytes, start: int, text_end: int, stop: int) -> tuple[int, int] | Problem:
        if text_end - start > MAX_FIELD_BYTES:
            cells = self.cells(data[start:text_end].decode(errors="replace"))
            if any(len(cell) > MAX_FIELD_BYTES or len(cell.encode()) > MAX_FIELD_BYTES for cell in cells):
                return _LONG_CELL
        return (text_end, stop)

    def cells(self, text: str) -> tuple[str, ...]:
        """Split a record that `one` has found sound; a cell beyond the standard reader's limit comes back unsplit."""
        try:
            return tuple(next(csv.reader([text], delimiter=self._delimiter, strict=True), ()))
        except csv.Error:
            return (text,)
