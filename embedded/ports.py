"""Ports on 127.0.0.1: the usual one when it is free, any other when not, or a clear refusal."""

import asyncio
import socket
import sys
import time
from collections.abc import Collection
from pathlib import Path

from embedded.errors import AddressTaken

LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.05
_LAST_MOMENTS = 2.0


def is_free(port: int) -> bool:
    """Say whether a server could listen on *port* now. Connections that are winding down do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose(usual: int, *, reserved: Collection[int] = ()) -> int:
    """Return *usual* when it is free and not in *reserved*, else another free port outside *reserved*."""
    if usual not in reserved and is_free(usual):
        return usual
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        if port not in reserved:
            return port


def demand(port: int, *, variable: str, purpose: str) -> None:
    """Insist on a port that the user chose with *variable*.

    A process of an earlier run that was just ended may hold it for a moment longer: its first thread is gone, and another one
    is still going.

    Raises:
        AddressTaken: when another program listens there.
    """
    deadline = time.monotonic() + _LAST_MOMENTS
    while not is_free(port):
        if time.monotonic() > deadline:
            raise AddressTaken(port, variable, purpose)
        time.sleep(_POLL_SECONDS)


def belongs_to(port: int, pid: int) -> bool:
    """Say whether it is process *pid* that listens on *port*, and not somebody who was faster; True where nobody can tell."""
    if sys.platform != "linux":
        return True
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    # proc(5): local address, peer, state (0A is LISTEN), …, and the inode in column 10.
    sockets = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    try:
        return any(str(entry.readlink()) in sockets for entry in Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:
        return False  # it, or one of its files, is just going


async def wait_for_listener(port: int) -> None:
    """Wait until something accepts connections on *port*; for ever, so the caller sets the limit."""
    while True:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(_POLL_SECONDS)
        else:
            writer.close()
            return
