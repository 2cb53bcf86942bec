"""Child processes that never outlive their purpose.

Each child has a session of its own, so that Ctrl-C reaches only the supervisor, which then stops the children in order.
On Linux the kernel sends SIGTERM to a child whose supervisor dies (PR_SET_PDEATHSIG); elsewhere `embedded.orphans` ends what
is left at the next start.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from embedded.errors import ProcessFailed
from embedded.ports import belongs_to

ROOT = Path(__file__).resolve().parents[1]
"""Where the program is; its commands run there, because ``config.yaml`` does not move with the caller."""

_LOG_LIMIT = 10 << 20
_TAIL_LINES = 15
_TAIL_BYTES = 16 << 10
_PR_SET_PDEATHSIG = 1
# Loaded here, not after the fork: between fork and exec only a plain call is safe.
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and the file that receives its output. Without *environment* the child inherits ours."""

    name: str
    arguments: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] | None = None


Note = Callable[[str, int], None]
"""Takes the name and the process id of a process that was started."""


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line that runs a module of this program, whatever folder the user is in."""
    return (sys.executable, "-P", "-m", module, *arguments)


class Child:
    """One process that we started and have to stop."""

    def __init__(self, command: Command, process: asyncio.subprocess.Process, log_start: int) -> None:
        self.command = command
        self._process = process
        self._log_start = log_start

    @classmethod
    async def start(cls, command: Command, note: Note = lambda _name, _pid: None) -> Self:
        """Run *command* and *note* its process id at once, so that a crash of ours leaves a trace of it.

        Call it from the main thread: on Linux the child dies with the *thread* that started it.
        """
        command.log.parent.mkdir(parents=True, exist_ok=True)
        with _open_log(command.log) as log:
            start = log.tell()
            process = await asyncio.create_subprocess_exec(
                *command.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                cwd=ROOT,
                env=_with_program_path(os.environ if command.environment is None else command.environment),
                start_new_session=True,
                preexec_fn=_follow_parent(os.getpid()),
            )
        note(command.name, process.pid)
        return cls(command, process, start)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for the end and return the exit code."""
        return await self._process.wait()

    def terminate(self) -> None:
        """Ask the process to end (SIGTERM)."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    async def stop(self, *, grace: float) -> None:
        """Ask the process to end (SIGTERM); after *grace* seconds, end it and everything it started (SIGKILL)."""
        self.terminate()
        try:
            async with asyncio.timeout(grace):
                await self._process.wait()
        except TimeoutError:
            pass
        finally:
            # The whole group, also after an orderly end: nothing that the child started is left behind.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()

    async def until(self, ready: Awaitable[object], *, within: float) -> None:
        """Wait until *ready* is done.

        Raises:
            ProcessFailed: when the process ends first, or *within* seconds pass.
        """
        end = asyncio.ensure_future(self.wait())
        done = asyncio.ensure_future(ready)
        try:
            await asyncio.wait({end, done}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
            if done.done():
                done.result()
                return
            what = f"ended with exit code {end.result()}" if end.done() else f"was not ready within {within:.0f} s"
            raise self.failed(what)
        finally:
            for task in (end, done):
                task.cancel()
            await asyncio.gather(end, done, return_exceptions=True)

    def must_own(self, port: int | None) -> None:
        """Insist that it is this process, and not another program, that listens on *port*; None asks for nothing.

        Raises:
            ProcessFailed: when it is another one.
        """
        if port is not None and not belongs_to(port, self.pid):
            raise self.failed(f"was not the first to listen on port {port}")

    def failed(self, what: str) -> ProcessFailed:
        """Return the error that says *what* went wrong, with the last lines this process wrote."""
        return ProcessFailed(self.command.name, what, self.command.log, _tail(self.command.log, self._log_start))


async def start_until_ready(
    command: Command,
    ready: Callable[[], Awaitable[object]],
    note: Note = lambda _name, _pid: None,
    *,
    port: int | None = None,
    within: float,
) -> Child:
    """Run *command* and return once *ready* is done; whatever happens instead, the process does not stay.

    Raises:
        ProcessFailed: when it ends, is not ready within *within* seconds, or it is another program that listens on *port*.
    """
    child = await Child.start(command, note)
    try:
        await child.until(ready(), within=within)
        child.must_own(port)
    except BaseException:
        await child.stop(grace=2)
        raise
    return child


async def run_to_end(command: Command, note: Note = lambda _name, _pid: None, *, within: float) -> None:
    """Run *command* and wait for it.

    Raises:
        ProcessFailed: for an exit code other than 0, or when it takes longer than *within* seconds.
    """
    child = await Child.start(command, note)
    try:
        async with asyncio.timeout(within):
            code = await child.wait()
    except TimeoutError:
        raise child.failed(f"did not end within {within:.0f} s") from None
    finally:
        await child.stop(grace=1)
    if code != 0:
        raise child.failed(f"ended with exit code {code}")


def _with_program_path(environment: Mapping[str, str]) -> dict[str, str]:
    paths = [str(ROOT), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    return {**environment, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONUNBUFFERED": "1"}


def _follow_parent(parent: int) -> Callable[[], None] | None:
    if _PRCTL is None:
        return None
    prctl = _PRCTL

    def follow() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died between fork and here
            os._exit(1)

    return follow


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_suffix(".1.log"))
    log = path.open("ab")
    log.seek(0, os.SEEK_END)
    return log


def _tail(path: Path, start: int) -> list[str]:
    with path.open("rb") as log:
        size = log.seek(0, os.SEEK_END)
        log.seek(max(start, size - _TAIL_BYTES))
        return log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
