"""The broker process: ``python -m embedded.kafka_server PORT PARTITIONS TOPIC...``.

librdkafka picks the port of its test cluster itself. A forwarder in front gives clients one address that stays the same when
the process is started again.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

import confluent_kafka

from embedded.ports import LOOPBACK

_CHUNK = 64 << 10
_PRODUCER = 0


class BrokerFailed(Exception):
    """librdkafka would not start its test cluster."""


def start_cluster(topics: list[str], partitions: int) -> str:
    """Start a cluster of one broker inside this process, for its whole life, and return its address.

    Raises:
        BrokerFailed: when librdkafka refuses.
    """
    library = ctypes.CDLL(str(_library()))
    library.rd_kafka_new.restype = library.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
    library.rd_kafka_new.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    library.rd_kafka_mock_cluster_new.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    library.rd_kafka_mock_cluster_bootstraps.argtypes = [ctypes.c_void_p]
    library.rd_kafka_mock_topic_create.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
    reason = ctypes.create_string_buffer(512)
    handle = library.rd_kafka_new(_PRODUCER, None, reason, len(reason))
    if not handle:
        raise BrokerFailed(reason.value.decode())
    cluster = library.rd_kafka_mock_cluster_new(handle, 1)
    if not cluster:
        raise BrokerFailed("the test cluster did not start")
    for topic in topics:
        if library.rd_kafka_mock_topic_create(cluster, topic.encode(), partitions, 1) != 0:
            message = f"the topic {topic!r} could not be made"
            raise BrokerFailed(message)
    return str(library.rd_kafka_mock_cluster_bootstraps(cluster).decode())


def _library() -> Path:
    # Where the wheels keep it: beside the package on Linux, inside it on macOS.
    package = Path(confluent_kafka.__file__).parent
    for pattern in ("confluent_kafka.libs/librdkafka*.so*", "confluent_kafka/.dylibs/librdkafka*.dylib"):
        for found in sorted(package.parent.glob(pattern)):
            return found
    raise BrokerFailed("the package confluent-kafka carries no librdkafka")


async def forward(port: int, target: str) -> None:
    """Pass connections on *port* through to *target* until the process is told to stop."""
    host, _, target_port = target.rpartition(":")
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            connections.add(task)
            task.add_done_callback(connections.discard)
        with contextlib.suppress(OSError):
            onward_reader, onward_writer = await asyncio.open_connection(host, int(target_port))
            await asyncio.gather(_copy(reader, onward_writer), _copy(onward_reader, writer))

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with await asyncio.start_server(serve, LOOPBACK, port):
        await stop.wait()
        # Ended here: on Python 3.12 and newer, leaving the block waits for every connection.
        sys.stdout.flush()
        os._exit(0)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    port, partitions, *topics = arguments
    address = start_cluster(topics, int(partitions))
    print(f"broker at {address}, {len(topics)} topics of {partitions} partitions, bootstrap at {LOOPBACK}:{port}", flush=True)  # noqa: T201
    asyncio.run(forward(int(port), address))


if __name__ == "__main__":
    main(sys.argv[1:])
