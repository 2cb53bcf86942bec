"""What has to be done from time to time, whoever asks for it or nobody: each chore in a loop of its own."""

import asyncio
from collections.abc import Sequence

from workers.loop import Step, run_until

IDLE_SECONDS = 60.0
"""Pause of a chore that found nothing to do."""

PROMPT_SECONDS = 1.0
"""The same of a chore that somebody waits for."""


class Housekeeping:
    """Repeats chores. Several processes may do the same ones at once: each has to be safe to do twice."""

    def __init__(self, chores: Sequence[Step], *, prompt: Sequence[Step] = (), idle: float = IDLE_SECONDS) -> None:
        self._chores = [*((chore, idle) for chore in chores), *((chore, PROMPT_SECONDS) for chore in prompt)]

    async def run(self, stop: asyncio.Event) -> None:
        """Do every chore until *stop*; one that fails keeps no other from its turn."""
        async with asyncio.TaskGroup() as group:
            for chore, idle in self._chores:
                group.create_task(run_until(stop, chore, idle=idle), name="chore")
