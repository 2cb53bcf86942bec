"""The collector of traces of development: the services send it theirs by OTLP, and people look them up by their id."""

import os
from dataclasses import dataclass
from pathlib import Path

from embedded.ports import LOOPBACK, wait_for_listener
from embedded.processes import Command, python_module

KEY = "embedded"
"""What stands in for the licence key; the collector asks for none, the service does not trace without one."""


@dataclass(frozen=True, slots=True)
class Traces:
    """How to run the collector. It keeps nothing on disk."""

    log: Path
    name: str = "traces"
    usual_port: int = 4318

    def endpoint(self, port: int) -> str:
        """Return the address that spans are sent to."""
        return f"http://{LOOPBACK}:{port}"

    def address(self, port: int) -> str:
        """Return where traces are read: the latest there, and one whole below it, by its id."""
        return f"{self.endpoint(port)}/traces"

    def command(self, port: int) -> Command:
        """Return the command that serves on *port*."""
        return Command(self.name, python_module("embedded.traces_server", str(port)), self.log, dict(os.environ))

    async def ready(self, port: int) -> None:
        """Wait until it accepts connections."""
        await wait_for_listener(port)
