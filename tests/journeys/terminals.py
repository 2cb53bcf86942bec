"""Terminals as readers of the README have them open: commands typed one after another, each seeing what those before set."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_DONE = "--- exit status"
_PATIENCE = 60


class Terminal:
    """One bash. What is typed is stopped by its first failure, by unset variables too, and by nothing in a pipe's way."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "-euo", "pipefail"],
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            encoding="utf-8",
        )

    def type(self, commands: str) -> str:
        """Run commands that have to go well, and return what they print."""
        status, printed = self._run(f"{{\n{commands}\n}} </dev/null")
        assert 0 == status, f"{commands}\n{printed}"
        return printed

    def type_failing(self, commands: str) -> tuple[int, str]:
        """Run commands that are expected to fail; return their exit status and what they print. Variables are not kept."""
        return self._run(f"set +e\n(\nset -e\n{commands}\n) </dev/null\n(exit $?)")

    def _run(self, commands: str) -> tuple[int, str]:
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f'{commands}\nprintf "\\n{_DONE} %s\\n" "$?"\nset -e\n')
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(_DONE):
                return int(line.removeprefix(_DONE)), "".join(lines)
            lines.append(line)
        return self._bash.wait(), "".join(lines)

    def close(self) -> None:
        """Leave it, whatever it is doing."""
        if self._bash.poll() is None:
            os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.communicate()


@contextmanager
def open_terminal(directory: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Open a terminal in *directory*."""
    terminal = Terminal(directory, environment)
    try:
        yield terminal
    finally:
        terminal.close()


class Running:
    """A command that goes on until Ctrl-C."""

    def __init__(self, command: str, directory: Path, environment: Mapping[str, str], output: Path) -> None:
        self._output = output
        with output.open("wb") as file:
            self._bash = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", command],
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def wait_for(self, satisfied: Callable[[str], object]) -> None:
        """Wait until what was printed is satisfying."""
        deadline = time.monotonic() + _PATIENCE
        while not satisfied(printed := self._output.read_text(encoding="utf-8")):
            assert self._bash.poll() is None, printed
            assert time.monotonic() < deadline, printed
            time.sleep(0.1)

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit status."""
        os.killpg(self._bash.pid, signal.SIGINT)
        return self._bash.wait(timeout=_PATIENCE)

    def close(self) -> None:
        """End it if nobody did."""
        if self._bash.poll() is None:
            os.killpg(self._bash.pid, signal.SIGKILL)
            self._bash.wait()


@contextmanager
def keep_running(command: str, directory: Path, environment: Mapping[str, str], output: Path) -> Iterator[Running]:
    """Run *command* in a terminal of its own; *output* receives what it prints."""
    running = Running(command, directory, environment, output)
    try:
        yield running
    finally:
        running.close()
