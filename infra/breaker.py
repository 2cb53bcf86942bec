"""Circuit breakers: a system that does not answer is left alone for a while, and nobody waits for it meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

from prometheus_client import Gauge
from purgatory import Event, SyncCircuitBreakerFactory
from purgatory.domain.messages.events import ContextChanged
from purgatory.domain.model import HALF_OPENED, OpenedState

from core.errors import Unavailable

T = TypeVar("T")

THRESHOLD = 5
"""Failures in a row that open the circuit."""

OPEN_SECONDS = 10.0
"""How long it stays open; the first call after that is the probe."""

GIVEN_UP_SECONDS = 3.0
"""A call that was cancelled after so long is a failure too: who waited gave up. One that was cancelled sooner says nothing."""

_STATE = Gauge("circuit_breaker_state", "Circuit breakers: 0 closed, 1 half open, 2 open.", ["system"])
_STATES: Final = {"closed": 0, "half-opened": 1, "opened": 2}

Harmless = type[BaseException] | tuple[type[BaseException], Callable[[BaseException], bool]]
"""Errors by which a system shows that it is well: all of a class, or those that a function says it of."""


class Breaker:
    """The breaker in front of one *system*, which is named to people. Errors that are *harmless* count as answers."""

    def __init__(
        self,
        system: str,
        *,
        threshold: int = THRESHOLD,
        open_seconds: float = OPEN_SECONDS,
        harmless: Sequence[Harmless] = (),
    ) -> None:
        self._system = system
        self._probing = False
        # Its state is in memory and its calls never wait, so that the one for synchronous programs does.
        self._breakers = SyncCircuitBreakerFactory(
            default_threshold=threshold, default_ttl=open_seconds, exclude=list(harmless)
        )
        self._breakers.add_listener(self._note)
        _STATE.labels(system).set(_STATES["closed"])

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do *work*, whose every error counts as a failure of the system unless it is a harmless one.

        Raises:
            Unavailable: the circuit is open.
        """
        with self.guarding():
            return await work()

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Stand in front of what is done inside the block; see `call`."""
        breaker = self._breakers.get_breaker(self._system)
        began = time.monotonic()
        try:
            breaker.__enter__()
        except OpenedState as opened:
            # One and the same for all callers, it would collect the frames of each.
            opened.__traceback__ = None
            raise self._left_alone() from None
        if probe := breaker.context.state == HALF_OPENED:
            if self._probing:
                raise self._left_alone()
            self._probing = True
        try:
            yield
        except asyncio.CancelledError as error:
            if time.monotonic() - began >= GIVEN_UP_SECONDS:
                breaker.__exit__(type(error), error, error.__traceback__)
            raise
        except BaseException as error:
            breaker.__exit__(type(error), error, error.__traceback__)
            raise
        else:
            breaker.__exit__(None, None, None)
        finally:
            if probe:
                self._probing = False

    def _left_alone(self) -> Unavailable:
        return Unavailable(f"{self._system} has not answered lately and is left alone for a while.")

    def _note(self, _name: str, _kind: str, event: Event) -> None:
        if isinstance(event, ContextChanged):
            _STATE.labels(self._system).set(_STATES[event.state])
