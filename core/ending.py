"""Ending tasks that may not hear of it the first time."""

import asyncio
from collections.abc import Collection
from typing import Any

AGAIN_SECONDS = 1.0
"""How long a task may take to end before it is told again."""


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel *tasks* and wait until all of them have ended, telling those that go on once more every second.

    One that was told already has a second to end by itself: what it does to end must not be cancelled too early.

    Once is not always enough: `asyncio.wait_for`, which libraries use, forgets in Python 3.11 that it was cancelled when what
    it waits for ends in the same moment (python/cpython#86296). What the tasks raised is left in them.
    """
    running = {task for task in tasks if not task.done()}
    told = {task for task in running if task.cancelling()}
    while running:
        for task in running - told:
            task.cancel()
        told = set()
        _, running = await asyncio.wait(running, timeout=AGAIN_SECONDS)
