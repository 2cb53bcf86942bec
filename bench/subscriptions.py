"""Thousands who watch a few imports: how long a change takes to reach them, and how many change streams that needs.

``python -m bench.subscriptions``. One process of the service on one core; MongoDB, the writer and the watchers share another,
so the figure is an upper bound. The time runs from just before a change is written until its message was received.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import orjson
import uvloop
from pymongo.asynchronous.database import AsyncDatabase
from rich.console import Console
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.machine import LOAD_CORE, cpu_seconds, megabytes, on_core
from bench.stage import SELLER, Database, Service, database, service
from core.ids import IdKind, new_id
from core.vocabulary import BulkImportMatch, BulkImportMode, BulkImportStatus, BulkImportValidation
from infra.mongo import open_mongo
from models.bulk_import import BulkImport, SourceObject

TARGET_MS = 100
_AT_ONCE = 10
"""Sockets that are being opened at the same time: a network may have twenty that have not said yet who they are."""
_WATCH = "subscription Watch($id: ID!) { bulkImportProgress(id: $id) { id status processedRows progress } }"

Written = dict[tuple[str, int], float]
"""When the change was written that brought an import to so many rows."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many watch how many imports, and how often each of these changes, for how long; times in seconds."""

    watchers: int = 2_000
    imports: int = 20
    pause: float = 2
    seconds: float = 20


@dataclass(slots=True)
class Outcome:
    """What came of it: milliseconds from write to receipt, change streams on imports, and what the process needed."""

    waits: list[float] = field(default_factory=list)
    expected: int = 0
    streams: int = 0
    microseconds: float = 0
    memory: float = 0

    @property
    def p99(self) -> float:
        """The wait that one message in a hundred is longer than."""
        return quantiles(self.waits, n=100)[98]


async def watch(at: Service, stored: Database, plan: Plan) -> Outcome:
    """Make imports, watch them, change them, and collect how long every change took to arrive."""
    written: Written = {}
    outcome = Outcome()
    async with open_mongo(stored.uri, stored.name) as mongo, AsyncExitStack() as stack:
        ids = [await _import(mongo.database) for _ in range(plan.imports)]
        gate = asyncio.Semaphore(_AT_ONCE)

        async def follow(number: int) -> ClientConnection:
            async with gate:
                return await _subscribed(at, ids[number % len(ids)], number, stack)

        sockets = await asyncio.gather(*(follow(number) for number in range(plan.watchers)))
        readers = [asyncio.create_task(_read(socket, written, outcome.waits)) for socket in sockets]
        used = cpu_seconds(at.pid)
        changes = max(1, round(plan.seconds / plan.pause))
        await asyncio.gather(
            *(
                _change(mongo.database, id_, number * plan.pause / len(ids), changes, plan, written)
                for number, id_ in enumerate(ids)
            )
        )
        outcome.streams = await _streams(mongo.database)
        await asyncio.sleep(2)
        outcome.expected = changes * plan.watchers
        outcome.microseconds = (cpu_seconds(at.pid) - used) / max(1, len(outcome.waits)) * 1e6
        outcome.memory = megabytes(at.pid)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return outcome


async def _import(into: AsyncDatabase[dict[str, Any]]) -> str:
    now = datetime.now(UTC)
    record = BulkImport(
        id=new_id(IdKind.BULK_IMPORT),
        seller_id=SELLER,
        status=BulkImportStatus.RUNNING,
        mode=BulkImportMode.CREATE,
        match_by=BulkImportMatch.EXTERNAL_ID,
        validation=BulkImportValidation.LENIENT,
        dry_run=False,
        file_name="customers.csv",
        source=SourceObject(key="bench", size=1_000_000),
        requested_by="operator:bench",
        upload_expires_at=now + timedelta(days=1),
        created_at=now,
        updated_at=now,
        started_at=now,
    )
    plain = record.model_dump(exclude_none=True, exclude={"revision_id"})
    await into.bulk_imports.insert_one({"_id": plain.pop("id"), **plain})
    return record.id


async def _subscribed(at: Service, import_id: str, number: int, stack: AsyncExitStack) -> ClientConnection:
    """Open a socket, subscribe, and return once the state of now has come: from here on it is watching."""
    address = at.url.replace("http://", "ws://")
    opening = connect(
        address, subprotocols=[Subprotocol("graphql-transport-ws")], compression=None, open_timeout=60, ping_interval=None
    )
    socket = await stack.enter_async_context(opening)
    token = at.token(subject=f"watcher-{number}")
    await socket.send(orjson.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}).decode())
    await _expect(socket, "connection_ack")
    payload = {"query": _WATCH, "variables": {"id": import_id}}
    await socket.send(orjson.dumps({"type": "subscribe", "id": "1", "payload": payload}).decode())
    await _expect(socket, "next")
    return socket


async def _expect(socket: ClientConnection, kind: str) -> None:
    message = orjson.loads(await socket.recv())
    if message["type"] != kind or "errors" in (message.get("payload") or {}):
        raise RuntimeError(f"The service sent {message}, where {kind} was expected.")


async def _read(socket: ClientConnection, written: Written, waits: list[float]) -> None:
    async for text in socket:
        received = time.perf_counter()
        message = orjson.loads(text)
        if message["type"] == "next":
            found = message["payload"]["data"]["bulkImportProgress"]
            waits.append((received - written[found["id"], found["processedRows"]]) * 1000)


async def _change(
    into: AsyncDatabase[dict[str, Any]], id_: str, delay: float, changes: int, plan: Plan, written: Written
) -> None:
    """Bring an import forward, row by row. The imports take turns, so that changes do not come all at once."""
    await asyncio.sleep(delay)
    for row in range(1, changes + 1):
        written[id_, row] = time.perf_counter()
        update = {"$inc": {"version": 1, "counts.processed": 1, "counts.created": 1}, "$set": {"updated_at": datetime.now(UTC)}}
        await into.bulk_imports.update_one({"_id": id_}, update)
        await asyncio.sleep(plan.pause)


async def _streams(of: AsyncDatabase[dict[str, Any]]) -> int:
    """Return how many change streams MongoDB serves on the imports."""
    follows = {"cursor.originatingCommand.pipeline.0.$changeStream": {"$exists": True}, "ns": f"{of.name}.bulk_imports"}
    pipeline: list[dict[str, Any]] = [{"$currentOp": {"allUsers": True, "idleCursors": True}}, {"$match": follows}]
    found = await (await of.client.admin.aggregate(pipeline)).to_list()
    return len({one["cursor"]["cursorId"] for one in found})


def measure(plan: Plan) -> Outcome:
    """Start everything and measure."""
    with tempfile.TemporaryDirectory(prefix="bench-subscriptions-") as folder, database(Path(folder)) as stored:  # noqa: SIM117
        with service(Path(folder), stored) as at, on_core(LOAD_CORE):
            return uvloop.run(watch(at, stored, plan))


def lines(plan: Plan, outcome: Outcome) -> Sequence[str]:
    """Return what to print."""
    middle = median(outcome.waits)
    return (
        f"{plan.watchers:,} watchers of {plan.imports} imports, each changing every {plan.pause:g} s, one process:",
        f"  {len(outcome.waits):,} of {outcome.expected:,} messages came;",
        f"  from write to receipt p50 {middle:.0f} ms, p99 {outcome.p99:.0f} ms (target: {TARGET_MS});",
        f"  {outcome.streams} change stream on imports, {outcome.microseconds:.0f} µs of CPU each, {outcome.memory:.0f} MB",
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.subscriptions", description="Fan-out of progress.")
    parser.add_argument("--watchers", type=int, default=2_000)
    parser.add_argument("--imports", type=int, default=20)
    parser.add_argument(
        "--pause", type=float, default=2, help="seconds between two changes of an import (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=20, help="(default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="end with status 1 when the target is missed")
    given = parser.parse_args()
    plan = Plan(given.watchers, given.imports, given.pause, given.seconds)
    outcome = measure(plan)
    console = Console(width=140)
    for line in lines(plan, outcome):
        console.print(line)
    complete = len(outcome.waits) == outcome.expected and outcome.streams == 1
    if given.check and not (complete and outcome.p99 < TARGET_MS):
        sys.exit(1)


if __name__ == "__main__":
    main()
