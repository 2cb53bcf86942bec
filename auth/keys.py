"""Signing keys: a JWK Set of P-256 keys, the first of which signs."""

from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet


class UnusableKeys(ValueError):
    """The key file does not hold what it should."""


def generate_key_set() -> dict[str, Any]:
    """Return a new JWK Set with one private key, ready to be written to a file only its owner can read."""
    key = ECKey.generate_key("P-256", parameters={"use": "sig", "alg": "ES256"}, auto_kid=True)
    return {"keys": [key.as_dict(private=True)]}


def load_key_set(document: object) -> KeySet:
    """Read a JWK Set.

    Raises:
        UnusableKeys: unless every key is a sound P-256 key with a ``kid`` of its own, and there is at least one.
    """
    keys = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(keys, list) or not keys:
        raise UnusableKeys("The key file has to hold a JWK Set with at least one key. Make one with: customer-service keys new")
    loaded: dict[str, ECKey] = {}
    for raw in keys:
        if not isinstance(raw, Mapping) or raw.get("kty") != "EC" or raw.get("crv") != "P-256" or not raw.get("kid"):
            raise UnusableKeys("Every key in the key file has to be an EC P-256 key with a kid.")
        try:
            key = ECKey.import_key(dict(raw))
        except (JoseError, ValueError, TypeError):
            # From None: the message of a library may quote the key.
            raise UnusableKeys("A key in the key file is damaged. Make new ones with: customer-service keys new") from None
        if str(key.kid) in loaded:
            raise UnusableKeys("Two keys in the key file have the same kid: give each its own.")
        loaded[str(key.kid)] = key
    return KeySet(list(loaded.values()))
