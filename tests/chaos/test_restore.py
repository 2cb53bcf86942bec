"""A database that was lost comes back from a copy: the service knows every customer, and publishes what waited."""

import logging
from pathlib import Path

import pytest

from infra.mongo import missing_indexes, open_mongo
from tests.chaos.copies import dump, restore
from tests.chaos.deployment import deployed
from tests.chaos.load import load
from tests.chaos.mutations import everything_published
from tests.servers import Servers

_log = logging.getLogger(__name__)


@pytest.mark.timeout(600)
async def test_a_database_comes_back_from_a_copy(servers: Servers, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    async with deployed(tmp_path, servers) as deployment:
        api = deployment.start("serve")
        await deployment.ready()
        tokens = {name: deployment.token(name) for name in ("one", "two")}
        async with load(deployment.url, tokens, callers=3) as running:
            await running.until(150)
        # Without a relay: every event waits still, and has to be published by whoever is restored.
        api.terminate()
        api.wait()
        async with open_mongo(servers.mongodb_uri, deployment.database) as mongo:
            await dump(mongo.database, copy)
            await mongo.database.client.drop_database(deployment.database)
            await restore(copy, mongo.database)
            missing = await missing_indexes()
            deployment.start("serve")
            await deployment.ready()
            deployment.start("relay")
            async with load(deployment.url, tokens, callers=3, seed=2, name="after") as again:
                await again.until(60)
            records, events = await everything_published(deployment, mongo.database)
            running.history.attempts += again.history.attempts
            findings = await running.history.check(mongo.database)

    _log.info("%d customers' events came back, %d records published", len(events), len(records))
    assert [] == missing
    assert [] == findings
    assert {event["_id"] for event in events} == {
        value.decode() for one in records for name, value in one.headers if name == "ce_id"
    }
