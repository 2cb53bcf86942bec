"""What is measured of events on their way to Kafka."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import Counter, Histogram

from core.clock import Clock
from core.errors import Unavailable
from infra.kafka import Record
from workers.relay import Producer

_EVENTS = Counter(
    "relay_events", "Events handed to Kafka, by topic and outcome: published, refused, unavailable.", ["topic", "outcome"]
)
_DELAY = Histogram(
    "relay_delay_seconds",
    "From a change of a customer to its event on Kafka.",
    ["topic"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
_HAPPENED_AT = "ce_time"


class MeasuredProducer:
    """Is the `Producer` that it is made with, and counts what becomes of each record."""

    def __init__(self, producer: Producer, clock: Clock) -> None:
        self._producer = producer
        self._clock = clock

    async def publish(self, records: Sequence[Record]) -> Sequence[Exception | None]:
        """Publish *records*; see `Producer`."""
        outcomes = await self._producer.publish(records)
        now = self._clock.now()
        for record, outcome in zip(records, outcomes, strict=True):
            if outcome is not None:
                _EVENTS.labels(record.topic, "unavailable" if isinstance(outcome, Unavailable) else "refused").inc()
                continue
            _EVENTS.labels(record.topic, "published").inc()
            happened = _moment(record)
            if happened is not None:
                _DELAY.labels(record.topic).observe(max(0.0, (now - happened).total_seconds()))
        return outcomes


def _moment(record: Record) -> datetime | None:
    for name, value in record.headers:
        if name == _HAPPENED_AT:
            return datetime.fromisoformat(value.decode())
    return None
