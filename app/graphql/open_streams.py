"""How many live connections are open: WebSockets and event streams together, so that neither is a way around the other."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from auth.principal import Principal
from core.device import Device
from core.errors import RateLimited

UNKNOWN_PER_NETWORK = 20
"""Sockets of one network that have not said yet who they are. They have 5 seconds for it."""

_RETRY_AFTER = 5


class TooManyStreams(RateLimited):
    """As many connections as there may be are open already. `retry_after` is in seconds."""

    def __init__(self, most: int) -> None:
        super().__init__(_RETRY_AFTER)
        self._most = most

    def __str__(self) -> str:
        """Say what to do: a caller seldom knows of the tabs and processes that share its name."""
        return f"{self._most} live connections are open already, the most there may be. Close one, or share one."


class OpenStreams:
    """Counts open connections by key, in this process, and lets none have more than *most*."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def open(self, key: str) -> Iterator[None]:
        """Count one connection more of *key*, for as long as the context is open.

        Raises:
            TooManyStreams: there are as many as there may be.
        """
        if self._open[key] >= self._most:
            raise TooManyStreams(self._most)
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                # Keys come and go without end; only those in use are kept.
                del self._open[key]

    @property
    def total(self) -> int:
        """How many are open now."""
        return self._open.total()


def caller_key(principal: Principal) -> str:
    """Return what the connections of one caller are counted under: all its sessions and tokens together."""
    return f"{principal.seller_id or '*'} {principal.actor}"


def network_key(device: Device) -> str:
    """Return what connections are counted under that have not said yet who they are: see `Device.network`."""
    return device.network
