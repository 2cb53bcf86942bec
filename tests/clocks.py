"""Time, as tests need it."""

from datetime import datetime, timedelta

from core.clock import SystemClock


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
