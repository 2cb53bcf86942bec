"""Time limits that cost nothing where nobody waits."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar, cast

T = TypeVar("T")


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Return what *work* returns. Only if it has to wait for anything, a timer is set.

    Raises:
        TimeoutError: it takes longer.
    """
    try:
        waits_for = work.send(None)
    except StopIteration as end:
        result: T = end.value
    else:
        async with asyncio.timeout(seconds):
            result = await _Rest(work, waits_for)
    return result


async def noticing(work: Coroutine[Any, Any, T], waits: Callable[[], object]) -> T:
    """Return what *work* returns. If it has to wait for anything, *waits* is called first."""
    try:
        waits_for = work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    waits()
    return cast("T", await _Rest(work, waits_for))


class _Rest:
    """What is left of a coroutine that waits for something."""

    def __init__(self, work: Coroutine[Any, Any, T], waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waits_for = self._waits_for
        while True:
            try:
                try:
                    sent = yield waits_for
                except BaseException as error:  # noqa: BLE001  it is the coroutine's to take
                    waits_for = self._work.throw(error)
                else:
                    waits_for = self._work.send(sent)
            except StopIteration as end:
                return end.value
