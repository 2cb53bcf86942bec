"""What is measured of the driver's connections: how many there are, how many are in use, and how long callers wait for one."""

from prometheus_client import Counter, Gauge, Histogram
from pymongo.monitoring import (
    ConnectionCheckedInEvent,
    ConnectionCheckedOutEvent,
    ConnectionCheckOutFailedEvent,
    ConnectionCheckOutStartedEvent,
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionPoolListener,
    ConnectionReadyEvent,
    PoolClearedEvent,
    PoolClosedEvent,
    PoolCreatedEvent,
    PoolReadyEvent,
)

_OPEN = Gauge("mongodb_pool_connections", "Open connections to MongoDB.")
_IN_USE = Gauge("mongodb_pool_connections_in_use", "Connections to MongoDB that somebody uses.")
_WAIT = Histogram(
    "mongodb_pool_wait_seconds",
    "How long callers waited for a connection to MongoDB.",
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1),
)
_FAILED = Counter("mongodb_pool_failures", "Callers that got no connection to MongoDB.", ["reason"])


class PoolGauges(ConnectionPoolListener):
    """Keeps the figures of all pools of this process."""

    def pool_created(self, event: PoolCreatedEvent) -> None:
        """Expect nothing."""

    def pool_ready(self, event: PoolReadyEvent) -> None:
        """Expect nothing."""

    def pool_cleared(self, event: PoolClearedEvent) -> None:
        """Expect nothing."""

    def pool_closed(self, event: PoolClosedEvent) -> None:
        """Expect nothing."""

    def connection_created(self, event: ConnectionCreatedEvent) -> None:  # noqa: ARG002
        """Count a connection."""
        _OPEN.inc()

    def connection_ready(self, event: ConnectionReadyEvent) -> None:
        """Expect nothing."""

    def connection_closed(self, event: ConnectionClosedEvent) -> None:  # noqa: ARG002
        """Count one connection less."""
        _OPEN.dec()

    def connection_check_out_started(self, event: ConnectionCheckOutStartedEvent) -> None:
        """Expect nothing."""

    def connection_check_out_failed(self, event: ConnectionCheckOutFailedEvent) -> None:
        """Count a caller who waited for nothing."""
        _FAILED.labels(event.reason).inc()

    def connection_checked_out(self, event: ConnectionCheckedOutEvent) -> None:
        """Note that a connection is in use, and how long it took to get it."""
        _IN_USE.inc()
        _WAIT.observe(event.duration or 0.0)

    def connection_checked_in(self, event: ConnectionCheckedInEvent) -> None:  # noqa: ARG002
        """Note that a connection is free again."""
        _IN_USE.dec()
