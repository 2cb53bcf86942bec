"""``customer-service worker``: the process that works on imports."""

import asyncio
import gc

import structlog

from app.cli.teaching import shown_by
from app.container import export_worker, housekeeping, import_worker, measurements, open_connections
from app.observability import configure_logging, serve_metrics
from app.settings import Settings, load_settings
from app.until_told import run_until_told
from workers.measuring import keep_measuring

log = structlog.get_logger("worker")

_NEW_OBJECTS = 20_000
"""How many may come up before Python looks for circular garbage, of which batches of rows make next to none."""


@shown_by("worker   # with CUSTOMER_SERVICE_BULK__CUSTOMER__MAX_WORKERS=10 before it: more at once")
def worker() -> None:
    """Work on imports, take segments of files from the queue, and keep house, until told to stop."""
    settings = load_settings()
    configure_logging()
    serve_metrics(settings.monitoring)
    run_until_told(lambda stop: _work(settings, stop))


async def _work(settings: Settings, stop: asyncio.Event) -> None:
    async with open_connections(settings) as connections:
        if settings.environment == "development":
            # In production the queues belong to whoever owns the infrastructure, and so does the right to make them.
            await connections.queue.ensure_queues()
        # What is there now stays. Looking through it for garbage every 700 objects took a sixth of an import's CPU time.
        gc.freeze()
        gc.set_threshold(_NEW_OBJECTS, 20, 20)
        log.info("worker started", max_workers=settings.bulk.customer.max_workers)
        async with asyncio.TaskGroup() as group:
            group.create_task(import_worker(connections).run(stop), name="imports")
            group.create_task(export_worker(connections).run(stop), name="exports")
            group.create_task(housekeeping(connections).run(stop), name="housekeeping")
            group.create_task(keep_measuring(measurements(connections), stop), name="measuring")
