"""The whole life of ``customer-service dev``, from the first look at the ports to the last process."""

import asyncio
import os
import signal
from collections.abc import Mapping

from rich.console import Console

from embedded.errors import StackError
from embedded.options import Options
from embedded.screen import Screen
from embedded.stack import Programs, Stack


def run(environ: Mapping[str, str], programs: Programs | None = None) -> int:
    """Run a stack until SIGINT, SIGTERM or SIGHUP, and return the exit code: 0, or 1 when it could not start."""
    screen = Screen(Console(highlight=False))
    try:
        stack = Stack(Options.of(environ), environ, programs or Programs(), screen)
        stack.claim(os.getpid())
        asyncio.run(_live(stack, screen))
    except StackError as error:
        screen.complain(str(error))
        return 1
    return 0


async def _live(stack: Stack, screen: Screen) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    starting = asyncio.create_task(stack.start())
    ending = asyncio.create_task(told.wait())
    try:
        await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await ending
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        screen.say("Stopping")
        await stack.stop()
        screen.say("Stopped")
