"""Live updates from end to end: what the relay publishes and how far an import is, on a server that checks signatures."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from app.container import Container
from app.live_updates import open_live_updates
from app.pusher import pusher_is_on
from app.sections import PusherSettings
from app.settings import InvalidSettings, Settings
from app.topics import event_topics
from core.clock import SystemClock
from infra.kafka import Record
from repositories.customer_event import MongoOutbox
from tests.api import Api, fresh
from tests.graphql.imports import csv, finished, start
from tests.graphql.operations import DELETE, UPDATE, create, payload
from tests.house import ROOT
from tests.pusher_server import APP_ID, KEY, SECRET, PusherServer, pusher_server
from workers.relay import Relay


class TakingProducer:
    """A Kafka that takes everything."""

    async def publish(self, records: Sequence[Record]) -> Sequence[Exception | None]:
        return [None] * len(records)


def with_pusher(settings: Settings, **given: object) -> Settings:
    return settings.model_copy(update={"pusher": PusherSettings.model_validate(given)})


def on(settings: Settings, server: PusherServer, **changes: object) -> Settings:
    given: dict[str, object] = {"app_id": APP_ID, "key": KEY, "secret": SECRET, "endpoint": server.url}
    return with_pusher(settings, **(given | changes))


@pytest_asyncio.fixture(name="server")
async def _server() -> AsyncIterator[PusherServer]:
    async with pusher_server() as server:
        yield server


async def relay_everything(settings: Settings, relay_settings: Settings, stop: asyncio.Event) -> None:
    """Do what ``customer-service relay`` does, with a Kafka that takes everything."""
    outbox = MongoOutbox(SystemClock(), holder=fresh("relay"))
    await outbox.inherit(lambda _: True)
    async with open_live_updates(relay_settings, lambda: outbox.first) as observer:
        await Relay(outbox, TakingProducer(), event_topics(settings.kafka.topics), observer=observer).run(stop)
    await outbox.release()


async def test_changes_and_imports_reach_their_channels(
    container: Container, settings: Settings, server: PusherServer, execute: Api, seller: str, import_worker: None
) -> None:
    stop = asyncio.Event()
    relaying = asyncio.create_task(relay_everything(settings, on(settings, server), stop))
    customer = await create(execute, email=None, firstName="Canary", externalId="canary-1")
    await payload(execute, UPDATE, {"id": customer["id"], "patch": {"tags": ["canary-2"]}})
    await payload(execute, DELETE, {"id": customer["id"]})
    mine = f"private-seller-{seller}"
    await server.until(lambda: len(server.on(mine)) >= 3)
    told = server.on(mine)

    import_id = await start(execute, csv(25))
    found = await finished(execute, import_id)
    await server.until(lambda: "COMPLETED" in {data["status"] for _, data in server.on(f"private-import-{import_id}")})
    await server.until(lambda: "customers.changed" in {name for name, _ in server.on(mine)})
    stop.set()
    await relaying

    assert ["customer.created", "customer.updated", "customer.deleted"] == [name for name, _ in told]
    assert [(customer["id"], 1), (customer["id"], 2), (customer["id"], 3)] == [
        (data["customerId"], data["version"]) for _, data in told
    ]
    name, last = server.on(f"private-import-{import_id}")[-1]
    assert ("import.progress", "COMPLETED", 25, found["processedRows"]) == (
        name, last["status"], last["createdRows"], last["processedRows"],
    )  # fmt: skip
    assert last in [data for _, data in server.on(mine)]
    assert {mine, f"private-import-{import_id}"} >= {
        event["channel"] for event in server.taken if event["data"]["sellerId"] == seller
    }
    assert "anary" not in repr(server.batches)


@pytest.mark.parametrize("trouble", ["wrong secret", "slow", "down", "gone"])
async def test_trouble_at_pusher_is_nobody_elses(
    container: Container, settings: Settings, server: PusherServer, execute: Api, seller: str, trouble: str
) -> None:
    """
    Customers are changed and events published as if it were not there, and the relay stops when it is told to.
    """
    server.delay, server.status = (30.0 if trouble == "slow" else 0.0), (503 if trouble == "down" else 200)
    changes = {"wrong secret": {"secret": "another"}, "gone": {"endpoint": "http://127.0.0.1:1"}}.get(trouble, {})
    stop = asyncio.Event()
    relaying = asyncio.create_task(relay_everything(settings, on(settings, server, **changes), stop))

    customers = [await create(execute) for _ in range(3)]
    events = container.mongo.database["customer_events"]
    async with asyncio.timeout(20):
        while await events.count_documents({"seller_id": seller, "pending": True}):  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(0.02)
    if trouble != "gone":
        async with asyncio.timeout(10):
            while not server.calls:  # noqa: ASYNC110 - a number rings no bell
                await asyncio.sleep(0.02)
    stop.set()
    async with asyncio.timeout(10):
        await relaying

    assert 3 == len({one["id"] for one in customers})
    assert [] == server.batches


@pytest.mark.parametrize(
    "given",
    [{"app_id": APP_ID}, {"app_id": APP_ID, "key": KEY}, {"key": KEY, "secret": SECRET}],
    ids="+".join,
)
def test_half_a_configuration_is_refused_by_name(settings: Settings, given: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings, match="appId, key and secret together") as refused:
        pusher_is_on(with_pusher(settings, **given))

    assert SECRET not in str(refused.value)


async def test_an_app_id_that_is_none_stops_the_start(settings: Settings, server: PusherServer) -> None:
    with pytest.raises(InvalidSettings, match=r"pusher: .*The app id is a number"):
        async with open_live_updates(on(settings, server, app_id="my app"), lambda: True):
            raise AssertionError


def test_off_costs_nothing() -> None:
    """
    Neither the API nor the relay loads the library, or ours around it, before it is known to be needed.
    """
    program = (
        "import sys, app.asgi, app.cli.relay, app.live_updates, app.pusher_auth;"
        "print([name for name in ('pusher', 'infra.pusher', 'workers.push', 'app.push', 'nacl') if name in sys.modules])"
    )

    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)

    assert "[]" == loaded.stdout.strip()


async def test_off_opens_nothing(settings: Settings) -> None:
    before = asyncio.all_tasks()

    async with open_live_updates(settings, lambda: True) as observer:
        assert observer is None
        assert before == asyncio.all_tasks()
