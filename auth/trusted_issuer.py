"""Access tokens of other issuers: read with care, believed when everything fits, and refused like any other."""

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, GuestProtocol, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import base64_to_int

from auth.claim_mapping import ClaimMapping, UnfitClaims
from auth.keys import UnusableKeys
from auth.tokens import LEEWAY_SECONDS, LONGEST_TOKEN, Credential
from core.clock import Clock
from core.errors import Unauthenticated

LONGEST_LIFETIME_SECONDS = 24 * 60 * 60
"""A token that was made for longer is refused: nothing of theirs tells us when it is taken back."""

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_MOST_KEYS = 100
_RSA_BITS = range(2048, 8193)  # below: NIST SP 800-131A; above: checking takes milliseconds, and nobody needs it
_MEMBERS = {"EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "RSA": ("n", "e")}
_ALGORITHMS = {
    "P-256": frozenset({"ES256"}),
    "P-384": frozenset({"ES384"}),
    "P-521": frozenset({"ES512"}),
    "Ed25519": frozenset({"Ed25519", "EdDSA"}),  # one thing with two names, RFC 9864
    "RSA": frozenset({"RS256", "PS256"}),
}
_KEYS_IN_HEADERS = ("jwk", "jku", "x5u", "x5c")

_Key = ECKey | RSAKey | OKPKey
_KEY_TYPES: dict[str, type[ECKey] | type[RSAKey] | type[OKPKey]] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a token says of itself. Anybody can write that: it serves to choose who checks the token."""

    issuer: str
    kid: str | None


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of another issuer, and the only algorithms it may be used with."""

    kid: str | None
    algorithms: frozenset[str]
    key: _Key


def claimed(token: str) -> Claimed | None:
    """Read the issuer and the key's name from a token that nobody has checked; None for whatever is no such token."""
    parts = token.split(".", 3) if len(token) <= LONGEST_TOKEN else []
    if len(parts) != 3:  # noqa: PLR2004 - header, claims and signature
        return None
    header, claims = _opened(parts[0]), _opened(parts[1])
    if header is None or claims is None:
        return None
    issuer, kid = claims.get("iss"), header.get("kid")
    if not isinstance(issuer, str) or not isinstance(kid, str | None):
        return None
    return Claimed(issuer, kid)


def public_keys(document: object) -> Sequence[PublicKey]:
    """Read the JWK Set of another issuer. Keys for something else, of unknown kinds, weak or damaged ones are passed over.

    Raises:
        UnusableKeys: no key is left, or there are more than 100.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise UnusableKeys("This is no JWK Set with at most 100 keys.")
    found = [key for raw in listed if isinstance(raw, Mapping) and (key := _public_key(raw)) is not None]
    if not found:
        raise UnusableKeys("The JWK Set holds no key that could sign an access token.")
    return found


class TrustedIssuer:
    """Turns tokens of one other issuer into credentials, or refuses them. Does no I/O: the keys are handed in."""

    def __init__(
        self, mapping: ClaimMapping, *, audience: str, algorithms: Collection[str], types: Collection[str], clock: Clock
    ) -> None:
        self._mapping = mapping
        self._registry = _Registry(algorithms=frozenset(algorithms))
        self._types = frozenset(_media_type(type_) for type_ in types)
        self._clock = clock
        self._expected: dict[str, Any] = {name: {"essential": True} for name in ("iss", "aud", "sub", "exp", "iat")}
        self._expected["iss"]["value"] = mapping.issuer
        self._expected["aud"]["value"] = audience

    def verify(self, token: str, keys: Sequence[PublicKey]) -> Credential:
        """Return what *token* says, checked with the issuer's *keys*.

        Raises:
            Unauthenticated: with one message for every defect, the same as for our own tokens.
        """
        try:
            claims = self._claims(token, keys)
            return Credential(
                self._mapping.principal(claims),
                datetime.fromtimestamp(claims["iat"], tz=UTC),
                datetime.fromtimestamp(claims["exp"], tz=UTC),
            )
        except (JoseError, ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError) as error:
            raise Unauthenticated("The access token is not valid, or no longer.") from error

    def _claims(self, token: str, keys: Sequence[PublicKey]) -> Mapping[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise UnfitClaims("too long")
        decoded = jwt.decode(token, lambda guest: self._key(guest, keys), registry=self._registry)
        if _media_type(decoded.header.get("typ", "JWT")) not in self._types:
            raise UnfitClaims("another kind of token")
        if any(name in decoded.header for name in _KEYS_IN_HEADERS):
            raise UnfitClaims("brings its own key")
        now = int(self._clock.now().timestamp())
        JWTClaimsRegistry(now=now, leeway=LEEWAY_SECONDS, **self._expected).validate(decoded.claims)
        if not 0 < decoded.claims["exp"] - decoded.claims["iat"] <= LONGEST_LIFETIME_SECONDS:
            raise UnfitClaims("made for too long")
        return decoded.claims

    def _key(self, guest: GuestProtocol, keys: Sequence[PublicKey]) -> _Key:
        """Choose the key, never leaving it to joserfc: without a kid it would take any key of the set."""
        header = guest.headers()
        algorithm, kid = header["alg"], header.get("kid")
        if kid is None and len(keys) > 1:
            raise UnfitClaims("does not say which key")
        (key,) = (key.key for key in keys if kid in {None, key.kid} and algorithm in key.algorithms)
        return key


class _Registry(JWSRegistry):
    """Allows what is configured. Unlike its base, not another list when that is empty, and EdDSA without a warning a call."""

    def get_alg(self, name: str) -> Any:
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError("not allowed")
        return self.algorithms[name]


def _media_type(typ: object) -> str:
    """Return a ``typ`` in small letters and without the prefix that RFC 7515 (4.1.9) lets everybody leave out."""
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else ""


def _opened(segment: str) -> dict[str, Any] | None:
    if not _SEGMENT.fullmatch(segment):
        return None
    try:
        content = orjson.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError:  # both kinds: no base 64, and no JSON
        return None
    return content if isinstance(content, dict) else None


def _public_key(raw: Mapping[str, Any]) -> PublicKey | None:
    kty, kid = raw.get("kty"), raw.get("kid")
    operations = raw.get("key_ops", ["verify"])
    if raw.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    if not isinstance(kty, str) or kty not in _MEMBERS or not isinstance(kid, str | None):
        return None
    try:
        # Before it is made: joserfc warns of weak keys and takes them.
        if kty == "RSA" and base64_to_int(raw["n"]).bit_length() not in _RSA_BITS:
            return None
        # The public members only: a private half that is published by mistake is nothing we want to hold.
        key = _KEY_TYPES[kty].import_key({"kty": kty, **{name: raw[name] for name in _MEMBERS[kty]}})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    fitting = _ALGORITHMS.get("RSA" if kty == "RSA" else raw["crv"], frozenset())
    named = raw.get("alg")
    if named is not None:
        fitting &= _ALGORITHMS["Ed25519"] if named in ("Ed25519", "EdDSA") else frozenset({str(named)})
    return PublicKey(kid, fitting, key) if fitting else None
