"""``customer-service relay``: the process that publishes events."""

import asyncio
import os
import socket
from contextlib import suppress

import structlog

from app.cli.teaching import shown_by
from app.database import open_database
from app.live_updates import open_live_updates
from app.observability import configure_logging, serve_metrics, start_tracing
from app.settings import Settings, load_settings
from app.topics import event_topics
from app.until_told import run_until_told
from core.clock import SystemClock
from core.ending import end
from infra.kafka import open_producer
from repositories.customer_event import MongoOutbox
from workers.measured_producer import MeasuredProducer
from workers.measuring import keep_measuring, of_outbox
from workers.relay import Producer, Relay

log = structlog.get_logger("relay")

PARTS = 2
"""How many batches are under way at once, of different customers: while the database answers for one, another is written."""

STOP_SECONDS = 3
"""How long a publish under way may take once the process was told to stop."""


@shown_by("relay   # a second one waits, and takes over when the first one dies")
def relay() -> None:
    """Publish event records to Kafka until told to stop."""
    settings = load_settings()
    configure_logging()
    serve_metrics(settings.monitoring)
    run_until_told(lambda stop: _relay(settings, stop))


async def _relay(settings: Settings, stop: asyncio.Event) -> None:
    async with (
        open_database(settings),
        open_producer(settings.kafka.brokers, client_id="customer-service-relay") as producer,
    ):
        log.info("relay started", brokers=settings.kafka.brokers)
        clock = SystemClock()
        tracing = start_tracing(settings.monitoring, process="relay")
        outbox = MongoOutbox(clock, holder=f"{socket.gethostname()}:{os.getpid()}")
        await outbox.inherit(_died_here)
        measuring = asyncio.create_task(keep_measuring([of_outbox(outbox, clock)], stop))
        try:
            measured: Producer = MeasuredProducer(producer, clock)
            traced = measured if tracing is None else tracing.of_producer(measured)
            async with open_live_updates(settings, lambda: outbox.first) as observer:
                topics = event_topics(settings.kafka.topics)
                relays = [Relay(part, traced, topics, observer=observer) for part in outbox.split(PARTS)]
                await _until(stop, {asyncio.create_task(relay.run(stop)) for relay in relays})
            await measuring
        finally:
            measuring.cancel()
            await outbox.release()
            if tracing is not None:
                tracing.close()


async def _until(stop: asyncio.Event, running: set[asyncio.Task[None]]) -> None:
    """Let relays run until *stop*, and then finish what they are at, if Kafka lets them.

    Cutting it off is safe: what Kafka took but nobody marked is published again, with the same id.
    """
    await stop.wait()
    _, late = await asyncio.wait(running, timeout=STOP_SECONDS)
    await end(late)
    for relay in running:
        with suppress(asyncio.CancelledError):
            await relay


def _died_here(holder: str) -> bool:
    """Say whether *holder* was a process of this machine that is gone."""
    host, _, pid = holder.rpartition(":")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        # It lives, as somebody else's.
        pass
    return False
