"""A worker that is killed in the middle of a large import."""

import logging
import os
import signal
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from tests.api import Api, Json
from tests.embedded.stacks import StackUnderTest
from tests.graphql.imports import FINAL, start, state
from tests.imports import customers_csv
from tests.journeys.events import body, first_of_each, received
from tests.journeys.outages import until

ROWS = 20_000

_log = logging.getLogger(__name__)


@pytest.mark.timeout(300)
async def test_import_whose_worker_is_killed_makes_every_customer_and_every_event_once(
    stack: StackUnderTest,
    execute: Api,
    seller: str,
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    async def look() -> Json:
        return await state(execute, id_)

    id_ = await start(execute, customers_csv(ROWS))
    (worker,) = stack.read()["pids"]["worker"]
    at_kill, _ = await until(look, lambda now: now["progress"] > 0.1, 60)
    os.kill(worker, signal.SIGKILL)
    assert "RUNNING" == at_kill["status"]
    assert 0.6 > at_kill["progress"]

    # What the worker still wrote before it died may show a little later; the next one shows more.
    _, resumed = await until(look, lambda now: now["processedRows"] > at_kill["processedRows"] + 1000, 60)
    final, rest = await until(look, lambda now: now["status"] in FINAL, 180)

    assert {
        "status": "COMPLETED",
        "progress": 1.0,
        "totalRows": ROWS,
        "processedRows": ROWS,
        "createdRows": ROWS,
        "updatedRows": 0,
        "unchangedRows": 0,
        "failedRows": 0,
        "unprocessedRows": 0,
    }.items() <= final.items()
    customers = await database["customers"].find({"seller_id": seller}).to_list()
    assert {f"c{number}" for number in range(1, ROWS + 1)} == {customer["external_id"] for customer in customers}
    assert ROWS == len(customers)
    addresses = await database["addresses"].find({"seller_id": seller}, {"customer_id": 1}).to_list()
    ids = sorted(customer["_id"] for customer in customers)
    assert ids == sorted(address["customer_id"] for address in addresses)
    recorded = await database["customer_events"].find({"seller_id": seller}, {"customer_id": 1, "type": 1}).to_list()
    assert {"CREATED"} == {event["type"] for event in recorded}
    assert ids == sorted(event["customer_id"] for event in recorded)

    events = await received(stack.read(), seller, [event["_id"] for event in recorded], 120)
    assert ids == sorted(body(event)["customerId"] for event in first_of_each(events))
    assert {"customer.created"} == {event.topic for event in events}
    _log.info(
        "went on %.1f s after the kill; %.0f rows/s after it, that pause included; %d events came twice",
        resumed,
        (ROWS - at_kill["processedRows"]) / (resumed + rest),
        len(events) - ROWS,
    )
