"""Traces, from the caller's request over MongoDB to Kafka, sent by OTLP. Loaded only where somebody wants them.

    traceparent in ── request ─┬─ MongoDB
                               └─ the event's record ── relay ── traceparent in the headers on Kafka

No span holds anything that a caller wrote: neither paths nor documents, commands or messages of errors.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode
from starlette.types import Scope

from app.sections import NewRelicSettings
from app.watched import METHODS
from core.request_facts import RequestFacts
from core.trace import TRACEPARENT
from events.customer import TRACEPARENT_HEADER
from infra.kafka import Record
from infra.mongo_spans import MongoSpans
from infra.spans import inside, received, written
from workers.relay import Producer

SEND_SECONDS = 5.0
"""How long one attempt to send spans may take; it costs nobody but the thread that sends."""

LAST_SECONDS = 3.0
"""How long the last spans may take when the process stops."""

_UNTRACED = frozenset({"/healthz", "/readyz"})
_FAULT = 500


class Tracing:
    """Makes the spans of one process. Made by `start_tracing`."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("customer-service")

    def close(self) -> None:
        """Send what is left, for `LAST_SECONDS` at most: a collector that hangs must not keep the process from ending."""
        ending = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        ending.start()
        ending.join(LAST_SECONDS)

    @property
    def of_mongodb(self) -> MongoSpans:
        """A listener for the driver."""
        return MongoSpans(self._tracer)

    @contextmanager
    def of_request(self, scope: Scope, facts: RequestFacts) -> Iterator[None]:
        """Trace one HTTP request, in its caller's trace if it names one."""
        if scope["path"] in _UNTRACED:
            yield
            return
        given = {name: value.decode("latin-1") for name, value in scope["headers"] if name in {b"traceparent", b"tracestate"}}
        parent = received(given.get(b"traceparent"), given.get(b"tracestate"))
        span = self._tracer.start_span("request", parent, SpanKind.SERVER)
        token = TRACEPARENT.set(written(span))
        try:
            yield
        finally:
            TRACEPARENT.reset(token)
            for name, value in (
                ("http.request.method", scope["method"] if scope["method"] in METHODS else "_OTHER"),
                ("http.response.status_code", facts.status),
                ("customer_service.operation", facts.operation),
                ("customer_service.code", facts.code),
                ("customer_service.request_id", facts.request_id),
                ("customer_service.seller", facts.seller),
            ):
                if value is not None:
                    span.set_attribute(name, value)
            span.update_name(facts.operation or "request")
            if facts.status is None or facts.status >= _FAULT or facts.code == "INTERNAL":
                span.set_status(StatusCode.ERROR)
            span.end()

    def of_producer(self, producer: Producer) -> Producer:
        """Return *producer*, with a span for each event that belongs to a trace."""
        return _TracedProducer(producer, self)

    @contextmanager
    def publishing(self, records: Sequence[Record]) -> Iterator[None]:
        """Trace the publication of *records* in the traces that they belong to."""
        spans = []
        for record in records:
            found = next((value.decode() for name, value in record.headers if name == TRACEPARENT_HEADER), None)
            if (parent := inside(found)) is not None:
                attributes = {"messaging.system": "kafka", "messaging.destination.name": record.topic}
                spans.append(self._tracer.start_span(f"send {record.topic}", parent, SpanKind.PRODUCER, attributes))
        try:
            yield
        finally:
            for span in spans:
                span.end()


class _TracedProducer:
    def __init__(self, producer: Producer, tracing: Tracing) -> None:
        self._producer = producer
        self._tracing = tracing

    async def publish(self, records: Sequence[Record]) -> Sequence[Exception | None]:
        with self._tracing.publishing(records):
            return await self._producer.publish(records)


def start_tracing(settings: NewRelicSettings, *, process: str) -> Tracing:
    """Begin to trace what *process* does, and to send it to the collector of *settings*. To be closed."""
    key = "" if settings.license_key is None else settings.license_key.get_secret_value()
    exporter = OTLPSpanExporter(
        endpoint=f"{settings.endpoint.rstrip('/')}/v1/traces",
        headers={"api-key": key},
        timeout=SEND_SECONDS,
        compression=Compression.Gzip,
    )
    provider = TracerProvider(
        # Whoever calls decides for its trace; of all others this part is kept.
        ParentBased(TraceIdRatioBased(settings.sample_ratio)),
        Resource.create({"service.name": settings.app_name, "service.namespace": "customer-service", "process": process}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)
