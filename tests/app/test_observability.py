"""Logs: one JSON object per line, without secrets; metrics: on a port of their own, when wanted."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from app import observability
from app.observability import configure_logging, serve_metrics
from app.sections import MonitoringSettings, PrometheusSettings


class Written(io.StringIO):
    """What was written to standard error."""

    def lines(self) -> list[dict[str, Any]]:
        """Return it, line by line."""
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture(name="logs")
def _logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    """Logging as every process configures it, with a standard error to look at."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    before = structlog.get_config()
    written = Written()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", written)
        configure_logging()
    yield written
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


def test_a_line_is_an_object_with_level_time_and_facts(logs: Written) -> None:
    structlog.get_logger().info("import finished", import_id="imp_1", rows=59)

    (line,) = logs.lines()
    assert {"event": "import finished", "level": "info", "import_id": "imp_1", "rows": 59}.items() <= line.items()
    assert line["timestamp"].endswith("Z")


def test_records_of_the_standard_library_are_objects_too(logs: Written) -> None:
    logging.getLogger("asyncio").warning("Connection to %s lost\nfor good", "broker")

    (line,) = logs.lines()
    assert {"event": "Connection to broker lost\nfor good", "level": "warning"}.items() <= line.items()


@pytest.mark.parametrize("noisy", ["uvicorn.access", "websockets", "aiokafka", "botocore", "aiobotocore", "httpx", "pymongo"])
def test_what_happens_at_every_request_is_not_logged(logs: Written, noisy: str) -> None:
    logging.getLogger(noisy).info("GET /")
    structlog.get_logger().debug("detail")

    assert [] == logs.lines()


def test_the_addresses_of_sockets_are_not_logged(logs: Written) -> None:
    """
    People put tokens there, and uvicorn writes the whole address of every socket.
    """
    log = logging.getLogger("uvicorn.error")
    log.info('%s - "WebSocket %s" [accepted]', "127.0.0.1:1", "/graphql?access_token=secret")
    log.info("Application startup complete.")

    assert ["Application startup complete."] == [line["event"] for line in logs.lines()]


def test_an_exception_is_one_line_with_its_traceback(logs: Written) -> None:
    try:
        int("paper")
    except ValueError:
        structlog.get_logger().exception("printing failed")
        logging.getLogger("app").exception("printing failed")

    ours, theirs = logs.lines()
    assert "ValueError: invalid literal" in ours["exception"]
    assert "ValueError: invalid literal" in theirs["exception"]


@pytest.mark.parametrize(
    "facts",
    [
        {"token": "canary"},
        {"authorization": "Bearer canary"},
        {"Authorization": "Bearer canary"},
        {"EMAIL": "canary@example.com"},
        {"customer": {"email": "canary@example.com", "addresses": {"phone": "canary"}}},
        {"headers": {"Authorization": "canary"}},
        {"otp": ["canary"]},
    ],
    ids=str,
)
def test_what_must_never_be_logged_is_not(logs: Written, facts: dict[str, Any]) -> None:
    structlog.get_logger().info("request", **facts)

    assert "canary" not in logs.getvalue()
    assert "[redacted]" in logs.getvalue()


def test_redaction_leaves_the_callers_objects_alone(logs: Written) -> None:
    customer = {"email": "ada@example.com"}

    structlog.get_logger().info("request", customer=customer)

    assert {"email": "ada@example.com"} == customer


def test_whatever_is_logged_can_be_written(logs: Written) -> None:
    structlog.get_logger().info("request", thing=object(), name="Gonçalves", raw=b"\xff")

    (line,) = logs.lines()
    assert "Gonçalves" == line["name"]
    assert "<object object at " in line["thing"]


@pytest.mark.parametrize(
    ("port", "address"), [(":9090", ("0.0.0.0", 9090)), ("127.0.0.1:9191", ("127.0.0.1", 9191)), ("9090", ("0.0.0.0", 9090))]
)
def test_metrics_listen_where_they_are_told(monkeypatch: pytest.MonkeyPatch, port: str, address: tuple[str, int]) -> None:
    heard: list[tuple[str, int]] = []
    monkeypatch.setattr(observability, "start_http_server", lambda port, addr: heard.append((addr, port)))

    serve_metrics(MonitoringSettings(prometheus=PrometheusSettings(port=port)))
    serve_metrics(MonitoringSettings(prometheus=PrometheusSettings(enabled=False, port=port)))

    assert [address] == heard
