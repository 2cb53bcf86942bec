"""Mixed traffic with a fault a minute: ``make soak SOAK_MINUTES=60``."""

import asyncio
import logging
import os
import random
import time
from pathlib import Path

import httpx
import pytest
from pymongo import AsyncMongoClient

from tests.api import Api, Json, fresh
from tests.chaos.history import History, check_published, published
from tests.chaos.load import load
from tests.chaos.soak import IMPORT_ROWS, Faults, Noise, Process, held, lives, processes
from tests.embedded.stacks import REAL, stack_under_test
from tests.journeys.outages import until

_MINUTES = float(os.environ.get("SOAK_MINUTES", "2"))
_SEED = int(os.environ.get("CHAOS_SEED", "1"))
_CALLERS = int(os.environ.get("SOAK_CALLERS", "3"))
_KILLING = _MINUTES / 3
"""In these first minutes our own processes are killed too. What lives on is looked at for leaks, whatever else fails."""
_LONG = 20
"""Minutes after which a life says something: memory has grown to what it takes by then."""
_MOST_MEGABYTES = 20
_MOST_FILES = 10
_AT_REST = {"mongodb_pool_connections_in_use": 3}
"""What a process holds that serves nobody: it follows changes of its own accord."""
_log = logging.getLogger(__name__)


@pytest.mark.timeout(int(_MINUTES * 90) + 900)
async def test_mixed_traffic_with_a_fault_a_minute_loses_doubles_and_leaks_nothing(tmp_path: Path) -> None:
    settings = {
        "CUSTOMER_SERVICE_KAFKA__PERSONAL_DATA": "full",
        "CUSTOMER_SERVICE_GRAPHQL__SELLER_POINTS": str(10**12),
        "CUSTOMER_SERVICE_GRAPHQL__SELLER_POINTS_PER_SECOND": str(10**12),
    }
    with stack_under_test(tmp_path / "run", REAL, **settings) as stack:
        stack.start()
        noise, faults = Noise(stack, asyncio.Event()), Faults(stack, random.Random(_SEED))
        sellers = [fresh("soak") for _ in range(3)]
        samples: list[Process] = []
        url = stack.read()["rest"]
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http, asyncio.TaskGroup() as group:
            group.create_task(noise.hostile(http))
            group.create_task(noise.imports_of(http, fresh("files")))
            watching = [group.create_task(noise.watch(seller)) for seller in sellers]
            async with load(url, {one: noise.token(one) for one in sellers}, callers=_CALLERS, pause=0.05) as running:
                began, minute = time.monotonic(), 0
                while (passed := time.monotonic() - began) < _MINUTES * 60:
                    if passed >= minute * 60:
                        samples += processes(stack, minute)
                        minute += 1
                        await faults.one(killing=passed < _KILLING * 60)
                    await asyncio.sleep(0.5)
                samples += processes(stack, minute)
                await running.until(50)
            noise.stop.set()
            for task in watching:
                task.cancel()
        left = await at_rest(stack.read()["metrics"])
        # Before all is compared, which takes minutes after an hour of it.
        lived = lives(samples, warm=round(_KILLING) + 2)
        for one in lived:
            _log.info("%s", one)
        findings, figures = await _left(stack.read(), noise, running.history, sellers)

    _log.info("%.0f min, seed %d; faults: %s", _MINUTES, _SEED, dict(faults.done))
    _log.info("changes: %s; beside: %s", dict(running.history.outcomes()), dict(noise.seen))
    _log.info("%s", figures)
    assert [] == findings
    assert {} == left
    assert [] == noise.wrong
    assert not {code for code in running.history.untyped() if not code.startswith("lost ")}
    long = [one for one in lived if one.minutes >= _LONG]
    assert [] == [str(one) for one in long if one.grown(lambda sample: sample.megabytes) > _MOST_MEGABYTES]
    assert [] == [str(one) for one in long if one.grown(lambda sample: sample.files + sample.threads) > _MOST_FILES]


async def at_rest(metrics: str) -> dict[str, float]:
    """Wait until nobody is served any more, at most two minutes; return what is still held for somebody then."""
    end = time.monotonic() + 120
    while True:
        found = {name: value for name, value in (await held(metrics)).items() if value > _AT_REST.get(name, 0)}
        if not found or time.monotonic() > end:
            return found
        await asyncio.sleep(1)


async def _left(found: Json, noise: Noise, history: History, sellers: list[str]) -> tuple[list[str], str]:
    """Wait until nothing is under way any more; return what is wrong with what is left, and how much that is."""
    client: AsyncMongoClient[Json] = AsyncMongoClient(found["mongodb_uri"], tz_aware=True)
    async with client, httpx.AsyncClient(base_url=found["rest"], trust_env=False, timeout=60) as http:
        database = client[found["mongodb_database"]]
        await database["customers"].create_index("seller_id", name="counted_by_the_test")
        await until(lambda: database["customer_events"].count_documents({"pending": True}), lambda left: left == 0, 300)
        findings = await history.check(database)
        for seller, id_ in noise.imports:
            outcome = await noise.finished(Api(http, noise.token(seller)), id_)
            made = await database["customers"].count_documents({"seller_id": seller})
            if (outcome["status"], outcome["createdRows"], made) != ("COMPLETED", IMPORT_ROWS, IMPORT_ROWS):
                findings.append(f"import {id_}: {outcome['status']}, {outcome['createdRows']} rows, {made} customers")
        events = await database["customer_events"].find({"seller_id": {"$in": sellers}}).to_list()
        # The broker of the stack keeps its log in memory; it is frozen here, and not killed.
        records = await published(
            found["kafka_brokers"].split(","),
            list(found["topics"].values()),
            [str(one["_id"]) for one in events],
            within=120 + 20 * _MINUTES,
        )
        mine = [one for one in records if dict(one.headers)["seller_id"].decode() in sellers]
        findings += check_published(mine, events)
        unfinished = await database["import_segments"].count_documents({"done": False})
        if unfinished:
            findings.append(f"{unfinished} segments of imports are left with their leases")
    return findings, f"{len(events)} events, {len(mine)} records of them; {len(noise.imports)} imports of {IMPORT_ROWS} rows"
