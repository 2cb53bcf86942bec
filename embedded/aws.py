"""S3 and SQS: moto in a process of its own, with objects and messages on disk."""

import os
from dataclasses import dataclass
from pathlib import Path

from embedded.ports import LOOPBACK, wait_for_listener
from embedded.processes import Command, python_module

REGION = "us-east-1"
ACCESS_KEY = "embedded"
SECRET_KEY = "embedded-secret"  # noqa: S105
_ACCOUNT = "123456789012"
_MOTO_SETTINGS = {"S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true", "MOTO_DISABLE_GLOBAL_CORS": "true"}
"""Path-style addresses whatever the host is called; and the bucket's own CORS rules, not moto's for everybody."""


@dataclass(frozen=True, slots=True)
class Aws:
    """How to run S3 and SQS on *directory*: one bucket, one queue, and its dead-letter queue (``-dlq``) behind it."""

    directory: Path
    log: Path
    bucket: str
    queue: str
    visibility_timeout: int = 30
    max_receive_count: int = 5
    name: str = "aws"
    usual_port: int = 4566

    def endpoint(self, port: int) -> str:
        """Return the address of both services."""
        return f"http://{LOOPBACK}:{port}"

    def queue_url(self, port: int) -> str:
        """Return the address of the queue."""
        return f"{self.endpoint(port)}/{_ACCOUNT}/{self.queue}"

    def command(self, port: int) -> Command:
        """Return the command that serves on *port*."""
        arguments = python_module("embedded.aws_server", str(port), str(self.directory), self.bucket, self.queue)
        limits = (str(self.visibility_timeout), str(self.max_receive_count))
        return Command(self.name, (*arguments, *limits), self.log, {**os.environ, **_MOTO_SETTINGS})

    async def ready(self, port: int) -> None:
        """Wait until it accepts connections; by then everything stored earlier is back."""
        await wait_for_listener(port)
