"""What an import has to survive: its workers killed and frozen, and its systems out of reach."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from core.errors import Unavailable
from core.vocabulary import BulkImportMatch, BulkImportMode
from models.bulk_import import BulkImport
from tests.chaos.proxy import FaultProxy, fault_proxy
from tests.chaos.victims import Victims
from tests.import_oracle import left_behind, nothing_is_left_over, quarrelsome_csv
from tests.import_worker import start_process
from tests.imports import OPERATOR, Bench
from tests.servers import Servers

LIMITS: dict[str, Any] = {"lease_seconds": 2.0, "segment_rows": 120, "batch_size": 10}
MODES: list[dict[str, Any]] = [
    {"mode": BulkImportMode.CREATE},
    {"mode": BulkImportMode.UPSERT, "match_by": BulkImportMatch.EXTERNAL_ID},
    {"mode": BulkImportMode.CREATE, "dry_run": True},
]


async def survives(bench: Bench, servers: Servers, *, seed: int, kills: int, rows: int) -> Victims:
    """Import one file after the other by workers that die all the time; each has to leave behind what an undisturbed one does.

    Ends when so many have been killed.
    """
    chance = random.Random(seed)
    start = partial(start_process, servers, bench.database.name, **LIMITS)
    async with Victims(start, chance, frozen=LIMITS["lease_seconds"]) as workers:
        for number in range(1000):
            content = quarrelsome_csv(rows, seed + number, people=rows)
            options = MODES[number % len(MODES)]
            before = quarrelsome_csv(rows // 5, seed + number + 1000, people=rows)
            for seller in (f"disturbed-{number}", f"calm-{number}"):
                await over(bench, await started(bench, seller, before, {}))
            record = await started(bench, f"disturbed-{number}", content, options)
            while not (await _now(bench, record)).status.final:
                await asyncio.sleep(chance.uniform(0.05, 1.5))
                if workers.kills < kills:
                    await workers.harm()
            disturbed = await _now(bench, record)
            calm = await over(bench, await started(bench, f"calm-{number}", content, options))
            assert await left_behind(bench, calm) == await left_behind(bench, disturbed), f"seed {seed}, file {number}"
            await nothing_is_left_over(bench, disturbed)
            if workers.kills >= kills:
                break
    return workers


async def started(bench: Bench, seller: str, content: bytes, options: dict[str, Any]) -> BulkImport:
    """Start an import of a seller."""
    viewer = replace(OPERATOR, seller_id=seller)
    record = await bench.upload(content, viewer=viewer, **options)
    return await bench.service.start(viewer, record.id)


async def over(bench: Bench, record: BulkImport) -> BulkImport:
    """Wait for the end of an import, however often the database does not answer meanwhile."""
    async with asyncio.timeout(200):
        while True:
            with suppress(Unavailable):
                found = await _now(bench, record)
                if found.status.final:
                    return found
            await asyncio.sleep(0.1)


async def _now(bench: Bench, record: BulkImport) -> BulkImport:
    found = await bench.service.get(replace(OPERATOR, seller_id=record.seller_id), record.id)
    assert found is not None
    return found


@dataclass(slots=True)
class Gates:
    """Ways to the database and to the object store (with its queues)."""

    database: FaultProxy
    store: FaultProxy


@asynccontextmanager
async def behind_gates(servers: Servers) -> AsyncIterator[tuple[Servers, Gates]]:
    """Give the servers as they are reached through gates."""
    async with fault_proxy(servers.mongodb_uri) as database, fault_proxy(servers.aws_endpoint) as store:
        # Directly, or the driver would find out where the server really is.
        uri = f"mongodb://{database.address}/?directConnection=true"
        yield replace(servers, mongodb_uri=uri, aws_endpoint=f"http://{store.address}"), Gates(database, store)


async def outlasts(bench: Bench, gate: FaultProxy, *, seconds: float, rows: int) -> None:
    """Import a file while a system is out of reach for a while: nothing is lost, nothing there twice, nothing put aside."""
    content = quarrelsome_csv(rows, 1, people=rows)
    calm = await started(bench, "calm", content, {})
    async with bench.working():
        calm = await over(bench, calm)
    record = await started(bench, "disturbed", content, {})
    async with bench.working() as worker:
        async with asyncio.timeout(60):
            while not (await _now(bench, record)).counts.processed:  # noqa: ASYNC110 - a database does not tell
                await asyncio.sleep(0.02)
        await gate.shut()
        await asyncio.sleep(seconds)
        await gate.open()
        await asyncio.sleep(1)
        disturbed = await over(bench, record)

    assert 0 == worker.dead_letters
    assert await left_behind(bench, calm) == await left_behind(bench, disturbed)
    await nothing_is_left_over(bench, disturbed)
