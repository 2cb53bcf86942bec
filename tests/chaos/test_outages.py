"""Half a minute without the database, or without the object store and the queue."""

import pytest

from tests.import_chaos import LIMITS, behind_gates, outlasts
from tests.imports import open_bench
from tests.servers import Servers


@pytest.mark.timeout(600)
@pytest.mark.parametrize("system", ["database", "store"])
async def test_a_system_that_is_away_for_half_a_minute_delays_an_import_only(servers: Servers, system: str) -> None:
    async with behind_gates(servers) as (reached, gates), open_bench(reached, **LIMITS) as bench:
        await outlasts(bench, getattr(gates, system), seconds=30, rows=1500)
