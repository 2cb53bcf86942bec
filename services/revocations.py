"""What every process knows of tokens that were taken back, a second or two after it happened."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from auth.principal import Principal
from auth.tokens import Credential
from core.clock import Clock
from core.errors import Unauthenticated
from core.ids import CLIENT_PREFIX
from core.vocabulary import PrincipalKind
from repositories.revocation import RevocationLog
from services.repeating import beside, repeat

_log = structlog.get_logger("revocations")

LOOK_SECONDS = 1.0
"""How often a process looks. A revocation is known everywhere within this, and a query; 5 s are promised."""

_OVERLAP = timedelta(seconds=15)
"""Every look reaches back this far: clocks differ, and a transaction commits later than its moment."""


_FRESH = timedelta(seconds=LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a look-up found, and when."""

    at: datetime
    found: Mapping[str, datetime]


class Revocations:
    """Follows the revocations, so that checking a token costs no query. Made by `open_revocations`.

    Ordinary access tokens live for *token_lifetime*, so what was taken back longer ago no longer matters to them. A token
    that was made for longer (by hand, or by another issuer) is looked up, at most every `LOOK_SECONDS`.
    """

    def __init__(self, clock: Clock, *, token_lifetime: timedelta) -> None:
        self._clock = clock
        self._log = RevocationLog()
        self._reach = token_lifetime + timedelta(minutes=1)
        self._revoked: dict[str, datetime] = {}
        self._asked: dict[tuple[str, ...], _Asked] = {}
        self._asking: dict[tuple[str, ...], asyncio.Task[Mapping[str, datetime]]] = {}
        self._watchers: dict[asyncio.Event, Principal] = {}
        self._looked_at: datetime | None = None

    async def require(self, credential: Credential) -> None:
        """Refuse a credential that was taken back.

        Raises:
            Unauthenticated: with the same message as for any token that does not hold.
        """
        void = _void(credential, self._revoked)
        if not void and credential.lifetime > self._reach:
            void = _void(credential, await self._looked_up(credential.principal))
        if void:
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

    def know(self, ids: Mapping[str, datetime]) -> None:
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
        self.know(await self._log.since(now - self._reach if self._looked_at is None else self._looked_at - _OVERLAP))
        self._looked_at = now
        forgotten = now - self._reach - _OVERLAP
        self._revoked = {id_: at for id_, at in self._revoked.items() if at > forgotten}
        self._asked = {names: asked for names, asked in self._asked.items() if now - asked.at < _FRESH}

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        await repeat(self.look, every=LOOK_SECONDS, complaint="revocations cannot be read")

    async def _looked_up(self, principal: Principal) -> Mapping[str, datetime]:
        """Return what is stored about a caller, as of a second ago at most: what was taken back long ago is not in memory."""
        now = self._clock.now()
        names = _names(principal)
        asked = self._asked.get(names)
        if asked is not None and now - asked.at < _FRESH:
            return asked.found
        asking = self._asking.get(names)
        if asking is None:
            # One question for all calls that come meanwhile, and no part of the first of them, which may be given up.
            asking = asyncio.create_task(self._ask(names, now), name="revocations of a caller", context=Context())
            asking.add_done_callback(_note)
            self._asking[names] = asking
        return await asyncio.shield(asking)

    async def _ask(self, names: tuple[str, ...], now: datetime) -> Mapping[str, datetime]:
        try:
            found = await self._log.among(names)
        finally:
            del self._asking[names]
        self.know(found)
        self._asked[names] = _Asked(now, found)
        return found


def _note(asking: asyncio.Task[Any]) -> None:
    """Take note of how a question ended; when everybody who waited has gone, nobody else does."""
    if not asking.cancelled():
        asking.exception()


def _names(principal: Principal) -> tuple[str, ...]:
    """Return under which names a caller's tokens may have been taken back: its session's, and its own if it has one of ours."""
    session = () if principal.session_id is None else (principal.session_id,)
    return (*session, principal.subject) if _is_ours(principal) else session


def _is_ours(principal: Principal) -> bool:
    # Operators are called what their issuer likes; customers and service clients have ids of ours.
    return principal.kind is PrincipalKind.CUSTOMER or principal.subject.startswith(CLIENT_PREFIX)


def _void(credential: Credential, known: Mapping[str, datetime]) -> bool:
    principal = credential.principal
    if principal.session_id in known:
        return True
    # A token says the second it was made in: one of the same second was made before, as far as anybody can tell.
    at = known.get(principal.subject) if _is_ours(principal) else None
    return at is not None and credential.issued_at <= at


@asynccontextmanager
async def open_revocations(clock: Clock, *, token_lifetime: timedelta) -> AsyncIterator[Revocations]:
    """Follow the revocations until the context ends. What was taken back before is known when it begins.

    Raises:
        Unavailable: the database does not answer.
    """
    revocations = Revocations(clock, token_lifetime=token_lifetime)
    await revocations.look()
    async with beside(revocations.follow(), name="revocations"):
        yield revocations
