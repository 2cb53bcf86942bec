"""Real servers for the tests: one set for all processes of a run, gone when the last of them is, even after kill -9."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded import aws, keeper
from embedded.locks import FileLock
from embedded.servers import BUCKET, QUEUE

_START_SECONDS = 120
_REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are. Tests share them: take a database, a topic, a queue or a key prefix of your own."""

    mongodb_uri: str
    kafka_brokers: str
    aws_endpoint: str
    aws_region: str = aws.REGION
    aws_access_key: str = aws.ACCESS_KEY
    aws_secret_key: str = aws.SECRET_KEY
    bucket: str = BUCKET
    queue: str = QUEUE


@contextmanager
def shared_servers(directory: Path) -> Iterator[Servers]:
    """Use the servers of *directory*, and start them when nobody else has. Call it once per process, for its whole run."""
    with_users = FileLock(directory / keeper.USERS).take(shared=True)
    starting = FileLock(directory.with_name(f"{directory.name}.starting")).take()
    try:
        addresses = directory / keeper.ADDRESSES
        if not addresses.exists():
            _start(directory, addresses)
        found = json.loads(addresses.read_text(encoding="utf-8"))
    finally:
        starting.release()
    try:
        yield Servers(**found)
    finally:
        with_users.release()


def _start(directory: Path, addresses: Path) -> None:
    failure = directory / keeper.FAILURE
    failure.unlink(missing_ok=True)
    with (directory / "keeper.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "embedded.keeper", str(directory)],
            cwd=_REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(_REPOSITORY)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while not addresses.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            reason = failure.read_text(encoding="utf-8") if failure.exists() else (directory / "keeper.log").read_text("utf-8")
            message = f"The servers of the tests did not start. {reason}"
            raise RuntimeError(message)
        time.sleep(0.05)
    # The keeper outlives us on purpose; without this, Python would warn that we forgot it.
    process.returncode = 0
