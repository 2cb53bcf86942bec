"""What an import has to survive: its workers killed and frozen, and its systems out of reach."""

import asyncio
import random
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urlsplit

from core.errors import Unavailable
from core.vocabulary import BulkImportMatch, BulkImportMode
from models.bulk_import import BulkImport
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


@dataclass(slots=True)
class Workers:
    """Two worker processes; the one that is killed is replaced, the one that is frozen thaws behind its lease."""

    servers: Servers
    name: str
    chance: random.Random
    kills: int = 0
    freezes: int = 0
    _alive: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._alive = [self._started() for _ in range(2)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._alive:
            process.send_signal(signal.SIGKILL)
            process.wait()

    async def harm(self) -> None:
        """Kill or freeze one of them."""
        place = self.chance.randrange(2)
        process = self._alive[place]
        if self.chance.random() < 0.8:
            process.send_signal(signal.SIGKILL)
            process.wait()
            self._alive[place] = self._started()
            self.kills += 1
        else:
            process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(self.chance.uniform(0.5, 2) * LIMITS["lease_seconds"])
            process.send_signal(signal.SIGCONT)
            self.freezes += 1

    def _started(self) -> "subprocess.Popen[bytes]":
        return start_process(self.servers, self.name, **LIMITS)


async def survives(bench: Bench, servers: Servers, *, seed: int, kills: int, rows: int) -> Workers:
    """Import one file after the other by workers that die all the time; each has to leave behind what an undisturbed one does.

    Ends when so many have been killed.
    """
    chance = random.Random(seed)
    async with Workers(servers, bench.database.name, chance) as workers:
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


class Gate:
    """A way to a server that can be shut: connections break, and new ones find nobody."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        """Let everybody through."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Let nobody through."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        try:
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        finally:
            self._writers -= {writer, back}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


@dataclass(slots=True)
class Gates:
    """Ways to the database and to the object store (with its queues)."""

    database: Gate
    store: Gate


@asynccontextmanager
async def behind_gates(servers: Servers) -> AsyncIterator[tuple[Servers, Gates]]:
    """Give the servers as they are reached through gates."""
    found = [urlsplit(address) for address in (servers.mongodb_uri, servers.aws_endpoint)]
    gates = Gates(*(Gate(one.hostname or "", one.port or 0) for one in found))
    for gate in (gates.database, gates.store):
        await gate.open()
    try:
        yield (
            replace(
                servers,
                # Directly, or the driver would find out where the server really is.
                mongodb_uri=f"mongodb://127.0.0.1:{gates.database.port}/?directConnection=true",
                aws_endpoint=f"http://127.0.0.1:{gates.store.port}",
            ),
            gates,
        )
    finally:
        for gate in (gates.database, gates.store):
            await gate.shut()


async def outlasts(bench: Bench, gate: Gate, *, seconds: float, rows: int) -> None:
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
