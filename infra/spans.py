"""Between the one line that a trace travels as, and what OpenTelemetry makes of it."""

from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
_NOWHERE = Context()


def inside(traceparent: str | None) -> Context | None:
    """Return the context in which spans become children of *traceparent*; None when nobody records that trace."""
    if traceparent is None:
        return None
    parts = traceparent.split("-")
    flags = TraceFlags(int(parts[3], 16))
    if not flags.sampled:
        return None
    parent = SpanContext(int(parts[1], 16), int(parts[2], 16), is_remote=False, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(parent), _NOWHERE)


def received(traceparent: str | None, tracestate: str | None) -> Context:
    """Return the context of what a caller says of its trace. What is no trace is as if nothing was said."""
    carrier = {"traceparent": traceparent, "tracestate": tracestate}
    return _PROPAGATOR.extract({name: value for name, value in carrier.items() if value}, _NOWHERE)


def written(span: Span) -> str:
    """Return *span* as others refer to it."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
