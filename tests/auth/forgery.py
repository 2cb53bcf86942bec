"""Forged access tokens: builders, and the long list of what nobody may believe."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import orjson
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from auth.tokens import LONGEST_TOKEN
from core.ids import IdKind, new_id

CUSTOMER_ID = "cus_01m82c4ykgergbr9bz5f1r0xgf"
STRANGER = ECKey.generate_key("P-256", auto_kid=True)
RSA = RSAKey.generate_key(2048)
GONE = object()
CLAIMS_OF_A_TOKEN = ("iss", "aud", "sub", "exp", "iat", "jti", "client_id", "kind", "scope", "sid", "seller_id")
_ES256 = jws.JWSRegistry.algorithms["ES256"]
_ANY_HEADER = jws.JWSRegistry(strict_check_header=False)


def changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return *values* with *changes*; those to `GONE` are taken out."""
    return {name: value for name, value in {**values, **changes}.items() if value is not GONE}


def segment(content: bytes | dict[str, Any]) -> str:
    """Return one part of a token."""
    written = content if isinstance(content, bytes) else orjson.dumps(content)
    return base64.urlsafe_b64encode(written).rstrip(b"=").decode()


class Forge:
    """Makes tokens of an operator at the second *seconds*, good ones and others, with a verifier's real *key*."""

    def __init__(self, key: ECKey, *, issuer: str, audience: str, seconds: int) -> None:
        self.key = key
        self.issuer = issuer
        self.seconds = seconds
        self.public_pem = key.as_pem(private=False)
        self.header: dict[str, Any] = {"typ": "at+jwt", "alg": "ES256", "kid": key.kid}
        self.claims: dict[str, Any] = {
            "iss": issuer,
            "aud": audience,
            "sub": "ada",
            "exp": seconds + 600,
            "iat": seconds,
            "jti": "a",
            "client_id": "customer-service",
            "kind": "OPERATOR",
            "scope": "customers:read",
            "sid": "ses_1",
            "seller_id": "acme",
        }
        self.good = self.token()
        self.first, self.second, self.third = self.good.split(".")

    def signed(self, header: bytes | dict[str, Any], claims: bytes | dict[str, Any]) -> str:
        """Return a token with a sound ES256 signature over whatever stands in it; no library objects to it."""
        content = f"{segment(header)}.{segment(claims)}"
        return f"{content}.{segment(_ES256.sign(content.encode(), self.key))}"

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Return a good token but for these changes."""
        return self.signed(changed(self.header, header or {}), changed(self.claims, claims))

    def by_stranger(self, header: dict[str, Any]) -> str:
        """Return a token that somebody else has signed."""
        return jwt.encode(changed(self.header, header), self.claims, STRANGER, algorithms=["ES256"], registry=_ANY_HEADER)

    def hmac_with_public_key(self) -> str:
        """Return a token whose secret everybody knows."""
        content = f"{segment(changed(self.header, {'alg': 'HS256'}))}.{segment(self.claims)}"
        return f"{content}.{segment(hmac.digest(self.public_pem, content.encode(), hashlib.sha256))}"

    def padded(self, length: int) -> str:
        """Return a good token of exactly this length."""
        filling = length - len(self.good)
        for size in range(filling * 3 // 4 - 20, filling):
            made = self.token(filling="x" * size)
            if len(made) == length:
                return made
        raise AssertionError(length)


def _with(name: str, value: object) -> Callable[[Forge], str]:
    return lambda f: f.signed(f.header, changed(f.claims, {name: value}))


HOSTILE: dict[str, Callable[[Forge], str]] = {
    "alg none": lambda f: f"{segment(changed(f.header, {'alg': 'none'}))}.{f.second}.",
    "alg None": lambda f: f"{segment(changed(f.header, {'alg': 'None'}))}.{f.second}.",
    "alg none, with a sound signature": lambda f: f.token({"alg": "none"}),
    "alg HS256": lambda f: jwt.encode(changed(f.header, {"alg": "HS256"}), f.claims, OctKey.generate_key(256)),
    "alg HS256 with the public key as its secret": lambda f: f.hmac_with_public_key(),
    "alg RS256": lambda f: jwt.encode(changed(f.header, {"alg": "RS256"}), f.claims, RSA),
    "alg ES384": lambda f: f.token({"alg": "ES384"}),
    "alg that is a list": lambda f: f.token({"alg": ["ES256"]}),
    "alg that is an object": lambda f: f.token({"alg": {}}),
    "alg missing": lambda f: f.token({"alg": GONE}),
    "a stranger's signature": lambda f: f.by_stranger({}),
    "a stranger's key in the header": lambda f: f.by_stranger({"jwk": STRANGER.as_dict(private=False)}),
    "a stranger's key in the header and its name": lambda f: f.by_stranger(
        {"jwk": STRANGER.as_dict(private=False), "kid": STRANGER.kid}
    ),
    "a key by URL": lambda f: f.by_stranger({"jku": "https://example.com/keys"}),
    "a certificate by URL": lambda f: f.by_stranger({"x5u": "https://example.com/certificate"}),
    "a certificate in the header": lambda f: f.by_stranger({"x5c": [base64.b64encode(f.public_pem).decode()]}),
    "kid unknown": lambda f: f.token({"kid": "another"}),
    "kid empty": lambda f: f.token({"kid": ""}),
    "kid missing": lambda f: f.token({"kid": GONE}),
    "kid null": lambda f: f.token({"kid": None}),
    "kid a number": lambda f: f.token({"kid": 0}),
    "kid a list": lambda f: f.token({"kid": [f.key.kid]}),
    "kid an object": lambda f: f.token({"kid": {"$ne": ""}}),
    "crit unknown": lambda f: f.token({"crit": ["new"], "new": 1}),
    "b64 off": lambda f: f.token({"crit": ["b64"], "b64": False}),
    "typ of another token": lambda f: f.token({"typ": "JWT"}),
    "typ missing": lambda f: f.token({"typ": GONE}),
    "header no object": lambda f: f.signed(b"[]", f.claims),
    "header null": lambda f: f.signed(b"null", f.claims),
    "header deep": lambda f: f.signed(b"[" * 4000, f.claims),
    "header bad UTF-8": lambda f: f.signed(b'{"alg":"\xff"}', f.claims),
    "header with more digits than Python converts": lambda f: f.signed(b"9" * 5000, f.claims),
    "claims no object": lambda f: f.signed(f.header, b"[]"),
    "claims null": lambda f: f.signed(f.header, b"null"),
    "claims deep": lambda f: f.signed(f.header, b"[" * 4000),
    "claims no JSON": lambda f: f.signed(f.header, b"ada"),
    "claims empty": lambda f: f.signed(f.header, b"{}"),
    "iss wrong": lambda f: f.token(iss="somebody"),
    "iss almost": lambda f: f.token(iss=f"{f.issuer}/"),
    "aud wrong": lambda f: f.token(aud="another-service"),
    "aud list without us": lambda f: f.token(aud=["another-service"]),
    "aud empty list": lambda f: f.token(aud=[]),
    **{f"{name} missing": _with(name, GONE) for name in CLAIMS_OF_A_TOKEN},
    **{f"{name} null": _with(name, None) for name in CLAIMS_OF_A_TOKEN},
    **{f"{name} a list": _with(name, ["x"]) for name in CLAIMS_OF_A_TOKEN},
    **{f"{name} an object": _with(name, {"$ne": ""}) for name in CLAIMS_OF_A_TOKEN},
    "exp at the end of the leeway": lambda f: f.token(exp=f.seconds - 30),
    "exp long past": lambda f: f.token(exp=0),
    "exp text": lambda f: f.token(exp="tomorrow"),
    "exp beyond all calendars": lambda f: f.token(exp=10**15),
    "exp beyond all numbers": lambda f: f.token(exp=1e308),
    "nbf to come": lambda f: f.token(nbf=f.seconds + 90),
    "iat to come": lambda f: f.token(iat=f.seconds + 90),
    "subject empty": lambda f: f.token(sub=""),
    "kind unknown": lambda f: f.token(kind="ADMIN"),
    "kind in small letters": lambda f: f.token(kind="operator"),
    "operator without a seller": lambda f: f.token(seller_id=GONE),
    "operator of a nameless seller": lambda f: f.token(seller_id=""),
    "customer without a seller": lambda f: f.token(kind="CUSTOMER", sub=CUSTOMER_ID, seller_id=GONE),
    "customer that is no customer": lambda f: f.token(kind="CUSTOMER", sub="ada"),
    "customer that is an address": lambda f: f.token(kind="CUSTOMER", sub=new_id(IdKind.ADDRESS)),
    "service of a nameless seller": lambda f: f.token(kind="SERVICE", seller_id=""),
    "service of a seller that is a number": lambda f: f.token(kind="SERVICE", seller_id=5),
    "service of a seller that is an operator": lambda f: f.token(kind="SERVICE", seller_id={"$ne": ""}),
    "one byte too long": lambda f: f.padded(LONGEST_TOKEN + 1),
    "far too long": lambda f: "A" * 10_000_000,
    "nothing": lambda f: "",
    "garbage": lambda f: "garbage",
    "two segments": lambda f: f"{f.first}.{f.second}",
    "three empty segments": lambda f: "..",
    "no signature": lambda f: f"{f.first}.{f.second}.",
    "signature of zeros": lambda f: f"{f.first}.{f.second}.{segment(bytes(64))}",
    "signature in DER's length": lambda f: f"{f.first}.{f.second}.{segment(bytes(70))}",
    "signature cut": lambda f: f.good[:-4],
    "signature twice": lambda f: f"{f.good}.{f.third}",
    "five segments": lambda f: f"{f.first}.{f.second}.{f.second}.{f.third}.{f.third}",
    "five segments, encrypted": lambda f: f"{segment({'alg': 'dir', 'enc': 'A128GCM'})}..{f.second}.{f.second}.{f.third}",
    "others' claims": lambda f: f"{f.first}.{segment(changed(f.claims, {'seller_id': 'other'}))}.{f.third}",
    "padding": lambda f: f"{f.good}==",
    "blank in front": lambda f: f" {f.good}",
    "blank in the middle": lambda f: f"{f.first}. {f.second}.{f.third}",
    "line break behind": lambda f: f"{f.good}\n",
    "two tokens": lambda f: f"{f.good}, {f.good}",
    "NUL": lambda f: f"{f.good}\x00",
    "accent": lambda f: f"{f.first}.{f.second}.é",
    "half of a surrogate pair": lambda f: f"\ud800.{f.second}.{f.third}",
    "the JSON serialization": lambda f: orjson.dumps(
        {"protected": f.first, "payload": f.second, "signature": f.third}
    ).decode(),
}
"""By what is wrong with it, and else it is good. Every one is refused, whatever the clock says in the next minute."""
