"""Background processes: run until the operating system says stop."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import uvloop


def run_until_told(process: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run *process* with an event that SIGTERM and SIGINT set; it ends at the next good moment."""
    uvloop.run(_run(process))


async def _run(process: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await process(stop)
