"""What has to be asked for to be known: how much waits, and for how long."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from prometheus_client import Gauge

from core.clock import Clock
from workers.loop import run_until

MEASURE_SECONDS = 10.0
"""How old a figure is at most, when whoever knows it answers."""

_PENDING = Gauge("outbox_events_pending", "Events that are not on Kafka yet, counted up to 100,000.")
_AGE = Gauge("outbox_oldest_event_seconds", "Age of the event that waits longest for Kafka; 0 when none does.")
_EXPORT_AGE = Gauge("data_export_oldest_seconds", "Age of the export of somebody's data that waits longest; 0 when none does.")
_MESSAGES = Gauge("work_queue_messages", "Messages of the work queue: waiting, taken, dead.", ["state"])
_UNSCANNED = Gauge("document_files_unscanned", "Files of documents that wait for the malware scanner, counted up to 100,000.")

Measurement = Callable[[], Awaitable[None]]
"""Asks, and sets what was found."""


class PendingEvents(Protocol):
    """Knows the events that wait; `repositories.customer_event.MongoOutbox` does."""

    async def backlog(self) -> int:
        """Return how many wait."""

    async def oldest(self) -> datetime | None:
        """Return when the oldest of them happened."""


class WaitingExports(Protocol):
    """Knows the exports that wait; `repositories.data_export.DataExportJobs` does."""

    async def oldest(self) -> datetime | None:
        """Return since when the one waits that waits longest; None when none does."""


class Depths(Protocol):
    """Knows how full a queue is; `infra.sqs.SqsWorkQueue` does."""

    async def depths(self) -> Mapping[str, int]:
        """Return how many messages there are, by state."""


class Unscanned(Protocol):
    """Knows the files that wait for a verdict; `repositories.file_scan.FileScans` does."""

    async def backlog(self) -> int:
        """Return how many wait."""


def of_scans(files: Unscanned) -> Measurement:
    """Return the measurement of what waits for the malware scanner."""

    async def measure() -> None:
        _UNSCANNED.set(await files.backlog())

    return measure


def of_outbox(outbox: PendingEvents, clock: Clock) -> Measurement:
    """Return the measurement of what waits for the relay."""

    async def measure() -> None:
        oldest = await outbox.oldest()
        _PENDING.set(0 if oldest is None else await outbox.backlog())
        _AGE.set(0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds()))

    return measure


def of_exports(exports: WaitingExports, clock: Clock) -> Measurement:
    """Return the measurement of what people wait for who asked for their data."""

    async def measure() -> None:
        oldest = await exports.oldest()
        _EXPORT_AGE.set(0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds()))

    return measure


def of_queue(queue: Depths) -> Measurement:
    """Return the measurement of what waits for a worker, or for a person."""

    async def measure() -> None:
        for state, messages in (await queue.depths()).items():
            _MESSAGES.labels(state).set(messages)

    return measure


async def keep_measuring(measurements: Sequence[Measurement], stop: asyncio.Event) -> None:
    """Measure again and again until *stop*. What cannot be asked at present keeps its last figure."""
    async with asyncio.TaskGroup() as group:
        for measurement in measurements:
            group.create_task(run_until(stop, _step(measurement), idle=MEASURE_SECONDS), name="measuring")


def _step(measurement: Measurement) -> Callable[[], Awaitable[bool]]:
    async def measuring() -> bool:
        await measurement()
        return False

    return measuring
