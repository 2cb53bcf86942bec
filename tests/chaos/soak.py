"""Everything at once for a long time: callers, imports, watchers and hostile requests, and every minute something breaks."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from websockets.exceptions import WebSocketException

from core.vocabulary import PrincipalKind
from embedded.identities import AUDIENCE, Mint
from tests.api import Api
from tests.embedded.stacks import StackUnderTest
from tests.graphql.imports import start, state
from tests.graphql.socket import open_socket
from tests.imports import customers_csv

_HOSTILE = (
    b"null",
    b"[" * 50_000,
    b'{"query": "{' + b"a" * 20_000 + b'"}',
    b"\xff\xfe",
    b'{"query": "{ a(b: 1' + b"1" * 5000 + b') }"}',
)
_WATCH = "subscription { customerEvents { __typename } }"
_PAGE = os.sysconf("SC_PAGE_SIZE")
IMPORT_ROWS = 500


@dataclass(slots=True)
class Process:
    """What a process of the stack held at one moment."""

    minute: int
    name: str
    pid: int
    megabytes: float
    files: int
    """Sockets included."""
    threads: int


@dataclass(slots=True)
class Noise:
    """What goes on beside the callers, and how much of it there was."""

    stack: StackUnderTest
    stop: asyncio.Event
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    imports: list[tuple[str, str]] = field(default_factory=list)
    """Sellers, and the imports they have started."""

    def token(self, seller: str) -> str:
        """Return the token of an operator of a seller."""
        found = self.stack.read()
        mint = Mint(self.stack.directory / "keys.json", issuer=found["issuer"], audience=AUDIENCE)
        return mint.mint(PrincipalKind.OPERATOR, "ada", seller)

    async def hostile(self, http: httpx.AsyncClient) -> None:
        """Send what nobody means well with; an answer of 500 is wrong."""
        while not self.stop.is_set():
            for body in _HOSTILE:
                with suppress(httpx.HTTPError):
                    answer = await http.post("/graphql", content=body, headers={"content-type": "application/json"})
                    self.seen["hostile"] += 1
                    if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR:
                        self.wrong.append(f"500 for {body[:40]!r}")
            await asyncio.sleep(0.5)

    async def watch(self, seller: str) -> None:
        """Watch a seller's customers, on a new socket when the old one is gone."""
        while not self.stop.is_set():
            with suppress(OSError, WebSocketException, TimeoutError, AssertionError):
                async with open_socket(self.stack.read()["graphql"]) as socket:
                    await socket.init(self.token(seller))
                    await socket.subscribe(_WATCH)
                    while not self.stop.is_set():
                        await socket.receive()
                        self.seen["watched"] += 1
            await asyncio.sleep(1)

    async def imports_of(self, http: httpx.AsyncClient, seller: str) -> None:
        """Import one file after the other; one that a fault kept from beginning is not waited for."""
        number = 0
        while not self.stop.is_set():
            number += 1
            mine = f"{seller}-{number}"
            api = Api(http, self.token(mine))
            # What a fault does to the upload is not what is looked at here.
            with suppress(httpx.HTTPError, AssertionError, KeyError, TypeError, ValueError):
                id_ = await start(api, customers_csv(IMPORT_ROWS))
                self.imports.append((mine, id_))
                await self.finished(api, id_)
            await asyncio.sleep(2)

    async def finished(self, api: Api, id_: str) -> dict[str, Any]:
        """Wait for the end of an import, whatever breaks meanwhile."""
        async with asyncio.timeout(300):
            while True:
                with suppress(httpx.HTTPError, AssertionError, ValueError):
                    found = await state(api, id_)
                    if found["status"] in {"COMPLETED", "FAILED", "CANCELLED"}:
                        self.seen[f"import {found['status']}"] += 1
                        return found
                await asyncio.sleep(1)


@dataclass(slots=True)
class Faults:
    """One fault after the other, each for some seconds, in an order that a seed decides."""

    stack: StackUnderTest
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)

    async def one(self, *, killing: bool) -> None:
        """Break something, and mend it where that does not happen by itself; our own processes are killed only if *killing*."""
        killed = ("serve", "worker", "relay", "mongod", "aws") if killing else ("mongod", "aws")
        faults: Mapping[str, Callable[[], Awaitable[None]]] = {
            **{f"kill {name}": self._killing(name) for name in killed},
            **{f"freeze {name}": self._freezing(name) for name in ("mongod", "kafka", "aws", "relay", "worker")},
        }
        name = self.chance.choice(sorted(faults))
        self.done[name] += 1
        await faults[name]()

    def _pid(self, name: str) -> int:
        found = self.stack.read()["pids"][name]
        return int(found[0] if isinstance(found, list) else found)

    def _killing(self, name: str) -> Callable[[], Awaitable[None]]:
        async def kill() -> None:
            with suppress(ProcessLookupError):
                os.kill(self._pid(name), signal.SIGKILL)

        return kill

    def _freezing(self, name: str) -> Callable[[], Awaitable[None]]:
        async def freeze() -> None:
            pid = self._pid(name)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(self.chance.uniform(2, 8))
                os.kill(pid, signal.SIGCONT)

        return freeze


def processes(stack: StackUnderTest, minute: int) -> list[Process]:
    """Return what our own processes hold now; those that are between two lives are left out."""
    found = []
    for name, pids in stack.read()["pids"].items():
        if name not in {"serve", "worker", "relay"}:
            continue
        for pid in pids if isinstance(pids, list) else [pids]:
            with suppress(OSError):
                here = Path(f"/proc/{pid}")
                pages = int((here / "statm").read_text("ascii").split()[1])
                files, threads = (sum(1 for _ in (here / one).iterdir()) for one in ("fd", "task"))
                found.append(Process(minute, name, pid, pages * _PAGE / 1e6, files, threads))
    return found


@dataclass(frozen=True, slots=True)
class Life:
    """What one process held, minute by minute, from some minute on."""

    samples: list[Process]

    @property
    def name(self) -> str:
        """Which process it was."""
        return f"{self.samples[0].name} {self.samples[0].pid}"

    @property
    def minutes(self) -> int:
        """How long that was."""
        return self.samples[-1].minute - self.samples[0].minute

    def grown(self, what: Callable[[Process], float]) -> float:
        """Return by how much the last third is above the first one, at their medians: one sample says little."""
        third = max(1, len(self.samples) // 3)
        return median(map(what, self.samples[-third:])) - median(map(what, self.samples[:third]))

    def __str__(self) -> str:
        curve = ", ".join(f"{one.minute}: {one.megabytes:.0f}/{one.files}/{one.threads}" for one in self.samples)
        return (
            f"{self.name} for {self.minutes} min: {self.grown(lambda one: one.megabytes):+.1f} MB, "
            f"{self.grown(lambda one: one.files):+.0f} files, {self.grown(lambda one: one.threads):+.0f} threads; {curve}"
        )


def lives(samples: list[Process], *, warm: int) -> list[Life]:
    """Return the lives of the processes that went on after minute *warm*, as they were from then on."""
    found: dict[int, list[Process]] = {}
    for one in samples:
        if one.minute >= warm:
            found.setdefault(one.pid, []).append(one)
    return [Life(mine) for mine in found.values() if len(mine) > 1]


async def held(metrics: str) -> dict[str, float]:
    """Return what the API holds for others, by its own figures: nothing, when nobody asks for anything any more."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        text = (await http.get(metrics)).text
    wanted = ("http_requests_in_flight", "http_requests_waiting", "live_connections", "mongodb_pool_connections_in_use")
    lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith(wanted)]
    return {name: float(value) for name, _, value in lines}
