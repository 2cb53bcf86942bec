"""A list on disk of every process that was started, so that the next start can end what a kill -9 left behind.

A process is recognised by its id *and* the moment it started, within one boot of the machine: an id that the system has
given to somebody else since is left alone.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_POLL_SECONDS = 0.05


class ProcessList:
    """The file ``processes.json`` of a run directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._noted: dict[int, tuple[str, str]] = {}

    def note(self, name: str, pid: int) -> None:
        """Add a process that was just started; those that have ended since leave the list."""
        identity = identity_of(pid)
        if identity is not None:
            self._noted[pid] = (name, identity)
        self._noted = {one: known for one, known in self._noted.items() if identity_of(one) == known[1]}
        entries = [{"name": called, "pid": one, "identity": known} for one, (called, known) in self._noted.items()]
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(entries), encoding="utf-8")
        temporary.replace(self.path)

    def clear(self) -> None:
        """Remove the list, once everything on it was stopped."""
        self.path.unlink(missing_ok=True)

    def end_survivors(self, *, grace: float) -> list[str]:
        """End every listed process that is still alive, SIGKILL after *grace* seconds; return their names."""
        survivors = {pid: (name, identity) for name, pid, identity in self._read() if identity_of(pid) == identity}
        for pid in survivors:
            _send(pid, signal.SIGTERM)

        def alive() -> list[int]:
            return [pid for pid, (_, identity) in survivors.items() if identity_of(pid) == identity]

        if not _wait_until(lambda: not alive(), grace):
            for pid in alive():
                _send(pid, signal.SIGKILL)
            _wait_until(lambda: not alive(), grace)
        self.clear()
        return [name for name, _ in survivors.values()]

    def _read(self) -> list[tuple[str, int, str]]:
        try:
            entries = json.loads(self.path.read_text(encoding="utf-8"))
            return [(str(entry["name"]), int(entry["pid"]), str(entry["identity"])) for entry in entries]
        except (OSError, ValueError, KeyError, TypeError):
            return []  # written by nobody, or cut short by a crash of the machine, after which no process is left


def identity_of(pid: int) -> str | None:
    """Return what tells process *pid* from any other that has had or will have its id; None when it is not running."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        # proc(5): field 3 is the state, field 22 the start time in clock ticks since boot.
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return None if fields[0] in {"Z", "X"} else f"{boot}:{fields[19]}"
    shown = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return None if not shown or shown[0].startswith("Z") else shown[1].strip()


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number is signal.SIGKILL and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def _wait_until(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
