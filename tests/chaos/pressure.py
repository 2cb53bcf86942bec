"""Requests at a steady rate, however slowly they are answered: what a crowd does, and a closed loop of callers does not."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

_TICK = 0.005


@dataclass(slots=True)
class Outcome:
    """What became of the requests of one stretch; seconds from being sent to being answered, by status."""

    seconds: float
    waits: dict[int, list[float]] = field(default_factory=dict)
    lost: int = 0
    unsent: int = 0
    """Could not be sent, because every connection waited for an answer."""
    cpu: float = 0.0
    """How long the server worked for all of this, in seconds of a processor."""

    def __add__(self, other: "Outcome") -> "Outcome":
        """Return what became of both."""
        waits = {
            status: [*self.waits.get(status, ()), *other.waits.get(status, ())]
            for status in self.waits.keys() | other.waits.keys()
        }
        return Outcome(
            self.seconds + other.seconds, waits, self.lost + other.lost, self.unsent + other.unsent, self.cpu + other.cpu
        )

    @property
    def worked(self) -> float:
        """The share of a processor that the server had."""
        return self.cpu / self.seconds

    @property
    def goodput(self) -> float:
        """Answers of 200 per second."""
        return len(self.waits.get(200, ())) / self.seconds

    def percentile(self, status: int, percent: int) -> float:
        """Return how long answers of a status took, in milliseconds."""
        found = self.waits.get(status, [])
        return quantiles(found, n=100)[percent - 1] * 1000 if len(found) > 1 else 0.0

    def statuses(self) -> Counter[int]:
        """Return how many answers there were of each status."""
        return Counter({status: len(found) for status, found in self.waits.items()})


class _Line:
    """One connection, which sends one request at a time."""

    def __init__(self, host: str, port: int, request: bytes) -> None:
        self._where = host, port
        self._request = request
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self) -> int:
        """Send the request and return the status of the answer; 0 when there was none."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(*self._where)
            reader, writer = self._streams
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            return int(head[9:12])
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return 0

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@dataclass(slots=True)
class Crowd:
    """Sends *request*, a whole HTTP request, over many connections."""

    host: str
    port: int
    request: bytes
    lines: int = 1500
    _idle: list[_Line] = field(default_factory=list)

    async def closed_loop(self, callers: int, seconds: float) -> Outcome:
        """Have so many callers ask one after the other: what the server can do."""
        outcome = Outcome(seconds)
        end = time.monotonic() + seconds

        async def call() -> None:
            line = _Line(self.host, self.port, self.request)
            while time.monotonic() < end:
                await self._ask(line, outcome)
            line.close()

        await asyncio.gather(*(call() for _ in range(callers)))
        return outcome

    async def steadily(self, rate: float, seconds: float) -> Outcome:
        """Send *rate* requests a second, whatever becomes of those before. Connections stay open for the next time."""
        outcome = Outcome(seconds)
        self._idle = self._idle or [_Line(self.host, self.port, self.request) for _ in range(self.lines)]
        began, sent = time.monotonic(), 0
        under_way: set[asyncio.Task[None]] = set()
        while (now := time.monotonic() - began) < seconds:
            for _ in range(int(now * rate) - sent):
                sent += 1
                if not self._idle:
                    outcome.unsent += 1
                    continue
                task = asyncio.create_task(self._ask_by(self._idle.pop(), outcome))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            await asyncio.sleep(_TICK)
        if under_way:
            await asyncio.wait(under_way, timeout=30)
        return outcome

    def close(self) -> None:
        """Hang up."""
        for line in self._idle:
            line.close()

    async def _ask_by(self, line: _Line, outcome: Outcome) -> None:
        await self._ask(line, outcome)
        # Last in, first out: as few connections as it takes.
        self._idle.append(line)

    async def _ask(self, line: _Line, outcome: Outcome) -> None:
        began = time.perf_counter()
        status = await line.ask()
        if status:
            outcome.waits.setdefault(status, []).append(time.perf_counter() - began)
        else:
            outcome.lost += 1


async def working(server: int, asking: Coroutine[None, None, Outcome]) -> Outcome:
    """Ask, and note how long the process *server* worked meanwhile."""
    before = _processor_seconds(server)
    outcome = await asking
    outcome.cpu = _processor_seconds(server) - before
    return outcome


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def post(path: str, body: bytes, token: str) -> bytes:
    """Return a whole HTTP request."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: chaos\r\ncontent-type: application/json\r\naccept: application/json\r\n"
        f"authorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
