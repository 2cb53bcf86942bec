"""The loop around every background task: it repeats one step, survives its failures and stops between steps."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from core.errors import ServiceError

_log = structlog.get_logger(__name__)

Step = Callable[[], Awaitable[bool]]
"""One unit of work; returns whether there was any."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
"""Seconds between attempts while a step keeps failing: doubling from the first to the longest, less up to a half of jitter,
so that many processes do not come back in step when a server does."""


async def run_until(stop: asyncio.Event, step: Step, *, idle: float) -> None:
    """Repeat *step* until *stop*. A step that found no work is followed by a pause of *idle* seconds.

    A step that raises is repeated after a growing pause. The first failure of a row is logged, and one of another kind;
    equal ones are only counted, and the count is logged with the recovery. An outage is thus two lines, not thousands.

    Cancelling ends it after the step in hand at the latest, also when that lost the cancellation.
    """
    task = asyncio.current_task()
    name = getattr(step, "__qualname__", repr(step))
    failures = 0
    kind: type[Exception] | None = None
    since = 0.0
    while not stop.is_set():
        try:
            worked = await step()
        except Exception as error:  # noqa: BLE001 - a background task must not die of anything it can survive
            if failures == 0:
                since = time.monotonic()
            if type(error) is not kind:
                kind = type(error)
                _report(name, error)
            failures += 1
            _heed(task)
            await pause(stop, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures - 1, 10)) * random.uniform(0.5, 1.0))  # noqa: S311
            continue
        _heed(task)
        if failures:
            _log.info("step.recovered", step=name, failures=failures, seconds=round(time.monotonic() - since, 1))
            failures, kind = 0, None
        if worked:
            # A step that never waits for anything would otherwise keep the loop, and the signal to stop, from running.
            await asyncio.sleep(0)
        else:
            await pause(stop, idle)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait for *seconds*, or until *stop*, whichever is first."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


def _heed(task: asyncio.Task[object] | None) -> None:
    """Be cancelled if somebody asked for it.

    `asyncio.wait_for`, which libraries use, forgets in Python 3.11 that it was cancelled when what it waits for ends in the
    same moment (python/cpython#86296). Who cancels only asks once, and would wait for us for ever.
    """
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _report(name: str, error: Exception) -> None:
    if isinstance(error, ServiceError):
        # Said on purpose, with a message that explains itself; the cause is what a person needs beside it.
        _log.warning("step.failed", step=name, error=str(error), cause=repr(error.__cause__))
    else:
        _log.error("step.failed", step=name, error=repr(error), exc_info=error)
