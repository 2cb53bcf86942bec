"""The consumer of docs/events.md does what the page says: once each, the newest wins, the dead stay dead."""

import asyncio
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.vocabulary import CustomerEventType, EventPrivacy
from events.customer import CustomerEvent, EventTopics, customer_data, topic_of, wire
from infra.kafka import Record, open_producer
from tests.house import ROOT
from tests.infra.servers import MockKafka, kafka_server

TOPICS = EventTopics(created="customer.created", updated="customer.updated", deleted="customer.deleted")
PAGE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")


@pytest.fixture(name="kafka")
def _kafka() -> Iterator[MockKafka]:
    with kafka_server() as server:
        yield server


@pytest.fixture(name="program")
def _program(tmp_path: Path) -> Path:
    """The one program on the page, as a file."""
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "consumer.py"
    path.write_text(program, encoding="utf-8")
    return path


def record(customer: str, version: int, event_type: CustomerEventType) -> Record:
    stored = {"id": customer, "seller_id": "demo", "kind": "INDIVIDUAL", "status": "ACTIVE", "first_name": f"V{version}"}
    written = wire(
        CustomerEvent(
            id=f"evt_{customer}_{version}",
            seller_id="demo",
            customer_id=customer,
            type=event_type,
            version=version,
            actor="operator:test",
            changed=(),
            occurred_at=datetime(2026, 11, 22, tzinfo=UTC),
            data=customer_data(stored, EventPrivacy.FULL),
        )
    )
    return Record(topic_of(event_type, TOPICS), written.key, written.value, written.headers)


HISTORY = [
    record("cus_a", 1, CustomerEventType.CREATED),
    record("cus_b", 1, CustomerEventType.CREATED),
    record("cus_a", 2, CustomerEventType.UPDATED),
    record("cus_a", 3, CustomerEventType.UPDATED),
    record("cus_b", 2, CustomerEventType.DELETED),
    record("cus_c", 2, CustomerEventType.ERASED),
    record("cus_c", 1, CustomerEventType.CREATED),
]


async def publish(kafka: MockKafka, records: list[Record]) -> None:
    async with open_producer(kafka.brokers, client_id="test") as producer:
        for one in records:
            assert [None] == await producer.publish([one])


@contextmanager
def running(program: Path, kafka: MockKafka, database: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(program), ",".join(kafka.brokers), str(database)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=program.parent)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not reached():  # noqa: ASYNC110 - a file rings no bell
            await asyncio.sleep(0.05)


async def test_repetitions_change_nothing_and_the_newest_wins(kafka: MockKafka, program: Path, tmp_path: Path) -> None:
    """
    Everything comes twice, the second time after the consumer was killed, the oldest last.
    """
    database = tmp_path / "copy.db"
    await publish(kafka, HISTORY)
    with running(program, kafka, database) as first:
        await until(lambda: len(HISTORY) == len(rows(database, "SELECT id FROM seen")))
        before = rows(database, "SELECT id, version, data FROM customers ORDER BY id")
        first.send_signal(signal.SIGKILL)
        welcomed, _ = first.communicate()
    await publish(kafka, [*reversed(HISTORY), record("cus_d", 1, CustomerEventType.CREATED)])
    with running(program, kafka, database) as second:
        await until(lambda: len(HISTORY) + 1 == len(rows(database, "SELECT id FROM seen")))
        # The last one of its topic came last; those of the other two may still be on their way.
        await publish(kafka, [record("cus_d", 2, CustomerEventType.UPDATED), record("cus_d", 3, CustomerEventType.DELETED)])
        await until(lambda: len(HISTORY) + 3 == len(rows(database, "SELECT id FROM seen")))
        second.send_signal(signal.SIGKILL)
        welcomed_again, _ = second.communicate()

    after = rows(database, "SELECT id, version, data FROM customers ORDER BY id")
    assert [("cus_a", 3), ("cus_b", 2), ("cus_c", 2)] == [(id_, version) for id_, version, _ in before]
    assert '"firstName": "V3"' in before[0][2]
    assert [None, None] == [data for _, _, data in before[1:]]
    assert before == after[:3]
    assert ("cus_d", 3, None) == after[3]
    assert sorted(["welcome cus_a", "welcome cus_b", "welcome cus_c"]) == sorted(welcomed.split("\n")[:-1])
    assert "welcome cus_d\n" == welcomed_again
