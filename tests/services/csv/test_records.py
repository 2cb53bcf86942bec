"""The reader of records, held to the standard library on sound input and to itself on any."""

import csv
import io
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ErrorCode
from services.csv import grammar
from services.csv import records as records_module
from services.csv.dialect import Encoding, FileFormat
from services.csv.grammar import MAX_FIELD_BYTES, MAX_RECORD_BYTES
from services.csv.records import Record, RecordReader, read_all


def format_of(delimiter: str = ",", encoding: Encoding = "utf-8") -> FileFormat:
    return FileFormat(encoding=encoding, bom_bytes=0, delimiter=delimiter, header=(), data_offset=0, newline="\n")


def read(data: bytes, *, size: int | None = None, delimiter: str = ",", encoding: Encoding = "utf-8") -> list[Record]:
    step = size or max(len(data), 1)
    return list(read_all(format_of(delimiter, encoding), [data[at : at + step] for at in range(0, len(data), step)]))


def sound(data: bytes, **options: str) -> list[tuple[str, ...] | None]:
    records = read(data, **options)  # type: ignore[arg-type]
    assert [] == [record.problem for record in records if record.problem]
    return [record.cells for record in records]


ROWS = [("a", "b"), ("c", "d"), ("e", "f")]


@pytest.mark.parametrize(
    "data",
    [b"a,b\nc,d\ne,f\n", b"a,b\r\nc,d\r\ne,f\r\n", b"a,b\rc,d\re,f\r", b"a,b\r\nc,d\re,f\n", b"a,b\nc,d\ne,f",
     b'"a",b\r\n\r\nc,"d"\r\n\n \ne,f'],
)  # fmt: skip
def test_every_newline_and_none_at_the_end_give_the_same_rows(data: bytes) -> None:
    """Case 3; blank lines are no rows."""
    assert ROWS == sound(data)
    assert [1, 2, 3] == [record.row for record in read(data, size=1)]


@pytest.mark.parametrize(
    ("data", "cells"),
    [
        (b'"a\nb",c\n', ("a\nb", "c")),
        (b'"a\r\nb",c\r\n', ("a\r\nb", "c")),
        (b'"a ""quoted"" word",c\n', ('a "quoted" word', "c")),
        (b'"a,b",""\n', ("a,b", "")),
        (b'5" pipe,x\n', ('5" pipe', "x")),
        (b"a,\n", ("a", "")),
        (b",,\n", ("", "", "")),
        ("emoji 😀,a\u2028b\n".encode(), ("emoji 😀", "a\u2028b")),
    ],
)
def test_cells_are_read_as_rfc_4180_says(data: bytes, cells: tuple[str, ...]) -> None:
    """Case 4."""
    assert [cells] == sound(data)


def test_every_row_knows_its_bytes() -> None:
    data = 'ä,b\r\n\r\n"c\nd",e\nf,g'.encode()

    records = read(data)

    assert ["ä,b\r\n".encode(), b'\r\n"c\nd",e\n'[2:], b"f,g"] == [data[record.offset : record.end] for record in records]


@pytest.mark.parametrize(
    ("_case", "data", "rows"),
    [
        ("unclosed", b'1,a\n2,"b\n3,c\n', [("1", "a"), "A quote that opens", ("3", "c")]),
        ("unclosed, another quote later", b'1,"b\n2,c\n3,"d"\n', ["Something follows", ("2", "c"), ("3", "d")]),
        ("garbage", b'1,"a"b\n2,c\n', ["Something follows a closing quote", ("2", "c")]),
        ("garbage after several lines", b'1,"a\nb"c\n2,d\n', ["Something follows", ('b"c',), ("2", "d")]),
        ("NUL", b"1,a\0b\n2,c\n", ["Byte 3 of the file is a NUL", ("2", "c")]),
        ("invalid UTF-8", b"1,a\n2,\xff\xfe\n3,c\n", [("1", "a"), "Byte 6 of the file is not valid UTF-8", ("3", "c")]),
        ("surrogate in UTF-8", b"1,\xed\xa0\x80\n2,c\n", ["Byte 2 of the file", ("2", "c")]),
        ("cut letter at the end", b"1,a\n2,\xc3", [("1", "a"), "Byte 6 of the file is not valid UTF-8"]),
        ("long cell", b"1," + b"x" * (MAX_FIELD_BYTES + 1) + b"\n2,c\n", ["A cell of this row is longer", ("2", "c")]),
        ("long record", b"x," * MAX_FIELD_BYTES * 3 + b"\n2,c\n", ["The row is longer than 256 KB", ("2", "c")]),
        ("long line at the end", b"1,a\n" + b"x" * MAX_RECORD_BYTES * 2, [("1", "a"), "The row is longer than 256 KB"]),
        (
            "quote closed too late",
            b'1,"a\n' + b"2,b\n" * 20_000 + b'3,"\n4,d\n',
            ["A cell of this row is longer", *[("2", "b")] * 20_000, "A quote that opens", ("4", "d")],
        ),
    ],
)
@pytest.mark.parametrize("size", [None, 4099])
def test_a_bad_row_is_reported_and_reading_goes_on(
    _case: str, data: bytes, rows: Sequence[str | tuple[str, ...]], size: int | None
) -> None:
    """Cases 2, 5, 8 and 12: the row says what is wrong, and no row behind it is lost."""
    records = read(data, size=size)

    found = [
        record.problem.message[: len(rows[place])] if record.problem else record.cells for place, record in enumerate(records)
    ]
    assert list(rows) == found
    assert [*range(1, len(rows) + 1)] == [record.row for record in records]
    assert len(data) == records[-1].end


def test_problems_carry_the_codes_of_the_contract() -> None:
    broken = read(b'\xff\n"a"b\n')

    assert [ErrorCode.UNSUPPORTED_ENCODING, ErrorCode.INVALID_CSV] == [
        record.problem and record.problem.code for record in broken
    ]


def test_a_refused_row_keeps_its_text_for_the_report() -> None:
    assert [("a\ufffd", "b"), ('"a"b,c',)] == [record.cells for record in read(b'a\xff,b\n"a"b,c\n')]


def test_limits_are_exact() -> None:
    largest = b"x" * MAX_FIELD_BYTES
    record = b",".join([largest[:-1]] * 4) + b"x"

    assert MAX_RECORD_BYTES == len(record)
    assert [None, None] == [found.problem for found in read(largest + b"\n" + record + b"\n", size=1000)]
    assert "The row is longer than 256 KB." == str(getattr(read(record + b"x\n")[0].problem, "message", ""))[:30]


@pytest.mark.parametrize("start", [b"a", b'"', b'""'])
def test_an_endless_line_is_not_kept(start: bytes) -> None:
    """Case 8: one line of any length costs the memory of one record."""
    reader = RecordReader(format_of(), offset=0, row=1)
    chunk = start * 32_768
    held = 0

    for _ in range(200):
        assert [] == reader.feed(chunk)
        held = max(held, sum(map(len, reader._parts)))
    records = [*reader.feed(b"\nb,c\n"), *reader.finish()]

    assert held <= MAX_RECORD_BYTES + len(chunk)
    assert [len(chunk) * 200 + 1, len(chunk) * 200 + 5] == [record.end for record in records]
    assert [None, ("b", "c")] == [record.cells for record in records]


def test_an_unclosed_quote_does_not_swallow_the_file() -> None:
    """Case 5: 5 MB behind the quote, and every row of it comes out."""
    reader = RecordReader(format_of(), offset=0, row=1)
    records = reader.feed(b'1,"a\n')
    for _ in range(80):
        records += reader.feed(b"12345678,1234567\n" * 4096)
        assert sum(map(len, reader._parts)) <= MAX_RECORD_BYTES + 17 * 4096
    records += reader.finish()

    assert 1 + 80 * 4096 == len(records)
    assert 1 == sum(record.problem is not None for record in records)


# Text that is made of the characters that matter, so that they meet.
_CELL = st.text(alphabet=st.sampled_from("ab\",;\t|\r\n 'ä😀\u2028"), max_size=6)
_TABLE = st.lists(st.lists(_CELL, min_size=2, max_size=4), max_size=8)
_WILD = st.lists(
    st.sampled_from(
        [b"a", b"b,", b",", b'"', b'""', b'","', b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xc3", b"\xa4", b" ", b"c,d\n"]
    ),
    max_size=40,
).map(b"".join)
_CUTS = st.lists(st.integers(0, 400), max_size=12)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in pairwise(edges)]


@settings(max_examples=300, deadline=None)
@given(table=_TABLE, delimiter=st.sampled_from(",;\t|"), newline=st.sampled_from(["\n", "\r\n", "\r"]), places=_CUTS)
def test_sound_files_are_read_as_the_standard_library_reads_them(
    table: list[list[str]], delimiter: str, newline: str, places: list[int]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows(table[::2])
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(table[1::2])
    expected = list(csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=delimiter, strict=True))
    data = text.getvalue().encode()

    assert expected == [list(record.cells or ()) for record in read_all(format_of(delimiter), cut(data, places))]


@settings(max_examples=500, deadline=None)
@given(data=_WILD, places=_CUTS)
def test_rows_do_not_depend_on_where_the_chunks_were_cut(data: bytes, places: list[int]) -> None:
    whole = read(data)

    assert whole == list(read_all(format_of(), cut(data, places)))
    assert whole == read(data, size=1)


@settings(max_examples=500, deadline=None)
@given(data=_WILD, places=_CUTS)
def test_limits_do_not_depend_on_where_the_chunks_were_cut(data: bytes, places: list[int]) -> None:
    """With limits that small, most rows break them."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (grammar, records_module):
            patch.setattr(module, "MAX_FIELD_BYTES", 5)
            patch.setattr(module, "MAX_RECORD_BYTES", 9)
        whole = read(data)

        assert whole == list(read_all(format_of(), cut(data, places)))
        assert whole == read(data, size=1)


@settings(max_examples=300, deadline=None)
@given(data=_WILD)
def test_the_fast_ways_agree_with_the_careful_one(data: bytes) -> None:
    careful = RecordReader(format_of(), offset=0, row=1)
    careful._fast = lambda _data, start, _records: start  # type: ignore[method-assign, assignment]

    assert [*careful.feed(data), *careful.finish()] == read(data)


@settings(max_examples=300, deadline=None)
@given(data=_WILD, after=st.integers(0, 20))
def test_reading_can_go_on_behind_any_row(data: bytes, after: int) -> None:
    """A checkpoint is the end of a row and its number."""
    records = read(data)
    stop = records[min(after, len(records) - 1)] if records else None
    reader = RecordReader(format_of(), offset=stop.end if stop else 0, row=stop.row + 1 if stop else 1)

    rest = [*reader.feed(data[stop.end if stop else 0 :]), *reader.finish()]

    assert records == records[: stop.row if stop else 0] + rest


@settings(max_examples=300, deadline=None)
@given(data=_WILD)
def test_every_byte_belongs_to_one_row_or_to_a_blank_line(data: bytes) -> None:
    edges = [(record.offset, record.end) for record in read(data)]

    assert edges == sorted(edges)
    assert all(before[1] <= after[0] for before, after in pairwise(edges))
    assert all(data[start:stop] for start, stop in edges)


@settings(max_examples=200, deadline=None)
@given(table=_TABLE, encoding=st.sampled_from(["utf-16-le", "utf-16-be"]), places=_CUTS)
def test_utf16_reads_like_utf8(table: list[list[str]], encoding: Encoding, places: list[int]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(table)
    data = text.getvalue().encode(encoding)

    records = list(read_all(format_of(encoding=encoding), cut(data, places)))

    assert [record.cells for record in read(text.getvalue().encode())] == [record.cells for record in records]
    assert all(next(csv.reader([data[r.offset : r.end].decode(encoding)])) == list(r.cells or ()) for r in records)


@pytest.mark.parametrize("size", [None, 1, 3])
def test_damaged_utf16_is_a_problem_of_its_row(size: int | None) -> None:
    data = "a,b\n".encode("utf-16-le") + b"\x00\xd8" + ",c\nd,😀\ne".encode("utf-16-le") + b"\x41"

    records = read(data, size=size, encoding="utf-16-le")

    assert [("a", "b"), ("d", "😀")] == [record.cells for record in records if record.problem is None]
    assert ["Byte 8 of the file is not valid UTF-16", "Byte 28 of the file is not valid UTF-16"] == [
        record.problem.message.partition(".")[0] for record in records if record.problem
    ]
    assert len(data) == records[-1].end


_LETTERS = st.text(st.sampled_from('aé½ÿ,;"\n\r '), max_size=6)


@settings(max_examples=200, deadline=None)
@given(
    table=st.lists(st.lists(_LETTERS, min_size=1, max_size=3), max_size=5),
    encoding=st.sampled_from(["latin-1", "cp1252"]),
    places=_CUTS,
)
def test_single_byte_encodings_read_like_utf8(table: list[list[str]], encoding: Encoding, places: list[int]) -> None:
    """Case 2. Offsets count the bytes of the file, so that reading can go on behind any row."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(table)
    data = text.getvalue().encode(encoding)

    records = list(read_all(format_of(encoding=encoding), cut(data, places)))

    assert [record.cells for record in read(text.getvalue().encode())] == [record.cells for record in records]
    assert all(next(csv.reader([data[r.offset : r.end].decode(encoding)])) == list(r.cells or ()) for r in records)


def test_a_byte_that_windows_1252_does_not_have_is_a_problem_of_its_row() -> None:
    records = read(b"a,\x80\nb,\x81\nc,d", encoding="cp1252")

    assert [("a", "€"), ("c", "d")] == [record.cells for record in records if record.problem is None]
    assert ["Byte 6 of the file is not valid Windows-1252. Save the file again as UTF-8."] == [
        record.problem.message for record in records if record.problem
    ]
