"""An API and relays that are killed while callers are at work; tests/chaos does the same for longer."""

from pathlib import Path

import pytest

from tests.chaos.deployment import deployed
from tests.chaos.mutations import survives
from tests.servers import Servers


@pytest.mark.timeout(400)
async def test_an_api_and_a_relay_that_are_killed_lose_and_double_nothing(servers: Servers, tmp_path: Path) -> None:
    async with deployed(tmp_path, servers) as deployment:
        survived = await survives(deployment, seed=5, kills=1)

    assert {"serve": 1, "relay": 1} == survived.kills
    assert 60 < survived.events
    assert not {code for code in survived.history.untyped() if not code.startswith("lost ")}
