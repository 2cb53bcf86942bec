"""What every process knows of tokens that were taken back, a second or two after it happened."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta

import structlog

from auth.principal import Principal
from auth.tokens import Credential
from core.clock import Clock
from core.errors import Unauthenticated, Unavailable
from core.vocabulary import PrincipalKind
from repositories import revocation

_log = structlog.get_logger("revocations")

LOOK_SECONDS = 1.0
"""How often a process looks. A revocation is known everywhere within this, and a query; 5 s are promised."""

_OVERLAP = timedelta(seconds=15)
"""Every look reaches back this far: clocks differ, and a transaction commits later than its moment."""


class Revocations:
    """Follows the revocations, so that checking a token costs no query. Made by `open_revocations`.

    Ordinary access tokens live for *token_lifetime*, so what was taken back longer ago no longer matters to them. A token
    that was made for longer (by hand, or by another issuer) is looked up, at most every `LOOK_SECONDS`.
    """

    def __init__(self, clock: Clock, *, token_lifetime: timedelta) -> None:
        self._clock = clock
        self._reach = token_lifetime + timedelta(minutes=1)
        self._revoked: dict[str, datetime] = {}
        self._checked: dict[str, datetime] = {}
        self._watchers: dict[asyncio.Event, Principal] = {}
        self._looked_at: datetime | None = None

    async def require(self, credential: Credential) -> None:
        """Refuse a credential that was taken back.

        Raises:
            Unauthenticated: with the same message as for any token that does not hold.
        """
        if credential.lifetime > self._reach:
            await self._look_up(credential.principal)
        if self._void(credential.principal, credential.issued_at):
            raise Unauthenticated("The access token is not valid, or no longer.")

    @contextmanager
    def watching(self, principal: Principal) -> Iterator[asyncio.Event]:
        """Hand out an event that is set once the tokens of *principal* are taken back."""
        gone = asyncio.Event()
        self._watchers[gone] = principal
        try:
            yield gone
        finally:
            del self._watchers[gone]

    def know(self, ids: dict[str, datetime]) -> None:
        """Take note of revocations, and tell whom they concern. Those that this process makes itself hold at once."""
        news = {id_: at for id_, at in ids.items() if self._revoked.get(id_) != at}
        self._revoked.update(news)
        for gone, principal in self._watchers.items() if news else ():
            if any(id_ in news for id_ in _names(principal)):
                gone.set()

    async def look(self) -> None:
        """Learn what was taken back lately, and forget what no longer matters.

        Raises:
            Unavailable: the database does not answer; what was known is still known.
        """
        now = self._clock.now()
        self.know(await revocation.revoked_since(now - self._reach if self._looked_at is None else self._looked_at - _OVERLAP))
        self._looked_at = now
        forgotten = now - self._reach - _OVERLAP
        self._revoked = {id_: at for id_, at in self._revoked.items() if at > forgotten}
        self._checked = {id_: at for id_, at in self._checked.items() if at > now - timedelta(seconds=LOOK_SECONDS)}

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except Unavailable as error:
                _log.warning("revocations cannot be read", reason=str(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, what is taken back later has to be noticed
                _log.error("revocations cannot be read", error=type(error).__name__, exc_info=error)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look_up(self, principal: Principal) -> None:
        now = self._clock.now()
        names = _names(principal)
        if all(name in self._checked for name in names):
            return
        self.know(await revocation.revoked_among(names))
        self._checked.update(dict.fromkeys(names, now))

    def _void(self, principal: Principal, issued_at: datetime) -> bool:
        if principal.session_id in self._revoked:
            return True
        # A token says the second it was made in: one of the same second was made before, as far as anybody can tell.
        at = self._revoked.get(principal.subject) if principal.kind is PrincipalKind.CUSTOMER else None
        return at is not None and issued_at <= at


def _names(principal: Principal) -> list[str]:
    names = [] if principal.session_id is None else [principal.session_id]
    return [*names, principal.subject] if principal.kind is PrincipalKind.CUSTOMER else names


@asynccontextmanager
async def open_revocations(clock: Clock, *, token_lifetime: timedelta) -> AsyncIterator[Revocations]:
    """Follow the revocations until the context ends. What was taken back before is known when it begins.

    Raises:
        Unavailable: the database does not answer.
    """
    revocations = Revocations(clock, token_lifetime=token_lifetime)
    await revocations.look()
    following = asyncio.create_task(revocations.follow(), name="revocations")
    try:
        yield revocations
    finally:
        following.cancel()
        await asyncio.wait([following])
