"""A Kafka-protocol broker: librdkafka's own test cluster, in a process of its own.

It keeps nothing on disk, and at most 5 MB per partition, hence many partitions: measured, 20 MB of a topic with four.
"""

from dataclasses import dataclass
from pathlib import Path

from embedded.ports import LOOPBACK, wait_for_listener
from embedded.processes import Command, python_module

PARTITIONS = 32


@dataclass(frozen=True, slots=True)
class Kafka:
    """How to run the broker. Clients bootstrap at the port given here; the broker then names a second one."""

    log: Path
    topics: tuple[str, ...]
    name: str = "kafka"
    usual_port: int = 9092

    def brokers(self, port: int) -> str:
        """Return the address to bootstrap from."""
        return f"{LOOPBACK}:{port}"

    def command(self, port: int) -> Command:
        """Return the command that serves on *port*."""
        arguments = python_module("embedded.kafka_server", str(port), str(PARTITIONS), *self.topics)
        return Command(self.name, arguments, self.log)

    async def ready(self, port: int) -> None:
        """Wait until the broker accepts connections."""
        await wait_for_listener(port)
