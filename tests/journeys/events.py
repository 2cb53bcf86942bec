"""Events of one seller, as another service receives them."""

import asyncio
import json
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from infra.kafka import Received, consume
from tests.event_promise import faults


async def received(stack: dict[str, Any], seller: str, awaited: Collection[str], within: float) -> list[Received]:
    """
    Read all topics from their beginning until every awaited event id has come and then nothing for a second. Returns the
    seller's records in order of arrival, repetitions included.
    """
    missing = set(awaited)
    mine: list[Received] = []
    deadline = time.monotonic() + within
    async with consume(stack["kafka_brokers"].split(","), list(stack["topics"].values()), from_beginning=True) as records:
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(deadline - time.monotonic() if missing else 1):
                    record = await anext(records)
                if header(record, "seller_id") == seller:
                    assert [] == faults(record.value or b"")
                    mine.append(record)
                    missing.discard(header(record, "ce_id"))
    assert not missing, f"{len(missing)} of {len(awaited)} events have not come within {within} s: {sorted(missing)[:5]}"
    return mine


def header(record: Received, name: str) -> str:
    """Return the one header with this name, as text."""
    (value,) = [content for known, content in record.headers if known == name]
    return value.decode()


def body(record: Received) -> dict[str, Any]:
    """Return what the record says."""
    found: dict[str, Any] = json.loads(record.value or b"null")
    return found


def first_of_each(records: list[Received]) -> list[Received]:
    """Drop repetitions, as every consumer has to."""
    kept: dict[str, Received] = {}
    for record in records:
        kept.setdefault(header(record, "ce_id"), record)
    return list(kept.values())
