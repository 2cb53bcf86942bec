"""Twice as many requests as the process can answer: the rest is refused early, and when they stop all is as before."""

import asyncio
import json
import logging
import time
from pathlib import Path

import pytest

from embedded.ports import LOOPBACK
from tests.chaos.deployment import deployed
from tests.chaos.pressure import Crowd, Outcome, post, working
from tests.servers import Servers

_log = logging.getLogger(__name__)
_LIST = "{ customers(first: 20) { nodes { id fullName email addresses { city } } pageInfo { hasNextPage } } }"
_CREATE = 'mutation { createCustomer(input: {firstName: "Ada", addresses: []}) { customer { id } userErrors { code } } }'
_ROUNDS = 3
_LEAST = 0.7
"""Of the peak, for each second that the API works: how much of two cores it gets, beside crowd, database and others, says
nothing of it. docs/reliability.md has figures."""


@pytest.mark.timeout(600)
async def test_twice_what_it_can_do_is_refused_early_and_leaves_nothing_behind(servers: Servers, tmp_path: Path) -> None:
    async with deployed(tmp_path, servers) as deployment:
        api = deployment.start("serve").pid
        await deployment.ready()
        token = deployment.token("crowd")
        filling = Crowd(LOOPBACK, deployment.port, post("/graphql", json.dumps({"query": _CREATE}).encode(), token))
        await filling.closed_loop(8, 2)
        crowd = Crowd(LOOPBACK, deployment.port, post("/graphql", json.dumps({"query": _LIST}).encode(), token))
        warm = await crowd.closed_loop(32, 3)
        # Connections are made here, which costs as much as an answer.
        await crowd.steadily(2 * warm.goodput, 3)

        # One beside the other, because the machine is a different one each minute.
        peak, over = Outcome(0), Outcome(0)
        for _ in range(_ROUNDS):
            best = await working(api, crowd.closed_loop(32, 3))
            peak += best
            over += await working(api, crowd.steadily(2 * best.goodput, 5))
        began = time.monotonic()
        after = await crowd.closed_loop(1, 0.5)
        recovered = time.monotonic() - began
        again = await crowd.closed_loop(32, 3)
        crowd.close()

    share = (over.goodput / over.worked) / (peak.goodput / peak.worked)
    _log.info(
        "peak %.0f/s, p99 %.0f ms, %.2f of a core; again %.0f/s",
        peak.goodput, peak.percentile(200, 99), peak.worked, again.goodput,
    )  # fmt: skip
    _log.info(
        "at twice that: %.0f/s (%.2f; %.2f for each second of the API's), %.2f of a core, p99 %.0f ms; "
        "refused p50 %.0f ms, p90 %.0f ms, p99 %.0f ms; %s, lost %d, unsent %d",
        over.goodput, over.goodput / peak.goodput, share, over.worked, over.percentile(200, 99),
        over.percentile(503, 50), over.percentile(503, 90), over.percentile(503, 99), over.statuses(), over.lost, over.unsent,
    )  # fmt: skip
    _log.info("%.1f s afterwards %s, p50 %.0f ms", recovered, after.statuses(), after.percentile(200, 50))
    assert {200, 503} == over.waits.keys()
    assert 0 == over.lost
    assert {200} == after.waits.keys() == again.waits.keys()
    assert _LEAST < share
    assert over.percentile(503, 50) < over.percentile(200, 50)


@pytest.mark.timeout(600)
async def test_a_seller_who_asks_for_twice_what_there_is_leaves_others_theirs(servers: Servers, tmp_path: Path) -> None:
    async with deployed(tmp_path, servers) as deployment:
        deployment.start("serve")
        await deployment.ready()
        asked = json.dumps({"query": _LIST}).encode()
        loud, calm = (
            Crowd(LOOPBACK, deployment.port, post("/graphql", asked, deployment.token(seller))) for seller in ("loud", "calm")
        )
        before = await calm.closed_loop(2, 5)
        peak = await loud.closed_loop(32, 4)
        await loud.steadily(2 * peak.goodput, 3)

        flood, during = await asyncio.gather(loud.steadily(2 * peak.goodput, 10), calm.closed_loop(2, 9))
        loud.close()

    _log.info("the loud one: %.0f/s of %.0f/s it had alone, %s", flood.goodput, peak.goodput, flood.statuses())
    for name, one in (("before", before), ("during", during)):
        _log.info(
            "the calm one %s: %s, p50 %.0f, p99 %.0f ms", name, one.statuses(), one.percentile(200, 50), one.percentile(200, 99)
        )
    assert {200, 503} == flood.waits.keys()
    assert {200} == during.waits.keys()
    assert 0 == during.lost
