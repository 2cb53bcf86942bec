"""Access tokens: ES256 JWTs after RFC 9068 (``typ: at+jwt``)."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol
from joserfc.jwt import JWTClaimsRegistry

from auth.keys import KeyRing, KeySource, UnusableKeys
from auth.known_tokens import KnownTokens
from auth.principal import Principal, Scope
from core.clock import Clock
from core.errors import Unauthenticated, Unavailable
from core.ids import IdKind, is_id, new_id
from core.vocabulary import PrincipalKind

ALGORITHM = "ES256"
TOKEN_TYPE = "at+jwt"  # noqa: S105
LEEWAY_SECONDS = 30
LONGEST_TOKEN = 8192

_HEADERS = frozenset({"typ", "alg", "kid"})
_TEXTS = ("sub", "jti", "sid", "client_id", "scope")
_ASSURANCE = "aal1"
"""One factor, whichever it was (NIST SP 800-63B-4). Nothing here ever proves more."""

_CLAIMS = ("iss", "aud", "sub", "exp", "iat", "jti", "client_id", "kind", "scope", "sid")


FIRST_PARTY = "customer-service"
"""The client that tokens are made for when people sign in with us directly."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a verified access token says: who calls, since when, and until when it holds."""

    principal: Principal
    issued_at: datetime
    expires_at: datetime

    @property
    def lifetime(self) -> timedelta:
        """How long it holds altogether."""
        return self.expires_at - self.issued_at


class TokenIssuer:
    """Signs access tokens with the key whose turn it is."""

    def __init__(self, keys: KeySource, *, issuer: str, audience: str, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    def issue(
        self,
        *,
        kind: PrincipalKind,
        subject: str,
        scopes: Iterable[Scope],
        lifetime: timedelta,
        seller_id: str | None = None,
        session_id: str | None = None,
        client_id: str = FIRST_PARTY,
        methods: Sequence[str] = (),
    ) -> str:
        """Return a signed token for one principal.

        *methods* are how it proved who it is, in the words of RFC 8176 (``otp``, ``sms``).

        Raises:
            Unavailable: the key file has no key for this moment; only its operator can mend that.
        """
        moment = self._clock.now()
        try:
            key = self._keys.current().signing(moment)
        except UnusableKeys as error:
            raise Unavailable("No access token can be made at present. Try again later.") from error
        now = int(moment.timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "client_id": client_id,
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(16),
            "sid": session_id or new_id(IdKind.SESSION),
            "kind": kind.value,
            "scope": " ".join(sorted(scope.value for scope in scopes)),
        }
        if seller_id is not None:
            claims["seller_id"] = seller_id
        if methods:
            claims["amr"] = list(methods)
            claims["acr"] = _ASSURANCE
        header = {"typ": TOKEN_TYPE, "alg": ALGORITHM, "kid": key.kid}
        return jwt.encode(header, claims, key.key, algorithms=[ALGORITHM])


class TokenVerifier:
    """Turns a token into a principal, or refuses it. Trusts only the keys of its source, while their time lasts."""

    def __init__(self, keys: KeySource, *, issuer: str, audience: str, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._known: KnownTokens[Credential] = KnownTokens()
        self._expected: dict[str, Any] = {name: {"essential": True} for name in _CLAIMS}
        self._expected["iss"]["value"] = issuer
        self._expected["aud"]["value"] = audience
        self._expected["scope"]["allow_blank"] = True  # a caller who may do nothing is known all the same

    def verify(self, token: str) -> Credential:
        """Return what *token* says. Of one that was verified lately it is remembered.

        Raises:
            Unauthenticated: with one message for every defect, so that a forger learns nothing.
        """
        if len(token) > LONGEST_TOKEN:
            raise Unauthenticated("The access token is not valid, or no longer.")
        ring, now = self._keys.current(), self._clock.now()
        known = self._known.find(token, ring, now)
        if known is None:
            known = self._verified(token, ring)
            self._known.keep(token, known, ring, now, known.expires_at)
        return known

    def _verified(self, token: str, ring: KeyRing) -> Credential:
        try:
            claims = self._claims(token, ring)
            return Credential(
                self._principal(claims),
                datetime.fromtimestamp(claims["iat"], tz=UTC),
                datetime.fromtimestamp(claims["exp"], tz=UTC),
            )
        except (JoseError, ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError) as error:
            raise Unauthenticated("The access token is not valid, or no longer.") from error

    def _claims(self, token: str, ring: KeyRing) -> Mapping[str, Any]:
        def key_of(guest: GuestProtocol) -> ECKey:
            # Never left to joserfc: without a kid it would take any key of the set.
            return ring.verifying(guest.headers()["kid"], self._clock.now())

        decoded = jwt.decode(token, key_of, algorithms=[ALGORITHM])
        if decoded.header.get("typ") != TOKEN_TYPE:
            raise ValueError("not an access token")
        if decoded.header.keys() - _HEADERS:
            raise ValueError("names keys, or something else that we never say")
        registry = JWTClaimsRegistry(now=int(self._clock.now().timestamp()), leeway=LEEWAY_SECONDS, **self._expected)
        registry.validate(decoded.claims)
        return decoded.claims

    @staticmethod
    def _principal(claims: Mapping[str, Any]) -> Principal:
        kind = PrincipalKind(claims["kind"])
        seller_id = claims.get("seller_id")
        subject = claims["sub"]
        if not all(isinstance(claims[name], str) for name in _TEXTS) or not subject:
            raise ValueError("no text")
        if not (isinstance(seller_id, str) and seller_id) and (kind is not PrincipalKind.SERVICE or seller_id is not None):
            raise ValueError("bound to no seller")
        if kind is PrincipalKind.CUSTOMER and not is_id(IdKind.CUSTOMER, subject):
            raise ValueError("names no customer")
        known = {scope.value for scope in Scope}
        scopes = frozenset(Scope(word) for word in claims["scope"].split() if word in known)
        return Principal(kind=kind, subject=subject, scopes=scopes, seller_id=seller_id, session_id=claims["sid"])
