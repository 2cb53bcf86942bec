"""What customers take on disk: ``python -m bench.sizes``. docs/scaling.md reckons with what it prints.

Stores customers with two addresses and a document each, and the event of an imported row for each, in a MongoDB of its own, and
asks the server how large documents and indexes have become. Sizes do not depend on how busy a machine is.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from rich.console import Console
from rich.table import Table

from bench.import_stages import BATCH, MASTER_KEY, file_format, plan_of, shop_file
from bench.records import People, store
from bench.stage import SELLER, database
from core.sealing import Sealer
from core.vocabulary import EventPrivacy
from models.customer_event import CustomerEvent
from services.csv.records import RecordReader
from services.import_changes import World, decide
from services.import_rows import check, make
from services.records import RecordMaker

ROWS = 100_000
_COLLECTIONS = ("customers", "addresses", "documents", "customer_events")


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes that each document of a collection takes: as BSON, as stored (compressed), and in all indexes together."""

    collection: str
    documents: int
    bson: float
    stored: float
    indexes: dict[str, float]

    @property
    def on_disk(self) -> float:
        """Bytes on disk, indexes included."""
        return self.stored + sum(self.indexes.values())


def measure(rows: int = ROWS) -> list[Size]:
    """Return what the documents of each collection take when there are *rows* customers."""
    with tempfile.TemporaryDirectory(prefix="bench-sizes-") as folder, database(Path(folder)) as at:
        store(at.uri, at.name, MASTER_KEY, [People(SELLER, rows)])
        with MongoClient[dict[str, Any]](at.uri) as client:
            events = client[at.name][CustomerEvent.Settings.name]
            for batch in _events(rows):
                events.insert_many(batch, ordered=False)
            events.create_indexes(CustomerEvent.Settings.indexes)
            # What is stored is known once it has been written down.
            client.admin.command("fsync")
            return [_size(client[at.name], name) for name in _COLLECTIONS]


def _events(rows: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the events of an import, as they are once they were published."""
    maker = RecordMaker(Sealer(MASTER_KEY), EventPrivacy.MASKED)
    plan, form, at = plan_of("imp_01m8gcsyr4ebr83vfmj8wy3gc0"), file_format(), datetime.now(UTC)
    reader = RecordReader(form, offset=form.data_offset, row=1)
    records = [*reader.feed(shop_file(rows)[form.data_offset :]), *reader.finish()]
    for start in range(0, len(records), BATCH):
        judged = [check(record, plan, maker) for record in records[start : start + BATCH]]
        for row in judged:
            row.made = make(row, plan, maker, at)
        published = {"published_at": at}
        made = decide(judged, plan, World(holders=()), maker, at).events
        yield [{name: value for name, value in {**event, **published}.items() if name != "pending"} for event in made]


def _size(opened: Database[dict[str, Any]], name: str) -> Size:
    stats = opened.command("collStats", name)
    count = stats["count"]
    indexes = {index: size / count for index, size in stats["indexSizes"].items()}
    return Size(name, count, stats["avgObjSize"], stats["storageSize"] / count, indexes)


def show(sizes: Sequence[Size]) -> Table:
    """Return a table of *sizes*."""
    table = Table("collection", "documents", "BSON", "stored", "indexes", "on disk", "each index", title="Bytes a document")
    for one in sizes:
        each = ", ".join(f"{name} {size:.0f}" for name, size in one.indexes.items())
        numbers = (one.bson, one.stored, sum(one.indexes.values()), one.on_disk)
        table.add_row(one.collection, f"{one.documents:,}", *(f"{number:.0f}" for number in numbers), each)
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.sizes", description="What customers take on disk.")
    parser.add_argument("--rows", type=int, default=ROWS, help="customers to store (default: %(default)s)")
    Console(width=200).print(show(measure(parser.parse_args().rows)))
