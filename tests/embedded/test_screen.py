"""What the terminal says when everything is ready."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from embedded.screen import Screen, playground, suggestions

STACK = {
    "graphql": "http://127.0.0.1:8084/graphql",
    "rest": "http://127.0.0.1:8084",
    "console": "http://127.0.0.1:8084/console",
    "graphql_ws": "ws://127.0.0.1:8084/graphql",
    "metrics": "http://127.0.0.1:9090/metrics",
    "traces": "http://127.0.0.1:4318/traces",
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


def test_link_to_the_playground_carries_the_token_where_nobody_sees_it() -> None:
    output = io.StringIO()

    Screen(Console(file=output, width=100, force_terminal=True, highlight=False)).ready(
        STACK, Path.cwd() / ".run" / "stack.json"
    )

    hidden = re.compile(r"\x1b\]8;[^;]*;([^\x1b]*)\x1b\\|\x1b\[[0-9;]*m")
    assert "http://127.0.0.1:8084/graphql#token=eyJ-secret" in hidden.findall(output.getvalue())
    assert "eyJ-secret" not in hidden.sub("", output.getvalue())


def test_command_that_opens_the_playground_reads_the_token_when_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    file.write_text(json.dumps(STACK), encoding="utf-8")
    (command,) = (one for one in suggestions(STACK, file) if "webbrowser" in one)

    shell = command.replace("python3 -m webbrowser", "echo").replace("python3", sys.executable)
    answer = subprocess.run(shell, shell=True, capture_output=True, text=True, check=True)

    assert "eyJ-secret" not in command
    assert f"{playground(STACK)}\n" == answer.stdout


def test_brackets_in_messages_are_text_and_not_markup() -> None:
    output = io.StringIO()

    Screen(Console(file=output, width=100)).say("mongod said [bold]")

    assert "mongod said [bold]" in output.getvalue()
