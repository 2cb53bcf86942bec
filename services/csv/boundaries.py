"""Finding where records end, and counting rows, without reading what is in them.

What comes out is what `RecordReader` finds; the tests hold the two to the same answers. A chunk is looked at as an array of
bytes. As long as every quote stands where RFC 4180 has quotes (an opening one behind a delimiter or a newline, a closing one
in front of one), a newline ends a record exactly if an even number of quotes lies before it. Whatever this cannot vouch for,
and UTF-16, goes through `RecordReader`, from the last sure boundary to the next.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.csv.dialect import FileFormat
from services.csv.grammar import MAX_FIELD_BYTES, Grammar
from services.csv.records import Record, RecordReader

_LF, _CR, _QUOTE = b'\n\r"'
_CAREFUL_BYTES = 64 * 1024
"""Read record by record before the fast way is tried again."""

_Positions = npt.NDArray[np.intp]
_Flags = npt.NDArray[np.bool_]


def _flags(values: Iterable[int]) -> _Flags:
    table = np.zeros(256, dtype=np.bool_)
    table[list(values)] = True
    return table


# What a line that `str.strip` empties may begin with: blanks of ASCII, and the first bytes of the others (U+0085, U+00A0,
# U+1680, U+2000 to U+205F, U+3000).
_BLANKS = (*b"\t\n\v\f\r\x1c\x1d\x1e\x1f ", _QUOTE, 0xC2, 0xE1, 0xE2, 0xE3)
_BLANK = _flags(_BLANKS)


class Part(NamedTuple):
    """Some consecutive records: their bytes, the number of the first row, and how many rows they are."""

    start: int
    end: int
    row: int
    rows: int


class RecordCutter:
    """Cuts a file, fed from *offset* on, where row number *row* begins, into parts at boundaries of records.

    A part ends with the first record that brings it to *part_bytes* or to *part_rows*, and no sooner.
    """

    def __init__(self, format: FileFormat, *, offset: int, row: int, part_bytes: int, part_rows: int) -> None:
        self._format = format
        self._part_bytes = part_bytes
        self._part_rows = part_rows
        self._grammar = Grammar(format.delimiter)
        delimiter = ord(format.delimiter)
        self._beside_quote = _flags((_LF, _CR, _QUOTE, delimiter))
        self._may_be_blank = _flags(set(_BLANKS) - {delimiter})
        self._start = self._offset = offset
        self._first_row = self._row = row
        self._held = b""
        self._end = offset
        self._reader = self._careful_reader() if format.encoding != "utf-8" else None

    @property
    def row(self) -> int:
        """The number that the next row will have; after `finish`, one more than there are."""
        return self._row

    def feed(self, chunk: bytes) -> list[Part]:
        """Return the parts that *chunk* completes. A megabyte at a time is fastest, and takes some 2 ms."""
        parts: list[Part] = []
        data = self._held + chunk if self._held else chunk
        self._held = b""
        self._end += len(chunk)
        position = 0
        while position < len(data):
            if self._reader is None:
                position, sure = self._fast(data, position, parts)
                if sure and len(data) - position <= MAX_FIELD_BYTES:
                    self._held = data[position:]
                    break
                self._reader = self._careful_reader()
            position = self._carefully(data, position, parts)
        return parts

    def finish(self) -> list[Part]:
        """Return what is left when the file ends here."""
        parts: list[Part] = []
        reader = self._reader or self._careful_reader()
        self._take(reader.feed(self._held), parts)
        self._take(reader.finish(), parts)
        if self._end > self._start:
            parts.append(Part(self._start, self._end, self._first_row, self._row - self._first_row))
        return parts

    def _careful_reader(self) -> RecordReader:
        return RecordReader(self._format, offset=self._offset, row=self._row)

    def _carefully(self, data: bytes, position: int, parts: list[Part]) -> int:
        """Read a piece record by record; return where to go on: the fast way, if a record begins in it."""
        reader = self._reader or self._careful_reader()
        before = reader.offset
        base = self._end - len(data)
        piece = data[position : position + _CAREFUL_BYTES]
        self._take(reader.feed(piece), parts)
        self._offset, self._row = reader.offset, reader.row
        if self._format.encoding != "utf-8" or reader.offset < base + position or reader.offset == before:
            return position + len(piece)
        self._reader = None
        return reader.offset - base

    def _take(self, records: Sequence[Record], parts: list[Part]) -> None:
        for record in records:
            self._offset, self._row = record.end, record.row + 1
            if self._offset - self._start >= self._part_bytes or self._row - self._first_row >= self._part_rows:
                self._cut(parts)

    def _cut(self, parts: list[Part]) -> None:
        parts.append(Part(self._start, self._offset, self._first_row, self._row - self._first_row))
        self._start, self._first_row = self._offset, self._row

    def _fast(self, data: bytes, position: int, parts: list[Part]) -> tuple[int, bool]:
        """Pass over whole records; return the position behind the last one, and whether all before the end is vouched for."""
        found = np.frombuffer(data, dtype=np.uint8)[position:]
        ends = _line_ends(found)
        sure = True
        if data.find(b'"', position) >= 0:
            ends, sure = self._outside_quotes(found, ends)
        lengths = np.diff(ends, prepend=0)
        if lengths.size and lengths.max() > MAX_FIELD_BYTES:
            ends, sure = ends[: int(np.argmax(lengths > MAX_FIELD_BYTES))], False
        if not ends.size:
            return position, sure
        numbers = np.arange(1, ends.size + 1)
        blank = self._blank_lines(data, position, found, ends)
        if blank is not None:
            numbers -= np.cumsum(blank)
        base, row = self._offset, self._row
        while True:
            by_bytes = np.searchsorted(ends, self._start + self._part_bytes - base)
            by_rows = np.searchsorted(numbers, self._first_row + self._part_rows - row)
            place = int(min(by_bytes, by_rows))
            if place >= ends.size:
                break
            self._offset, self._row = base + int(ends[place]), row + int(numbers[place])
            self._cut(parts)
        self._offset, self._row = base + int(ends[-1]), row + int(numbers[-1])
        return position + int(ends[-1]), sure

    def _outside_quotes(self, found: npt.NDArray[np.uint8], ends: _Positions) -> tuple[_Positions, bool]:
        """Keep the line ends that lie outside quotes and before the first quote in an odd place; say whether there is none."""
        quotes = np.flatnonzero(found == _QUOTE)
        if quotes[-1] == found.size - 1:
            quotes = quotes[:-1]  # what follows it will tell; no line ends behind it yet
        opening, closing = quotes[0::2], quotes[1::2]
        well_opened = self._beside_quote[found[opening - 1]]
        if opening.size and opening[0] == 0:
            well_opened[0] = True
        well_closed = self._beside_quote[found[closing + 1]]
        sound = np.ones(quotes.size, dtype=np.bool_)
        sound[0::2], sound[1::2] = well_opened, well_closed
        sure = bool(sound.all())
        if not sure:
            ends = ends[: np.searchsorted(ends, quotes[int(np.argmin(sound))], side="right")]
        return ends[np.searchsorted(quotes, ends - 1) % 2 == 0], sure

    def _blank_lines(self, data: bytes, position: int, found: npt.NDArray[np.uint8], ends: _Positions) -> _Flags | None:
        """Return which of the records are blank lines, which are no rows; None when none is."""
        starts = np.concatenate((np.zeros(1, dtype=np.intp), ends[:-1]))
        first = found[starts]
        suspect = self._may_be_blank[first]
        if not suspect.any():
            return None
        blank: npt.NDArray[np.bool_] = (first == _LF) | (first == _CR)
        places = np.flatnonzero(suspect & ~blank)
        # A quoted cell that begins with a letter is not blank, nor is an empty one that another follows.
        last = found.size - 1
        second, third = (found[np.minimum(starts[places] + ahead, last)] for ahead in (1, 2))
        full = ~_BLANK[second] | ((second == _QUOTE) & (third == ord(self._format.delimiter)))
        for place in places[(first[places] != _QUOTE) | ~full].tolist():
            blank[place] = self._is_blank(data[position + int(starts[place]) : position + int(ends[place])])
        return blank

    def _is_blank(self, line: bytes) -> bool:
        try:
            text = line.removesuffix(b"\n").removesuffix(b"\r").decode()
        except UnicodeDecodeError:
            return False
        cells = self._grammar.cells(text)
        return len(cells) <= 1 and not "".join(cells).strip()


def _line_ends(found: npt.NDArray[np.uint8]) -> _Positions:
    """Return the positions behind all newlines; CRLF is one, and a CR at the very end may become one."""
    ends = np.flatnonzero(found == _LF) + 1
    returns = np.flatnonzero(found == _CR)
    if returns.size and returns[-1] == found.size - 1:
        returns = returns[:-1]
    alone = returns[found[returns + 1] != _LF] + 1
    return np.sort(np.concatenate((ends, alone))) if alone.size else ends
