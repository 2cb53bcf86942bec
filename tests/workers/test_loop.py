"""The loop never dies silently, never spins, and stops when told."""

import asyncio
import time
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.errors import Unavailable
from workers import loop
from workers.loop import run_until


@pytest.fixture(name="quick", autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(loop, "LONGEST_PAUSE", 0.02)


def script(stop: asyncio.Event, *acts: bool | Exception) -> Callable[[], "asyncio.Future[bool]"]:
    """Return a step that plays *acts* and then stops the loop."""
    left = list(acts)

    async def play() -> bool:
        act = left.pop(0)
        if not left:
            stop.set()
        if isinstance(act, Exception):
            raise act
        return act

    return lambda: asyncio.ensure_future(play())


async def test_work_is_followed_by_work_at_once_and_idleness_by_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def pause(_: asyncio.Event, seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(loop, "pause", pause)
    stop = asyncio.Event()
    await run_until(stop, script(stop, True, True, True, False, True), idle=0.2)

    assert [0.2] == pauses


def of_steps(logs: Sequence[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    """Return what loops say of their steps: the application of other tests lives in this process too, and says other things."""
    return [line for line in logs if line["event"].startswith("step.")]


async def test_an_outage_is_two_lines() -> None:
    stop = asyncio.Event()
    with capture_logs() as logs:
        await run_until(stop, script(stop, True, *[Unavailable("gone")] * 5, True, True), idle=0)

    failed, recovered = of_steps(logs)
    assert [("step.failed", "warning"), ("step.recovered", "info")] == [
        (each["event"], each["log_level"]) for each in (failed, recovered)
    ]
    assert 5 == recovered["failures"]


async def test_a_bug_is_reported_with_its_traceback_and_survived() -> None:
    stop = asyncio.Event()
    with capture_logs() as logs:
        await run_until(stop, script(stop, ZeroDivisionError("bug"), Unavailable("gone"), True, True), idle=0)

    told = of_steps(logs)
    assert ["error", "warning", "info"] == [each["log_level"] for each in told]
    assert isinstance(told[0]["exc_info"], ZeroDivisionError)


async def test_failures_never_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(loop, "LONGEST_PAUSE", 0.1)
    stop = asyncio.Event()
    began = time.monotonic()
    await run_until(stop, script(stop, *[Unavailable("gone")] * 5), idle=0)

    assert time.monotonic() - began >= 0.025 + 0.05 + 0.05 + 0.05


async def test_a_stop_ends_every_pause() -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(run_until(stop, script(asyncio.Event(), False, False), idle=60))
    await asyncio.sleep(0.05)
    stop.set()
    async with asyncio.timeout(30):
        await running


async def test_cancelling_is_not_survived() -> None:
    running = asyncio.create_task(run_until(asyncio.Event(), script(asyncio.Event(), False, False), idle=60))
    await asyncio.sleep(0.05)
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("ends", ["worked", "failed"])
async def test_a_cancellation_that_a_step_lost_is_not_survived_either(ends: str) -> None:
    begun = asyncio.Event()

    async def step() -> bool:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if ends == "failed":
                raise Unavailable("gone") from None
        return True

    running = asyncio.create_task(run_until(asyncio.Event(), step, idle=60))
    await begun.wait()
    running.cancel()

    async with asyncio.timeout(30):
        with pytest.raises(asyncio.CancelledError):
            await running
