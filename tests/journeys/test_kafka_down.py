"""Kafka goes away while customers change: nobody notices, and no event is lost or overtaken."""

import asyncio
import itertools
import logging
import os
import random
import signal
import time
from collections import defaultdict
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from tests.api import Api, Json
from tests.embedded.stacks import StackUnderTest
from tests.graphql.operations import CREATE, UPDATE, payload
from tests.journeys.events import body, first_of_each, header, received
from tests.journeys.outages import frozen, until

CUSTOMERS = 50
CALLERS = 20

_log = logging.getLogger(__name__)


async def change_a_lot(execute: Api, changes_each: int) -> list[Json]:
    """Create 50 customers, then change each so many times, twenty mutations at a time. Returns all answers."""
    calls = asyncio.Semaphore(CALLERS)

    async def call(mutation: str, variables: Json) -> Json:
        async with calls:
            return await payload(execute, mutation, variables)

    created = await asyncio.gather(*(call(CREATE, {"input": {"externalId": f"k{n}"}}) for n in range(CUSTOMERS)))
    changes = [
        (UPDATE, {"id": answer["customer"]["id"], "patch": {"firstName": f"Ada {n}"}})
        for answer, n in itertools.product(created, range(changes_each))
    ]
    # In no order: changes of one customer meet each other.
    random.Random(8).shuffle(changes)
    return [*created, *await asyncio.gather(*(call(*change) for change in changes))]


async def changed_while_away(execute: Api, changes_each: int, how: str) -> None:
    """Change a lot, and look at every answer."""
    began = time.monotonic()
    answers = await change_a_lot(execute, changes_each)
    _log.info("%s: %.0f mutations/s", how, len(answers) / (time.monotonic() - began))
    assert CUSTOMERS * (1 + changes_each) == len(answers)
    assert [] == [answer["userErrors"] for answer in answers if answer["userErrors"]]


async def everything_arrives_in_order(
    stack: StackUnderTest, seller: str, database: AsyncDatabase[dict[str, Any]], changes_each: int, how: str
) -> None:
    """Read every event of the seller, and compare them with the customers' histories and with what was promised."""
    began = time.monotonic()
    histories = await database["customer_events"].find({"seller_id": seller}).to_list()
    assert CUSTOMERS * (1 + changes_each) == len(histories)

    arrived = await received(stack.read(), seller, [event["_id"] for event in histories], 60)
    _log.info(
        "%s: %d records of %d events, all there after %.1f s", how, len(arrived), len(histories), time.monotonic() - began
    )

    events = first_of_each(arrived)
    assert {event["_id"] for event in histories} == {header(event, "ce_id") for event in events}
    of_customers = defaultdict(list)
    for event in events:
        assert (body(event)["customerId"], body(event)["id"]) == ((event.key or b"").decode(), header(event, "ce_id"))
        assert event.topic == body(event)["type"] == header(event, "event") == header(event, "ce_type")
        assert ("customer-service", body(event)["occurredAt"]) == (header(event, "ce_source"), header(event, "ce_time"))
        of_customers[event.key].append(event)
    assert CUSTOMERS == len(of_customers)
    for mine in of_customers.values():
        # The creation is alone on its topic; changes share one, where they have to stand in order and without gaps.
        (created,) = [event for event in mine if event.topic == "customer.created"]
        updates = [event for event in mine if event.topic == "customer.updated"]
        assert 1 == body(created)["version"]
        assert list(range(2, 2 + changes_each)) == [body(event)["version"] for event in updates]
        assert created.at <= updates[0].at


async def nothing_pending(database: AsyncDatabase[dict[str, Any]], seller: str) -> None:
    """Wait until the relay has marked everything as published."""
    await until(
        lambda: database["customer_events"].count_documents({"seller_id": seller, "pending": True}),
        lambda count: count == 0,
        30,
    )


@pytest.mark.timeout(240)
async def test_kafka_that_hangs_costs_nobody_a_mutation_and_no_event_is_lost(
    stack: StackUnderTest, execute: Api, seller: str, database: AsyncDatabase[dict[str, Any]]
) -> None:
    with frozen(stack.read()["pids"]["kafka"]):
        await changed_while_away(execute, 19, "Kafka hangs")
        assert 1000 == await database["customer_events"].count_documents({"seller_id": seller, "pending": True})

    await everything_arrives_in_order(stack, seller, database, 19, "Kafka hung")
    await nothing_pending(database, seller)


@pytest.mark.timeout(240)
async def test_kafka_that_is_killed_costs_nobody_a_mutation_and_no_event_is_lost(
    stack: StackUnderTest, execute: Api, seller: str, database: AsyncDatabase[dict[str, Any]]
) -> None:
    """
    The broker of the stack forgets everything when it dies, so the changes begin after its death, while nobody listens.
    """
    kafka = stack.read()["pids"]["kafka"]

    os.kill(kafka, signal.SIGKILL)
    await changed_while_away(execute, 5, "Kafka is killed")

    async def look() -> int:
        pid: int = stack.read()["pids"]["kafka"]
        return pid

    await until(look, lambda pid: pid != kafka, 30)
    await everything_arrives_in_order(stack, seller, database, 5, "Kafka was killed")
    await nothing_pending(database, seller)
