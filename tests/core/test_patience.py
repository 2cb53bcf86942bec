"""Time limits of work that waits, and of work that does not."""

import asyncio

import pytest

from core.patience import within


async def waits(for_: "asyncio.Future[str]") -> str:
    first = await for_
    await asyncio.sleep(0)
    return f"{first}, and more"


def settled(value: str) -> "asyncio.Future[str]":
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, value)
    return future


async def test_what_does_not_wait_is_there_at_once() -> None:
    async def ready() -> str:
        return "there"

    assert "there" == await within(0, ready())


async def test_what_waits_comes_in_time() -> None:
    assert "there, and more" == await within(30, waits(settled("there")))


async def test_what_waits_for_ever_is_ended() -> None:
    never = asyncio.get_running_loop().create_future()

    with pytest.raises(TimeoutError):
        await within(0.01, waits(never))

    assert never.cancelled()


async def test_errors_are_those_of_the_work() -> None:
    async def fails(later: bool) -> str:
        if later:
            await asyncio.sleep(0)
        raise KeyError(later)

    for later in (False, True):
        with pytest.raises(KeyError, match=str(later)):
            await within(30, fails(later))


async def test_the_work_is_told_of_a_cancellation_and_may_end_in_its_own_way() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            return "enough"
        return ""

    task = asyncio.create_task(within(30, stubborn()))
    await asyncio.sleep(0)
    task.cancel()

    assert "enough" == await task
