"""Live updates by Pusher Channels, beside the relay, where they are configured."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from app.pusher import open_channels, pusher_is_on
from app.settings import Settings
from workers.relay import Observer

STOP_SECONDS = 1
"""How long a call under way may take once the process was told to stop; what is lost is a hint."""


@asynccontextmanager
async def open_live_updates(settings: Settings, active: Callable[[], bool]) -> AsyncIterator[Observer | None]:
    """Send live updates for as long as the context is open, of what the observer is told and, while *active*, of imports.

    The database has to be open around it. None is handed out where Pusher is off.

    Raises:
        InvalidSettings: it cannot be used as it is configured.
    """
    if not pusher_is_on(settings):
        yield None
        return
    async with AsyncExitStack() as stack:
        channels = await stack.enter_async_context(open_channels(settings))
        push = await stack.enter_async_context(importlib.import_module("app.push").open_push(channels, active))
        stop = asyncio.Event()
        pushing = asyncio.create_task(push.run(stop), name="live updates")
        try:
            yield push.published
        finally:
            stop.set()
            done, _ = await asyncio.wait({pushing}, timeout=STOP_SECONDS)
            if not done:
                pushing.cancel()
                await asyncio.wait({pushing})
