"""Three members of MongoDB, of which the primary dies, steps down, or falls silent, while callers are at work."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from infra.mongo import open_mongo
from tests.chaos.deployment import Deployment, deployed
from tests.chaos.load import load
from tests.chaos.proxy import fault_proxy
from tests.chaos.replica_set import ReplicaSet, replica_set
from tests.servers import Servers

CALLERS = 6
_log = logging.getLogger(__name__)


@pytest_asyncio.fixture(name="nodes")
async def _nodes(tmp_path: Path) -> AsyncIterator[ReplicaSet]:
    async with replica_set(tmp_path / "mongodb") as nodes:
        yield nodes


async def killed(nodes: ReplicaSet) -> Callable[[], None]:
    """Kill the primary; return what brings it back."""
    primary = await nodes.primary()
    nodes.kill(primary)
    return lambda: nodes.start(primary)


async def stepped_down(nodes: ReplicaSet) -> Callable[[], None]:
    """Have the primary hand over."""
    await nodes.step_down()
    return lambda: None


async def silent(nodes: ReplicaSet) -> Callable[[], None]:
    """Freeze the primary: its connections stand, and nobody answers on them."""
    primary = await nodes.primary()
    nodes.signal(primary, signal.SIGSTOP)
    return lambda: nodes.signal(primary, signal.SIGCONT)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", [killed, stepped_down, silent], ids=["killed", "steps down", "falls silent"])
async def test_a_primary_that_is_lost_costs_seconds_and_nothing_that_was_acknowledged(
    servers: Servers, nodes: ReplicaSet, tmp_path: Path, fault: Callable[[ReplicaSet], Awaitable[Callable[[], None]]]
) -> None:
    given = replace(servers, mongodb_uri=nodes.uri)
    async with deployed(tmp_path / "service", given) as deployment:
        deployment.start("serve")
        await deployment.ready()
        tokens = {name: deployment.token(name) for name in ("one", "two")}
        async with load(deployment.url, tokens, callers=CALLERS) as running:
            await running.until(100)
            before = await nodes.primary()
            moment = time.monotonic()
            mend = await fault(nodes)
            elected = await nodes.other_primary(before, moment)
            await running.until(200)
            mend()
            await nodes.whole()
            await running.until(100)
        async with open_mongo(nodes.uri, deployment.database) as mongo:
            findings = await running.history.check(mongo.database)

    failures = running.history.outcomes(since=moment)
    errors = running.history.seconds_of_errors(moment)
    _log.info("another primary after %.1f s, errors for %.1f s; since then %s", elected, errors, failures)
    assert [] == findings
    assert {} == running.history.untyped()
    assert 400 <= len(running.history.done)


@pytest_asyncio.fixture(name="narrow")
async def _narrow(servers: Servers, tmp_path: Path) -> AsyncIterator[tuple[Deployment, Callable[[float], None]]]:
    """An API with two connections to a database that can be made slow."""
    async with fault_proxy(servers.mongodb_uri) as proxy:
        given = replace(servers, mongodb_uri=f"mongodb://{proxy.address}/?directConnection=true")
        async with deployed(tmp_path, given, MONGODB__MAX_POOL_SIZE="2", MONGODB__MIN_POOL_SIZE="0") as deployment:
            deployment.start("serve")
            await deployment.ready()
            yield deployment, proxy.delay


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seconds", [0.4, 8.0], ids=["connections are short", "no answer comes in time"])
async def test_a_slow_database_ends_in_typed_errors_within_the_deadline(
    narrow: tuple[Deployment, Callable[[float], None]], servers: Servers, seconds: float
) -> None:
    deployment, delay = narrow
    async with load(deployment.url, {"one": deployment.token("one")}, callers=30) as running:
        await running.until(60)
        delay(seconds)
        began = time.monotonic()
        await asyncio.sleep(20)
        delay(0)
        await asyncio.sleep(1)
        mended = time.monotonic()
        await running.until(60)
    async with open_mongo(servers.mongodb_uri, deployment.database) as mongo:
        findings = await running.history.check(mongo.database)

    slow = [one for one in running.history.attempts if began <= one.began < mended]
    longest = max(one.ended - one.began for one in slow)
    _log.info("%s; the longest took %.1f s", running.history.outcomes(since=began), longest)
    assert [] == findings
    assert {} == running.history.untyped()
    assert [one for one in slow if one.outcome == "UNAVAILABLE"]
    assert 30 > longest
