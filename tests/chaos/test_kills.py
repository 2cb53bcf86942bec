"""A hundred deaths: the database, the events, the reports and the counts are those of imports that nobody disturbed."""

import os

import pytest

from tests.import_chaos import LIMITS, survives
from tests.imports import open_bench
from tests.servers import Servers

_KILLS = int(os.environ.get("KILLS", "100"))
_SEED = int(os.environ.get("CHAOS_SEED", "1"))


@pytest.mark.timeout(7200)
async def test_workers_killed_a_hundred_times_leave_behind_what_undisturbed_ones_do(servers: Servers) -> None:
    async with open_bench(servers, **LIMITS) as bench:
        workers = await survives(bench, servers, seed=_SEED, kills=_KILLS, rows=1500)

    assert _KILLS == workers.kills
    assert 0 < workers.freezes
