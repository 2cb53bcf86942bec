"""Workers that are killed and frozen, and systems that are away for a while; tests/chaos does the same for longer."""

import pytest

from tests.import_chaos import LIMITS, behind_gates, outlasts, survives
from tests.imports import open_bench
from tests.servers import Servers


@pytest.mark.timeout(400)
async def test_workers_that_are_killed_and_frozen_leave_behind_what_undisturbed_ones_do(servers: Servers) -> None:
    async with open_bench(servers, **LIMITS) as bench:
        workers = await survives(bench, servers, seed=11, kills=3, rows=250)

    assert 3 == workers.kills


@pytest.mark.timeout(300)
@pytest.mark.parametrize("system", ["database", "store"])
async def test_a_system_that_is_away_for_some_seconds_delays_an_import_only(servers: Servers, system: str) -> None:
    async with behind_gates(servers) as (reached, gates), open_bench(reached, **LIMITS) as bench:
        await outlasts(bench, getattr(gates, system), seconds=3, rows=250)
