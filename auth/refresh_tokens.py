"""Refresh tokens: opaque to everybody else, good once, and traceable to their session without a list of the spent ones.

A token is ``rt_`` and 78 bytes in base64url: its session, its generation, a secret of 256 bits, and a tag that only the
service can make. The database holds digests only. The secret of the next generation follows from the one before and from a
salt that is drawn when it is made, so that whoever repeats a refresh with the same token gets the same successor.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from core.ids import IdKind, is_id
from core.sealing import Sealer

SALT_BYTES: Final = 32

_PREFIX = "rt_"
_SHAPE = re.compile(r"rt_[A-Za-z0-9_-]{104}")
_SESSION_BYTES = 26  # the part of a session's id behind its prefix, in ASCII
_GENERATION_BYTES = 4
_SECRET_BYTES = 32
_TAG_BYTES = 16
_FIRST = 0


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token that is ours: which session it belongs to, and how many came before it."""

    session_id: str
    generation: int
    secret: bytes = field(repr=False)
    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What is stored of it: SHA-256, which is enough for a secret of 256 random bits."""
        return hashlib.sha256(self.text.encode()).digest()


class RefreshTokens:
    """Makes and recognises refresh tokens with keys derived from the master key."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def first(self, session_id: str) -> RefreshToken:
        """Return the token that a new session begins with."""
        return self._made(session_id, _FIRST, secrets.token_bytes(_SECRET_BYTES))

    def successor(self, token: RefreshToken, salt: bytes) -> RefreshToken:
        """Return the token that takes the place of *token*: always the same for the same *salt*."""
        generation = token.generation + 1
        secret = self._sealer.mac("refresh-successor", token.session_id, str(generation), salt, token.secret)
        return self._made(token.session_id, generation, secret)

    def read(self, text: str) -> RefreshToken | None:
        """Return what *text* says, or None when we never made it."""
        if not _SHAPE.fullmatch(text):
            return None
        raw = base64.urlsafe_b64decode(text[len(_PREFIX) :])
        session, rest = raw[:_SESSION_BYTES], raw[_SESSION_BYTES:]
        generation, rest = int.from_bytes(rest[:_GENERATION_BYTES], "big"), rest[_GENERATION_BYTES:]
        session_id = f"{IdKind.SESSION.value}_{session.decode('ascii', 'replace')}"
        if not is_id(IdKind.SESSION, session_id):
            return None
        token = self._made(session_id, generation, rest[:_SECRET_BYTES])
        # The tag is part of the text, so equal texts have equal tags.
        return token if secrets.compare_digest(token.text, text) else None

    def _made(self, session_id: str, generation: int, secret: bytes) -> RefreshToken:
        suffix = session_id.partition("_")[2].encode("ascii")
        number = generation.to_bytes(_GENERATION_BYTES, "big")
        tag = self._sealer.mac("refresh-tag", suffix, number, secret)[:_TAG_BYTES]
        text = _PREFIX + base64.urlsafe_b64encode(suffix + number + secret + tag).decode("ascii")
        return RefreshToken(session_id, generation, secret, text)
