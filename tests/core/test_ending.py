"""A task that is ended has ended."""

import asyncio

import pytest

from core import ending
from core.ending import end


async def _deaf(times: int) -> int:
    heard = 0
    while heard < times:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard += 1
    await asyncio.sleep(60)
    return heard


async def test_tasks_are_told_until_they_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "AGAIN_SECONDS", 0.01)
    tasks = [asyncio.create_task(_deaf(times)) for times in (0, 1, 5)]
    await asyncio.sleep(0)

    await end(tasks)

    assert [True, True, True] == [task.cancelled() for task in tasks]


async def test_what_has_ended_is_left_alone() -> None:
    task = asyncio.create_task(asyncio.sleep(0, "done"))
    await task

    await end([task])

    assert "done" == task.result()


async def test_one_that_was_told_already_ends_in_its_own_way() -> None:
    ended = []

    async def slow_to_end() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            ended.append("in order")

    task = asyncio.create_task(slow_to_end())
    await asyncio.sleep(0)
    task.cancel()

    await end([task])

    assert ["in order"] == ended
