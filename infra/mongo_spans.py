"""Spans of what is asked of MongoDB, inside the trace of whoever asks. Of a command they tell its name and where it went."""

import time

from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from core.trace import TRACEPARENT
from infra.spans import inside

_UNTOLD = frozenset({"hello", "ping", "saslStart", "saslContinue", "endSessions"})


class MongoSpans(CommandListener):
    """Opens a span for each command that is sent inside a trace, and none for what processes do by themselves."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._open: dict[int, Span] = {}

    def started(self, event: CommandStartedEvent) -> None:
        """Open a span."""
        parent = inside(TRACEPARENT.get())
        if parent is None or event.command_name in _UNTOLD:
            return
        collection = event.command.get(event.command_name)
        where = collection if isinstance(collection, str) else event.database_name
        attributes = {
            "db.system.name": "mongodb",
            "db.namespace": event.database_name,
            "db.operation.name": event.command_name,
            "db.collection.name": where,
        }
        self._open[event.request_id] = self._tracer.start_span(
            f"{event.command_name} {where}", parent, SpanKind.CLIENT, attributes, start_time=time.time_ns()
        )

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Close the span."""
        if (span := self._open.pop(event.request_id, None)) is not None:
            span.end()

    def failed(self, event: CommandFailedEvent) -> None:
        """Close the span, and say that it failed and with which code; messages of the database quote values."""
        if (span := self._open.pop(event.request_id, None)) is not None:
            code = event.failure.get("codeName") or event.failure.get("code") or "unknown"
            span.set_attribute("db.response.status_code", str(code))
            span.set_status(StatusCode.ERROR)
            span.end()
