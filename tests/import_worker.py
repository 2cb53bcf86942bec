"""A worker in a process of its own, to be killed: ``python -m tests.import_worker '{"mongodb_uri": …}' NAME LIMITS``."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.imports import open_parts
from tests.servers import Servers

_REPOSITORY = Path(__file__).parents[1]


async def work(servers: Servers, name: str, **limits: Any) -> None:
    """Work until killed."""
    async with open_parts(servers, name, **limits) as bench:
        await bench.worker(f"process-{os.getpid()}").run(asyncio.Event())


def start_process(servers: Servers, name: str, **limits: Any) -> "subprocess.Popen[bytes]":
    """Start a worker on the database and the queue called *name*."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.import_worker", json.dumps(asdict(servers)), name, json.dumps(limits)],
        cwd=_REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    asyncio.run(work(Servers(**json.loads(sys.argv[1])), sys.argv[2], **json.loads(sys.argv[3])))
