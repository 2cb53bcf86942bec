"""Sets of identifiers, as 64-bit hashes: compact enough for the millions of a large file. No I/O.

Two identifiers with one hash cost a row its place in the order of work, never its outcome.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from services.import_rows import CheckedRow, Key

Hashes = npt.NDArray[np.uint64]
Found = npt.NDArray[np.bool_]

NO_HASHES: Hashes = np.zeros(0, dtype=np.uint64)
_HASH_BYTES = 8

_SMALLEST_FILTER = 1 << 16
_LARGEST_FILTER = 1 << 28
"""Bits: 32 MiB, in which the 30 million keys of a gigabyte are mistaken for each other in 2 of 100 cases."""

_PROBES = 4


def hash_bytes(keys: Iterable[Key]) -> bytes:
    """Return the hashes of *keys*, one after the other. They are the same in every process."""
    return b"".join([blake2b(f"{name}\x1f{value}".encode(), digest_size=_HASH_BYTES).digest() for name, value in keys])


def hashes_in(data: bytes) -> Hashes:
    """Return hashes that were stored."""
    return np.frombuffer(data, dtype="<u8").astype(np.uint64, copy=False)


def row_hashes(rows: Sequence[CheckedRow]) -> tuple[Hashes, npt.NDArray[np.intp]]:
    """Return the hashes of the keys of *rows*, and beside each the index of its row."""
    owners = np.repeat(np.arange(len(rows)), [len(row.keys) for row in rows]).astype(np.intp)
    return hashes_in(b"".join([hash_bytes(key for key, _ in row.keys) for row in rows])), owners


class Filter:
    """A Bloom filter: bounded, and says "perhaps" of what is not in now and then."""

    def __init__(self, file_bytes: int) -> None:
        """Make one for a file: half a bit a byte, which is some 16 bits a key."""
        bits = min(max(1 << (file_bytes // 2).bit_length(), _SMALLEST_FILTER), _LARGEST_FILTER)
        self._mask = np.uint64(bits - 1)
        self._bits = np.zeros(bits // 8, dtype=np.uint8)

    def add(self, hashes: Hashes) -> None:
        """Put *hashes* in."""
        for place in self._places(hashes):
            np.bitwise_or.at(self._bits, place >> np.uint64(3), _bit(place))

    def has(self, hashes: Hashes) -> Found:
        """Say of each hash whether it may be in."""
        found = np.ones(hashes.size, dtype=np.bool_)
        for place in self._places(hashes):
            found &= (self._bits[place >> np.uint64(3)] & _bit(place)) != 0
        return found

    def _places(self, hashes: Hashes) -> Iterable[Hashes]:
        step = (hashes >> np.uint64(32)) | np.uint64(1)
        for probe in range(_PROBES):
            yield (hashes + np.uint64(probe) * step) & self._mask


class EarlierKeys:
    """The keys of all segments before some of a file: those that everybody is past in a filter, the newest few exactly."""

    def __init__(self, file_bytes: int) -> None:
        self._filter = Filter(file_bytes)
        self.folded = 0
        """The segments before this number are in the filter, and cannot be taken out."""

        self._recent: dict[int, Hashes] = {}

    def missing(self, stop: int) -> list[int]:
        """Return the numbers of the segments before *stop* whose keys are not known here."""
        return [number for number in range(self.folded, stop) if number not in self._recent]

    def learn(self, number: int, hashes: Hashes, *, lowest: int) -> None:
        """Take in the keys of a segment; nobody will ask about a segment before *lowest* any more."""
        self._recent[number] = np.unique(hashes)
        while self.folded < lowest and self.folded in self._recent:
            self._filter.add(self._recent.pop(self.folded))
            self.folded += 1

    def before(self, number: int) -> "KeysBefore":
        """Return the keys of the segments before *number*, all of which have to be known."""
        recent = [self._recent[one] for one in range(self.folded, number)]
        return KeysBefore(self._filter, np.unique(np.concatenate(recent)) if recent else NO_HASHES)


class KeysBefore:
    """What may stand in front of one segment."""

    def __init__(self, known: Filter, recent: Hashes) -> None:
        self._filter = known
        self._recent = recent

    def has(self, hashes: Hashes) -> Found:
        """Say of each hash whether it may be in."""
        return self._filter.has(hashes) | _in_sorted(self._recent, hashes)


def _bit(place: Hashes) -> npt.NDArray[np.uint8]:
    return np.left_shift(np.uint8(1), (place & np.uint64(7)).astype(np.uint8))


def _in_sorted(known: Hashes, hashes: Hashes) -> Found:
    if not known.size:
        return np.zeros(hashes.size, dtype=np.bool_)
    places = np.searchsorted(known, hashes)
    found: Found = known[np.minimum(places, known.size - 1)] == hashes
    return found
