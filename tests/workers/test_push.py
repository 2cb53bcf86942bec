"""Live updates: few, small, joined when there are many, and never in anybody's way."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from core.errors import Unavailable
from core.push import NotPushed, PushMessage
from core.vocabulary import BulkImportMatch, BulkImportMode, BulkImportStatus, BulkImportValidation
from models.bulk_import import BulkImport, RowCounts, SourceObject
from tests.workers.test_relay import TOPICS, MemoryOutbox, ScriptedProducer, event
from workers import push as module
from workers.push import MOST_BYTES, LivePush, import_messages
from workers.relay import Relay

NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)


class MemoryChannels:
    """Keeps what it is given, after failing as `failures` say, one for each call."""

    def __init__(self) -> None:
        self.batches: list[Sequence[PushMessage]] = []
        self.failures: list[NotPushed] = []
        self.calls = 0

    async def trigger(self, messages: Sequence[PushMessage]) -> None:
        self.calls += 1
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(messages)

    @property
    def messages(self) -> list[PushMessage]:
        return [message for batch in self.batches for message in batch]


async def nothing() -> AsyncGenerator[BulkImport]:
    """Follow imports that never change."""
    await asyncio.Event().wait()
    yield an_import(1)


def an_import(version: int, **changes: Any) -> BulkImport:
    fields: dict[str, Any] = {
        "id": "imp_1",
        "seller_id": "demo",
        "status": BulkImportStatus.RUNNING,
        "mode": BulkImportMode.CREATE,
        "match_by": BulkImportMatch.EXTERNAL_ID,
        "validation": BulkImportValidation.STRICT,
        "dry_run": False,
        "file_name": "ada lovelace.csv",
        "source": SourceObject(key="imports/1"),
        "counts": RowCounts(processed=version, created=version),
        "requested_by": "operator:ada",
        "upload_expires_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
        "version": version,
    }
    made: BulkImport = BulkImport.model_construct(**(fields | changes))
    return made


@pytest.fixture(name="channels")
def _channels(monkeypatch: pytest.MonkeyPatch) -> MemoryChannels:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.005)
    return MemoryChannels()


@pytest.fixture(name="push")
def _push(channels: MemoryChannels) -> LivePush:
    return LivePush(channels, nothing, lambda: True)


async def one_round(push: LivePush) -> None:
    await push._round(asyncio.Event())


def outcomes() -> dict[str, float]:
    return {
        name: REGISTRY.get_sample_value("pusher_messages_total", {"outcome": name}) or 0.0
        for name in ("sent", "failed", "refused", "dropped")
    }


async def test_a_change_is_told_on_its_sellers_channel(push: LivePush, channels: MemoryChannels) -> None:
    push.published([event("cus_1", 2, data={"id": "cus_1", "status": "ACTIVE", "email": "a***@example.com"})])

    await one_round(push)

    (message,) = channels.messages
    assert ("private-seller-demo", "customer.updated") == (message.channel, message.event)
    assert {
        "id": "evt_cus_1_2",
        "sellerId": "demo",
        "customerId": "cus_1",
        "version": 2,
        "status": "ACTIVE",
        "changed": ["email"],
        "occurredAt": "2026-11-22T00:00:00.000Z",
    } == json.loads(message.data)


async def test_nothing_personal_is_told(push: LivePush, channels: MemoryChannels) -> None:
    """
    Neither whom it is about beyond the id, nor who did it, nor the name of the file that was imported.
    """
    data = {"id": "cus_1", "firstName": "canary", "externalId": "canary"}
    push.published([event("cus_1", 1, actor="operator:canary", data=data)])
    push.progressed(an_import(1, file_name="canary.csv", requested_by="operator:canary"))

    await one_round(push)

    assert 3 == len(channels.messages)
    assert "canary" not in repr(channels.messages)


async def test_only_the_latest_state_of_an_import_is_told_on_both_channels(push: LivePush, channels: MemoryChannels) -> None:
    for version in range(1, 50):
        push.progressed(an_import(version))
    push.progressed(an_import(50, status=BulkImportStatus.COMPLETED))

    await one_round(push)
    await one_round(push)

    assert [("private-import-imp_1", "import.progress"), ("private-seller-demo", "import.progress")] == [
        (message.channel, message.event) for message in channels.messages
    ]
    said = json.loads(channels.messages[0].data)
    assert ("COMPLETED", 50, 50) == (said["status"], said["version"], said["processedRows"])


async def test_many_changes_of_a_seller_become_one_message(push: LivePush, channels: MemoryChannels) -> None:
    """
    An import of a million rows is no million messages; other sellers are told one by one meanwhile.
    """
    last = datetime(2026, 11, 23, tzinfo=UTC)
    push.published([event(f"cus_{number}", 1) for number in range(5000)])
    push.published([event("cus_last", 1, occurred_at=last), event("cus_other", 1, seller_id="other")])

    await one_round(push)

    assert ["customers.changed", "customer.created"] == [message.event for message in channels.messages]
    assert {"sellerId": "demo", "changes": 5001, "until": "2026-11-23T00:00:00.000Z"} == json.loads(channels.messages[0].data)


async def test_calls_have_ten_messages_at_most(push: LivePush, channels: MemoryChannels) -> None:
    for seller in ("a", "b", "c"):
        push.published([event(f"cus_{number}", 1, seller_id=seller) for number in range(9)])

    await one_round(push)

    assert [10, 10, 7] == [len(batch) for batch in channels.batches]
    assert [f"evt_cus_{number}_1" for number in range(9)] == [
        json.loads(message.data)["id"] for message in channels.messages if message.channel == "private-seller-a"
    ]


async def test_what_is_too_large_is_left_out_and_the_rest_is_told(push: LivePush, channels: MemoryChannels) -> None:
    before = outcomes()
    push.published([event("cus_1", 1, changed=("x" * MOST_BYTES,)), event("cus_2", 1)])

    await one_round(push)

    assert ["cus_2"] == [json.loads(message.data)["customerId"] for message in channels.messages]
    assert before["refused"] + 1 == outcomes()["refused"]


async def test_a_failure_that_passes_costs_nothing(push: LivePush, channels: MemoryChannels) -> None:
    channels.failures = [NotPushed("down"), NotPushed("too many", retry_after=0.001)]
    push.published([event("cus_1", 1)])

    await one_round(push)

    assert (3, 1) == (channels.calls, len(channels.messages))


async def test_an_outage_costs_the_messages_and_two_lines_in_the_log(push: LivePush, channels: MemoryChannels) -> None:
    before = outcomes()
    channels.failures = [NotPushed("down") for _ in range(6)]
    with capture_logs() as logs:
        for number in range(3):
            push.published([event(f"cus_{number}", 1)])
            await one_round(push)

    assert ["cus_2"] == [json.loads(message.data)["customerId"] for message in channels.messages]
    # Whatever else runs in this process may have something to say as well.
    assert ["push.failing", "push.recovered"] == [entry["event"] for entry in logs if entry["event"].startswith("push.")]
    assert before["failed"] + 2 == outcomes()["failed"]


async def test_a_refusal_is_not_repeated(push: LivePush, channels: MemoryChannels) -> None:
    before = outcomes()
    channels.failures = [NotPushed("Pusher answered 401.", final=True)]
    push.published([event("cus_1", 1)])

    await one_round(push)

    assert (1, []) == (channels.calls, channels.messages)
    assert before["refused"] + 1 == outcomes()["refused"]


async def test_what_waits_is_bounded_whatever_is_going_on(push: LivePush, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    before = outcomes()

    for number in range(20):
        push.published([event("cus_1", version, seller_id=f"seller-{number}") for version in range(1, 40)])
        push.progressed(an_import(1, id=f"imp_{number}"))

    assert (5, 5) == (len(push._customers), len(push._imports))
    assert {11} == {len(changes.events) for changes in push._customers.values()}
    assert before["dropped"] + 15 * 39 + 15 == outcomes()["dropped"]


async def test_the_relay_tells_what_it_has_published_and_marked_and_nothing_else(channels: MemoryChannels) -> None:
    told: list[str] = []
    producer = ScriptedProducer()
    producer.down = {("b", 1)}
    outbox = MemoryOutbox([event("a", 1), event("b", 1), event("a", 2)])
    relay = Relay(outbox, producer, TOPICS, observer=lambda events: told.extend(one.id for one in events))

    with pytest.raises(Unavailable):
        await relay.step()
    assert ["evt_a_1"] == told == outbox.marks[0]

    producer.down = set()
    await relay.step()
    assert ["evt_a_1", "evt_b_1", "evt_a_2"] == told


async def test_it_runs_until_it_is_told_to_stop_and_follows_imports_while_active(channels: MemoryChannels) -> None:
    active = [False]
    changes: asyncio.Queue[BulkImport] = asyncio.Queue()
    ended: list[bool] = []

    async def imports() -> AsyncGenerator[BulkImport]:
        try:
            while True:
                yield await changes.get()
        finally:
            ended.append(True)

    push, stop = LivePush(channels, imports, lambda: active[0]), asyncio.Event()
    running = asyncio.create_task(push.run(stop))
    changes.put_nowait(an_import(1))
    await until(changes.empty)
    active[0] = True
    changes.put_nowait(an_import(2))
    await until(lambda: bool(channels.messages))
    stop.set()
    async with asyncio.timeout(5):
        await running

    assert {2} == {json.loads(message.data)["version"] for message in channels.messages}
    assert [True] == ended


async def test_imports_that_cannot_be_followed_are_followed_again(
    channels: MemoryChannels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FOLLOW_AGAIN_SECONDS", 0.001)
    attempts: list[int] = []

    async def imports() -> AsyncGenerator[BulkImport]:
        attempts.append(1)
        if len(attempts) == 1:
            raise Unavailable("no database")
        yield an_import(3)

    push, stop = LivePush(channels, imports, lambda: True), asyncio.Event()
    running = asyncio.create_task(push.run(stop))
    await until(lambda: bool(channels.messages))
    stop.set()
    await running

    assert import_messages(an_import(3)) == channels.messages[:2]


async def until(reached: Any) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - a list rings no bell
            await asyncio.sleep(0.002)
