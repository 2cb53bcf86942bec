"""Values that must not be readable in a database dump, and yet be found again."""

import base64
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12  # NIST SP 800-38D, section 8.2: 96 bits
_KEY_BYTES = 32


class UnusableMasterKey(ValueError):
    """The master key is not 32 bytes in base 64."""


class SealBroken(Exception):
    """A sealed value was changed, or sealed for somebody else."""


class Sealer:
    """Encrypts single values (AES-256-GCM) and derives blind indexes (HMAC-SHA-256), with keys per seller.

    *master_key* is 32 bytes in base 64.
    """

    def __init__(self, master_key: str) -> None:
        try:
            self._master = base64.b64decode(master_key, validate=True)
        except ValueError as error:  # not base 64, or not even ASCII
            raise UnusableMasterKey("The master key is not base 64. Make one with: openssl rand -base64 32") from error
        if len(self._master) != _KEY_BYTES:
            raise UnusableMasterKey("The master key does not hold 32 bytes. Make one with: openssl rand -base64 32")
        # Derived once and not for every number: a file has those of one seller only.
        self._key = lru_cache(maxsize=256)(self._derived)

    def seal(self, value: str, *, seller_id: str, bound_to: str) -> bytes:
        """Encrypt *value* for one seller, bound to the id of the record that holds it."""
        return encrypt(self._key("seal", seller_id), value.encode(), bound_to)

    def open(self, sealed: bytes, *, seller_id: str, bound_to: str) -> str:
        """Return what was sealed.

        Raises:
            SealBroken: the value was altered, or belongs to another seller or record.
        """
        return decrypt(self._key("seal", seller_id), sealed, bound_to).decode()

    def derive(self, purpose: str) -> bytes:
        """Return the 32 bytes that belong to a purpose of the whole service."""
        return self._key(purpose, "")

    def blind_index(self, value: str, *, seller_id: str) -> str:
        """Return 32 hexadecimal digits that are the same for the same value of the same seller, and say nothing else."""
        return keyed_digest(self._key("index", seller_id), value)

    def mac(self, purpose: str, *parts: str | bytes) -> bytes:
        """Return 32 bytes that only a holder of the master key can compute for these *parts* in this order."""
        key = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=f"customer-service/mac/{purpose}".encode()).derive(
            self._master
        )
        digest = hmac.new(key, digestmod=hashlib.sha256)
        for part in parts:
            raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            # With its length in front, no part can run over into the next.
            digest.update(len(raw).to_bytes(4, "big") + raw)
        return digest.digest()

    def _derived(self, purpose: str, seller_id: str) -> bytes:
        return derived(self._master, f"customer-service/{purpose}/{seller_id}")


def derived(secret: bytes, info: str) -> bytes:
    """Return 32 bytes that follow from *secret* for one use (HKDF, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info.encode()).derive(secret)


def encrypt(key: bytes, value: bytes, bound_to: str) -> bytes:
    """Encrypt *value* by AES-256-GCM under a nonce of its own, so that it opens only where *bound_to* is the same."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, value, bound_to.encode())


def decrypt(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    """Return what was encrypted.

    Raises:
        SealBroken: the value was altered, or was encrypted with another key or for somebody else.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError) as error:  # ValueError: too short for a nonce
        raise SealBroken from error


def keyed_digest(key: bytes, value: str) -> str:
    """Return 32 hexadecimal digits (HMAC-SHA-256, cut to 128 bits) that say nothing to whoever has not got *key*."""
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]
