"""Dozens of deaths of the API and of relays, under load: nothing that was acknowledged is lost, and nothing happens twice."""

import logging
import os
from pathlib import Path

import pytest

from tests.chaos.deployment import deployed
from tests.chaos.mutations import survives
from tests.servers import Servers

_KILLS = int(os.environ.get("KILLS", "100")) // 5
_SEED = int(os.environ.get("CHAOS_SEED", "1"))
_log = logging.getLogger(__name__)


@pytest.mark.timeout(7200)
async def test_an_api_and_relays_that_are_killed_all_the_time_lose_and_double_nothing(servers: Servers, tmp_path: Path) -> None:
    async with deployed(tmp_path, servers) as deployment:
        survived = await survives(deployment, seed=_SEED, kills=_KILLS, sellers=3, callers=4)

    _log.info("%s; %d events, %d of them repeated", survived.kills, survived.events, survived.repeated)
    _log.info("%s", survived.history.outcomes())
    assert {"serve": _KILLS, "relay": _KILLS} == survived.kills
    assert not {code for code in survived.history.untyped() if not code.startswith("lost ")}


@pytest.mark.timeout(3600)
async def test_relays_that_are_frozen_for_longer_than_their_leases_never_reorder_a_customer(
    servers: Servers, tmp_path: Path
) -> None:
    async with deployed(tmp_path, servers) as deployment:
        survived = await survives(deployment, seed=_SEED + 1, kills=2, freezes=max(_KILLS // 4, 2), callers=2)

    _log.info("%d freezes; %d events, %d of them repeated", survived.freezes, survived.events, survived.repeated)
    assert 0 < survived.freezes
