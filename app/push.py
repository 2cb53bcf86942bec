"""Live updates put together; imported only where they are on."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from repositories.bulk_import import ImportChanges
from services.import_watching import LATEST
from services.live import open_live
from services.push_channels import every_import
from workers.push import Channels, LivePush


@asynccontextmanager
async def open_push(channels: Channels, active: Callable[[], bool]) -> AsyncIterator[LivePush]:
    """Follow the imports of all sellers for whoever runs what is handed out."""
    async with open_live(ImportChanges(), LATEST) as live:
        yield LivePush(channels, lambda: every_import(live), active)
