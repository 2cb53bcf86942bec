"""Cutting a stream of bytes into records.

The reader is fed chunks of any size and answers with the records that are complete. Every record knows the bytes it came from,
so a checkpoint can stop after one and another process can go on behind it. What comes out does not depend on where the chunks
were cut, and no input makes the reader keep more than one record's limit plus one chunk.

There are three ways through the same grammar (RFC 4180, any newline). Lines without quotes are split, chunks with quotes go
through the standard library's reader, and whatever either of them cannot vouch for (an unclosed quote, a NUL, broken UTF-8, a
giant) goes through `Grammar`, one record at a time. The tests hold the three to the same answers.
"""

import csv
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import accumulate, count, repeat
from typing import NamedTuple

from core.errors import ErrorCode, Problem
from services.csv.dialect import Encoding, FileFormat
from services.csv.grammar import MAX_FIELD_BYTES, MAX_RECORD_BYTES, Grammar, first_line
from services.csv.single_byte import SingleByteTranscoder
from services.csv.utf16 import Transcoder


class Record(NamedTuple):
    """One row of the file: sound (cells, no problem) or refused (a problem, and the cells as far as they could be told).

    `row` counts from 1, the first row after the header; blank lines are not rows. `offset` and `end` are byte offsets in the
    file; `end` lies behind the newline. A row whose quotes make no sense has its first line as its only cell.
    """

    row: int
    offset: int
    end: int
    cells: tuple[str, ...] | None
    problem: Problem | None


_NAMES: dict[Encoding, str] = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "latin-1": "Latin-1",
    "cp1252": "Windows-1252",
}


def _transcoder(encoding: Encoding) -> Transcoder | SingleByteTranscoder | None:
    """Return what makes UTF-8 of a file; None for one that is in it."""
    if encoding == "utf-8":
        return None
    return Transcoder(encoding) if encoding.startswith("utf-16") else SingleByteTranscoder(encoding)


_make = partial(tuple.__new__, Record)  # skips the generated __new__: 0.12 instead of 0.3 microseconds a row


class RecordReader:
    """Turns chunks into records, starting at *offset*, where row number *row* begins.

    To go on behind a record, start a new reader with ``offset=record.end, row=record.row + 1`` and feed it the bytes from
    there. Any chunk will do; those of about 64 KB are read fastest, because all that is made of one still fits the caches.
    """

    def __init__(self, format: FileFormat, *, offset: int, row: int) -> None:
        self._grammar = Grammar(format.delimiter)
        self._delimiter = format.delimiter
        self._encoding = format.encoding
        self._wide = _transcoder(format.encoding)
        self._offset = offset
        self._row = row
        self._parts: list[bytes] = []
        self._held = 0
        self._skipping: Problem | None = None
        self._skipped = 0

    @property
    def offset(self) -> int:
        """Where the first byte lies that belongs to no record returned so far; blank lines before it are done with."""
        return self._offset

    @property
    def row(self) -> int:
        """The number that the next record will have."""
        return self._row

    def feed(self, chunk: bytes) -> list[Record]:
        """Return the records that *chunk* completes, in order."""
        data = self._wide.narrow(chunk) if self._wide else chunk
        if not data:
            return []
        after_cr = bool(self._parts) and self._parts[-1].endswith(b"\r")
        self._parts.append(data)
        self._held += len(data)
        if b"\n" not in data and b"\r" not in data and not after_cr and self._held <= MAX_RECORD_BYTES:
            return []  # nothing can end here; joining only when it can keeps a dribble of tiny chunks linear
        return self._read(final=False)

    def finish(self) -> list[Record]:
        """Return what is left when the file ends here; the last record needs no newline."""
        if self._wide:
            self._parts.append(self._wide.rest())
        return self._read(final=True)

    def _read(self, *, final: bool) -> list[Record]:
        data = b"".join(self._parts)
        records: list[Record] = []
        position = self._skip(data, records, final=final) if self._skipping else 0
        if self._skipping is None:
            position = self._fast(data, position, records)
            position = self._slow(data, position, records, final=final)
        rest = data[position:]
        self._parts = [rest] if rest else []
        self._held = len(rest)
        return records

    def _fast(self, data: bytes, start: int, records: list[Record]) -> int:
        """Read whole lines as long as nothing is odd about them; return the position behind the last record read."""
        stop = max(data.rfind(b"\n"), data.rfind(b"\r", 0, max(len(data) - 1, 0))) + 1
        region = data[start:stop]
        if stop <= start or b"\0" in region:
            return start
        try:
            text = region.decode()
        except UnicodeDecodeError:
            return start
        lines = region.splitlines(keepends=True)  # of bytes: only CR, LF and CRLF count
        lengths = list(map(len, lines))
        if max(lengths) > MAX_FIELD_BYTES:
            return start
        widths = lengths if self._wide is None else [self._wide.width(line) for line in lines]
        ends = list(accumulate(widths, initial=self._offset))
        if b'"' in region:
            return start + self._quoted(lines, lengths, ends, records)
        if b"\r" in region:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        texts = text.split("\n")
        texts.pop()
        delimiter = self._delimiter
        cells = [tuple(line.split(delimiter)) for line in texts]
        if 1 in map(len, cells):
            kept = [index for index, row in enumerate(cells) if len(row) > 1 or row[0].strip()]
            found = [(ends[index], ends[index + 1], cells[index]) for index in kept]
            records += [
                Record(row, begin, end, row_cells, None) for row, (begin, end, row_cells) in enumerate(found, self._row)
            ]
            self._row += len(kept)
        else:
            records += map(_make, zip(count(self._row), ends, ends[1:], cells, repeat(None), strict=False))
            self._row += len(cells)
        self._offset = ends[-1]
        return stop

    def _quoted(self, lines: list[bytes], lengths: list[int], ends: list[int], records: list[Record]) -> int:
        """Read *lines* with the standard reader; return how many bytes of them are done before the first oddity."""
        reader = csv.reader(map(bytes.decode, lines), delimiter=self._delimiter, strict=True)
        done = 0
        row = self._row
        try:
            for cells in reader:
                lines_read = reader.line_num
                if lines_read - done > 1 and sum(lengths[done:lines_read]) > MAX_FIELD_BYTES:
                    break
                if len(cells) > 1 or (cells and cells[0].strip()):
                    records.append(_make((row, ends[done], ends[lines_read], tuple(cells), None)))
                    row += 1
                done = lines_read
        except csv.Error:
            pass  # the careful way finds out what is wrong, and where to go on
        self._row = row
        self._offset = ends[done]
        return sum(lengths[:done])

    def _slow(self, data: bytes, position: int, records: list[Record], *, final: bool) -> int:
        """Read records one by one until only more data can tell; return the position behind the last one."""
        while position < len(data):
            found = self._grammar.one(data, position, final=final)
            if found is None:
                return position
            if isinstance(found, Problem):
                line = first_line(data, position, final=final)
                if line is None:
                    if len(data) - position > MAX_RECORD_BYTES:
                        self._skipping = found
                        self._skipped = 0
                        return self._skip(data, records, final=final, start=position)
                    return position
                text_end, stop = line
                text = data[position:text_end].decode(errors="replace") if text_end - position <= MAX_FIELD_BYTES else None
                end = self._offset + self._width(data[position:stop])
                self._add(Record(self._row, self._offset, end, None if text is None else (text,), found), records)
            else:
                text_end, stop = found
                self._take(data[position:text_end], self._offset + self._width(data[position:stop]), records)
            position = stop
        return position

    def _skip(self, data: bytes, records: list[Record], *, final: bool, start: int = 0) -> int:
        """Let go of an endless line, piece by piece, and report it once its end is found."""
        line = first_line(data, start, final=final)
        stop = line[1] if line else len(data) - data.endswith(b"\r")
        self._skipped += self._width(data[start:stop])
        if line:
            end = self._offset + self._skipped
            self._add(Record(self._row, self._offset, end, None, self._skipping), records)
            self._skipping = None
        return stop

    def _take(self, raw: bytes, end: int, records: list[Record]) -> None:
        """Keep the well-quoted record *raw*, or say why its content cannot be used."""
        problem = None
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            place = self._offset + self._width(raw[: error.start])
            problem = Problem(
                ErrorCode.UNSUPPORTED_ENCODING,
                f"Byte {place} of the file is not valid {_NAMES[self._encoding]}. Save the file again as UTF-8.",
            )
            text = raw.decode(errors="replace")
        cells = self._grammar.cells(text)
        if problem is None and "\0" in text:
            place = self._offset + self._width(raw[: raw.index(b"\0")])
            problem = Problem(
                ErrorCode.INVALID_CSV, f"Byte {place} of the file is a NUL character. Remove it and import the row again."
            )
        if problem is None and len(cells) <= 1 and not "".join(cells).strip():
            self._offset = end
        else:
            self._add(Record(self._row, self._offset, end, cells, problem), records)

    def _add(self, record: Record, records: list[Record]) -> None:
        records.append(record)
        self._row += 1
        self._offset = record.end

    def _width(self, raw: bytes) -> int:
        return len(raw) if self._wide is None else self._wide.width(raw)


def read_all(format: FileFormat, chunks: Iterable[bytes]) -> Iterator[Record]:
    """Yield every record of a file given as chunks that start at its first byte."""
    reader = RecordReader(format, offset=format.data_offset, row=1)
    ahead = format.data_offset
    for chunk in chunks:
        useful = chunk[ahead:]
        ahead = max(0, ahead - len(chunk))
        if useful:
            yield from reader.feed(useful)
    yield from reader.finish()
