"""Which relay publishes whose events: customers fall into ranges, and a relay holds the leases of some of them."""

import asyncio
import math
import time
from collections.abc import Callable, Collection
from zlib import crc32

from repositories import lease

KEY_RANGES = 16
"""How many ranges there are, and so how many relays can share the work. It is stored with what waits, and stays as it is."""

LEASE_SECONDS = 30.0
"""How long a relay that died keeps its ranges."""

KEEP_SECONDS = 5.0
"""How old the leases are at most when a batch begins."""

LAST_ROUND_SECONDS = 12.0
"""How old they are at most when a round of a batch begins: a round takes 15 s at most, and is over before the lease is."""

_SEEK_SECONDS = 1.0
_RANGE = "relay:"
_PRESENCE = "relay-at:"
_EVERYTHING = "relay"
_TOGETHER = "by key ranges"


def key_range_of(customer_id: str) -> int:
    """Return the range that a customer falls into: the same in every process and version."""
    return crc32(customer_id.encode()) % KEY_RANGES


class KeyRanges:
    """The ranges of one relay, which *holder* names. All relays that live have about as many.

    A range has one holder at a time; a relay gives up what others lack as soon as nothing of it is under way. A relay that
    was stopped for longer than its leases begins nothing that it held before. *monotonic* counts seconds.
    """

    def __init__(self, holder: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._holder = holder
        self._monotonic = monotonic
        self._turn = asyncio.Lock()
        self._held: frozenset[int] = frozenset()
        self._kept = -math.inf
        self._share = KEY_RANGES

    async def of_part(self, part: int, parts: int) -> frozenset[int]:
        """Return which ranges of a part are ours. Nothing of that part may be under way: here is where ranges are given up.

        Raises:
            Unavailable: the database did not answer in time.
        """
        async with self._turn:
            patience = KEEP_SECONDS if len(self._held) >= self._share else _SEEK_SECONDS
            if self._monotonic() - self._kept >= patience:
                await self._keep()
            mine = sorted(one for one in self._held if one % parts == part)
            for one in mine[math.ceil(self._share / parts) :]:
                await lease.release(_name(one), self._holder)
                self._held -= {one}
            return frozenset(one for one in mine if one in self._held)

    def still(self, ranges: Collection[int]) -> bool:
        """Say whether something may be begun in *ranges* that will be over before anybody else can have them."""
        return self._monotonic() - self._kept < LAST_ROUND_SECONDS and self._held.issuperset(ranges)

    @property
    def first(self) -> bool:
        """Whether we hold the first range: of the relays that live, one does, and it does what only one needs to."""
        return self._monotonic() - self._kept < LEASE_SECONDS and 0 in self._held

    async def inherit(self, dead: Callable[[str], bool]) -> None:
        """Free at once what relays hold of which *dead* knows, by their names, that they live no more."""
        for holder in await lease.holders(_EVERYTHING):
            if dead(holder):
                await lease.release_all(holder)

    async def release(self) -> None:
        """Free everything at once."""
        self._held, self._kept = frozenset(), -math.inf
        await lease.release_all(self._holder)

    async def _keep(self) -> None:
        """Renew the leases, and take what is free until we have our share."""
        # Before anything is asked: the leases end later than we think, and never earlier.
        now = self._monotonic()
        await lease.hold(_PRESENCE + self._holder, self._holder, LEASE_SECONDS)
        # One relay of an earlier version did everything. Held by all of us together, its lease keeps that version away.
        if not await lease.hold(_EVERYTHING, _TOGETHER, LEASE_SECONDS):
            self._held, self._kept = frozenset(), now
            return
        self._share = math.ceil(KEY_RANGES / max(1, len(await lease.held(_PRESENCE))))
        names = {_name(number): number for number in range(KEY_RANGES)}
        # By our name, and not by what we remember: a process that was started again under the same name goes on.
        ours = await lease.renew(names, self._holder, LEASE_SECONDS)
        if len(ours) < self._share:
            taken = await lease.held(_RANGE)
            for name in sorted(names.keys() - taken - ours):
                if len(ours) < self._share and await lease.hold(name, self._holder, LEASE_SECONDS):
                    ours.add(name)
        self._held, self._kept = frozenset(names[name] for name in ours), now


def _name(number: int) -> str:
    return f"{_RANGE}{number:02}"
