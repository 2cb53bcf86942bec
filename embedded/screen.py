"""What the terminal shows while a development stack starts, runs and stops."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.style import Style
from rich.table import Table
from rich.text import Text


class Screen:
    """Says what happens, one line at a time, and draws one panel when everything is ready."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()

    def say(self, message: str) -> None:
        """Print *message* behind the seconds since the start."""
        line = Text.assemble((f"{time.monotonic() - self._started:6.1f} s  ", "dim"), message)
        self._console.print(line, soft_wrap=True)

    def complain(self, message: str) -> None:
        """Print why the stack does not start."""
        self._console.print(Text(message, style="bold red"), soft_wrap=True)

    def ready(self, stack: Mapping[str, Any], stack_file: Path) -> None:
        """Draw the panel: where everything is, and what to try next."""
        addresses = Table.grid(padding=(0, 2))
        # Behind the address, for terminals that open links: on the screen a token would end up in screenshots.
        signed_in = Text(f"{stack['graphql']} (open it in a browser)", style=Style(link=playground(stack)))
        for name, value in (
            ("GraphQL", stack["graphql"]),
            ("Console", stack["console"]),
            ("Playground", signed_in),
            ("WebSocket", stack["graphql_ws"]),
            ("Health", f"{stack['rest']}/readyz"),
            ("Metrics", stack["metrics"]),
            *([("Traces", stack["traces"])] if stack["traces"] else []),
            ("MongoDB", stack["mongodb_uri"]),
            ("Kafka", stack["kafka_brokers"]),
            ("S3 and SQS", stack["s3_endpoint"]),
            ("Tokens", f"{shown(stack_file)} (operator, other_operator, service, customer)"),
            ("Logs", shown(stack_file.parent / "logs")),
        ):
            addresses.add_row(Text(name, style="bold"), value if isinstance(value, Text) else Text(value))
        seconds = time.monotonic() - self._started
        title = f"Customer Service is ready ({seconds:.1f} s)"
        self._console.print(Panel(addresses, title=title, title_align="left", border_style="green"))
        self._console.print(Text("Try next, in another terminal:", style="bold"))
        for command in suggestions(stack, stack_file):
            self._console.print(Text(f"  {command}"), soft_wrap=True)
        self._console.print(Text("Ctrl-C stops everything; the data stays, the Kafka log does not.", style="dim"))


def playground(stack: Mapping[str, Any]) -> str:
    """Return the address of the GraphQL IDE with the operator's token as fragment, which browsers never send to a server."""
    return f"{stack['graphql']}#token={stack['tokens']['operator']}"


def suggestions(stack: Mapping[str, Any], stack_file: Path) -> list[str]:
    """Return commands that work as they stand, in a terminal of the repository."""
    # The token is read when the command runs, not shown.
    token = f'$(python3 -c \'import json; print(json.load(open("{shown(stack_file)}"))["tokens"]["operator"])\')'
    query = '{"query": "{ customers(first: 5) { nodes { id fullName email } } }"}'
    link = f'import json; s = json.load(open("{shown(stack_file)}")); print(s["graphql"] + "#token=" + s["tokens"]["operator"])'
    headers = f'-H "authorization: Bearer {token}" -H "content-type: application/json"'
    return [
        "./customer-service import examples/chinook-customers.csv",
        f"python3 -m webbrowser \"$(python3 -c '{link}')\"",
        f"curl -s {stack['graphql']} {headers} -d '{query}'",
        "./customer-service events tail",
    ]


def shown(path: Path) -> str:
    """Return *path* relative to the current directory where it lies below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
