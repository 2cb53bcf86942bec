"""Circuit breakers: a system that does not answer is left alone for a while, and nobody waits for it meanwhile."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from prometheus_client import Gauge
from purgatory import AsyncCircuitBreakerFactory, Event
from purgatory.domain.messages.events import ContextChanged
from purgatory.domain.model import OpenedState

from core.errors import Unavailable

T = TypeVar("T")

THRESHOLD = 5
"""Failures in a row that open the circuit."""

OPEN_SECONDS = 10.0
"""How long it stays open; the first call after that is the probe."""

_STATE = Gauge("circuit_breaker_state", "Circuit breakers: 0 closed, 1 half open, 2 open.", ["system"])
_STATES: Final = {"closed": 0, "half-opened": 1, "opened": 2}


class Breaker:
    """The breaker in front of one *system*, which is named to people."""

    def __init__(self, system: str, *, threshold: int = THRESHOLD, open_seconds: float = OPEN_SECONDS) -> None:
        self._system = system
        self._breakers = AsyncCircuitBreakerFactory(default_threshold=threshold, default_ttl=open_seconds)
        self._breakers.add_listener(self._note)
        _STATE.labels(system).set(_STATES["closed"])

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do *work*, whose every error counts as a failure of the system.

        Raises:
            Unavailable: the circuit is open.
        """
        try:
            async with await self._breakers.get_breaker(self._system):
                return await work()
        except OpenedState as opened:
            # One and the same for all callers, it would collect the frames of each.
            opened.__traceback__ = None
            message = f"{self._system} has not answered lately and is left alone for a while."
            raise Unavailable(message) from None

    def _note(self, _name: str, _kind: str, event: Event) -> None:
        if isinstance(event, ContextChanged):
            _STATE.labels(self._system).set(_STATES[event.state])
