"""The identity provider of development: two operators, no passwords. Signing in goes the way it goes in production."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded.identities import OTHER_SELLER, SELLER
from embedded.ports import LOOPBACK, wait_for_listener
from embedded.processes import Command, python_module

CLIENT_ID = "console"
CLIENT_SECRET = "embedded-secret"  # noqa: S105
OPERATORS: Mapping[str, str] = {"ada": SELLER, "grace": OTHER_SELLER}
"""Who may sign in, and the seller each works for."""


@dataclass(frozen=True, slots=True)
class OpenId:
    """How to run the provider. It sends browsers back to *callback* and to nowhere else, and signs with *key_file*."""

    log: Path
    key_file: Path
    callback: str
    name: str = "openid"
    usual_port: int = 8085

    def issuer(self, port: int) -> str:
        """Return the address that it signs in the name of."""
        return f"http://{LOOPBACK}:{port}"

    def discovery_url(self, port: int) -> str:
        """Return where it describes itself."""
        return f"{self.issuer(port)}/.well-known/openid-configuration"

    def command(self, port: int) -> Command:
        """Return the command that serves on *port*."""
        arguments = python_module("embedded.openid_server", str(port), str(self.key_file), self.callback)
        return Command(self.name, arguments, self.log, dict(os.environ))

    async def ready(self, port: int) -> None:
        """Wait until it accepts connections."""
        await wait_for_listener(port)
