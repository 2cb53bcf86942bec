"""MongoDB, Kafka, S3 and SQS together: started side by side, each on its usual port or on another free one."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from embedded.aws import Aws
from embedded.errors import ProcessFailed
from embedded.kafka import Kafka
from embedded.mongod import Mongod
from embedded.ports import choose, is_free
from embedded.processes import Child, Command, Note, start_until_ready

DATABASE = "customer_service"
BUCKET = "customer-documents"
QUEUE = "customer-service-queue"
TOPICS = {"created": "customer.created", "updated": "customer.updated", "deleted": "customer.deleted"}

_READY_SECONDS = 60


class Server(Protocol):
    """What can be started on a port: `Mongod`, `Kafka`, `Aws`, `OpenId`, `Traces` and `Clamd`."""

    @property
    def name(self) -> str:
        """What messages and log files call it."""

    @property
    def usual_port(self) -> int:
        """The port it has everywhere else."""

    def command(self, port: int) -> Command:
        """Return the command that serves on *port*."""

    async def ready(self, port: int) -> None:
        """Wait until it serves on *port*; for ever when it never does."""


@dataclass(frozen=True, slots=True)
class ServerSet:
    """How to run the three servers of one run directory."""

    mongod: Mongod
    kafka: Kafka
    aws: Aws

    @classmethod
    def under(cls, directory: Path) -> "ServerSet":
        """Return the servers that keep their data in *directory* and their output in its ``logs``."""
        logs = directory / "logs"
        return cls(
            mongod=Mongod(directory / "mongod", logs / "mongod.log"),
            kafka=Kafka(logs / "kafka.log", tuple(TOPICS.values())),
            aws=Aws(directory / "aws", logs / "aws.log", BUCKET, QUEUE),
        )

    def all(self) -> tuple[Server, ...]:
        """Return them in the order in which they are named to people."""
        return (self.mongod, self.kafka, self.aws)


@dataclass(slots=True)
class Running:
    """A server, the port it was given for good, and the process that serves at the moment."""

    server: Server
    port: int
    child: Child

    async def start_again(self, note: Note = lambda _name, _pid: None) -> None:
        """Replace a process that ended by a new one on the same port.

        Raises:
            ProcessFailed: when it does not come up.
        """
        self.child = await start(self.server, self.port, note)


async def start(server: Server, port: int, note: Note = lambda _name, _pid: None) -> Child:
    """Start *server* on *port* and return once it serves.

    Raises:
        ProcessFailed: when it ends, or is not ready within a minute.
    """
    return await start_until_ready(server.command(port), lambda: server.ready(port), note, port=port, within=_READY_SECONDS)


async def start_all(
    servers: Collection[Server], note: Note = lambda _name, _pid: None, *, usual: bool = True
) -> dict[str, Running]:
    """Start *servers* at the same time and return them by name; with *usual*, on their usual ports where these are free.

    Raises:
        ProcessFailed: when one does not come up; none is left running then.
    """
    ports: dict[str, int] = {}
    for server in servers:
        ports[server.name] = choose(server.usual_port if usual else 0, reserved={0, *ports.values()})
    running: dict[str, Running] = {}

    async def start_one(server: Server) -> None:
        running[server.name] = await _start_somewhere(server, ports[server.name], note)

    try:
        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(start_one(server))
    except BaseException as error:
        await asyncio.gather(*(one.child.stop(grace=5) for one in running.values()))
        if isinstance(error, BaseExceptionGroup):
            raise error.exceptions[0] from None
        raise
    return running


async def _start_somewhere(server: Server, port: int, note: Note) -> Running:
    """Start on *port*, or on another one when somebody takes it between our look and the server's."""
    try:
        return Running(server, port, await start(server, port, note))
    except ProcessFailed:
        if is_free(port):
            raise
    port = choose(0, reserved={0, port})
    return Running(server, port, await start(server, port, note))
