"""Why the development stack cannot start.

    StackError
    ├── AddressTaken      somebody else listens where the service has to
    ├── NoRoom            the run directory cannot be made, or its disk is full
    ├── AlreadyRunning    another stack uses the same run directory
    ├── MongodMissing     this machine can run none of the mongod binaries that were found
    ├── BadOption         PORT, METRICS_PORT or WORKERS is not a usable number
    └── ProcessFailed     a child process ended, or was not ready in time; carries the end of its log

Each message says what to do about it.
"""

from pathlib import Path


class StackError(Exception):
    """Base of everything that stops the stack on purpose. Never raised itself."""


class AddressTaken(StackError):
    """A port that the user chose is in use."""

    def __init__(self, port: int, variable: str, purpose: str) -> None:
        super().__init__(
            f"Port {port} on 127.0.0.1, where {purpose} has to listen, is in use by another program. "
            f"Stop that program, or choose another port: {variable}={port + 1} make run"
        )


class NoRoom(StackError):
    """There is no place for the data."""

    def __init__(self, run_directory: Path, reason: str) -> None:
        super().__init__(
            f"The data has no place in {run_directory}: {reason}. "
            f"Make room there (df -h {run_directory.parent}), or keep it elsewhere: RUN_DIR=/path/with/room make run"
        )


class AlreadyRunning(StackError):
    """The run directory belongs to a stack that is alive."""

    def __init__(self, run_directory: Path, holder: str) -> None:
        super().__init__(
            f"A stack is already running in {run_directory} (process {holder}). "
            "Stop it first, or give this one its own RUN_DIR, PORT and METRICS_PORT."
        )


class MongodMissing(StackError):
    """No mongod can be run here; *reasons* has one line for each candidate."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(
            "No mongod can be run on this machine:\n"
            + "\n".join(f"  {reason}" for reason in reasons)
            + "\nInstall MongoDB 6 or newer so that mongod is on PATH, or use containers instead: docker compose up"
        )


class BadOption(StackError):
    """An environment variable does not hold a number in its range."""

    def __init__(self, variable: str, value: str, lowest: int, highest: int) -> None:
        super().__init__(f"{variable}={value!r} has to be a whole number from {lowest} to {highest}.")


class ProcessFailed(StackError):
    """A child process did not come up; the end of its log follows the message."""

    def __init__(self, name: str, what: str, log: Path, tail: list[str]) -> None:
        shown = "\n".join(f"  | {line}" for line in tail) or "  | (nothing)"
        super().__init__(f"{name} {what}. The end of {log}:\n{shown}")
