"""Time, as tests need it."""

from datetime import UTC, datetime, timedelta

from core.clock import SystemClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class StoppedClock:
    """A clock that stands still at noon, until it is moved."""

    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        """Return the moment it stands at."""
        return self.moment

    def move(self, by: timedelta) -> None:
        """Move it."""
        self.moment += by


class MovableClock:
    """The machine's clock, as far ahead as a test likes."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Return the moved moment."""
        return SystemClock().now() + self.ahead

    def advance(self, **duration: float) -> None:
        """Let time pass, given as to `timedelta`."""
        self.ahead += timedelta(**duration)
