"""Tokens of other issuers: what is believed, and the long list of what is not."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from auth.claim_mapping import ClaimMapping
from auth.keys import UnusableKeys
from auth.principal import OPERATOR_SCOPES, Principal, Scope
from auth.tokens import LONGEST_TOKEN
from auth.trusted_issuer import Claimed, TrustedIssuer, claimed, public_keys
from core.errors import Unauthenticated
from core.vocabulary import PrincipalKind
from tests.clocks import NOON as NOW
from tests.clocks import StoppedClock
from tests.identity_provider import SigningKey, published, segment, signed

ISSUER = "https://login.example.com"
AUDIENCE = "customer-service"
MESSAGE = "The access token is not valid, or no longer."
SECONDS = int(NOW.timestamp())


def ec(curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve, auto_kid=True)


KEY = ec()
OTHER = ec()
STRANGER = ec()
RSA = RSAKey.generate_key(2048, auto_kid=True)
KEYS = public_keys(published(KEY, OTHER, RSA))
ONE_KEY = public_keys(published(KEY))

MAPPING = ClaimMapping(issuer=ISSUER, kind=PrincipalKind.OPERATOR, granted=OPERATOR_SCOPES)


def issuer(*algorithms: str, mapping: ClaimMapping = MAPPING, types: tuple[str, ...] = ("at+jwt", "JWT")) -> TrustedIssuer:
    allowed = algorithms or ("ES256",)
    return TrustedIssuer(mapping, audience=AUDIENCE, algorithms=allowed, types=types, clock=StoppedClock())


TRUSTED = issuer()
GONE = object()
HEADER: dict[str, Any] = {"typ": "at+jwt", "alg": "ES256", "kid": KEY.kid}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "ada",
    "iat": SECONDS,
    "exp": SECONDS + 600,
    "scope": "customers:read",
    "seller_id": "acme",
}
ADA = Principal(
    kind=PrincipalKind.OPERATOR, subject=f"{ISSUER}|ada", scopes=frozenset({Scope.CUSTOMERS_READ}), seller_id="acme"
)


def changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**values, **changes}.items() if value is not GONE}


def token(header: dict[str, Any] | None = None, key: SigningKey = KEY, **claims: Any) -> str:
    return signed(changed(HEADER, header or {}), changed(CLAIMS, claims), key)


def with_claim(name: str, value: object) -> Callable[[], str]:
    """Return what makes a token in which the claim *name* has another value, or is not there."""
    return lambda: signed(HEADER, changed(CLAIMS, {name: value}), KEY)


def padded(length: int) -> str:
    """Return a good token of exactly this length."""
    filling = length - len(GOOD)
    for size in range(filling * 3 // 4 - 20, filling):
        made = token(filling="x" * size)
        if len(made) == length:
            return made
    raise AssertionError(length)


def hmac_with_public_key() -> str:
    content = f"{segment(changed(HEADER, {'alg': 'HS256'}))}.{segment(CLAIMS)}"
    return f"{content}.{segment(hmac.digest(KEY.as_pem(private=False), content.encode(), hashlib.sha256))}"


NEEDED = ("iss", "aud", "sub", "iat", "exp", "seller_id")
GOOD = token()
FIRST, SECOND, THIRD = GOOD.split(".")

HOSTILE: dict[str, Callable[[], str]] = {
    "alg none": lambda: f"{segment(changed(HEADER, {'alg': 'none'}))}.{SECOND}.",
    "alg none, with a sound signature": lambda: token({"alg": "none"}),
    "alg HS256 with the public key as its secret": hmac_with_public_key,
    "alg that is not configured, of a key of the set": lambda: signed(
        changed(HEADER, {"alg": "RS256", "kid": RSA.kid}), CLAIMS, RSA, "RS256"
    ),
    "alg of another curve": lambda: token({"alg": "ES384"}),
    "alg missing": lambda: token({"alg": GONE}),
    "alg a list": lambda: token({"alg": ["ES256"]}),
    "a stranger's signature": lambda: token(key=STRANGER),
    "another key of the set": lambda: token(key=OTHER),
    "a stranger's key in the header": lambda: token({"jwk": STRANGER.as_dict(private=False)}, STRANGER),
    "the right key in the header": lambda: token({"jwk": KEY.as_dict(private=False)}),
    "a key by URL": lambda: token({"jku": "https://example.com/keys"}),
    "a certificate by URL": lambda: token({"x5u": "https://example.com/certificate"}),
    "kid unknown": lambda: token({"kid": "another"}),
    "kid missing, with several keys": lambda: token({"kid": GONE}),
    "kid null, with several keys": lambda: token({"kid": None}),
    "kid a list": lambda: token({"kid": [KEY.kid]}),
    "crit unknown": lambda: token({"crit": ["new"], "new": 1}),
    "b64 off": lambda: token({"crit": ["b64"], "b64": False}),
    "typ of an ID token's kind": lambda: token({"typ": "id+jwt"}),
    "typ a list": lambda: token({"typ": ["JWT"]}),
    "typ null": lambda: token({"typ": None}),
    "typ empty": lambda: token({"typ": ""}),
    "header no object": lambda: signed(b"[]", CLAIMS, KEY),
    "claims no object": lambda: signed(HEADER, b"[]", KEY),
    "claims deep": lambda: signed(HEADER, b"[" * 4000, KEY),
    "iss of somebody else": lambda: token(iss="https://evil.example.com"),
    "iss with a slash more": lambda: token(iss=f"{ISSUER}/"),
    "iss a list": lambda: token(iss=[ISSUER]),
    "aud of another service": lambda: token(aud="another-service"),
    "aud without us": lambda: token(aud=["another-service"]),
    "aud empty list": lambda: token(aud=[]),
    "aud an object": lambda: token(aud={AUDIENCE: 1}),
    **{f"{name} missing": with_claim(name, GONE) for name in NEEDED},
    **{f"{name} null": with_claim(name, None) for name in NEEDED},
    **{f"{name} an object": with_claim(name, {"$ne": ""}) for name in CLAIMS},
    "exp at the end of the leeway": lambda: token(exp=SECONDS - 30, iat=SECONDS - 600),
    "exp text": lambda: token(exp=str(SECONDS + 600)),
    "exp true": lambda: token(exp=True),
    "exp not a number": lambda: signed(HEADER, orjson.dumps(CLAIMS).replace(str(SECONDS + 600).encode(), b"NaN"), KEY),
    "exp infinite": lambda: signed(HEADER, orjson.dumps(CLAIMS).replace(str(SECONDS + 600).encode(), b"1e999"), KEY),
    "exp beyond all numbers": lambda: signed(
        HEADER, orjson.dumps(CLAIMS).replace(str(SECONDS + 600).encode(), b"9" * 400), KEY
    ),
    "made for longer than a day": lambda: token(exp=SECONDS + 86_401),
    "made for longer than a day, long ago": lambda: token(iat=SECONDS - 86_400, exp=SECONDS + 1),
    "made in the year 1": lambda: token(iat=-62_135_596_800),
    "expires before it was made": lambda: token(iat=SECONDS + 10, exp=SECONDS),
    "iat to come": lambda: token(iat=SECONDS + 31),
    "nbf to come": lambda: token(nbf=SECONDS + 31),
    "subject empty": lambda: token(sub=""),
    "subject of blanks": lambda: token(sub="  "),
    "subject with a line break": lambda: token(sub="ada\nadmin"),
    "subject that turns the writing around": lambda: token(sub="ada\u202enimda"),
    "subject without end": lambda: token(sub="a" * 256),
    "half of a surrogate pair": lambda: signed(HEADER, orjson.dumps(CLAIMS).replace(b'"ada"', b'"\\ud800"'), KEY),
    "seller empty": lambda: token(seller_id=""),
    "seller with a dot": lambda: token(seller_id="acme.other"),
    "seller a list": lambda: token(seller_id=["acme"]),
    "scope a number": lambda: token(scope=7),
    "scope a list with a list": lambda: token(scope=[["erasure"]]),
    "one byte too long": lambda: padded(LONGEST_TOKEN + 1),
    "nothing": lambda: "",
    "two segments": lambda: f"{FIRST}.{SECOND}",
    "no signature": lambda: f"{FIRST}.{SECOND}.",
    "signature of zeros": lambda: f"{FIRST}.{SECOND}.{segment(bytes(64))}",
    "signature twice": lambda: f"{GOOD}.{THIRD}",
    "five segments, encrypted": lambda: f"{segment({'alg': 'dir', 'enc': 'A128GCM'})}..{SECOND}.{SECOND}.{THIRD}",
    "others' claims": lambda: f"{FIRST}.{segment(changed(CLAIMS, {'seller_id': 'other'}))}.{THIRD}",
    "line break behind": lambda: f"{GOOD}\n",
    "NUL": lambda: f"{GOOD}\x00",
    "accent": lambda: f"{FIRST}.{SECOND}.é",
}


@pytest.mark.parametrize("forge", HOSTILE.values(), ids=HOSTILE)
def test_a_token_that_does_not_hold_is_refused_with_one_message(forge: Callable[[], str]) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        TRUSTED.verify(forge(), KEYS)

    assert MESSAGE == str(refusal.value)


def test_the_forgeries_differ_from_a_good_token_in_one_thing_only() -> None:
    """
    Else the list above would prove nothing.
    """
    found = TRUSTED.verify(GOOD, KEYS)

    assert ADA == found.principal
    assert (NOW, NOW + timedelta(minutes=10)) == (found.issued_at, found.expires_at)
    assert ADA == TRUSTED.verify(padded(LONGEST_TOKEN), KEYS).principal


@pytest.mark.parametrize(
    "made",
    [
        lambda: token({"typ": "JWT"}),
        lambda: token({"typ": GONE}),
        lambda: token({"typ": "application/AT+JWT"}),
        lambda: token(aud=["another-service", AUDIENCE]),
        lambda: token(exp=SECONDS - 29, iat=SECONDS - 600),
        lambda: token(iat=SECONDS + 30),
        lambda: token(exp=SECONDS + 86_400),
    ],
    ids=["typ JWT", "no typ", "typ in full", "several audiences", "just expired", "made by a fast clock", "for a day"],
)
def test_what_may_differ_between_issuers_is_accepted(made: Callable[[], str]) -> None:
    assert ADA == TRUSTED.verify(made(), KEYS).principal


def test_a_type_that_is_not_configured_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        issuer(types=("at+jwt",)).verify(token({"typ": "JWT"}), KEYS)


def test_the_only_key_of_a_set_needs_no_name() -> None:
    assert ADA == TRUSTED.verify(token({"kid": GONE}), ONE_KEY).principal


def test_a_wrong_name_is_wrong_for_the_only_key_too() -> None:
    with pytest.raises(Unauthenticated):
        TRUSTED.verify(token({"kid": "another"}), ONE_KEY)


def test_two_keys_of_one_name_and_kind_are_not_tried_in_turn() -> None:
    twins = public_keys({"keys": [{**key.as_dict(private=False), "kid": "twin"} for key in (KEY, OTHER)]})

    with pytest.raises(Unauthenticated):
        TRUSTED.verify(token({"kid": "twin"}), twins)


SIGNERS: dict[str, SigningKey] = {
    "ES256": KEY,
    "ES384": ec("P-384"),
    "ES512": ec("P-521"),
    "RS256": RSA,
    "PS256": RSA,
    "Ed25519": OKPKey.generate_key("Ed25519", auto_kid=True),
    "EdDSA": OKPKey.generate_key("Ed25519", auto_kid=True),
}


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_each_algorithm_is_good_when_it_is_configured_and_only_then(algorithm: str) -> None:
    key = SIGNERS[algorithm]
    made = signed(changed(HEADER, {"alg": algorithm, "kid": key.kid}), CLAIMS, key, algorithm)
    keys = public_keys(published(key))
    others = [name for name in SIGNERS if name != algorithm]

    assert ADA == issuer(algorithm).verify(made, keys).principal
    with pytest.raises(Unauthenticated, match=f"^{MESSAGE}$"):
        issuer(*others).verify(made, keys)


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_a_key_that_says_what_it_is_for_is_good_for_nothing_else(algorithm: str) -> None:
    key = SIGNERS[algorithm]
    (fitting,) = public_keys({"keys": [{**key.as_dict(private=False), "alg": algorithm}]})
    other = next(name for name in ("PS256", "RS256", "ES256", "ES384") if name != algorithm)

    assert algorithm in fitting.algorithms
    with pytest.raises(UnusableKeys):
        public_keys({"keys": [{**SIGNERS["Ed25519"].as_dict(private=False), "alg": other}]})


def test_a_key_for_pss_does_not_check_the_older_padding() -> None:
    keys = public_keys({"keys": [{**RSA.as_dict(private=False), "alg": "PS256"}]})

    with pytest.raises(Unauthenticated):
        issuer("RS256", "PS256").verify(signed(changed(HEADER, {"alg": "RS256", "kid": RSA.kid}), CLAIMS, RSA, "RS256"), keys)


def test_no_algorithm_at_all_is_not_the_librarys_own_choice() -> None:
    trusted = TrustedIssuer(MAPPING, audience=AUDIENCE, algorithms=(), types=("at+jwt",), clock=StoppedClock())

    with pytest.raises(Unauthenticated):
        trusted.verify(GOOD, KEYS)


# ------------------------------------------------------------------------------- the set of keys

EC_KEY = {**KEY.as_dict(private=False), "kid": "ec"}
NO_NUMBERS: list[Any] = [5, None, [], {}, "", "é", True]
USELESS: dict[str, Any] = {
    "a shared secret": OctKey.generate_key(256).as_dict(private=True),
    "for encryption": {**EC_KEY, "use": "enc"},
    "for signing only": {**EC_KEY, "key_ops": ["sign"]},
    "key_ops no list": {**EC_KEY, "key_ops": "verify"},
    "kid a number": {**EC_KEY, "kid": 5},
    "kty unknown": {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
    "kty a list": {**EC_KEY, "kty": ["EC"]},
    "kty missing": {name: value for name, value in EC_KEY.items() if name != "kty"},
    "curve unknown": {**EC_KEY, "crv": "P-999"},
    "curve of a wallet": ec("secp256k1").as_dict(private=False),
    "curve for agreeing on keys": OKPKey.generate_key("X25519").as_dict(private=False),
    "beside its curve": {**EC_KEY, "x": EC_KEY["y"]},
    "without y": {name: value for name, value in EC_KEY.items() if name != "y"},
    "RSA of 1024 bits": {**RSA.as_dict(private=False), "n": segment(b"\xff" * 128)},
    **{f"RSA with {n!r}": {**RSA.as_dict(private=False), "n": n} for n in NO_NUMBERS},
    "RSA with exponent 1": {**RSA.as_dict(private=False), "e": "AQ"},
    "RSA of 16,384 bits": {"kty": "RSA", "e": "AQAB", "n": segment(b"\xff" * 2048)},
    "alg unknown": {**EC_KEY, "alg": "HS256"},
    "alg a list": {**EC_KEY, "alg": ["ES256"]},
    "no object": "key",
}


@pytest.mark.parametrize("useless", USELESS.values(), ids=USELESS)
def test_a_useless_key_is_passed_over_and_spoils_no_other(useless: object) -> None:
    keys = public_keys({"keys": [useless, *published(OTHER)["keys"]]})

    assert [OTHER.kid] == [key.kid for key in keys]


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"keys": None}, {"keys": []}, {"keys": {}}, {"keys": [USELESS["a shared secret"]]}],
    ids=["nothing", "a list", "an empty object", "null", "no keys", "keys in an object", "a shared secret"],
)
def test_a_document_without_keys_is_none(document: object) -> None:
    with pytest.raises(UnusableKeys):
        public_keys(document)


def test_a_set_has_at_most_a_hundred_keys() -> None:
    assert 100 == len(public_keys({"keys": [EC_KEY] * 100}))
    with pytest.raises(UnusableKeys):
        public_keys({"keys": [EC_KEY] * 101})


def test_a_private_half_that_was_published_is_not_taken() -> None:
    (key,) = public_keys({"keys": [KEY.as_dict(private=True)]})

    assert not key.key.is_private


# ----------------------------------------------------------------- before anything was checked


def test_a_token_says_who_made_it_and_with_which_key() -> None:
    assert Claimed(ISSUER, str(KEY.kid)) == claimed(GOOD)
    assert Claimed(ISSUER, None) == claimed(token({"kid": GONE}))
    assert Claimed(ISSUER, str(KEY.kid)) == claimed(padded(LONGEST_TOKEN))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        f"{FIRST}.{SECOND}",
        f"{GOOD}.x",
        f"{FIRST}==.{SECOND}.{THIRD}",
        f"{FIRST}.{SECOND}\n.{THIRD}",
        f"{FIRST}.é.{THIRD}",
        f"\ud800.{SECOND}.{THIRD}",
        f"{FIRST}.A.{THIRD}",
        f"{FIRST}.{segment(b'[]')}.{THIRD}",
        f"{FIRST}.{segment(b'null')}.{THIRD}",
        f"{FIRST}.{segment(b'[' * 4000)}.{THIRD}",
        f"{FIRST}.{segment(b'{' + bytes([255]))}.{THIRD}",
        f"{FIRST}.{segment({'iss': [ISSUER]})}.{THIRD}",
        f"{FIRST}.{segment({})}.{THIRD}",
        f"{segment({'kid': 5})}.{SECOND}.{THIRD}",
        f"{segment(b'[]')}.{SECOND}.{THIRD}",
        f"{GOOD}{'x' * LONGEST_TOKEN}",
    ],
    ids=range(18),
)
def test_whatever_is_no_token_says_nothing(text: str) -> None:
    assert claimed(text) is None


@given(st.text() | st.binary(max_size=100).map(lambda raw: f"{base64.urlsafe_b64encode(raw).decode().rstrip('=')}.{SECOND}.x"))
def test_any_text_says_nothing_or_something_and_never_breaks(text: str) -> None:
    assert claimed(text) is None or isinstance(claimed(text), Claimed)
    with pytest.raises(Unauthenticated, match=f"^{MESSAGE}$"):
        TRUSTED.verify(text, KEYS)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_under_a_sound_signature_are_refused(header: bytes, claims: bytes) -> None:
    for forged in (signed(header, claims, KEY), signed(HEADER, claims, KEY)):
        with pytest.raises(Unauthenticated, match=f"^{MESSAGE}$"):
            TRUSTED.verify(forged, KEYS)
