"""wrk as the one load generator for all: it takes a few percent of its core where a Python client would take the most of it."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

from bench.machine import LOAD_CORE, busy_seconds, cpu_seconds, megabytes, on_core

_SCRIPT = Path(__file__).with_name("load.lua")
MISSING = "wrk is needed to ask fast enough. Install it with: apt-get install -y wrk (or: brew install wrk)"


@dataclass(frozen=True, slots=True)
class Target:
    """A server under load: its address, what each request says beside its body, and its process."""

    url: str
    headers: Mapping[str, str]
    pid: int


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked, by how many connections for how many seconds, and where the numbers of unique bodies begin."""

    bodies: Sequence[Mapping[str, Any]]
    connections: int
    seconds: float
    first: int
    errors: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of one load. Times in milliseconds; processor time in microseconds a request, shares of one core."""

    per_second: float
    p50: float
    p99: float
    server_microseconds: float
    server_core: float
    mongod_core: float
    others_core: float
    memory: float
    answer_bytes: float


def is_there() -> bool:
    """Say whether wrk is installed."""
    return which("wrk") is not None


def ask(target: Target, load: Load, mongod: int) -> Cell:
    """Put *target* under *load*.

    Raises:
        RuntimeError: when one answer was not what it should be; nothing that was measured counts then.
    """
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
        bodies, result = Path(folder) / "bodies", Path(folder) / "result.json"
        bodies.write_text("".join(json.dumps(body) + "\n" for body in load.bodies), encoding="utf-8")
        headers = "".join(f"{name}: {value}\n" for name, value in target.headers.items())
        environment = {
            **os.environ,
            "BENCH_BODIES": str(bodies),
            "BENCH_HEADERS": headers,
            "BENCH_FIRST": str(load.first),
            "BENCH_ERRORS": "yes" if load.errors else "no",
            "BENCH_RESULT": str(result),
        }
        size = ("--threads", "1", "--connections", str(load.connections), "--duration", f"{max(1, round(load.seconds))}s")
        before = (busy_seconds(), cpu_seconds(target.pid), cpu_seconds(mongod), _of_children())
        command = [str(which("wrk")), *size, "--timeout", "20s", "--script", str(_SCRIPT), target.url]
        with on_core(LOAD_CORE):
            subprocess.run(command, env=environment, check=True, capture_output=True)
        after = (busy_seconds(), cpu_seconds(target.pid), cpu_seconds(mongod), _of_children())
        found = json.loads(result.read_text(encoding="utf-8"))
    if found["wrong"]:
        message = f"{found['wrong']} of {found['requests']} answers of {target.url} were wrong, the first: {found['example']}"
        raise RuntimeError(message)
    everybody, server, database, generator = (late - early for early, late in zip(before, after, strict=True))
    # A slow server may answer none of a long queue within a second; counted as one.
    seconds, requests = found["seconds"], max(1, found["requests"])
    return Cell(
        per_second=requests / seconds,
        p50=found["p50"],
        p99=found["p99"],
        server_microseconds=server / requests * 1e6,
        server_core=server / seconds,
        mongod_core=database / seconds,
        others_core=max(0.0, (everybody - server - database - generator) / seconds),
        memory=megabytes(target.pid),
        answer_bytes=found["bytes"] / requests,
    )


def _of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system
