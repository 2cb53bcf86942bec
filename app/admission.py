"""How much is taken on at once: what a process can answer in time, a short queue, and an early no to the rest.

Without a bound, a process that is asked for twice what it can do answers everybody too late, and goes on so for as long as
they ask again. A place is held from the head of a request to the beginning of its answer: neither clients that send slowly nor
streams nor slow readers keep one.
"""

import asyncio
from asyncio import TimerHandle
from collections.abc import Callable, Coroutine, Hashable
from math import exp
from typing import Any, cast

from prometheus_client import Gauge
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.fair_queue import FairQueue
from app.pace import Pace
from core.patience import noticing

QUEUE_SECONDS = 1.0
"""How long a request waits for a place at most."""

BODY_SECONDS = 0.5
"""How long a place is kept for a request whose body is not there yet."""

RETRY_SECONDS = 1
"""What clients are asked to wait."""

_WORK = ("/graphql", "/api/", "/internal/")
"""What is bounded. All else, health and keys among it, asks next to nothing of the process."""

_MEMORY_SECONDS = 1.0
"""How far back it is looked to tell how fast places become free, while somebody waits for them."""

_WAITING = Gauge("http_requests_waiting", "Requests that wait for a place among those that are being answered.")
_PLACES = Gauge("http_request_places", "Requests that may be answered at a time, at present.")

LaneOf = Callable[[Scope], Hashable]
"""Says whom a request is of, before anything of it is believed."""


class Overloaded(Exception):
    """There is no place, and there will be none in time."""


class Admission:
    """The places of one process: *most* requests at once or fewer (see `Pace`), and *queued* more that wait, at most a second.

    Those who wait do so by lanes, which take turns. There is room for as many as will get a place in that time, even if places
    become free half as fast as they did lately. When there is none left, the last one of the longest lane goes, so that whoever
    sends too much refuses itself.
    """

    def __init__(self, *, most: int, queued: int) -> None:
        self._pace = Pace(most)
        self._queued = queued
        self._taken = 0
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()
        self._left_at: float | None = None
        self._rate = 0.0
        self._freed = self._time = 0.0
        _WAITING.set_function(lambda: len(self._waiting))
        _PLACES.set_function(lambda: self._pace.places)

    async def enter(self, lane: Hashable = None) -> None:
        """Take a place, in turn with other lanes than *lane*.

        Raises:
            Overloaded: there is no room to wait, at once or as soon as others need it more; or nobody left in time.
        """
        self._pace.look()
        if self._taken < self._pace.places and not self._waiting:
            self._taken += 1
            return
        self._make_room(lane)
        place = asyncio.get_running_loop().create_future()
        self._waiting.add(lane, place)
        self._admit()
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled() and place.exception() is None:
                # It was handed over in the moment in which we gave up.
                self.leave()
            self._waiting.remove(lane, place)
            if isinstance(error, TimeoutError):
                raise Overloaded from None
            raise

    def leave(self) -> None:
        """Give a place back, to whoever is next."""
        self._measure()
        self._taken -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._taken < self._pace.places:
            place = self._waiting.take()
            if not place.done():
                self._taken += 1
                place.set_result(None)

    def _make_room(self, lane: Hashable) -> None:
        if len(self._waiting) < self._room():
            return
        longest = self._waiting.longest() if self._waiting else lane
        if self._waiting.length(longest) <= self._waiting.length(lane) + 1:
            raise Overloaded
        last = self._waiting.drop(longest)
        if not last.done():
            last.set_exception(Overloaded())

    def _room(self) -> float:
        """Return how many may wait: as many as get a place in half of the time when places become free as they did lately."""
        return min(self._queued, self._rate * QUEUE_SECONDS / 2) if self._rate else self._queued

    def _measure(self) -> None:
        if not self._waiting:
            self._left_at = None
            return
        now = asyncio.get_running_loop().time()
        if self._left_at is not None:
            # What stood still for longer than anybody waits says no more than that.
            passed = min(now - self._left_at, QUEUE_SECONDS)
            # By the time and not by the number: places become free many at once, and then none for a while.
            fading = exp(-passed / _MEMORY_SECONDS)
            self._freed = self._freed * fading + 1
            self._time = self._time * fading + passed
            self._rate = self._freed / self._time if self._time else 0.0
        self._left_at = now


def _one_lane(scope: Scope) -> None:
    """Have everybody wait in one lane."""


class Admitted:
    """An ASGI application that answers what is admitted; *refusing* answers the rest. *lane_of* says where one waits."""

    def __init__(self, application: ASGIApp, admission: Admission, refusing: ASGIApp, lane_of: LaneOf = _one_lane) -> None:
        self._application = application
        self._admission = admission
        self._refusing = refusing
        self._lane_of = lane_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one connection."""
        if scope["type"] != "http" or not scope["path"].startswith(_WORK):
            await self._application(scope, receive, send)
            return
        lane = self._lane_of(scope)
        try:
            await self._admission.enter(lane)
        except Overloaded:
            await self._refusing(scope, receive, send)
            return
        place = _Place(self._admission, lane, receive, send)
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

    def __init__(self, admission: Admission, lane: Hashable, receive: Receive, send: Send) -> None:
        self._admission = admission
        self._lane = lane
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
                await self._admission.enter(self._lane)
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
