"""Whom a request is of, as far as that is known before its token is looked at: for taking turns, and for nothing else."""

from collections import OrderedDict

from starlette.types import Scope

MOST = 10_000
"""Callers that are remembered; those that were not heard of for longest are forgotten."""

STRANGERS = ""
"""The lane of everybody whose credentials have not held yet, or who has none: made-up tokens make no lanes."""


class SellerLanes:
    """Which seller the holder of some credentials belongs to: learned when they are found to hold, for when they come again.

    Credentials are remembered by their hashes, which Python salts anew in each process. Two with the same one would share a
    lane, and nothing more.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[int, str] = OrderedDict()

    def learn(self, authorization: str, lane: str) -> None:
        """Remember whom the holder of *authorization*, which has just been found to hold, waits with."""
        self._known[hash(authorization)] = lane
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def of(self, scope: Scope) -> str:
        """Return whom a request waits with."""
        for name, value in scope["headers"]:
            if name == b"authorization":
                key = hash(value.decode("latin-1"))
                lane = self._known.get(key)
                if lane is None:
                    break
                self._known.move_to_end(key)
                return lane
        return STRANGERS
