"""How fast files are cut into segments: ``python -m bench.planning``. CPU time, so that a busy machine changes little."""

import time
from itertools import cycle, islice

from rich.console import Console
from rich.table import Table

from bench.figure import Figure
from services.csv.boundaries import RecordCutter
from services.csv.dialect import FileFormat

MEGABYTES = 1024
CHUNK = 1 << 20
PART_BYTES = 1 << 20
PART_ROWS = 10_000

_FILES = {
    "no quotes": "c{0},user{0}@example.com,First{0},Last{0},{0} Main Street,Springfield,IL,62701,US\n",
    "CRLF": "c{0},user{0}@example.com,First{0},Last{0},{0} Main Street,Springfield,IL,62701,US\r\n",
    "one quoted cell a row": 'c{0},user{0}@example.com,First{0},Last{0},"{0} Main Street, Floor 2",Springfield,IL,62701,US\n',
    "every cell quoted": '"c{0}","user{0}@example.com","First{0}","Last{0}","{0} Main St","Springfield","IL","62701","US"\n',
    "a blank line after each row": "c{0},user{0}@example.com,First{0},Last{0},{0} Main Street,Springfield,IL,62701,US\n\n",
    "a stray quote every 10,000 rows": "c{0},user{0}@example.com,First{0},Last{0},{0} Main Street,Springfield,IL,62701,US\n",
}


def measure() -> list[Figure]:
    """Cut a gigabyte of each kind of file; return megabytes per second of CPU time."""
    return [
        Figure(f"planning, {name}", _speed(line, stray=name.startswith("a stray")), "MB/s of CPU")
        for name, line in _FILES.items()
    ]


def _speed(line: str, *, stray: bool) -> float:
    lines = [line.format(number) for number in range(100_000, 200_000)]
    if stray:
        lines[::10_000] = [one.replace(" Main", '" Main') for one in lines[::10_000]]
    data = "".join(lines).encode()
    chunks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    form = FileFormat(encoding="utf-8", bom_bytes=0, delimiter=",", header=("a",), data_offset=0, newline="\n")
    cutter = RecordCutter(form, offset=0, row=1, part_bytes=PART_BYTES, part_rows=PART_ROWS)
    begun = time.process_time()
    done = 0
    for chunk in islice(cycle(chunks), MEGABYTES):
        cutter.feed(chunk)
        done += len(chunk)
    return done / 1e6 / (time.process_time() - begun)


if __name__ == "__main__":
    table = Table("measured", "figure", "unit")
    for figure in measure():
        table.add_row(figure.what, f"{figure.value:,.0f}", figure.unit)
    Console().print(table)
