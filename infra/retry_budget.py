"""How often a system may be asked again: a share of what it is asked at all, so that its outage does not multiply its load.

Attempts of one call bound what one caller does; a budget bounds what all of them do together. Finagle and gRPC have the same;
what botocore has of it gives back what a repetition that helped has cost, so that with few failures it bounds nothing.
"""

from prometheus_client import Counter

SHARE = 0.1
"""Of the calls to a system, which may be repeated."""

BURST = 10
"""Repetitions beyond that, for systems that are seldom asked: so many may come at once, and then the share has to earn them."""

_RETRIES = Counter(
    "dependency_retries", "Calls to other systems that failed and were, or were not, sent again.", ["system", "sent"]
)


class RetryBudget:
    """What repetitions to one *system*, which is named to people, there may be: `BURST`, and `SHARE` of all calls.

    Over any stretch of time a system is sent at most 1.1 times what it is asked, and ten more.
    """

    def __init__(self, system: str, *, share: float = SHARE, burst: float = BURST) -> None:
        self._share = share
        self._burst = burst
        self._left = float(burst)
        self._sent = _RETRIES.labels(system, "yes")
        self._unsent = _RETRIES.labels(system, "no")

    def earn(self) -> None:
        """Note a call: its first attempt."""
        self._left = min(self._burst, self._left + self._share)

    def spend(self) -> bool:
        """Say whether a call that failed may be sent again, and count that it is."""
        if self._left < 1:
            self._unsent.inc()
            return False
        self._left -= 1
        self._sent.inc()
        return True
