"""When sessions were used last is written soon, seldom, and whatever happens."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import pytest

from auth.principal import CUSTOMER_SCOPES, Principal
from core.errors import Unavailable
from core.vocabulary import PrincipalKind
from services.session_activity import SessionActivity, open_session_activity
from tests.clocks import MovableClock


def caller(session_id: str | None) -> Principal:
    """Return somebody who calls with a token of a session."""
    return Principal(
        kind=PrincipalKind.OPERATOR, subject="ada", scopes=CUSTOMER_SCOPES, seller_id="acme", session_id=session_id
    )


@pytest.fixture(name="written")
def _written(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The ids of the sessions in each command to the database."""
    commands: list[list[str]] = []

    async def mark_seen(seen: Mapping[str, datetime]) -> None:
        if seen:
            commands.append(sorted(seen))

    monkeypatch.setattr("services.session_activity.mark_seen", mark_seen)
    return commands


async def test_a_session_is_written_once_a_minute_and_all_of_them_together(written: list[list[str]]) -> None:
    clock = MovableClock()
    activity = SessionActivity(clock)

    for session_id in ("ses_1", "ses_2", "ses_1", None):
        activity.note(caller(session_id))
    await activity.write()
    clock.advance(seconds=50)
    activity.note(caller("ses_1"))
    await activity.write()
    clock.advance(seconds=10)
    activity.note(caller("ses_1"))
    await activity.write()

    assert [["ses_1", "ses_2"], ["ses_1"]] == written


async def test_what_is_left_is_written_at_the_end(written: list[list[str]]) -> None:
    async with open_session_activity(MovableClock()) as activity:
        activity.note(caller("ses_1"))

    assert [["ses_1"]] == written


async def test_writing_goes_on_after_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [Unavailable("MongoDB is away."), RuntimeError("a bug")]
    written = asyncio.Event()

    async def mark_seen(seen: Mapping[str, datetime]) -> None:
        if failures:
            raise failures.pop(0)
        written.set()

    monkeypatch.setattr("services.session_activity.mark_seen", mark_seen)
    monkeypatch.setattr("services.session_activity.WRITE_SECONDS", 0.001)

    async with asyncio.timeout(10), open_session_activity(MovableClock()):
        await written.wait()
