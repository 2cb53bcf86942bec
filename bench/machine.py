"""What the machine says: who uses how much of it, and what runs here. Figures of processes need Linux."""

import os
import platform
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from shutil import which

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")

SERVER_CORE, LOAD_CORE = 0, 1
"""Where the server that is measured runs, and where MongoDB and what asks run. One core for all where there is only one."""


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Let what is started meanwhile run on one core only, where the system can do that; ourselves too."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """Return what a process has used of the processors so far, in user and kernel mode together."""
    # proc(5): the name in parentheses may hold blanks; behind it, utime and stime are fields 14 and 15 of the line.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def megabytes(pid: int) -> float:
    """Return how much memory a process holds (resident set)."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 1e6


def most_megabytes(pid: int) -> float:
    """Return the most memory that a process has held so far."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024 / 1e6


def busy_seconds() -> float:
    """Return what everybody has used of all processors since the machine was started."""
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text(encoding="ascii").split()[1:8])
    return (user + nice + system + irq + softirq) * _TICK


def describe(packages: Collection[str], mongod: str) -> str:
    """Return one line that says when and on what something was measured."""
    node = _node_version()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {', '.join(f'{name} {version(name)}' for name in packages)}, "
        f"Python {platform.python_version()}, {f'Node {node}, ' if node else ''}mongod {mongod}; "
        f"{os.cpu_count()} cores ({_processor()}), load {os.getloadavg()[0]:.1f}."
    )


def _node_version() -> str | None:
    node = which("node")
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()[1:] if node else None


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
