"""Rows a second of whole imports beside a bare PyMongo loop that inserts the same documents: ``python -m bench.imports``.

An import is a real one: the file in the object store, its message in the queue, a ``customer-service worker`` of its own as in
production, from the moment the import is planned until its reports are written. It is compared with `bench.import_loop`.
Rounds alternate between the two. Everything shares the machine's cores, and nothing is pinned.

Besides: two workers against one, each with two files to work on; memory of a worker after a small and after a large file; and
how long after its start an import first says that rows are done.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import uvloop
from rich.console import Console
from rich.table import Table

from app.container import Connections, open_connections
from app.settings import load_settings
from auth.principal import OPERATOR_SCOPES, Principal
from bench.import_loop import insert, read_back, version_of
from bench.import_stages import shop_file
from bench.machine import cpu_seconds, describe, most_megabytes
from bench.stage import SELLER
from core.drafts import BulkImportDraft
from core.vocabulary import BulkImportStatus, PrincipalKind
from embedded.environment import PREFIX, beside_the_api, for_services
from embedded.options import Options
from embedded.processes import Child, Command, python_module
from embedded.servers import Running, ServerSet, start_all
from infra.mongo import create_indexes
from models.bulk_import import BulkImport
from repositories.bulk_import import ImportChanges
from services.bulk_import import BulkImportService
from services.import_watching import LATEST
from services.live import open_live

TARGET = 0.60
OPERATOR = Principal(kind=PrincipalKind.OPERATOR, subject="bench", scopes=OPERATOR_SCOPES, seller_id=SELLER)
_OTHER = replace(OPERATOR, seller_id="bench-warm")
_WARM = 700
"""Rows that a worker imports for another seller before the clock runs: what is read once is read then."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is imported, how often, and in batches of how many rows."""

    rows: int = 10_000
    rounds: int = 3
    batch: int = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of imports: seconds, and the microseconds of CPU that a row cost the workers, mongod and the object store."""

    rows: int
    seconds: float
    first_progress: float
    worker: float
    mongod: float
    store: float
    megabytes: float

    @property
    def speed(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


class Stage:
    """Servers of its own, on which each measurement has a database and a queue that nobody used before."""

    def __init__(self, directory: Path, running: Mapping[str, Running]) -> None:
        self._directory = directory
        self._running = running
        self._taken = 0
        self.uri = ServerSet.under(directory).mongod.uri(running["mongod"].port)

    def fresh(self) -> str:
        """Return the name of a database and a queue."""
        self._taken += 1
        return f"bench-{self._taken}"

    def environment(self, name: str, batch: int) -> dict[str, str]:
        """Return the environment of processes that work on *name*."""
        own = {
            f"{PREFIX}MONGODB__DATABASE": name,
            f"{PREFIX}AWS__SQS__QUEUES__CUSTOMER_QUEUE": name,
            f"{PREFIX}BULK__CUSTOMER__BATCH_SIZE": str(batch),
        }
        options = Options(run_directory=self._directory)
        return beside_the_api(for_services({**os.environ, **own}, options, ServerSet.under(self._directory), self._running))

    @asynccontextmanager
    async def workers(self, environment: Mapping[str, str], count: int) -> AsyncIterator[list[int]]:
        """Run workers, and yield their process ids."""
        command = Command("worker", tuple(python_module("app", "worker")), self._directory / "worker.log", dict(environment))
        children = [await Child.start(command) for _ in range(count)]
        try:
            yield [child.pid for child in children]
        finally:
            await asyncio.gather(*(child.stop(grace=20) for child in children))

    def used(self, workers: Sequence[int]) -> tuple[float, float, float]:
        """Return the CPU seconds so far of the workers, of mongod and of the object store."""
        mongod, store = (self._running[name].child.pid for name in ("mongod", "aws"))
        return sum(map(cpu_seconds, workers)), cpu_seconds(mongod), cpu_seconds(store)


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """Start MongoDB and the object store with its queue, and stop them at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-imports-") as folder:
        servers = ServerSet.under(Path(folder))
        running = await start_all([servers.mongod, servers.aws], usual=False)
        try:
            yield Stage(Path(folder), running)
        finally:
            await asyncio.gather(*(one.child.stop(grace=20) for one in running.values()))


@contextmanager
def _environ(environment: Mapping[str, str]) -> Iterator[None]:
    """Let the settings of this process be those of the workers."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Shop:
    """A shop that imports its customers, and looks now and then how far they are."""

    def __init__(self, to: Connections, service: BulkImportService) -> None:
        self._to = to
        self._service = service
        self.first_progress = 0.0
        self._begun = 0.0

    async def start(self, viewer: Principal, content: bytes) -> BulkImport:
        """Upload a file and start its import."""
        record, _ = await self._service.create(viewer, BulkImportDraft(file_name="customers.csv", size=len(content)), None)
        async with self._to.store.write(record.source.key, content_type="text/csv") as upload:
            for start in range(0, len(content), 1 << 20):
                await upload.write(content[start : start + (1 << 20)])
        self._begun = time.perf_counter()
        return await self._service.start(viewer, record.id)

    async def imported(self, viewer: Principal, contents: Sequence[bytes]) -> list[BulkImport]:
        """Import files at the same time, and return the imports as they ended; none may have a row that was refused.

        Raises:
            RuntimeError: when one came to anything else.
        """
        started = [await self.start(viewer, content) for content in contents]
        ended: dict[str, BulkImport] = {}
        self.first_progress = 0.0
        while len(ended) < len(started):
            await asyncio.sleep(0.05)
            for one in started:
                found = await self._service.get(viewer, one.id)
                if found is None or (found.status.final and found.status is not BulkImportStatus.COMPLETED):
                    message = f"The import did not come through: {found}"
                    raise RuntimeError(message)
                if found.counts.processed and not self.first_progress:
                    self.first_progress = time.perf_counter() - self._begun
                if found.status.final:
                    ended[one.id] = found
        return list(ended.values())


async def run_import(stage: Stage, name: str, plan: Plan, *, workers: int = 1, files: int = 1) -> Outcome:
    """Import `plan.rows` rows in some files with some workers, into a database of this name."""
    environment = stage.environment(name, plan.batch)
    each = plan.rows // files
    contents = [shop_file(each, first=1 + each * number) for number in range(files)]
    with _environ(environment):
        settings = load_settings()
    async with open_connections(settings) as to, open_live(ImportChanges(), LATEST) as live:
        await create_indexes()
        await to.queue.ensure_queues()
        service = BulkImportService(to.units, to.store, to.queue, to.rules.clock, to.limits, live)
        shop = Shop(to, service)
        async with stage.workers(environment, workers) as pids:
            for number in range(workers):
                await shop.imported(_OTHER, [shop_file(_WARM, first=1 + _WARM * number)])
            before = stage.used(pids)
            ended = await shop.imported(OPERATOR, contents)
            after = stage.used(pids)
            memory = max(map(most_megabytes, pids))
    worker, mongod, store = ((late - early) / plan.rows * 1e6 for early, late in zip(before, after, strict=True))
    begun = min(one.started_at for one in ended if one.started_at)
    over = max(one.finished_at for one in ended if one.finished_at)
    seconds = (over - begun).total_seconds()
    return Outcome(each * files, seconds, shop.first_progress, worker, mongod, store, memory)


@dataclass(frozen=True, slots=True)
class Round:
    """One import and the two loops that inserted the same documents; rows a second."""

    ours: Outcome
    in_transactions: float
    without: float


async def run_round(stage: Stage, plan: Plan) -> Round:
    """Measure one import, and the loops on what it stored."""
    name = stage.fresh()
    ours = await run_import(stage, name, plan)
    stored = await read_back(stage.uri, name, SELLER, plan.batch)
    speeds = [plan.rows / await insert(stage.uri, stage.fresh(), stored, transactions=own) for own in (True, False)]
    return Round(ours, *speeds)


def _show(rounds: Sequence[Round]) -> Table:
    table = Table(
        "round",
        "import, rows/s",
        "loop in transactions",
        "ratio",
        "loop without",
        "ratio",
        "µs of CPU a row: worker, mongod, store",
    )
    for number, one in enumerate(rounds, 1):
        ours = one.ours
        table.add_row(
            str(number),
            f"{ours.speed:,.0f}",
            f"{one.in_transactions:,.0f}",
            f"{ours.speed / one.in_transactions:.2f}",
            f"{one.without:,.0f}",
            f"{ours.speed / one.without:.2f}",
            f"{ours.worker:.0f}, {ours.mongod:.0f}, {ours.store:.0f}",
        )
    return table


async def measure(plan: Plan, console: Console, *, large: int, two: bool) -> float:
    """Measure, print as it goes, and return the median ratio to the loop that works in transactions."""
    async with open_stage() as stage:
        console.print(describe(("pymongo", "beanie", "pydantic"), await version_of(stage.uri)))
        rounds = [await run_round(stage, plan) for _ in range(plan.rounds)]
        if rounds:
            console.print(f"{plan.rows:,} rows, batches of {plan.batch}, one worker, one file")
            console.print(_show(rounds))
        if two:
            one, both = [await run_import(stage, stage.fresh(), plan, workers=count, files=2) for count in (1, 2)]
            console.print(
                f"two files at once: one worker {one.speed:,.0f} rows/s, two {both.speed:,.0f},"
                f" ratio {both.speed / one.speed:.2f}; µs of CPU a row with two:"
                f" workers {both.worker:.0f}, mongod {both.mongod:.0f}"
            )
        if large:
            small = await run_import(stage, stage.fresh(), replace(plan, rows=10_000))
            much = await run_import(stage, stage.fresh(), replace(plan, rows=large))
            for one in (small, much):
                console.print(
                    f"{one.rows:,} rows: {one.speed:,.0f} rows/s, {one.seconds:.1f} s, at most {one.megabytes:.0f} MB,"
                    f" first progress {one.first_progress:.2f} s after the start"
                )
    return median(one.ours.speed / one.in_transactions for one in rounds) if rounds else 1.0


def main() -> None:
    """Measure and print."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description="Imports beside a bare PyMongo loop.")
    parser.add_argument("--rows", type=int, default=usual.rows)
    parser.add_argument("--rounds", type=int, default=usual.rounds)
    parser.add_argument("--batch", type=int, default=usual.batch)
    parser.add_argument("--large", type=int, default=0, help="rows of a large file, for memory and first progress")
    parser.add_argument("--two", action="store_true", help="two workers against one as well")
    parser.add_argument("--check", action="store_true", help=f"end with status 1 when the ratio is below {TARGET}")
    given = parser.parse_args()
    plan = Plan(given.rows, given.rounds, given.batch)
    ratio = uvloop.run(measure(plan, Console(width=150), large=given.large, two=given.two))
    if given.check and ratio < TARGET:
        sys.exit(1)


if __name__ == "__main__":
    main()
