"""Typed, time-sortable ids: ``cus_01j…`` and its siblings.

An id is a prefix, an underscore and a UUIDv7 in Crockford's base 32 (the TypeID layout, 26 characters), so that it sorts by
time of creation, keeps index inserts local, and says what it names in a log line.
"""

import hashlib
import re
from datetime import datetime
from enum import StrEnum

import uuid_utils

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
_SUFFIX = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")


CLIENT_PREFIX = "cli_"
"""What the ids of service clients begin with. They are random, not sortable: nobody lists them by time."""


class IdKind(StrEnum):
    """The prefix of an id, which says what it names."""

    CUSTOMER = "cus"
    ADDRESS = "adr"
    DOCUMENT = "doc"
    BULK_IMPORT = "imp"
    SESSION = "ses"
    EVENT = "evt"
    ACCESS = "acc"
    DATA_EXPORT = "exp"
    CONSENT = "con"


def new_id(kind: IdKind) -> str:
    """Return a fresh id of *kind*; ids made by one process sort in the order they were made."""
    return f"{kind}_{_encode(uuid_utils.uuid7().int)}"  # not kind.value: that takes as long as the UUID


def derived_id(kind: IdKind, at: datetime, *parts: str) -> str:
    """Return the id that *parts* always have, sortable as if made at *at*.

    Used where the same work may be done twice (a row of an import) and must then meet itself.
    """
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10).digest()
    milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    random = int.from_bytes(digest, "big")
    value = (milliseconds << 80) | (random & ~(0xF << 76) & ~(0x3 << 62)) | (0x8 << 76) | (0x2 << 62)
    return f"{kind}_{_encode(value)}"


def kind_of(value: str) -> IdKind | None:
    """Return what *value* names, or None when it is no id of ours."""
    prefix, _, suffix = value.partition("_")
    if not _SUFFIX.fullmatch(suffix):
        return None
    try:
        return IdKind(prefix)
    except ValueError:
        return None


def is_id(kind: IdKind, value: str) -> bool:
    """Say whether *value* has the shape of an id of *kind*."""
    return kind_of(value) is kind


def _encode(value: int) -> str:
    # 130 bits in 13 pairs: the two leading bits are always zero.
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])
