"""How often something may be done. Sources of the numbers: docs/security.md."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most *count* within any stretch of time of this length; of different kinds, where *distinct*."""

    count: int
    within: timedelta
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that counts: when it was, and of which kind."""

    at: datetime
    what: str | None = None


SEND_GAP: Final = timedelta(seconds=30)
"""Between two codes for one destination."""

SENDS_PER_DESTINATION: Final = (Limit(1, SEND_GAP), Limit(3, 10 * _MINUTE), Limit(5, _HOUR), Limit(10, _DAY))
FAILURES_PER_ACCOUNT: Final = (Limit(10, _HOUR), Limit(20, _DAY))
"""Wrong codes for one destination of one seller, over all its challenges. NIST's ceiling is 100 in a row."""

FAILURES_PER_NETWORK: Final = (Limit(200, _HOUR),)
"""Wrong codes from one network, for whomever: what stops guessing one code each for very many accounts."""

FAILURES_PER_CLIENT: Final = (Limit(100, _HOUR),)
"""Wrong secrets for one service client from one network. Nobody guesses 256 bits: this keeps the processor free."""


def longest(limits: tuple[Limit, ...]) -> timedelta:
    """Return how long something has to be remembered for *limits*."""
    return max(limit.within for limit in limits)


def seconds_until_free(hits: list[Hit], limits: tuple[Limit, ...], at: datetime, what: str | None = None) -> int:
    """Return in how many seconds one more of kind *what* is within *limits*, given *hits*, oldest first; 0 when it is now."""
    waits = [_free_at(hits, limit, at, what) for limit in limits]
    return max(0, *(-(-(wait - at) // timedelta(seconds=1)) for wait in waits))


def _free_at(hits: list[Hit], limit: Limit, at: datetime, what: str | None) -> datetime:
    recent = [hit for hit in hits if hit.at > at - limit.within]
    if not limit.distinct:
        return at if len(recent) < limit.count else recent[-limit.count].at + limit.within
    last = {hit.what: hit.at for hit in recent if hit.what is not None}
    if what is None or what in last or len(last) < limit.count:
        return at
    return min(last.values()) + limit.within
