"""Every process is told to stop while it is at work, as in each deployment."""

import asyncio
import logging
import signal
import subprocess
import time
from pathlib import Path

import pytest

from infra.mongo import open_mongo
from tests.chaos.deployment import deployed
from tests.chaos.load import load
from tests.graphql.socket import open_socket
from tests.journeys.outages import until
from tests.servers import Servers

WITHIN = 25
_WATCH = "subscription { customerEvents { __typename } }"
_log = logging.getLogger(__name__)


async def ended(process: "subprocess.Popen[bytes]") -> tuple[int, float]:
    """Tell a process to stop; return its exit status, and the seconds it took."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    status = await asyncio.to_thread(process.wait, 2 * WITHIN)
    return status, time.monotonic() - began


@pytest.mark.timeout(600)
async def test_an_api_that_is_told_to_stop_answers_what_it_has_begun(servers: Servers, tmp_path: Path) -> None:
    async with deployed(tmp_path, servers) as deployment:
        process = deployment.start("serve")
        await deployment.ready()
        token = deployment.token("one")
        async with (
            open_socket(f"{deployment.url}/graphql") as socket,
            load(deployment.url, {"one": token}, callers=12) as running,
        ):
            await socket.init(token)
            await socket.subscribe(_WATCH)
            await running.until(60)
            closed = asyncio.create_task(socket.closed())
            moment = time.monotonic()
            status, seconds = await ended(process)
            code, _ = await closed
            running.stop.set()
        deployment.start("serve")
        await deployment.ready()
        async with open_mongo(servers.mongodb_uri, deployment.database) as mongo:
            findings = await running.history.check(mongo.database)

    cut = [one for one in running.history.failed if one.began < moment]
    _log.info("exit status %d after %.1f s; of the calls under way %d were cut off; socket %d", status, seconds, len(cut), code)
    assert [] == findings
    assert [] == cut
    assert (0, 1012) == (status, code)
    assert WITHIN > seconds


@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", ["relay", "worker"])
async def test_a_process_in_the_background_that_is_told_to_stop_does(servers: Servers, tmp_path: Path, role: str) -> None:
    async with deployed(tmp_path, servers) as deployment:
        process = deployment.start(role)
        log = tmp_path / f"{role}.log"
        await until(lambda: asyncio.to_thread(log.read_text, "utf-8"), lambda text: f"{role} started" in text, 60)
        status, seconds = await ended(process)

    _log.info("%s: exit status %d after %.1f s", role, status, seconds)
    assert 0 == status
    assert WITHIN > seconds
