"""Logs and metrics."""

import importlib
import logging
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import start_http_server
from structlog.typing import Processor

from app.redaction import redact
from app.sections import MonitoringSettings, host_and_port
from core.request_facts import CURRENT
from core.trace import TRACEPARENT

if TYPE_CHECKING:
    from app.tracing import Tracing

_log = structlog.get_logger("monitoring")


def configure_logging() -> None:
    """Write one JSON object per line to standard error, the standard library's records included."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        of_the_request,
    ]
    # Redacted when the traceback is a text too: messages of errors quote values.
    last: list[Processor] = [
        structlog.processors.format_exc_info,
        redact,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *last,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    # One line per request, or per rejected frame, is the load balancer's business.
    for noisy in ("uvicorn.access", "websockets", "botocore", "aiobotocore", "httpx", "pymongo"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It writes the whole address of every socket, and people put tokens there.
    logging.getLogger("uvicorn.error").addFilter(_about_no_socket)
    # During an outage it writes 40 lines a second; the relay says once that Kafka is gone, and once that it is back.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _about_no_socket(record: logging.LogRecord) -> bool:
    return "WebSocket" not in str(record.msg)


def serve_metrics(settings: MonitoringSettings) -> None:
    """Answer Prometheus on a port of its own, when that is wanted."""
    if settings.prometheus.enabled:
        host, port = host_and_port(settings.prometheus.port)
        start_http_server(port, addr=host)


def start_tracing(settings: MonitoringSettings, *, process: str) -> "Tracing | None":
    """Begin to trace what *process* does, when that is wanted and there is a key; else None, and nothing is loaded."""
    if not settings.new_relic.enabled:
        return None
    if settings.new_relic.license_key is None:
        _log.warning("nothing is traced: monitoring.newRelic.licenseKey is missing")
        return None
    # By name: what sends traces takes time and memory that nobody else should spend.
    module = importlib.import_module("app.tracing")
    tracing: Tracing = module.start_tracing(settings.new_relic, process=process)
    return tracing


def of_the_request(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say which request a line is about, whose it is, and what it asked for. Costs a request nothing that logs nothing."""
    facts = CURRENT.get()
    if facts is not None:
        for name, value in (("request_id", facts.request_id), ("seller", facts.seller), ("operation", facts.operation)):
            if value is not None and entry.get(name) is None:
                entry[name] = value
    if (trace := TRACEPARENT.get()) is not None:
        entry.setdefault("trace_id", trace.split("-")[1])
    return entry
