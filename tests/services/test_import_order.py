"""Whoever works on the segments of a file, and when: what comes out is what its rows say in order."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from core.vocabulary import BulkImportMatch, BulkImportMode
from models.bulk_import import BulkImport
from services.import_keys import EarlierKeys, Filter, hash_bytes, hashes_in
from tests.import_oracle import left_behind, nothing_is_left_over, quarrelsome_csv
from tests.imports import OPERATOR, Bench, open_bench
from tests.servers import Servers

MODES: list[dict[str, Any]] = [
    {"mode": BulkImportMode.CREATE},
    {"mode": BulkImportMode.CREATE, "dry_run": True},
    {"mode": BulkImportMode.UPSERT, "match_by": BulkImportMatch.EXTERNAL_ID},
    {"mode": BulkImportMode.UPSERT, "match_by": BulkImportMatch.EXTERNAL_ID, "dry_run": True},
    {"mode": BulkImportMode.UPSERT, "match_by": BulkImportMatch.EMAIL},
]


@pytest_asyncio.fixture(name="bench")
async def _bench(servers: Servers) -> AsyncIterator[Bench]:
    async with open_bench(servers) as bench:
        yield bench


async def imported(
    bench: Bench, seller: str, content: bytes, options: dict[str, Any], *, workers: int = 1, **limits: Any
) -> BulkImport:
    """Import a file for a seller by some workers, and return the import as it ended."""
    viewer = replace(OPERATOR, seller_id=seller)
    record = await bench.upload(content, viewer=viewer, **options)
    await bench.service.start(viewer, record.id)
    async with AsyncExitStack() as stack:
        for number in range(workers):
            await stack.enter_async_context(bench.working(f"worker-{number}", **limits))
        return await bench.ended(record, viewer=viewer)


@pytest.mark.parametrize("options", MODES, ids=lambda one: "-".join(map(str, one.values())))
@pytest.mark.parametrize("seed", range(2))
async def test_many_segments_at_once_do_what_one_does(bench: Bench, options: dict[str, Any], seed: int) -> None:
    first, content = quarrelsome_csv(12, seed + 100, people=25), quarrelsome_csv(70, seed, people=25)
    for seller in ("one", "many"):
        await imported(bench, seller, first, {"mode": BulkImportMode.CREATE})
    whole = await imported(bench, "one", content, options)
    parts = await imported(bench, "many", content, options, workers=2, segment_rows=6, batch_size=4)

    assert 10 < len(await bench.stored("import_segments", import_id=parts.id))
    assert 1 == len(await bench.stored("import_segments", import_id=whole.id))
    expected, actual = await left_behind(bench, whole), await left_behind(bench, parts)
    assert expected.keys() == actual.keys()
    for name, value in expected.items():
        assert value == actual[name], name
    assert 0 < whole.counts.failed < whole.counts.processed
    await nothing_is_left_over(bench, parts)


@pytest.mark.parametrize("seed", range(3))
async def test_segments_in_any_order_do_what_one_does(bench: Bench, seed: int) -> None:
    """
    One step at a time, by three workers without a queue, each of which takes whatever segment it likes.
    """
    content = quarrelsome_csv(60, seed, people=30)
    whole = await imported(bench, "one", content, {})
    chance = random.Random(seed)
    record = await bench.start(content)
    workers = [bench.runs(f"worker-{number}", segment_rows=5, batch_size=3) for number in range(3)]
    await workers[0].plan(record.id)
    await bench.queue.receive(10, 0)
    numbers = [one["number"] for one in await bench.stored("import_segments", import_id=record.id)]
    chance.shuffle(numbers)
    for number in [*numbers, *(max(numbers),)]:
        worker = chance.choice(workers)
        segment = await worker.take(record.id, number)
        if segment is None:
            assert max(numbers) == number
        else:
            await worker.work_through(segment, stopping=lambda: False)
    parts = await bench.ended(record)

    assert await left_behind(bench, whole) == await left_behind(bench, parts)


async def test_rows_that_wait_are_decided_when_another_worker_takes_over_in_the_middle(bench: Bench) -> None:
    """
    Each worker stops after a batch or two; what it put off is known to the next one.
    """
    content = quarrelsome_csv(40, 7, people=15)
    whole = await imported(bench, "one", content, {})
    record = await bench.start(content)
    await bench.runs(segment_rows=20, batch_size=2).plan(record.id)
    for number in (1, 0, 2):
        while True:
            worker = bench.runs("another", segment_rows=20, batch_size=2)
            await asyncio.sleep(0.002)
            segment = await worker.take(record.id, number)
            if segment is None:
                break
            await worker.work_through(segment, stopping=partial(_after_the_first, count()))
    parts = await bench.ended(record)

    assert await left_behind(bench, whole) == await left_behind(bench, parts)


async def test_an_upsert_goes_segment_by_segment(bench: Bench) -> None:
    record = await bench.start(quarrelsome_csv(30, 1, people=30), mode=BulkImportMode.UPSERT, match_by=BulkImportMatch.EMAIL)
    runs = bench.runs(segment_rows=10)
    await runs.plan(record.id)

    assert None is await runs.take(record.id, 1)
    assert [0] == [(one.body or {})["number"] for one in await bench.queue.receive(10, 1) if one.body and "number" in one.body]
    first = await runs.take(record.id, 0)
    assert first is not None
    assert None is await runs.take(record.id, 1)
    await runs.work_through(first, stopping=lambda: False)
    assert [1] == [(one.body or {})["number"] for one in await bench.queue.receive(10, 1)]


def _after_the_first(asked: Iterator[int]) -> bool:
    """Say no when asked for the first time, then yes."""
    return next(asked) > 0


class TestKeys:
    def test_a_filter_never_forgets_and_seldom_errs(self) -> None:
        known = hashes_in(hash_bytes(("email", f"user{number}@example.com") for number in range(20_000)))
        others = hashes_in(hash_bytes(("email", f"other{number}@example.com") for number in range(20_000)))
        keys = Filter(40_000 * 8)
        keys.add(known)

        assert keys.has(known).all()
        assert 0.01 > keys.has(others).mean()

    def test_keys_before_a_segment_are_those_of_all_in_front_of_it(self) -> None:
        segments = [hashes_in(hash_bytes([("phone", str(number))])) for number in range(6)]
        keys = EarlierKeys(100)
        for number in range(5):
            assert list(range(number, 6)) == keys.missing(6)
            keys.learn(number, segments[number], lowest=3)

        assert 3 == keys.folded
        everything = np.concatenate(segments)
        assert [True, True, True, False, False, False] == keys.before(3).has(everything).tolist()
        assert [True, True, True, True, True, False] == keys.before(5).has(everything).tolist()
