"""Tokens that were verified a moment ago: a signature that held still holds, as long as its key and the token do."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from auth.keys import KeyRing

MAX_KNOWN = 10_000
"""Tokens in memory; the one that was used last goes last."""

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class _Known(Generic[C]):
    credential: C
    ring: KeyRing
    since: datetime
    until: datetime


class KnownTokens(Generic[C]):
    """What verified tokens said, by their digests: whoever reads the memory of the process finds no token there.

    Only what held is kept, so that made-up tokens push nobody out. Whether a token was taken back is no part of it and has
    to be asked each time.
    """

    def __init__(self, most: int = MAX_KNOWN) -> None:
        self._most = most
        self._known: OrderedDict[bytes, _Known[C]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many tokens are known."""
        return len(self._known)

    def find(self, token: str, ring: KeyRing, now: datetime) -> C | None:
        """Return what *token* says; None unless it was verified with these very keys, all of which still count.

        A ring that was read anew is another one, whatever is in it: a key that was thrown out takes its tokens along.
        """
        digest = _digest(token)
        known = self._known.get(digest)
        if known is None:
            return None
        # A clock that was set back may make a token one of the future.
        if known.ring is not ring or not known.since <= now < known.until:
            del self._known[digest]
            return None
        self._known.move_to_end(digest)
        return known.credential

    def keep(self, token: str, credential: C, ring: KeyRing, now: datetime, expires_at: datetime) -> None:
        """Keep what a verified token says until it expires, or any key of the ring does."""
        ends = (key.verifies_until for key in ring.keys if key.verifies_until is not None)
        moments = [datetime.fromtimestamp(end, UTC) for end in ends if end > now.timestamp()]
        self._known[_digest(token)] = _Known(credential, ring, now, min([expires_at, *moments]))
        if len(self._known) > self._most:
            self._known.popitem(last=False)


def _digest(token: str) -> bytes:
    # What cannot be encoded was never verified; it only has to be found nowhere.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
