"""What is counted and measured of every request, whatever answers it: the outermost ASGI layer.

A request costs 4 microseconds here. Labels come from the program, never from callers: see `RequestFacts`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from time import perf_counter
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.device import Device, device_of
from core.request_facts import CURRENT, RequestFacts

_REQUESTS = Counter(
    "http_requests", "Answered requests, by operation, status and code of the error.", ["operation", "status", "code"]
)
_SECONDS = Histogram(
    "http_request_seconds",
    "From the head of a request to the end of its answer; event streams and sockets excepted.",
    ["operation"],
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_IN_FLIGHT = Gauge("http_requests_in_flight", "Requests that are being answered; event streams and sockets excepted.")
_LIVE = Gauge("live_connections", "Open event streams and WebSockets.", ["transport"])
_EVENT_STREAM = b"text/event-stream"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FINE = "OK"
_REFUSED = 400


class _Answering:
    """How many requests are being answered: by one thread, which needs no lock."""

    number = 0


_answering = _Answering()
_IN_FLIGHT.set_function(lambda: _answering.number)

Span = Callable[[Scope, RequestFacts], AbstractContextManager[Any]]
"""Opens what traces one request: see `app.tracing`."""


class Watched:
    """An ASGI application, with every request counted, measured and, by *span*, traced."""

    def __init__(self, application: ASGIApp, span: Span | None = None) -> None:
        self._application = application
        self._span = span
        # A look-up among labels takes two locks and a copy of them; this takes none.
        self._counters: dict[tuple[str, int, str], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or serve one connection."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        facts = RequestFacts(is_socket=scope["type"] == "websocket", look=partial(_device, scope))
        token = CURRENT.set(facts)
        try:
            if facts.is_socket:
                with _LIVE.labels("websocket").track_inprogress():
                    await self._application(scope, receive, send)
            elif self._span is None:
                await self._answer(facts, scope, receive, send)
            else:
                with self._span(scope, facts):
                    await self._answer(facts, scope, receive, send)
        finally:
            CURRENT.reset(token)

    async def _answer(self, facts: RequestFacts, scope: Scope, receive: Receive, send: Send) -> None:
        begun = perf_counter()
        streams = False

        async def noting(message: Message) -> None:
            nonlocal streams
            if message["type"] == "http.response.start":
                facts.status = message["status"]
                if streams := _is_stream(message):
                    _LIVE.labels("event-stream").inc()
                    _answering.number -= 1
            await send(message)

        _answering.number += 1
        try:
            await self._application(scope, receive, noting)
        finally:
            operation = facts.operation or operation_of(scope)
            facts.operation = operation
            status = facts.status or 0
            self._count(operation, status, facts.code or (_FINE if 0 < status < _REFUSED else str(status)))
            if streams:
                _LIVE.labels("event-stream").dec()
            else:
                _answering.number -= 1
                self._measure(operation, perf_counter() - begun)

    def _count(self, operation: str, status: int, code: str) -> None:
        key = operation, status, code
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = _REQUESTS.labels(operation, str(status), code)
        counter.inc()

    def _measure(self, operation: str, seconds: float) -> None:
        histogram = self._histograms.get(operation)
        if histogram is None:
            histogram = self._histograms[operation] = _SECONDS.labels(operation)
        histogram.observe(seconds)


def operation_of(scope: Scope) -> str:
    """Return what a request that is no GraphQL operation asks for: the template of its path, never what a caller put there."""
    path = getattr(scope.get("route"), "path_format", None)
    if path is None:
        root = scope.get("root_path", "")
        if "endpoint" not in scope or scope.get("path_params") or root != scope.get("app_root_path", root):
            return "elsewhere"
        # A route that is none of FastAPI's, and leaves the caller nothing to fill in.
        path = scope["path"]
    method = scope.get("method", "")
    return f"{method if method in METHODS else 'OTHER'} {path}"


def _device(scope: Scope) -> Device:
    client = scope.get("client")
    user_agent = next((value for name, value in scope.get("headers", ()) if name == b"user-agent"), None)
    return device_of(None if client is None else client[0], None if user_agent is None else user_agent.decode("latin-1"))


def _is_stream(start: Message) -> bool:
    for name, value in start.get("headers", ()):
        if name == b"content-type":
            return bool(value.startswith(_EVENT_STREAM))
    return False
