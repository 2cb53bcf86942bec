"""Three MongoDB servers as one replica set, each of which may be killed, frozen, or made to step down."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from embedded.mongod import REPLICA_SET, Mongod
from embedded.ports import LOOPBACK, choose

MEMBERS = 3
SETTINGS = {"electionTimeoutMillis": 5000, "catchUpTimeoutMillis": 2000}
"""What docs/reliability.md asks of a set. With MongoDB's own (10 s, and as long as it takes), a new primary waits for one that
fell silent until its heartbeat times out, 10 s more."""
_PATIENCE = 90.0


class ReplicaSet:
    """The servers, by number. Made by `replica_set`."""

    def __init__(self, directory: Path) -> None:
        self._servers = [Mongod(directory / f"node-{number}", directory / f"node-{number}.log") for number in range(MEMBERS)]
        self.ports: list[int] = []
        for _ in self._servers:
            self.ports.append(choose(0, reserved={0, *self.ports}))
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * MEMBERS

    @property
    def uri(self) -> str:
        """What drivers are given: every member."""
        members = ",".join(f"{LOOPBACK}:{port}" for port in self.ports)
        return f"mongodb://{members}/?replicaSet={REPLICA_SET}"

    def start(self, number: int) -> None:
        """Start a member, again on its own data."""
        arguments = list(self._servers[number].command(self.ports[number]).arguments)
        arguments[arguments.index("--wiredTigerCacheSizeGB") + 1] = "0.25"
        self._processes[number] = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self, number: int) -> None:
        """End a member at once."""
        process = self._processes[number]
        assert process is not None
        process.kill()
        process.wait()

    def signal(self, number: int, what: signal.Signals) -> None:
        """Freeze a member, or let it go on."""
        process = self._processes[number]
        assert process is not None
        process.send_signal(what)

    async def initiate(self) -> None:
        """Make them one set, and wait until it has a primary and two secondaries."""
        members = [{"_id": number, "host": f"{LOOPBACK}:{port}"} for number, port in enumerate(self.ports)]
        asked = {"_id": REPLICA_SET, "members": members, "settings": SETTINGS}
        async with self._directly(0) as client, asyncio.timeout(_PATIENCE):
            while True:
                with suppress(PyMongoError):
                    await client.admin.command("replSetInitiate", asked)
                    break
                await asyncio.sleep(0.1)
        await self.whole()

    async def primary(self) -> int:
        """Wait until there is a primary, and return its number."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                for number in range(MEMBERS):
                    if (await self._hello(number)).get("isWritablePrimary"):
                        return number
                await asyncio.sleep(0.1)

    async def other_primary(self, before: int, since: float) -> float:
        """Wait until another member than *before* is primary; return how long after the moment *since* that was, in seconds."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                for number in range(MEMBERS):
                    if number != before and (await self._hello(number)).get("isWritablePrimary"):
                        return time.monotonic() - since
                await asyncio.sleep(0.1)

    async def whole(self) -> None:
        """Wait until every member serves."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                said = [await self._hello(number) for number in range(MEMBERS)]
                if all(one.get("isWritablePrimary") or one.get("secondary") for one in said):
                    return
                await asyncio.sleep(0.1)

    async def step_down(self) -> None:
        """Have the primary hand over to another member."""
        async with self._directly(await self.primary()) as client:
            await client.admin.command("replSetStepDown", 20, secondaryCatchUpPeriodSecs=10)

    async def _hello(self, number: int) -> dict[str, Any]:
        with suppress(PyMongoError):
            async with self._directly(number) as client:
                return await client.admin.command("hello")
        return {}

    def _directly(self, number: int) -> AsyncMongoClient[dict[str, Any]]:
        uri = f"mongodb://{LOOPBACK}:{self.ports[number]}/?directConnection=true"
        return AsyncMongoClient(uri, serverSelectionTimeoutMS=1000, timeoutMS=15_000)

    def end(self) -> None:
        """End all members."""
        for process in self._processes:
            if process is not None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()


@asynccontextmanager
async def replica_set(directory: Path) -> AsyncIterator[ReplicaSet]:
    """Run three members with their data in *directory*."""
    servers = ReplicaSet(directory)
    try:
        for number in range(MEMBERS):
            servers.start(number)
        await servers.initiate()
        yield servers
    finally:
        servers.end()
