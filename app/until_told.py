"""Processes that run until the operating system, or the person before it, says stop."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

import uvloop

from core.ending import end

T = TypeVar("T")


def run_until_told(process: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run *process* with an event that SIGTERM and SIGINT set; it ends at the next good moment."""
    uvloop.run(_run(process))


async def _run(process: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await process(stop)


def run_until_interrupted(work: Coroutine[object, object, T]) -> T:
    """Run *work* and return what it does; the first Ctrl-C ends it, also where a library loses the cancellation.

    Raises:
        KeyboardInterrupt: it was ended so.
    """
    return asyncio.run(_interruptible(work))


async def _interruptible(work: Coroutine[object, object, T]) -> T:
    working = asyncio.create_task(work)
    interrupted = asyncio.Event()
    if threading.current_thread() is threading.main_thread():  # no other is told of signals
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    waiting = asyncio.create_task(interrupted.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    await end([working, waiting])
    if interrupted.is_set():
        raise KeyboardInterrupt
    return await working
