"""Pusher Channels, by its official library: what it signs and encodes, sent over connections that are kept.

The library's own backends open a connection for each call (aiohttp), or block and bring a list of authorities of their own
(requests). Its adapter for HTTP is made to be replaced, so this one is ours. Nothing imports this module unless Pusher is
configured.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pusher

from core.push import NotPushed, PushMessage

MOST_AT_ONCE = 10
"""Messages in one call; Pusher refuses more."""

_LONGEST_WAIT = 60.0
_LONGEST_ANSWER = 1 << 16
_PASSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class UnusablePusher(Exception):
    """Pusher's library takes no such app id, key or secret."""


class _Answer(NamedTuple):
    status: int
    retry_after: str | None


class _Backend:
    """Sends what the library has signed, and hands back the status: the body of the answer says nothing that is needed."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def send_request(self, request: Any) -> _Answer:
        call = self._http.stream(request.method, request.url, headers=request.headers, content=request.body)
        async with call as answer:
            # Read to its end, the connection is good for the next call.
            size = 0
            async for chunk in answer.aiter_raw():
                size += len(chunk)
                if size > _LONGEST_ANSWER:
                    break
            return _Answer(answer.status_code, answer.headers.get("retry-after"))


@asynccontextmanager
async def open_pusher(
    *, app_id: str, key: str, secret: str, cluster: str, endpoint: str | None, within: float
) -> AsyncIterator["PusherChannels"]:
    """Open the way to an app of Pusher's, or to a server at *endpoint* that speaks like it. *within* is in seconds, a call.

    Nothing is sent before it is used.

    Raises:
        UnusablePusher: the library refuses these values.
    """
    async with httpx.AsyncClient(timeout=within, follow_redirects=False) as http:
        backend = _Backend(http)
        try:
            client = pusher.Pusher(
                app_id=app_id, key=key, secret=secret, backend=lambda _: backend, **_place(endpoint, cluster)
            )
        except (TypeError, ValueError) as error:
            message = f"Pusher's library takes no such values: {error}. The app id is a number."
            raise UnusablePusher(message) from None
        yield PusherChannels(client, within=within)


class PusherChannels:
    """Made by `open_pusher`."""

    def __init__(self, client: Any, *, within: float) -> None:
        self._client = client
        self._within = within

    async def trigger(self, messages: Sequence[PushMessage]) -> None:
        """Send at most `MOST_AT_ONCE` messages with one call.

        Raises:
            NotPushed: they were refused, or nobody answered in time; then some may have gone out all the same.
        """
        batch = [{"channel": one.channel, "name": one.event, "data": one.data} for one in messages]
        try:
            async with asyncio.timeout(self._within):
                answer: _Answer = await self._client.trigger_batch(batch)
        except (TypeError, ValueError) as error:
            # The library looks at names of channels and at sizes before anything is sent.
            raise NotPushed(f"Pusher's library refused a message: {error}", final=True) from None
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise NotPushed(f"Pusher did not answer: {type(error).__name__}.") from None
        if answer.status in {HTTPStatus.OK, HTTPStatus.ACCEPTED}:
            return
        advice = _ADVICE.get(answer.status, "")
        raise NotPushed(
            f"Pusher answered {answer.status}.{advice}",
            final=answer.status < HTTPStatus.INTERNAL_SERVER_ERROR and answer.status not in _PASSES,
            retry_after=_seconds(answer.retry_after),
        )

    def sign(self, channel: str, socket_id: str) -> Mapping[str, str]:
        """Return what lets the page behind *socket_id* subscribe to a private channel, as Pusher's clients expect it.

        Raises:
            ValueError: these are no names of a socket and a channel.
        """
        signed: Mapping[str, str] = self._client.authenticate(channel, socket_id)
        return signed


_ADVICE: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: " Check pusher.key and pusher.secret, and the clock of this machine.",
    HTTPStatus.FORBIDDEN: " The app is disabled, or over its quota: look at its dashboard.",
    HTTPStatus.NOT_FOUND: " Check pusher.appId and pusher.cluster.",
}


def _place(endpoint: str | None, cluster: str) -> dict[str, Any]:
    if endpoint is None:
        return {"cluster": cluster, "ssl": True}
    parts = urlsplit(endpoint)
    return {"host": parts.hostname, "port": parts.port, "ssl": parts.scheme == "https"}


def _seconds(retry_after: str | None) -> float | None:
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return min(seconds, _LONGEST_WAIT) if math.isfinite(seconds) and seconds >= 0 else None
