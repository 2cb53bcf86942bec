"""The keys of customers, and those of blind indexes: what a process holds of them in its memory. No I/O.

    master key (KMS, or the settings) ─wraps─▶ wrapping key ─wraps─▶ key of one customer ─seals─▶ a document's number

Only the last two steps happen here: with the wrapping keys in memory, a customer's key costs microseconds and no call. What
holds them in step with the database, and asks the master key, is `services.key_book`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from core.errors import Unavailable
from core.sealing import Sealer, decrypt, derived, encrypt, keyed_digest

FIRST = "first"
"""The name of the wrapping key and of the index key that follow from the master key of the settings and are stored nowhere."""

_KEY_BYTES = 32


class CustomerKey:
    """The key of one customer, in clear. Kept for as long as it takes, and written nowhere."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, value: str, *, bound_to: str) -> bytes:
        """Encrypt *value*, bound to the id of the record that holds it."""
        return encrypt(self._secret, value.encode(), bound_to)

    def open(self, sealed: bytes, *, bound_to: str) -> str:
        """Return what was sealed.

        Raises:
            SealBroken: it was altered, or sealed for another customer or record.
        """
        return decrypt(self._secret, sealed, bound_to).decode()


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """The key of one customer as it is stored: encrypted by the wrapping key of this name."""

    wrapped: bytes
    wrapped_with: str


@dataclass(frozen=True, slots=True)
class IndexKey:
    """A key of blind indexes; the one that follows from the master key has no secret of its own."""

    name: str
    secret: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of a moment: all wrapping keys by name and which of them wraps, and the index keys.

    `index` is by which numbers are found; while another one takes its place, `next_index` is written, and looked up, as well.
    """

    wrapping: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    wraps_with: str = FIRST
    index: IndexKey = IndexKey(FIRST)
    next_index: IndexKey | None = None


class Vault:
    """Makes, wraps and unwraps the keys of customers, and computes blind indexes, by the ring it was given last."""

    def __init__(self, sealer: Sealer, ring: KeyRing | None = None) -> None:
        self._sealer = sealer
        self._first = sealer.derive("wrap")
        self.ring = ring or KeyRing()
        self._seller_key = lru_cache(maxsize=256)(_seller_key)

    def new_key(self, customer_id: str) -> tuple[CustomerKey, WrappedKey]:
        """Return a new key for a customer, and how it is to be stored."""
        secret = os.urandom(_KEY_BYTES)
        return CustomerKey(secret), self._wrap(secret, customer_id)

    def unwrap(self, stored: WrappedKey, customer_id: str) -> CustomerKey:
        """Return a customer's key in clear.

        Raises:
            Unavailable: it is wrapped by a key that this process does not know (yet).
            SealBroken: it is another customer's.
        """
        return CustomerKey(self._secret(stored, customer_id))

    def rewrap(self, stored: WrappedKey, customer_id: str) -> WrappedKey:
        """Return the same key as the key wraps it that wraps now.

        Raises:
            Unavailable, SealBroken: as `unwrap`.
        """
        return self._wrap(self._secret(stored, customer_id), customer_id)

    def indexes(self, value: str, *, seller_id: str) -> tuple[str, ...]:
        """Return the blind indexes of a value of one seller: the one it is found by, and the coming one if one is coming."""
        keys = (self.ring.index, self.ring.next_index)
        return tuple(self.index_by(key, value, seller_id=seller_id) for key in keys if key is not None)

    def index_by(self, key: IndexKey, value: str, *, seller_id: str) -> str:
        """Return the blind index of a value under one key; that of each key but the first has the key's name in front."""
        if key.secret is None:
            return self._sealer.blind_index(value, seller_id=seller_id)
        return f"{key.name}:{keyed_digest(self._seller_key(key.secret, seller_id), value)}"

    def open_old(self, sealed: bytes, *, seller_id: str, bound_to: str) -> str:
        """Return a number that was sealed with the key of a seller, as the version before did it.

        Raises:
            SealBroken: it was altered, or belongs to another seller or document.
        """
        return self._sealer.open(sealed, seller_id=seller_id, bound_to=bound_to)

    def _wrap(self, secret: bytes, customer_id: str) -> WrappedKey:
        name = self.ring.wraps_with
        return WrappedKey(encrypt(self._wrapping(name), secret, customer_id), name)

    def _secret(self, stored: WrappedKey, customer_id: str) -> bytes:
        return decrypt(self._wrapping(stored.wrapped_with), stored.wrapped, customer_id)

    def _wrapping(self, name: str) -> bytes:
        if name == FIRST:
            return self._first
        try:
            return self.ring.wrapping[name]
        except KeyError:
            message = "A customer's key cannot be opened: the key that wraps it is not known here. Try again in a moment."
            raise Unavailable(message) from None


def is_under(index: str, key: IndexKey) -> bool:
    """Say whether a blind index was made by *key*."""
    return ":" not in index if key.secret is None else index.startswith(f"{key.name}:")


def _seller_key(secret: bytes, seller_id: str) -> bytes:
    return derived(secret, f"customer-service/index/{seller_id}")
