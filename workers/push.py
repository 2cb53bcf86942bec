"""Live updates for pages that are open: what was published of customers, and how far imports are.

They are hints, not records: each carries ids, states and versions, for a page to fetch what it shows. So they are joined
when there are many, and given up when they cannot be delivered; nothing ever waits for them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

import orjson
import structlog
from prometheus_client import Counter

from core.clock import rfc3339
from core.errors import Unavailable
from core.push import NotPushed, PushMessage
from events.customer import EVENT_NAMES, CustomerEvent
from infra.retry_budget import RetryBudget
from models.bulk_import import BulkImport
from services.push_channels import import_channel, seller_channel
from workers.loop import pause, run_until

_log = structlog.get_logger(__name__)

PAUSE_SECONDS = 0.5
"""Between two rounds: an update waits so long at most, and an import is told of twice a second at most."""

MOST_AT_ONCE = 10
MOST_BYTES = 10_000
MOST_EACH = 10
"""Changes of one seller that are told one by one in a round; of more, only how many there were."""

MOST_WAITING = 1000
"""Sellers, and imports, with something to tell. What comes on top is dropped: bounds memory while Pusher is away."""

ATTEMPTS = 3
_FIRST_PAUSE = 0.5
_FOLLOW_AGAIN_SECONDS = 5.0

_MESSAGES = Counter("pusher_messages", "Messages for Pusher Channels, by outcome.", ["outcome"])


class Channels(Protocol):
    """Where messages go; `infra.pusher.PusherChannels` is one."""

    async def trigger(self, messages: Sequence[PushMessage]) -> None:
        """Send a few messages, or raise `NotPushed`."""


@dataclass(slots=True)
class _Changes:
    """What happened to one seller's customers since the last round."""

    events: list[CustomerEvent] = field(default_factory=list)
    count: int = 0

    def add(self, event: CustomerEvent) -> None:
        self.count += 1
        # The last of too many, so that the message that stands for them can say until when.
        self.events[MOST_EACH:] = [event]


class LivePush:
    """Sends live updates. *imports* yields imports as they change; they are told while this process is *active*."""

    def __init__(
        self, channels: Channels, imports: Callable[[], AsyncGenerator[BulkImport]], active: Callable[[], bool]
    ) -> None:
        self._channels = channels
        self._follow_imports = imports
        self._active = active
        self._customers: OrderedDict[str, _Changes] = OrderedDict()
        self._imports: OrderedDict[str, BulkImport] = OrderedDict()
        self._failing = False
        self._budget = RetryBudget("Pusher")

    def published(self, events: Sequence[CustomerEvent]) -> None:
        """Note what was published, to be told soon. Returns at once, and never raises."""
        for event in events:
            changes = self._customers.get(event.seller_id)
            if changes is None:
                if len(self._customers) >= MOST_WAITING:
                    _MESSAGES.labels("dropped").inc()
                    continue
                changes = self._customers[event.seller_id] = _Changes()
            changes.add(event)

    def progressed(self, record: BulkImport) -> None:
        """Note how far an import is; only its latest state is told. Returns at once, and never raises."""
        if record.id not in self._imports and len(self._imports) >= MOST_WAITING:
            _MESSAGES.labels("dropped").inc()
            return
        self._imports[record.id] = record

    async def run(self, stop: asyncio.Event) -> None:
        """Send what is noted until *stop*."""
        following = asyncio.create_task(self._follow(stop), name="imports to push")
        try:
            await run_until(stop, lambda: self._round(stop), idle=PAUSE_SECONDS)
        finally:
            following.cancel()
            await asyncio.wait([following])

    async def _follow(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                async with aclosing(self._follow_imports()) as records:
                    async for record in records:
                        if self._active():
                            self.progressed(record)
            except Unavailable as error:
                _log.warning("push.imports_not_followed", reason=str(error))
            await pause(stop, _FOLLOW_AGAIN_SECONDS)

    async def _round(self, stop: asyncio.Event) -> bool:
        """Send everything that is noted by now. Always says there was nothing, so that a pause follows."""
        messages = list(self._take())
        fitting = [message for message in messages if len(message.data.encode()) <= MOST_BYTES]
        if len(fitting) < len(messages):
            _MESSAGES.labels("refused").inc(len(messages) - len(fitting))
            _log.error("push.too_large", messages=len(messages) - len(fitting))
        for some in _batches(fitting):
            if stop.is_set():
                break
            await self._send(some, stop)
        return False

    def _take(self) -> Iterator[PushMessage]:
        customers, self._customers = self._customers, OrderedDict()
        imports, self._imports = self._imports, OrderedDict()
        for record in imports.values():
            yield from import_messages(record)
        for seller_id, changes in customers.items():
            yield from change_messages(seller_id, changes.events, changes.count)

    async def _send(self, messages: Sequence[PushMessage], stop: asyncio.Event) -> None:
        """Send one batch, or give it up."""
        failure: NotPushed | None = None
        self._budget.earn()
        for attempt in range(ATTEMPTS):
            if failure is not None:
                if not self._budget.spend():
                    break
                await pause(stop, failure.retry_after or _FIRST_PAUSE * 2 ** (attempt - 1))
                if stop.is_set():
                    break
            try:
                await self._channels.trigger(messages)
            except NotPushed as error:
                failure = error
                if error.final:
                    break
            else:
                _MESSAGES.labels("sent").inc(len(messages))
                self._report(None)
                return
        if failure is not None:
            _MESSAGES.labels("refused" if failure.final else "failed").inc(len(messages))
            self._report(failure)

    def _report(self, failure: NotPushed | None) -> None:
        """Say once that messages are lost, and once that they are no longer."""
        if failure is not None and not self._failing:
            _log.warning("push.failing", reason=str(failure))
        elif failure is None and self._failing:
            _log.info("push.recovered")
        self._failing = failure is not None


def change_messages(seller_id: str, events: Sequence[CustomerEvent], count: int) -> list[PushMessage]:
    """Return what is told of *count* changes; *events* are all of them, or the first ones and the last of too many."""
    channel = seller_channel(seller_id)
    if count > MOST_EACH:
        said = {"sellerId": seller_id, "changes": count, "until": rfc3339(events[-1].occurred_at)}
        return [PushMessage(channel, "customers.changed", orjson.dumps(said).decode())]
    return [PushMessage(channel, EVENT_NAMES[event.type], _change(event)) for event in events]


def import_messages(record: BulkImport) -> list[PushMessage]:
    """Return what is told of an import: the same on its own channel and on its seller's."""
    counts = record.counts
    said = {
        "id": record.id,
        "sellerId": record.seller_id,
        "status": record.status,
        "version": record.version,
        "totalRows": record.total_rows,
        "processedRows": counts.processed,
        "createdRows": counts.created,
        "updatedRows": counts.updated,
        "unchangedRows": counts.unchanged,
        "failedRows": counts.failed,
        "warningRows": counts.warning,
    }
    data = orjson.dumps(said).decode()
    return [
        PushMessage(channel, "import.progress", data)
        for channel in (import_channel(record.id), seller_channel(record.seller_id))
    ]


def _change(event: CustomerEvent) -> str:
    # Written out: neither who did it nor what the event says of the customer goes to a third party.
    said = {
        "id": event.id,
        "sellerId": event.seller_id,
        "customerId": event.customer_id,
        "version": event.version,
        "status": event.data.get("status"),
        "changed": event.changed,
        "occurredAt": rfc3339(event.occurred_at),
    }
    return orjson.dumps(said).decode()


def _batches(messages: Sequence[PushMessage]) -> Iterator[Sequence[PushMessage]]:
    for start in range(0, len(messages), MOST_AT_ONCE):
        yield messages[start : start + MOST_AT_ONCE]
