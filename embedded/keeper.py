"""Servers for as long as somebody needs them: ``python -m embedded.keeper DIRECTORY``.

Users hold a shared lock on ``users.lock`` in the directory and find the addresses in ``servers.json``. When nobody holds the
lock any more, because all ended in whatever way, the servers stop and the directory is removed. The test suite shares one set
of servers between its processes like this.
"""

import asyncio
import json
import shutil
import signal
import sys
from pathlib import Path

from embedded.errors import StackError
from embedded.locks import FileLock
from embedded.servers import ServerSet, start_all

ADDRESSES = "servers.json"
USERS = "users.lock"
FAILURE = "failure.txt"
_POLL_SECONDS = 0.3


async def keep(directory: Path) -> None:
    """Serve until nobody holds the lock; failing to start is written to ``failure.txt``."""
    servers = ServerSet.under(directory)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    try:
        running = await start_all(servers.all(), usual=False)
    except StackError as error:
        (directory / FAILURE).write_text(str(error), encoding="utf-8")
        return
    ports = {name: one.port for name, one in running.items()}
    addresses = {
        "mongodb_uri": servers.mongod.uri(ports["mongod"]),
        "kafka_brokers": servers.kafka.brokers(ports["kafka"]),
        "aws_endpoint": servers.aws.endpoint(ports["aws"]),
    }
    temporary = directory / f"{ADDRESSES}.tmp"
    temporary.write_text(json.dumps(addresses), encoding="utf-8")
    temporary.replace(directory / ADDRESSES)
    lock = FileLock(directory / USERS)
    while not stop.is_set() and not lock.try_take():  # noqa: ASYNC110  (no event: it is other processes that end)
        await asyncio.sleep(_POLL_SECONDS)
    await asyncio.gather(*(one.child.stop(grace=5) for one in running.values()))
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(keep(Path(sys.argv[1])))
