"""Twice as many requests as the process can answer: the rest is refused early, and when they stop all is as before."""

import json
import logging
import time
from pathlib import Path

import pytest

from embedded.ports import LOOPBACK
from tests.chaos.deployment import deployed
from tests.chaos.pressure import Crowd, post
from tests.servers import Servers

_log = logging.getLogger(__name__)
_LIST = "{ customers(first: 20) { nodes { id fullName email addresses { city } } pageInfo { hasNextPage } } }"
_CREATE = 'mutation { createCustomer(input: {firstName: "Ada", addresses: []}) { customer { id } userErrors { code } } }'
_LEAST = 0.5
"""Of the peak, where the crowd, the database and the API share two cores; docs/reliability.md has figures."""


@pytest.mark.timeout(300)
async def test_twice_what_it_can_do_is_refused_early_and_leaves_nothing_behind(servers: Servers, tmp_path: Path) -> None:
    async with deployed(tmp_path, servers) as deployment:
        deployment.start("serve")
        await deployment.ready()
        token = deployment.token("crowd")
        filling = Crowd(LOOPBACK, deployment.port, post("/graphql", json.dumps({"query": _CREATE}).encode(), token))
        await filling.closed_loop(8, 2)
        crowd = Crowd(LOOPBACK, deployment.port, post("/graphql", json.dumps({"query": _LIST}).encode(), token))
        await crowd.closed_loop(32, 2)

        peak = await crowd.closed_loop(32, 6)
        over = await crowd.steadily(2 * peak.goodput, 10)
        began = time.monotonic()
        after = await crowd.closed_loop(1, 0.5)
        recovered = time.monotonic() - began
        again = await crowd.closed_loop(32, 4)

    _log.info("peak %.0f/s, p99 %.0f ms; again %.0f/s", peak.goodput, peak.percentile(200, 99), again.goodput)
    _log.info(
        "at twice that: %.0f/s (%.2f), p99 %.0f ms; refused p50 %.0f ms, p99 %.0f ms; %s, lost %d, unsent %d",
        over.goodput, over.goodput / peak.goodput, over.percentile(200, 99),
        over.percentile(503, 50), over.percentile(503, 99), over.statuses(), over.lost, over.unsent,
    )  # fmt: skip
    _log.info("%.1f s afterwards %s, p50 %.0f ms", recovered, after.statuses(), after.percentile(200, 50))
    assert {200, 503} == over.waits.keys()
    assert 0 == over.lost
    assert {200} == after.waits.keys() == again.waits.keys()
    assert _LEAST < over.goodput / peak.goodput
    assert over.percentile(503, 50) < over.percentile(200, 50)
