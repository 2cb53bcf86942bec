"""When sessions were used last: noted in memory, written now and then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from auth.principal import Principal
from core.clock import Clock
from core.errors import Unavailable
from repositories.session import mark_seen
from services.repeating import attempt, beside, repeat

_log = structlog.get_logger("sessions")

_NOT_WRITTEN = "the last use of sessions was not written"
WRITE_SECONDS = 10.0
_PRECISION = timedelta(minutes=1)


class SessionActivity:
    """Notes who calls; each session is written at most once a minute, all of them with one command."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted: dict[str, datetime] = {}
        self._unwritten: dict[str, datetime] = {}

    def note(self, principal: Principal) -> None:
        """Note that the session of *principal* is used now."""
        session_id = principal.session_id
        if session_id is None:
            return
        now = self._clock.now()
        noted = self._noted.get(session_id)
        if noted is None or now - noted >= _PRECISION:
            self._noted[session_id] = self._unwritten[session_id] = now

    async def write(self) -> None:
        """Write what was noted since the last time."""
        seen, self._unwritten = self._unwritten, {}
        try:
            await mark_seen(seen)
        except Unavailable as error:
            # An hour later it matters to nobody: not tried again.
            _log.warning(_NOT_WRITTEN, sessions=len(seen), reason=str(error))
        limit = self._clock.now() - _PRECISION
        self._noted = {session_id: at for session_id, at in self._noted.items() if at > limit}

    async def follow(self) -> None:
        """Write again and again, until cancelled."""
        await repeat(self.write, every=WRITE_SECONDS, complaint=_NOT_WRITTEN)


@asynccontextmanager
async def open_session_activity(clock: Clock) -> AsyncIterator[SessionActivity]:
    """Note and write until the context ends, and what is left then."""
    activity = SessionActivity(clock)
    try:
        async with beside(activity.follow(), name="session-activity"):
            yield activity
    finally:
        await attempt(activity.write, _NOT_WRITTEN)
