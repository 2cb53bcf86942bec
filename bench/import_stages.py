"""What a row of an import costs the worker's processor, stage by stage: ``python -m bench.import_stages``.

CPU time of this process, without a database; the median of some rounds. `bench.imports` measures whole imports.
"""

import gc
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from statistics import median

from bson import encode
from rich.console import Console
from rich.table import Table

from bench.figure import Figure
from core.sealing import Sealer
from core.vocabulary import BulkImportMatch, BulkImportMode, EventPrivacy
from services.csv.columns import map_columns
from services.csv.dialect import FileFormat
from services.csv.records import Record, RecordReader
from services.import_changes import World, decide
from services.import_rows import ImportPlan, check, make, row_keys
from services.records import RecordMaker
from services.rules.policy import RulePolicy

ROWS = 5_000
BATCH = 100
_ROUNDS = 9
_CHUNK = 64 * 1024
MASTER_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
_STAGES = (
    "judging (cells to draft, rules, keys)",
    "making what is stored",
    "deciding",
    "BSON of it, which the driver makes",
    "finding the keys alone",
)

HEADER = ("external_id", "email", "phone", "first_name", "last_name", "line1", "city", "region", "postal_code", "country")
_PLACES = (
    ("Mountain View", "CA", "94043", "US", "+1650253{:04d}", "(650) 253-{:04d}"),
    ("Berlin", "", "10115", "DE", "+49302655{:04d}", "030 2655{:04d}"),
    ("London", "", "SW1A 1AA", "GB", "+44207946{:04d}", "020 7946 {:04d}"),
    ("Paris", "", "75001", "FR", "+3314455{:04d}", "01 44 55 {:04d}"),
    ("Toronto", "ON", "M5H 2N2", "CA", "+1416392{:04d}", "416-392-{:04d}"),
    ("München", "", "80331", "Germany", "+49892333{:04d}", "089/2333{:04d}"),
    ("New York", "NY", "10001", "United States", "+1212736{:04d}", "212.736.{:04d}"),
)
_FIRST = ("Ada", "Grace", "Chloë", "Linus", "Márta", "Alan", "Barbara", "Søren", "Edsger", "Radia", "Ken")
_LAST = ("Lovelace", "Hopper", "O'Brien", "Müller", "Smith", "van Rossum", "Nguyen", "García", "Jones", "Berg")


def shop_file(rows: int, *, first: int = 1) -> bytes:
    """Return a file of sound rows with an address, numbered from *first*.

    Seven places in five countries, phones in E.164 and as they are dialled there, half of the names not in ASCII.
    """
    lines = [",".join(HEADER), *(",".join(_cells(number)) for number in range(first, first + rows))]
    return ("\n".join(lines) + "\n").encode()


def _cells(number: int) -> tuple[str, ...]:
    city, region, postal_code, country, *phones = _PLACES[number % len(_PLACES)]
    # Every number of a phone is used twice, so only one row in ten thousand has one: a customer's phone is its own.
    phone = phones[number // len(_PLACES) % 2].format(number // len(_PLACES)) if number < 10_000 * len(_PLACES) else ""
    first, last = _FIRST[number % len(_FIRST)], _LAST[number // 7 % len(_LAST)]
    email = f"{first}.{number}@shop{number % 97}.example".encode("ascii", "ignore").decode()
    return (f"C-{number}", email, phone, first, last, f"{number % 999 + 1} Main Street", city, region, postal_code, country)


def file_format(header: Sequence[str] = HEADER) -> FileFormat:
    """Return how `shop_file` is written."""
    start = len(",".join(header).encode()) + 1
    return FileFormat(encoding="utf-8", bom_bytes=0, delimiter=",", header=tuple(header), data_offset=start, newline="\n")


def plan_of(import_id: str) -> ImportPlan:
    """Return the plan of an import as `createBulkImport` makes it by default, every rule switched on."""
    return ImportPlan(
        import_id=import_id,
        seller_id="bench",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        mode=BulkImportMode.CREATE,
        match_by=BulkImportMatch.EXTERNAL_ID,
        lenient=True,
        dry_run=False,
        columns=map_columns(HEADER, []),
        policy=RulePolicy(email=True, phone=True, documents=True, addresses=True, default_country="US", today=date(2026, 1, 1)),
    )


def measure(rounds: int = _ROUNDS) -> list[Figure]:
    """Return the microseconds of CPU that a row costs at each stage, and those of finding its keys alone."""
    maker = RecordMaker(Sealer(MASTER_KEY), EventPrivacy.MASKED)
    plan, form = plan_of("imp_01m8gcsyr4ebr83vfmj8wy3gc0"), file_format()
    body = shop_file(ROWS)[form.data_offset :]
    spent: dict[str, list[float]] = {}
    # As in a worker: what is there stays, and batches make no circular garbage.
    gc.collect()
    gc.freeze()
    for number in range(rounds + 1):
        for stage, seconds in _round(body, form, plan, maker):
            if number:  # the first one fills the caches
                spent.setdefault(stage, []).append(seconds / ROWS * 1e6)
    gc.unfreeze()
    return [Figure(f"import, {stage}", median(values), "µs of CPU a row") for stage, values in spent.items()]


def _round(body: bytes, form: FileFormat, plan: ImportPlan, maker: RecordMaker) -> Iterator[tuple[str, float]]:
    """Take the rows of a file through every stage, a batch at a time as a worker does, and yield the seconds of each stage."""
    begun = time.process_time()
    reader = RecordReader(form, offset=form.data_offset, row=1)
    records = [one for start in range(0, len(body), _CHUNK) for one in reader.feed(body[start : start + _CHUNK])]
    records += reader.finish()
    yield "cutting into records", time.process_time() - begun
    stages: defaultdict[str, float] = defaultdict(float)
    at = datetime.now(UTC)
    for start in range(0, len(records), BATCH):
        _batch(records[start : start + BATCH], plan, maker, at, stages)
    yield from stages.items()


def _batch(
    records: Sequence[Record], plan: ImportPlan, maker: RecordMaker, at: datetime, stages: defaultdict[str, float]
) -> None:
    moments = [time.process_time()]
    rows = [check(record, plan, maker) for record in records]
    moments.append(time.process_time())
    for row in rows:
        row.made = make(row, plan, maker, at)
    moments.append(time.process_time())
    effects = decide(rows, plan, World(holders=()), maker, at)
    moments.append(time.process_time())
    for document in (*effects.customers, *effects.addresses, *effects.events):
        encode(document)
    moments.append(time.process_time())
    for record in records:
        row_keys(record.cells or (), plan, maker)
    moments.append(time.process_time())
    for stage, early, late in zip(_STAGES, moments[:-1], moments[1:], strict=True):
        stages[stage] += late - early


def show(figures: Sequence[Figure]) -> Table:
    """Lay the figures out."""
    table = Table("stage", "figure", "unit")
    for figure in figures:
        table.add_row(figure.what, f"{figure.value:,.1f}", figure.unit)
    return table


if __name__ == "__main__":
    Console().print(show(measure()))
