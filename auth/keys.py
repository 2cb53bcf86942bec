"""Signing keys: a JWK Set of P-256 keys, each with a time to sign and a time to verify.

Two members say when a key is used, in seconds since the epoch as in a JWT: `nbf`, from when on it signs, and `exp`, until
when it verifies. A key without them always may. Of several keys the one that began to sign last signs, and of several
without a beginning the first of the file.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

CLOCKS_APART = timedelta(minutes=1)
"""How much longer a replaced key verifies than its last token lives: clocks differ, and verifiers allow 30 s of leeway."""

_LATEST = 253_402_300_799  # the last second that Python's dates have
_PUBLIC = ("kty", "crv", "x", "y", "kid", "use", "alg")
_EVER = -math.inf


class UnusableKeys(ValueError):
    """The key file does not hold what it should. The message never quotes a key."""


class KeySource(Protocol):
    """Where the keys come from that are to be used at the moment. A `KeyRing` is one that never changes."""

    def current(self) -> "KeyRing":
        """Return the keys as they are now."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key and its times; `signs_from` None is always, `verifies_until` None is for ever."""

    key: ECKey
    signs_from: int | None = None
    verifies_until: int | None = None

    @property
    def kid(self) -> str:
        """Its name in the header of tokens."""
        return str(self.key.kid)

    def verifies(self, now: datetime) -> bool:
        """Say whether what it signed is believed. It is before it signs: another machine's clock may be ahead of ours."""
        return self.verifies_until is None or now.timestamp() < self.verifies_until

    def may_sign(self, now: datetime) -> bool:
        """Say whether it could sign; which of several does is for the ring to say."""
        begun = self.signs_from is None or self.signs_from <= now.timestamp()
        return begun and self.verifies(now) and self.key.is_private


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of a set, in its order; no two of one name."""

    keys: tuple[SigningKey, ...]

    def current(self) -> "KeyRing":
        """Return itself."""
        return self

    def signing(self, now: datetime) -> SigningKey:
        """Return the one key that signs.

        Raises:
            UnusableKeys: there is none that signs already, or still.
        """
        # Of equals the first, as max does: in a file without times that is the first key.
        able = [key for key in self.keys if key.may_sign(now)]
        if not able:
            raise UnusableKeys("No key in the key file signs at present. Add one with: customer-service keys rotate --now")
        return max(able, key=_beginning)

    def verifying(self, kid: str, now: datetime) -> ECKey:
        """Return the key of this name.

        Raises:
            KeyError: there is none, or its time is over.
        """
        for key in self.keys:
            if key.kid == kid and key.verifies(now):
                return key.key
        raise KeyError(kid)

    def public(self, now: datetime) -> dict[str, Any]:
        """Return the JWK Set for everybody: what verifies, and what will soon sign; of each the public half only."""
        # Named one by one: a member that nobody has thought of stays here.
        shown = [key.key.as_dict(private=False) for key in self.keys if key.verifies(now)]
        return {"keys": [{name: key[name] for name in _PUBLIC if name in key} for key in shown]}


def generate_key_set() -> dict[str, Any]:
    """Return a new JWK Set with one private key, ready to be written to a file only its owner can read."""
    return {"keys": [_generate()]}


def load_key_set(document: object) -> KeyRing:
    """Read a JWK Set.

    Raises:
        UnusableKeys: unless every key is a sound P-256 key with a ``kid`` of its own, and there is at least one.
    """
    keys = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(keys, list) or not keys:
        raise UnusableKeys("The key file has to hold a JWK Set with at least one key. Make one with: customer-service keys new")
    loaded: dict[str, SigningKey] = {}
    for raw in keys:
        if not isinstance(raw, Mapping) or raw.get("kty") != "EC" or raw.get("crv") != "P-256" or not raw.get("kid"):
            raise UnusableKeys("Every key in the key file has to be an EC P-256 key with a kid.")
        times = {name: raw[name] for name in ("nbf", "exp") if name in raw}
        if not all(_is_moment(moment) for moment in times.values()):
            raise UnusableKeys("The times of a key, nbf and exp, have to be whole seconds since 1970.")
        try:
            key = ECKey.import_key({name: value for name, value in raw.items() if name not in times})
        except (JoseError, ValueError, TypeError):
            # From None: the message of a library may quote the key.
            raise UnusableKeys("A key in the key file is damaged. Make new ones with: customer-service keys new") from None
        if str(key.kid) in loaded:
            raise UnusableKeys("Two keys in the key file have the same kid: give each its own.")
        loaded[str(key.kid)] = SigningKey(key, times.get("nbf"), times.get("exp"))
    return KeyRing(tuple(loaded.values()))


def rotate(ring: KeyRing, *, now: datetime, delay: timedelta, token_lifetime: timedelta) -> KeyRing:
    """Return *ring* with a new key that signs after *delay*, and without the keys whose time is over.

    The keys so far verify until the last token of theirs has expired. A new key never begins before another one: who
    rotates twice within the delay waits for both.
    """
    kept = [key for key in ring.keys if key.verifies(now)]
    begins = math.ceil((now + delay).timestamp())
    begins = max([begins, *(key.signs_from + 1 for key in kept if key.signs_from is not None)])
    until = begins + math.ceil((token_lifetime + CLOCKS_APART).total_seconds())
    last = max((key for key in kept if key.key.is_private), key=_beginning, default=None)
    replaced = [_ending(key, until) if key is last or key.verifies_until is None else key for key in kept]
    return KeyRing((*replaced, SigningKey(ECKey.import_key(_generate()), begins)))


def start_over() -> KeyRing:
    """Return a ring with one new key that signs at once. Nothing that was signed before is believed any more."""
    # Without a beginning: a machine whose clock is behind must not wait, and go on with the old keys meanwhile.
    return KeyRing((SigningKey(ECKey.import_key(_generate())),))


def as_document(ring: KeyRing) -> dict[str, Any]:
    """Return the JWK Set to write to the key file, private halves included."""
    return {"keys": [_as_stored(key) for key in ring.keys]}


def moment_of(seconds: int | None) -> datetime | None:
    """Return a time of a key as a date."""
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def _as_stored(key: SigningKey) -> dict[str, Any]:
    times = {"nbf": key.signs_from, "exp": key.verifies_until}
    return {
        **key.key.as_dict(private=key.key.is_private),
        **{name: seconds for name, seconds in times.items() if seconds is not None},
    }


def _ending(key: SigningKey, until: int) -> SigningKey:
    """Let *key* verify until then, and longer where somebody has decided so."""
    return SigningKey(key.key, key.signs_from, max(until, key.verifies_until or 0))


def _beginning(key: SigningKey) -> float:
    return _EVER if key.signs_from is None else key.signs_from


def _is_moment(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LATEST


def _generate() -> dict[str, Any]:
    made = ECKey.generate_key("P-256", parameters={"use": "sig", "alg": "ES256"}, auto_kid=True)
    return made.as_dict(private=True)
