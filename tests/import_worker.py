"""A worker in a process of its own, to be killed: ``python -m tests.import_worker '{"mongodb_uri": …}' NAME``."""

import asyncio
import json
import sys

from tests.imports import open_parts
from tests.servers import Servers


async def work(servers: Servers, name: str) -> None:
    """Work until killed."""
    async with open_parts(servers, name, lease_seconds=2.0) as bench:
        await bench.worker().run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(work(Servers(**json.loads(sys.argv[1])), sys.argv[2]))
