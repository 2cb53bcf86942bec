"""The error report is an import file: what goes out comes back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ErrorCode
from services.csv.columns import map_columns
from services.csv.format import recognise
from services.csv.records import Record, read_all
from services.csv.report import report_header, report_row
from services.csv.rows import to_draft
from services.csv.values import FORMULA_STARTS, cleaned, defused

HEADER = ("external_id", "phone", "note")


def read(data: bytes) -> tuple[tuple[str, ...], list[Record]]:
    format = recognise(data, delimiter=None, size=len(data))
    return format.header, list(read_all(format, [data]))


def test_a_report_holds_the_row_and_the_reason() -> None:
    report = report_header(HEADER) + report_row(
        ("1", "+49 30", 'a "b", c'), 7, "phone", ErrorCode.INVALID_PHONE, "No number.", header=HEADER
    )

    assert (
        b'_row,_column,_code,_message,external_id,phone,note\r\n7,phone,INVALID_PHONE,No number.,1,\'+49 30,"a ""b"", c"\r\n'
    ) == report


@pytest.mark.parametrize("cell", ["=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1"])
def test_no_cell_of_a_report_is_run_by_a_spreadsheet(cell: str) -> None:
    """Case 11; the column name and the message come from the file, too."""
    line = report_row((cell,), 1, cell, ErrorCode.INVALID, cell, header=("email",)).decode()

    assert 3 == line.count("'" + cell)


def test_a_ragged_row_stays_ragged() -> None:
    """Neither fault of a row is hidden by the columns we add."""
    data = report_header(HEADER)
    for cells in (("1", "2", "3", "4"), ("1", "2"), None):
        data += report_row(cells, 1, None, ErrorCode.INVALID_CSV, "Ragged.", header=HEADER)

    header, records = read(data)

    plan = map_columns(header, [])
    assert [8, 6, 4] == [len(record.cells or ()) for record in records]
    assert all([ErrorCode.INVALID_CSV] == [p.code for p in to_draft(plan, record.cells or ()).problems] for record in records)


def test_a_report_on_a_report_has_the_columns_once() -> None:
    header = (*HEADER, "_row", "_column", "_code", "_message")
    moved = report_row(("1", "2", "3", "9", "phone", "X", "Y"), 1, None, ErrorCode.INVALID, "Z", header=header)
    ours = ("_row", "_column", "_code", "_message", *HEADER)
    again = report_row(("9", "phone", "X", "Y", "1", "2", "3"), 1, None, ErrorCode.INVALID, "Z", header=ours)
    ragged = report_row(("9", "phone", "X", "Y", "1", "2", "3", "4"), 2, None, ErrorCode.INVALID, "Z", header=ours)

    assert report_header(HEADER) == report_header(header) == report_header(ours)
    assert [b"1,,INVALID,Z,1,2,3\r\n"] * 2 + [b"2,,INVALID,Z,1,2,3,4\r\n"] == [moved, again, ragged]


_CELL = st.text(alphabet=st.sampled_from(FORMULA_STARTS + "'a1 ,\";äN"), max_size=8) | st.sampled_from(
    ["'+49 30", "NULL", "\tNULL"]
)


@settings(max_examples=1000, deadline=None)
@given(cell=_CELL)
def test_a_defused_cell_means_what_it_meant(cell: str) -> None:
    assert cleaned(cell) == cleaned(defused(cell))


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.tuples(*[_CELL.map(lambda cell: cell.replace("\0", ""))] * 3), min_size=1, max_size=5))
def test_a_report_can_be_imported(rows: list[tuple[str, str, str]]) -> None:
    """Read back, every row gives the draft that it gave at first."""
    data = report_header(HEADER)
    for number, cells in enumerate(rows, 1):
        data += report_row(cells, number, "phone", ErrorCode.INVALID, '=why, "not"?', header=HEADER)

    header, records = read(data)

    first, second = map_columns(HEADER, []), map_columns(header, [])
    assert [to_draft(first, cells) for cells in rows] == [to_draft(second, record.cells or ()) for record in records]
