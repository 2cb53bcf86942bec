"""How much is taken on at once: what a process can answer in time, a short queue, and an early no to the rest.

Without a bound, a process that is asked for twice what it can do answers everybody too late, and goes on so for as long as
they ask again. A place is held from the head of a request to the beginning of its answer: neither clients that send slowly nor
streams nor slow readers keep one.
"""

import asyncio
from asyncio import TimerHandle
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, cast

from prometheus_client import Gauge
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.patience import noticing

QUEUE_SECONDS = 1.0
"""How long a request waits for a place at most."""

BODY_SECONDS = 0.5
"""How long a place is kept for a request whose body is not there yet."""

RETRY_SECONDS = 1
"""What clients are asked to wait."""

_WORK = ("/graphql", "/api/", "/internal/")
"""What is bounded. All else, health and keys among it, asks next to nothing of the process."""

_WAITING = Gauge("http_requests_waiting", "Requests that wait for a place among those that are being answered.")


class Overloaded(Exception):
    """There is no place, and there will be none in time."""


class Admission:
    """The places of one process: *most* requests at once, and *queued* more that wait in order for at most a second."""

    def __init__(self, *, most: int, queued: int) -> None:
        self._most = most
        self._queued = queued
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        _WAITING.set_function(lambda: len(self._waiting))

    async def enter(self) -> None:
        """Take a place.

        Raises:
            Overloaded: as many wait already as may, at once; or nobody left in time.
        """
        if self._taken < self._most:
            self._taken += 1
            return
        if len(self._waiting) >= self._queued:
            raise Overloaded
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                # It was handed over in the moment in which we gave up.
                self.leave()
            with suppress(ValueError):
                self._waiting.remove(place)
            if isinstance(error, TimeoutError):
                raise Overloaded from None
            raise

    def leave(self) -> None:
        """Hand a place to who has waited longest, or nobody."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._taken -= 1


class Admitted:
    """An ASGI application that answers what is admitted; *refusing* answers the rest."""

    def __init__(self, application: ASGIApp, admission: Admission, refusing: ASGIApp) -> None:
        self._application = application
        self._admission = admission
        self._refusing = refusing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one connection."""
        if scope["type"] != "http" or not scope["path"].startswith(_WORK):
            await self._application(scope, receive, send)
            return
        try:
            await self._admission.enter()
        except Overloaded:
            await self._refusing(scope, receive, send)
            return
        place = _Place(self._admission, receive, send)
        try:
            await self._application(scope, place.receive, place.send)
        except Exception:
            if not place.refused:
                raise
        finally:
            place.leave()
        if place.refused:
            await self._refusing(scope, receive, send)


class _Place:
    """The place of one request, and how it speaks with its client meanwhile."""

    def __init__(self, admission: Admission, receive: Receive, send: Send) -> None:
        self._admission = admission
        self._receive = receive
        self._send = send
        self._held = True
        self._complete = False
        self._patience: TimerHandle | None = None
        self.refused = False

    async def receive(self) -> Message:
        """Return what the client sends; for one that is slow with its body, another place has to be found afterwards."""
        if self._complete:
            return await self._receive()
        message = await noticing(cast("Coroutine[Any, Any, Message]", self._receive()), self._begin_to_wait)
        if message["type"] != "http.request" or message.get("more_body", False):
            return message
        self._complete = True
        if self._patience is not None:
            self._patience.cancel()
        if not self._held:
            try:
                await self._admission.enter()
            except Overloaded:
                self.refused = True
                return {"type": "http.disconnect"}
            self._held = True
        return message

    async def send(self, message: Message) -> None:
        """Send what is answered; with its beginning the work is done. Nothing of it is sent where the answer is a no."""
        if self.refused:
            return
        if message["type"] == "http.response.start":
            self.leave()
        await self._send(message)

    def _begin_to_wait(self) -> None:
        # Only now: nearly all bodies are there with their heads, and a timer takes as long as reading one.
        if self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(BODY_SECONDS, self.leave)

    def leave(self) -> None:
        """Give the place back, once."""
        if self._patience is not None:
            self._patience.cancel()
        if self._held:
            self._held = False
            self._admission.leave()
