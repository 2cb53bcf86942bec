"""A carrier of one-time codes behind a circuit breaker: while it does not answer, codes wait instead of their attempts."""

from typing import Protocol

from core.delivery import CodeMessage, NotSent
from core.errors import Unavailable
from infra.breaker import Breaker


class Carrier(Protocol):
    """Carries codes; see `services.ports.CodeDelivery`."""

    async def deliver(self, message: CodeMessage) -> None:
        """Hand over one code."""


class GuardedDelivery:
    """Is the *carrier* that it is made with, called *name*. What it refuses for good counts as an answer."""

    def __init__(self, carrier: Carrier, name: str) -> None:
        self._carrier = carrier
        self._breaker = Breaker(name, harmless=[(NotSent, lambda error: isinstance(error, NotSent) and error.final)])

    async def deliver(self, message: CodeMessage) -> None:
        """Hand over one code.

        Raises:
            NotSent, MaybeSent: as the carrier says; the first, too, while it is left alone.
        """
        try:
            with self._breaker.guarding():
                await self._carrier.deliver(message)
        except Unavailable as error:
            raise NotSent(str(error)) from None
