"""Boundaries found without reading are those that reading finds."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.csv.boundaries import Part, RecordCutter
from services.csv.dialect import Encoding, FileFormat
from services.csv.records import Record, RecordReader

_PIECES = [
    *(b"a", b"b,c", b",", b";", b"\t", b"'", b'"', b'""', b'"x"', b'"x,\r\ny"', b'"x\n', b"\n", b"\r\n", b"\r", b" ", b"\n\n"),
    *(b"  \n", b'"  "\n', b'""\n', b'"",\n', b"\xc2\xa0\n", b"\xe2\x80\x83\r\n", b"\xff", b"\0", b"\0\n", b"plain,row\n"),
    *(b'"q","r",1\r\n', b'5" pipe,x\n', b'"a" b,c\n', "ä€😀".encode()),
]
_FILES = st.lists(st.sampled_from(_PIECES), max_size=60).map(b"".join)


def form(delimiter: str = ",", encoding: Encoding = "utf-8") -> FileFormat:
    """Return the format of a file whose rows begin at once."""
    return FileFormat(encoding=encoding, bom_bytes=0, delimiter=delimiter, header=("a",), data_offset=0, newline="\n")


def read(found: FileFormat, data: bytes) -> list[Record]:
    """Return all records of a file."""
    reader = RecordReader(found, offset=0, row=1)
    return reader.feed(data) + reader.finish()


def read_part(found: FileFormat, data: bytes, part: Part) -> list[Record]:
    """Return the records of a part; what is wrong with its last one may take a look at what follows."""
    reader = RecordReader(found, offset=part.start, row=part.row)
    records = reader.feed(data[part.start : part.end])
    if reader.offset < part.end:
        records += reader.feed(data[part.end :])
    if reader.offset < part.end:
        records += reader.finish()
    return [record for record in records if record.offset < part.end]


def cut(found: FileFormat, data: bytes, chunk: int, **sizes: int) -> list[Part]:
    """Cut a file that is fed in chunks."""
    cutter = RecordCutter(found, offset=0, row=1, **sizes)
    parts = [part for start in range(0, len(data), chunk) for part in cutter.feed(data[start : start + chunk])]
    parts += cutter.finish()
    assert cutter.row - 1 == sum(part.rows for part in parts)
    return parts


def parts_are_the_file(found: FileFormat, data: bytes, parts: list[Part]) -> None:
    """The parts follow each other, and reading them one by one gives every record of the whole file."""
    whole = read(found, data)
    assert [0, *(part.end for part in parts)] == [*(part.start for part in parts), len(data)]
    records = []
    for part in parts:
        mine = read_part(found, data, part)
        assert part.rows == len(mine)
        records += mine
    assert whole == records


@given(_FILES, st.sampled_from([",", ";", "\t"]), st.integers(1, 40), st.integers(1, 60), st.integers(1, 8))
def test_any_file_cut_anywhere_reads_as_a_whole(
    data: bytes, delimiter: str, chunk: int, part_bytes: int, part_rows: int
) -> None:
    found = form(delimiter)

    parts_are_the_file(found, data, cut(found, data, chunk, part_bytes=part_bytes, part_rows=part_rows))


@given(st.text(alphabet='ab,"\n\r ä€😀\0', max_size=60), st.sampled_from(["utf-16-le", "utf-16-be"]), st.integers(1, 20))
def test_wide_files_are_cut_between_their_records(text: str, encoding: Encoding, chunk: int) -> None:
    found = form(encoding=encoding)
    data = text.encode(encoding, "surrogatepass")

    parts_are_the_file(found, data, cut(found, data, chunk, part_bytes=10, part_rows=3))


@pytest.mark.parametrize("seed", range(6))
def test_large_files_with_odd_places_are_cut_between_their_records(seed: int) -> None:
    """
    Chunks are large here, so that the fast way and the careful way take turns.
    """
    chance = random.Random(seed)
    pieces = [b'c%d,"Smith, %d",x\r\n', b"c%d,Smith %d,x\n", b'c%d,"two\nlines %d"\n', b"\n", b"   \n"]
    odd = [
        b'c1,5" pipe\n',
        b'c2,"open\n',
        b'"a" b\n',
        b"x" * 70_000 + b"\n",
        b'"' + b"y" * 300_000 + b"\n",
        b'"' + b"z" * 90_000 + b'"\n',
    ]
    lines = []
    for number in range(20_000):
        piece = chance.choice(pieces)
        lines.append(piece % (number, number) if b"%d" in piece else piece)
        if chance.random() < 0.001:
            lines.append(chance.choice(odd))
    data = b"".join(lines)

    parts_are_the_file(
        form(), data, cut(form(), data, chance.choice([70_000, 262_144, 1 << 20]), part_bytes=50_000, part_rows=700)
    )


def test_a_part_ends_with_the_row_that_fills_it() -> None:
    data = b"aaaa,1\n" * 10

    assert [Part(0, 28, 1, 4), Part(28, 56, 5, 4), Part(56, 70, 9, 2)] == cut(form(), data, 1000, part_bytes=25, part_rows=100)
    assert [3, 3, 3, 1] == [part.rows for part in cut(form(), data, 1000, part_bytes=1000, part_rows=3)]


def test_a_file_can_be_gone_on_with_behind_any_part() -> None:
    data = b'a,"1\n2"\n\nb,2\n' * 50
    first, *others = cut(form(), data, 64, part_bytes=40, part_rows=100)
    cutter = RecordCutter(form(), offset=first.end, row=first.row + first.rows, part_bytes=40, part_rows=100)

    assert others == [*cutter.feed(data[first.end :]), *cutter.finish()]
