"""The trace that a piece of work belongs to, in the one line that W3C Trace Context has for it.

``00-<trace id>-<span id>-<flags>``, in hex digits. Whoever traces sets it; what is recorded for later keeps it, and takes it
along to Kafka. It is no personal data.
"""

from contextvars import ContextVar

TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The span that is open at present; None while nobody traces."""
