"""What a process does by itself, again and again: it fails alone, and says so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

import structlog

from core.ending import end
from core.errors import Unavailable

_log = structlog.get_logger(__name__)

Step = Callable[[], Awaitable[None]]


async def repeat(step: Step, *, every: float, complaint: str) -> None:
    """Take a step *every* so many seconds, the first one after so many, until cancelled; see `attempt`."""
    while True:
        await asyncio.sleep(every)
        await attempt(step, complaint)


async def attempt(step: Step, complaint: str) -> None:
    """Take a step, or say with *complaint* that it failed: neither the next one nor the end of the process depends on it."""
    try:
        await step()
    except Unavailable as error:
        _log.warning(complaint, reason=str(error))
    except Exception as error:  # noqa: BLE001 - a fault of ours must not be the last step either
        _log.error(complaint, error=type(error).__name__, exc_info=error)


@asynccontextmanager
async def beside(work: Coroutine[object, object, None], *, name: str) -> AsyncIterator[None]:
    """Do *work*, which goes on for ever, until the context ends."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        await end([task])
