"""Writing the lines of reports: the rejected rows as they came, and why; and what became of every row.

The error report is itself a valid import file. Mended rows can be uploaded as they are: the reader leaves our four columns
out and takes back the apostrophes that keep spreadsheets from running a cell. It is comma-separated UTF-8 with CRLF whatever
the source was, so an import of it must not be given the `delimiter` or the `encoding` of the source.
"""

import csv
from collections.abc import Sequence
from io import StringIO

from core.errors import ErrorCode
from services.csv.aliases import REPORT_COLUMNS
from services.csv.values import defused


def report_header(header: Sequence[str]) -> bytes:
    """Return the first line of the report on a file with this *header*: our columns, then its own.

    Ours come first: behind a row with a cell too many they would stand under the wrong headings.
    """
    return _line([*REPORT_COLUMNS, *map(defused, _without_ours(header, header))])


def report_row(
    cells: Sequence[str] | None, row: int, column: str | None, code: ErrorCode, message: str, *, header: Sequence[str]
) -> bytes:
    """Return the line for one rejected row.

    A row with too many or too few cells is written with just those, so that reading the report back finds the same fault;
    nothing is shifted into columns where it might pass for data. *column* is the name in the file, None for the row as a whole.
    """
    own = _without_ours(header, cells or ())
    return _line([str(row), defused(column or ""), code.value, defused(message), *map(defused, own)])


def result_header() -> bytes:
    """Return the first line of the report on what became of every row."""
    return b"row,outcome,customer_id\r\n"


def result_row(row: int, outcome: str, customer_id: str) -> bytes:
    """Return the line for one row; neither outcomes nor ids need quotes."""
    return f"{row},{outcome},{customer_id}\r\n".encode()


def _without_ours(header: Sequence[str], cells: Sequence[str]) -> Sequence[str]:
    """Drop what an earlier report added: by place, or from the end they stand at when *cells* do not fit the header."""
    ours = [place for place, name in enumerate(header) if name in REPORT_COLUMNS]
    if not ours or len(cells) <= len(ours):
        return cells
    if len(cells) == len(header):
        return [cell for place, cell in enumerate(cells) if place not in ours]
    if ours[0] == 0:
        return cells[len(ours) :]
    return cells[: -len(ours)] if ours[-1] == len(header) - 1 else cells


def _line(cells: Sequence[str]) -> bytes:
    line = StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode()
