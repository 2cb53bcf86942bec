"""The malware scanner of development: it speaks clamd's protocol, and knows one signature, that of the EICAR test file."""

import os
from dataclasses import dataclass
from pathlib import Path

from embedded.ports import LOOPBACK, wait_for_listener
from embedded.processes import Command, python_module


@dataclass(frozen=True, slots=True)
class Clamd:
    """How to run the scanner. It keeps nothing on disk."""

    log: Path
    name: str = "clamd"
    usual_port: int = 3310

    def address(self, port: int) -> str:
        """Return where it listens."""
        return f"{LOOPBACK}:{port}"

    def command(self, port: int) -> Command:
        """Return the command that serves on *port*."""
        return Command(self.name, python_module("embedded.clamd_server", str(port)), self.log, dict(os.environ))

    async def ready(self, port: int) -> None:
        """Wait until it accepts connections."""
        await wait_for_listener(port)
