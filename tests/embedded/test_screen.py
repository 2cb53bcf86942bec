"""What the terminal says when everything is ready."""

import io
from pathlib import Path

from rich.console import Console

from embedded.screen import Screen

STACK = {
    "graphql": "http://127.0.0.1:8084/graphql",
    "rest": "http://127.0.0.1:8084",
    "graphql_ws": "ws://127.0.0.1:8084/graphql",
    "metrics": "http://127.0.0.1:9090/metrics",
    "mongodb_uri": "mongodb://127.0.0.1:27017/?replicaSet=rs0",
    "kafka_brokers": "127.0.0.1:9092",
    "s3_endpoint": "http://127.0.0.1:4566",
    "tokens": {"operator": "eyJ-secret"},
}


def test_addresses_and_next_steps_are_shown_and_no_token() -> None:
    output = io.StringIO()

    Screen(Console(file=output, width=100, highlight=False)).ready(STACK, Path.cwd() / ".run" / "stack.json")

    shown = output.getvalue()
    assert all(str(STACK[name]) in shown for name in STACK if name != "tokens")
    assert "./customer-service import examples/chinook-customers.csv" in shown
    assert ".run/stack.json" in shown
    assert "eyJ-secret" not in shown


def test_brackets_in_messages_are_text_and_not_markup() -> None:
    output = io.StringIO()

    Screen(Console(file=output, width=100)).say("mongod said [bold]")

    assert "mongod said [bold]" in output.getvalue()
