"""How many requests are answered at a time, so that the loop comes round quickly: fewer while it is slow, more while it waits.

More at a time than the processor can do makes each turn of the loop longer and nothing faster, and everybody waits for turns:
health, refusals, sockets. While the processor waits (for a database that has become slow), more at a time cost nothing.
"""

import asyncio
import time

SLOW_SECONDS = 0.01
"""A turn in which the loop works for longer is too long. What other programs take does not count: places do not mend it."""

LEAST = 8
"""So many are answered at a time however slow the loop is: less than that, and the processor waits for the database."""

_SMOOTHING = 0.3
_LESS = 0.9
_MORE = 0.1


class Pace:
    """The number of places, between `LEAST` and *most*. It costs a callback in a turn in which somebody looks, and no timer."""

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._least = float(min(most, LEAST))
        self._places = self._most
        self._turn = 0.0
        self._looking = False

    @property
    def places(self) -> int:
        """How many may be answered at a time, at present."""
        return int(self._places)

    def look(self) -> None:
        """Measure how long the loop works until it comes round, unless that is being done."""
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._came_round, time.thread_time())

    def turned(self, seconds: float) -> None:
        """Take note of how long was worked in a turn: a tenth of the places less, or slowly more."""
        self._turn += (seconds - self._turn) * _SMOOTHING
        if self._turn > SLOW_SECONDS:
            self._places = max(self._least, self._places * _LESS)
        else:
            self._places = min(self._most, self._places + _MORE)

    def _came_round(self, since: float) -> None:
        self._looking = False
        self.turned(time.thread_time() - since)
