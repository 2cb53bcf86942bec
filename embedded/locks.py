"""Locks on files that the kernel gives back when their holder dies, however it dies."""

import fcntl
import os
from pathlib import Path
from typing import Self


class FileLock:
    """A lock on *path*, held from `take` until `release`, or until the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_take(self, *, shared: bool = False) -> bool:
        """Take the lock if that is possible at once, and say whether it was."""
        return self._lock((fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)

    def take(self, *, shared: bool = False) -> Self:
        """Wait for the lock."""
        self._lock(fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        return self

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def write(self, text: str) -> None:
        """Replace what the file says, for people who look; only for the holder."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode(), 0)

    def read(self) -> str:
        """Return what the holder wrote."""
        return self._path.read_text(encoding="utf-8").strip()

    def _lock(self, operation: int) -> bool:
        while True:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Python's descriptors are not inherited: a child that lives longer does not hold the lock.
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, operation)
            except BlockingIOError:
                os.close(descriptor)
                return False
            if self._is_current(descriptor):
                self._descriptor = descriptor
                return True
            os.close(descriptor)

    def _is_current(self, descriptor: int) -> bool:
        """Say whether the file was not removed while we waited: a lock on a removed file excludes nobody."""
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False
