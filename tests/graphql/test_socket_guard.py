"""How long a socket may stay open, on a clock that is set by hand."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.container import Container
from app.graphql import socket_guard
from app.graphql.socket_guard import SocketGuard
from auth.principal import Principal
from auth.tokens import Credential
from core.errors import Unauthenticated
from core.vocabulary import PrincipalKind
from services.revocations import Revocations


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time it was set to."""
        return self.time


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="revocations")
def _revocations(container: Container, clock: Clock) -> Revocations:
    return Revocations(clock, token_lifetime=timedelta(days=365))


@pytest.fixture(name="guard")
def _guard(revocations: Revocations, clock: Clock) -> SocketGuard:
    return SocketGuard(revocations, clock)


def credential(clock: Clock, lifetime: timedelta) -> Credential:
    principal = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=frozenset(), seller_id="acme", session_id="ses_1")
    return Credential(principal, clock.now(), clock.now() + lifetime)


async def settled() -> None:
    """Let everything run that can run now."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_last_moment_is_the_one_before_the_expiry(guard: SocketGuard, clock: Clock) -> None:
    held = credential(clock, timedelta(seconds=10))

    clock.time += timedelta(seconds=9, milliseconds=999)
    await guard.require(held)
    clock.time += timedelta(milliseconds=1)
    with pytest.raises(Unauthenticated, match=r"^The access token has expired: connect again with a new one$"):
        await guard.require(held)


async def test_a_token_of_thirty_days_is_waited_for_in_pieces_by_the_clock_on_the_wall(
    guard: SocketGuard, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    No single sleep lasts for a month: the machine may sleep in between, and event loops have a longest timer.
    """
    waits: list[float] = []
    timeout = asyncio.timeout

    def noting(delay: float) -> asyncio.Timeout:
        waits.append(delay)
        clock.time += timedelta(days=10)
        return timeout(0)

    monkeypatch.setattr("app.graphql.socket_guard.asyncio.timeout", noting)
    with pytest.raises(Unauthenticated, match="has expired"):
        await guard.wait(credential(clock, timedelta(days=30)))

    assert [socket_guard.LONGEST_WAIT] * 3 == waits
    assert socket_guard.LONGEST_WAIT <= timedelta(days=1).total_seconds()


async def test_the_end_of_the_session_ends_the_wait(guard: SocketGuard, revocations: Revocations, clock: Clock) -> None:
    waiting = asyncio.create_task(guard.wait(credential(clock, timedelta(days=30))))
    await settled()
    revocations.know({"ses_2": clock.now()})
    await settled()
    assert not waiting.done()

    revocations.know({"ses_1": clock.now()})

    with pytest.raises(Unauthenticated, match=r"^The session has ended$"):
        await waiting


async def test_a_wait_that_is_given_up_watches_no_longer(guard: SocketGuard, revocations: Revocations, clock: Clock) -> None:
    waiting = asyncio.create_task(guard.wait(credential(clock, timedelta(days=30))))
    await settled()
    assert 1 == len(revocations._watchers)

    waiting.cancel()
    await asyncio.wait([waiting])

    assert {} == revocations._watchers
