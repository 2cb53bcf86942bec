"""Servers that tests may break: S3 and SQS, Kafka, and a proxy that cuts connections."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from moto.server import ThreadedMotoServer

from infra.aws import AwsAccess

_KAFKA = """
import sys
from confluent_kafka import Producer
cluster = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1})
print(",".join(f"{broker.host}:{broker.port}" for broker in cluster.list_topics().brokers.values()), flush=True)
sys.stdin.read()
"""


@contextmanager
def aws_server() -> Iterator[AwsAccess]:
    """Run S3 and SQS on a free port, in threads of this process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        yield AwsAccess(region="us-east-1", endpoint=f"http://127.0.0.1:{port}", access_key="key", secret_key="secret")
    finally:
        server.stop()


class MockKafka:
    """A Kafka-protocol broker in a process of its own; it keeps nothing when it is killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _KAFKA], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        self.brokers = self._process.stdout.readline().decode().strip().split(",")

    def freeze(self) -> None:
        """Accept connections and never answer."""
        os.kill(self._process.pid, signal.SIGSTOP)
        # The signal takes effect when the process is scheduled next, which takes its time on a busy machine.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def thaw(self) -> None:
        """Go on as if nothing had happened."""
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Be gone at once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


@contextmanager
def kafka_server() -> Iterator[MockKafka]:
    """Run a broker for as long as the context is open."""
    server = MockKafka()
    try:
        yield server
    finally:
        server.kill()


@dataclass
class Proxy:
    """Passes connections on to `target`; `cuts` says after how many bytes of answer the next connections break."""

    port: int
    target: tuple[str, int]
    cuts: list[int]
    connections: int = 0
    refusing: bool = False

    @property
    def address(self) -> str:
        """``host:port`` of the proxy."""
        return f"127.0.0.1:{self.port}"


@asynccontextmanager
async def proxy_to(address: str) -> AsyncIterator[Proxy]:
    """Run a proxy in front of *address* (``host:port``)."""
    host, _, port = address.rpartition(":")
    proxy = Proxy(port=0, target=(host, int(port)), cuts=[])
    open_writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        proxy.connections += 1
        open_writers.add(writer)
        if proxy.refusing:
            writer.transport.abort()
            return
        try:
            onward_reader, onward_writer = await asyncio.open_connection(*proxy.target)
        except OSError:
            writer.transport.abort()
            return
        open_writers.add(onward_writer)
        asking = asyncio.create_task(_pump(reader, onward_writer, None))
        try:
            await _pump(onward_reader, writer, proxy.cuts)
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
            for each in (writer, onward_writer):
                each.transport.abort()
                open_writers.discard(each)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for writer in list(open_writers):
            writer.transport.abort()
        await asyncio.sleep(0.05)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cuts: list[int] | None) -> None:
    """Copy until the end, or until as many bytes have passed as the first of *cuts* allows."""
    passed = 0
    with suppress(OSError):
        while data := await reader.read(65536):
            passed += len(data)
            if cuts and passed > cuts[0]:
                writer.write(data[: len(data) - (passed - cuts.pop(0))])
                with suppress(OSError):
                    await writer.drain()
                writer.close()
                return
            writer.write(data)
            await writer.drain()
