"""How long a WebSocket may stay open: as long as the token holds that opened it, and not a second longer."""

import asyncio
from contextlib import suppress

from auth.tokens import Credential
from core.clock import Clock
from core.errors import Unauthenticated
from services.revocations import Revocations

LONGEST_WAIT = 3600.0
"""Seconds after which the clock on the wall is looked at again: others stand still while a machine sleeps."""

_EXPIRED = "The access token has expired: connect again with a new one"
_ENDED = "The session has ended"


class SocketGuard:
    """Knows whether the token of an open socket still holds, and when it does no longer."""

    def __init__(self, revocations: Revocations, clock: Clock) -> None:
        self._revocations = revocations
        self._clock = clock

    async def require(self, credential: Credential) -> None:
        """Refuse a credential that has expired, without any leeway, or was taken back.

        Raises:
            Unauthenticated: with the reason, for the developer at the other end.
            Unavailable: a token of long life could not be looked up.
        """
        if self._clock.now() >= credential.expires_at:
            raise Unauthenticated(_EXPIRED)
        try:
            await self._revocations.require(credential)
        except Unauthenticated as error:
            raise Unauthenticated(_ENDED) from error

    async def wait(self, credential: Credential) -> None:
        """Wait until *credential* holds no longer, and then raise what `require` raises."""
        with self._revocations.watching(credential.principal) as gone:
            while True:
                # Also before the first wait: it may have been taken back before anybody watched. And after an alarm, because
                # those that end a customer's earlier tokens sound for its later ones too.
                await self.require(credential)
                left = (credential.expires_at - self._clock.now()).total_seconds()
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, LONGEST_WAIT)):
                        await gone.wait()
                gone.clear()
