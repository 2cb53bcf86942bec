"""From commit to Kafka: how fast a backlog drains, what limits it, and how long an event takes when nothing else waits.

``python -m bench.relay``. The relays are ``customer-service relay`` as in production, the first on one core, MongoDB and a
Kafka-protocol broker, which keeps its log in memory, on the other. A real broker on machines of its own only takes load off.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

import uvloop
from rich.console import Console

from bench.machine import LOAD_CORE, SERVER_CORE, cpu_seconds, on_core
from bench.stage import SELLER, Database, database, process
from core.ids import IdKind, new_id
from core.vocabulary import CustomerEventType, EventPrivacy
from embedded.environment import KAFKA_BROKERS, MONGODB_URI, for_services
from embedded.kafka import Kafka
from embedded.options import Options
from embedded.ports import LOOPBACK, choose
from embedded.processes import ROOT, python_module
from embedded.servers import TOPICS, ServerSet
from events.customer import CustomerEvent, customer_data
from infra.mongo import Mongo, create_indexes, open_mongo
from repositories.customer_event import stored_event

TARGET_EVENTS = 5_000
TARGET_MS = 100
_EVENTS_EACH = 3
_AT_ONCE = 1000
_WHO = {
    "kind": "INDIVIDUAL",
    "status": "ACTIVE",
    "email": "ada.lovelace@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How many events wait, and how many are timed one by one."""

    backlog: int = 30_000
    single: int = 200


@dataclass(slots=True)
class Drained:
    """How a backlog went: events a second, and microseconds of CPU for each, by who spent them."""

    relays: int
    rate: float
    microseconds: dict[str, float] = field(default_factory=dict)


def event_of(customer_id: str, version: int) -> CustomerEvent:
    """Return an event of the size that they have: 550 bytes on Kafka."""
    return CustomerEvent(
        id=new_id(IdKind.EVENT),
        seller_id=SELLER,
        customer_id=customer_id,
        type=CustomerEventType.CREATED if version == 1 else CustomerEventType.UPDATED,
        version=version,
        actor="operator:bench",
        changed=("email", "firstName"),
        occurred_at=datetime.now(UTC),
        data=customer_data({"_id": customer_id, "seller_id": SELLER, **_WHO}, EventPrivacy.FULL),
    )


async def fill(mongo: Mongo, events: int) -> None:
    """Record events that wait, three of each customer, where there are none."""
    await mongo.database["customer_events"].delete_many({})
    records = [
        stored_event(event_of(customer, version))
        for customer in (new_id(IdKind.CUSTOMER) for _ in range(events // _EVENTS_EACH))
        for version in range(1, _EVENTS_EACH + 1)
    ]
    for start in range(0, len(records), _AT_ONCE):
        await mongo.database["customer_events"].insert_many(records[start : start + _AT_ONCE], ordered=False)


async def waiting(mongo: Mongo) -> int:
    """Return how many events wait."""
    return await mongo.database["customer_events"].count_documents({"pending": True}, hint="pending_by_key_range")


async def drain(mongo: Mongo, pids: dict[str, int]) -> Drained:
    """Measure from the first batch that was published to the last; what it takes to start is not counted."""
    events = mongo.database["customer_events"]
    while await events.find_one({"published_at": {"$exists": True}}, hint="published") is None:  # noqa: ASYNC110 - no bell rings
        await asyncio.sleep(0.02)
    spent, began, first = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.perf_counter(), await waiting(mongo)
    # Not counted meanwhile: that would keep the database busier than the relay does.
    while await events.find_one({"pending": True}, {"_id": 1}, hint="pending_by_key_range"):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.1)
    seconds = time.perf_counter() - began
    used = {name: (cpu_seconds(pid) - spent[name]) / first * 1e6 for name, pid in pids.items()}
    return Drained(sum(name.startswith("relay") for name in pids), first / seconds, used)


async def delays(mongo: Mongo, count: int) -> list[float]:
    """Return the milliseconds from the commits of single events to the moments at which Kafka had acknowledged them.

    Not to a consumer: when the broker answers one that waits is the broker's affair, and this one takes its time.
    """
    events = mongo.database["customer_events"]
    chance = random.Random(1)
    committed: dict[str, datetime] = {}
    # Until the relay has started and its connections stand, nothing is timed.
    await events.insert_one(stored_event(event_of(new_id(IdKind.CUSTOMER), 1)))
    while await waiting(mongo):  # noqa: ASYNC110 - the database rings no bell
        await asyncio.sleep(0.05)
    for _ in range(count):
        event = event_of(new_id(IdKind.CUSTOMER), 1)
        await events.insert_one(stored_event(event))
        committed[event.id] = datetime.now(UTC)
        await asyncio.sleep(chance.uniform(0.02, 0.12))
    while await waiting(mongo):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.05)
    stored = await events.find({"_id": {"$in": list(committed)}}).to_list()
    return [max(0.0, (one["published_at"] - committed[one["_id"]]).total_seconds()) * 1000 for one in stored]


@contextmanager
def broker(directory: Path) -> Iterator[tuple[str, int]]:
    """Run a broker; give its address and process id."""
    server = Kafka(directory / "kafka.log", tuple(TOPICS.values()))
    port = choose(0, reserved={0})
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with process(server.command(port).arguments, directory / "kafka.out", LOAD_CORE, environment) as pid:
        asyncio.run(asyncio.wait_for(server.ready(port), 60))
        yield server.brokers(port), pid


@contextmanager
def relays(directory: Path, at: Database, brokers: str, number: int) -> Iterator[dict[str, int]]:
    """Run so many relays; give their process ids by name."""
    port = choose(0, reserved={0})
    options = Options(port=port, metrics_port=choose(0, reserved={0, port}), run_directory=directory)
    given = {**os.environ, MONGODB_URI: at.uri, KAFKA_BROKERS: f'["{brokers}"]', "PYTHONPATH": str(ROOT)}
    environment = for_services(given, options, ServerSet.under(directory), {})
    environment["CUSTOMER_SERVICE_MONITORING__PROMETHEUS__PORT"] = f"{LOOPBACK}:0"
    with ExitStack() as stack:
        cores = (SERVER_CORE, LOAD_CORE)
        yield {
            f"relay {one + 1}": stack.enter_context(
                process(python_module("app", "relay"), directory / f"relay-{one}.log", cores[one % 2], environment)
            )
            for one in range(number)
        }


@asynccontextmanager
async def opened(at: Database) -> AsyncIterator[Mongo]:
    """Open the database, with its indexes."""
    async with open_mongo(at.uri, at.name) as mongo:
        await create_indexes()
        yield mongo


async def _fill(at: Database, plan: Plan) -> None:
    async with opened(at) as mongo:
        await fill(mongo, plan.backlog)


async def _drain(at: Database, pids: dict[str, int]) -> Drained:
    async with opened(at) as mongo:
        return await drain(mongo, pids)


async def _delays(at: Database, plan: Plan) -> list[float]:
    async with opened(at) as mongo:
        await mongo.database["customer_events"].delete_many({})
        return await delays(mongo, plan.single)


def measure(plan: Plan) -> tuple[list[Drained], list[float]]:
    """Drain one backlog by one relay and another by two, and time single events with one."""
    drained = []
    with tempfile.TemporaryDirectory(prefix="bench-relay-") as folder, database(Path(folder)) as at:
        directory = Path(folder)
        for number in (1, 2):
            with broker(directory) as (brokers, kafka), on_core(LOAD_CORE):
                uvloop.run(_fill(at, plan))
                with relays(directory, at, brokers, number) as pids:
                    drained.append(uvloop.run(_drain(at, {**pids, "mongod": at.pid, "broker": kafka})))
        with broker(directory) as (brokers, _), on_core(LOAD_CORE), relays(directory, at, brokers, 1):
            return drained, uvloop.run(_delays(at, plan))


def lines(drained: Sequence[Drained], waits: Sequence[float]) -> Iterator[str]:
    """Return what to print."""
    for one in drained:
        spent = ", ".join(f"{name} {used:.0f}" for name, used in one.microseconds.items())
        yield f"{one.relays} relay(s): {one.rate:,.0f} events/s (target: {TARGET_EVENTS:,}); µs of CPU for each: {spent}"
    p99 = quantiles(waits, n=100)[98]
    yield f"{len(waits)} single events, from commit to Kafka's acknowledgement: p50 {median(waits):.0f} ms, p99 {p99:.0f} ms"
    yield f"  (target: p50 {TARGET_MS} ms)"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.relay", description="From commit to Kafka.")
    parser.add_argument("--backlog", type=int, default=30_000)
    parser.add_argument("--single", type=int, default=200)
    parser.add_argument("--check", action="store_true", help="end with status 1 when a target is missed")
    given = parser.parse_args()
    drained, waits = measure(Plan(given.backlog, given.single))
    console = Console(width=160)
    for line in lines(drained, waits):
        console.print(line)
    if given.check and not (max(one.rate for one in drained) >= TARGET_EVENTS and median(waits) < TARGET_MS):
        sys.exit(1)


if __name__ == "__main__":
    main()
