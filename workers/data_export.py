"""The loop that makes exports of everything about customers."""

import asyncio

from core.ending import end
from workers.loop import Step, run_until

IDLE_SECONDS = 2.0
"""Pause after a look that found nothing, and so how long somebody waits who asks for an export while nobody else does."""


class DataExportWorker:
    """Repeats *step*, which makes one export. One that is under way when the process is told to stop is left to others."""

    def __init__(self, step: Step, *, idle: float = IDLE_SECONDS) -> None:
        self._step = step
        self._idle = idle

    async def run(self, stop: asyncio.Event) -> None:
        """Make exports until *stop*."""
        working = asyncio.create_task(run_until(stop, self._step, idle=self._idle), name="exports")
        try:
            await stop.wait()
        finally:
            await end([working])
