"""The process of the development collector of traces; `embedded.traces` knows its arguments.

``POST /v1/traces`` takes OTLP over HTTP. ``GET /traces`` lists the latest traces, newest first, ``GET /traces/<trace id>``
shows one whole: its spans in the order in which they began, with their durations in milliseconds.
"""

import gzip
import json
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from werkzeug.wrappers import Request, Response

from embedded.wsgi import serve

_MOST_TRACES = 1000
_MOST_SPANS = 1000
"""Of one trace: whoever sends the same trace for ever must not fill the memory."""
_LISTED = 50
_NANOSECONDS = 1e6
"""Nanoseconds in a millisecond."""

Json = dict[str, Any]


class Collector:
    """The collector as a WSGI application. It keeps the latest `_MOST_TRACES` traces."""

    def __init__(self) -> None:
        self._traces: OrderedDict[str, list[Json]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["v1", "traces"]:
                return self._take(request)
            case "GET", ["traces"]:
                with self._lock:
                    latest = list(self._traces.items())[-_LISTED:]
                return _json({"traces": [_summary(name, spans) for name, spans in reversed(latest)]})
            case "GET", ["traces", trace_id]:
                with self._lock:
                    spans = sorted(self._traces.get(trace_id, ()), key=lambda span: span["start"])
                return _json({"traceId": trace_id, "spans": spans}, 200 if spans else 404)
        return Response("There is nothing here.", 404)

    def _take(self, request: Request) -> Response:
        body = request.get_data()
        try:
            sent = ExportTraceServiceRequest.FromString(
                gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body
            )
        except (DecodeError, gzip.BadGzipFile, EOFError):
            return Response("This is no OTLP.", 400)
        with self._lock:
            for resource in sent.resource_spans:
                process = attributes(resource.resource.attributes).get("process")
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        self._keep(span.trace_id.hex(), _shown(span, process))
        answer = ExportTraceServiceResponse().SerializeToString()
        return Response(answer, content_type="application/x-protobuf")

    def _keep(self, trace_id: str, span: Json) -> None:
        spans = self._traces.setdefault(trace_id, [])
        if len(spans) < _MOST_SPANS:
            spans.append(span)
        self._traces.move_to_end(trace_id)
        if len(self._traces) > _MOST_TRACES:
            self._traces.popitem(last=False)


def _shown(span: Span, process: object) -> Json:
    return {
        "id": span.span_id.hex(),
        "parentId": span.parent_span_id.hex() or None,
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        "process": process,
        "start": span.start_time_unix_nano,
        "milliseconds": (span.end_time_unix_nano - span.start_time_unix_nano) / _NANOSECONDS,
        "failed": span.status.code == Status.STATUS_CODE_ERROR,
        "attributes": attributes(span.attributes),
    }


def _summary(trace_id: str, spans: list[Json]) -> Json:
    first = min(spans, key=lambda span: span["start"])
    return {"traceId": trace_id, "name": first["name"], "spans": len(spans), "milliseconds": first["milliseconds"]}


def attributes(given: Iterable[KeyValue]) -> Json:
    """Return attributes of a span or a resource by their names."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in given}


def _json(content: Json, status: int = 200) -> Response:
    return Response(json.dumps(content), status, content_type="application/json")


if __name__ == "__main__":
    serve(int(sys.argv[1]), Collector())
