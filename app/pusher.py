"""Pusher Channels as the settings have it. Where it is not configured, its library is never imported."""

import importlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from app.settings import InvalidSettings, Settings


def pusher_is_on(settings: Settings) -> bool:
    """Say whether Pusher is configured.

    Raises:
        InvalidSettings: it is in part.
    """
    pusher = settings.pusher
    given = {"appId": pusher.app_id, "key": pusher.key, "secret": pusher.secret}
    missing = [name for name, value in given.items() if value is None]
    if missing and len(missing) < len(given):
        message = f"pusher: live updates take appId, key and secret together; without {', '.join(missing)} remove the others."
        raise InvalidSettings(message)
    return not missing


@asynccontextmanager
async def open_channels(settings: Settings) -> AsyncIterator[Any]:
    """Hand out `infra.pusher.PusherChannels`, for settings where it is on.

    Raises:
        InvalidSettings: Pusher's library cannot use them.
    """
    infra = importlib.import_module("infra.pusher")
    pusher = settings.pusher
    opening: AbstractAsyncContextManager[Any] = infra.open_pusher(
        app_id=pusher.app_id,
        key=pusher.key,
        secret=None if pusher.secret is None else pusher.secret.get_secret_value(),
        cluster=pusher.cluster,
        endpoint=pusher.endpoint,
        within=pusher.timeout,
    )
    async with AsyncExitStack() as stack:
        try:
            channels = await stack.enter_async_context(opening)
        except infra.UnusablePusher as error:
            message = f"pusher: {error}"
            raise InvalidSettings(message) from None
        yield channels
