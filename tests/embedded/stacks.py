"""A development stack as its user sees it: a process, a run directory and ``stack.json``."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded.orphans import identity_of
from embedded.ports import choose
from embedded.processes import ROOT

FAKE = (sys.executable, "-m", "tests.embedded.fake_stack")
REAL = (str(ROOT / "customer-service"), "dev")
_START_SECONDS = 60


class StackUnderTest:
    """Starts the same stack again and again, and knows every process it ever had."""

    def __init__(self, directory: Path, command: tuple[str, ...], **environment: str) -> None:
        port = choose(0, reserved={0})
        ports = {"PORT": str(port), "METRICS_PORT": str(choose(0, reserved={0, port}))}
        self.environment = {**os.environ, **ports, "RUN_DIR": str(directory), **environment}
        self.directory = directory
        self.output = directory.with_suffix(".out")
        self._command = command
        self._seen: dict[int, str] = {}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def file(self) -> Path:
        return self.directory / "stack.json"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start it, and do not wait."""
        with self.output.open("wb") as output:
            # In a session of its own: the signals of these tests are for it alone.
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        return self.process

    def start(self) -> dict[str, Any]:
        """Start it and return what ``stack.json`` says when it is ready."""
        stale = self._version()
        process = self.launch()
        wait_until(
            lambda: self._version() not in {None, stale} or process.poll() is not None, _START_SECONDS, self.output.read_text
        )
        assert process.poll() is None, self.output.read_text()
        return self.read()

    def read(self) -> dict[str, Any]:
        """Return what ``stack.json`` says now."""
        found: dict[str, Any] = json.loads(self.file.read_text())
        for entry in json.loads((self.directory / "processes.json").read_text()):
            self._seen[entry["pid"]] = entry["identity"]
        return found

    def _version(self) -> int | None:
        """Tell one writing of the file from the next: the old one is still there after kill -9."""
        return self.file.stat().st_mtime_ns if self.file.exists() else None

    def signal(self, number: signal.Signals) -> int:
        """Send *number* to the stack's own process, wait for its end and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def survivors(self) -> list[int]:
        """Return the processes that this stack ever had and that are alive."""
        return [pid for pid, identity in self._seen.items() if identity_of(pid) == identity]

    def clean(self) -> None:
        """End everything, so that a failed test leaves nothing behind."""
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGTERM)
        for pid in self.survivors():
            os.kill(pid, signal.SIGKILL)


@contextmanager
def stack_under_test(directory: Path, command: tuple[str, ...], **environment: str) -> Iterator[StackUnderTest]:
    """Give a stack to a test and clean up after it."""
    stack = StackUnderTest(directory, command, **environment)
    try:
        yield stack
    finally:
        stack.clean()


def wait_until(done: Callable[[], object], seconds: float, explain: Callable[[], str] = lambda: "") -> None:
    """Wait for *done*, and fail with what *explain* says when it takes longer than *seconds*."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s. {explain()}"
        time.sleep(0.05)
