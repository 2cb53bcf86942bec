"""Access tokens: what is believed, and the long list of what is not."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from auth.keys import generate_key_set, load_key_set
from auth.principal import OPERATOR_SCOPES, Principal, Scope
from auth.tokens import LONGEST_TOKEN, TokenIssuer, TokenVerifier
from core.errors import Unauthenticated
from core.ids import IdKind, new_id
from core.vocabulary import PrincipalKind

ISSUER = "customer-service"
AUDIENCE = "customer-service"
MESSAGE = "The access token is not valid, or no longer."
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CUSTOMER_ID = "cus_01m82c4ykgergbr9bz5f1r0xgf"


class StoppedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return noon."""
        return NOW


KEYS = load_key_set(generate_key_set())
(KEY,) = (key for key in KEYS.keys if isinstance(key, ECKey))
VERIFIER = TokenVerifier(KEYS, issuer=ISSUER, audience=AUDIENCE, clock=StoppedClock())
ISSUE = TokenIssuer(KEYS, issuer=ISSUER, audience=AUDIENCE, clock=StoppedClock()).issue
SECONDS = int(NOW.timestamp())

HEADER: dict[str, Any] = {"typ": "at+jwt", "alg": "ES256", "kid": KEY.kid}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "ada",
    "exp": SECONDS + 600,
    "iat": SECONDS,
    "jti": "a",
    "client_id": "customer-service",
    "kind": "OPERATOR",
    "scope": "customers:read",
    "sid": "ses_1",
    "seller_id": "acme",
}
GONE = object()
_ES256 = jws.JWSRegistry.algorithms["ES256"]
_ANY_HEADER = jws.JWSRegistry(strict_check_header=False)


def changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**values, **changes}.items() if value is not GONE}


def segment(content: bytes | dict[str, Any]) -> str:
    written = content if isinstance(content, bytes) else orjson.dumps(content)
    return base64.urlsafe_b64encode(written).rstrip(b"=").decode()


def signed(header: bytes | dict[str, Any], claims: bytes | dict[str, Any]) -> str:
    """Return a token with a sound ES256 signature over whatever stands in it; no library objects to it."""
    content = f"{segment(header)}.{segment(claims)}"
    return f"{content}.{segment(_ES256.sign(content.encode(), KEY))}"


def token(header: dict[str, Any] | None = None, **claims: Any) -> str:
    return signed(changed(HEADER, header or {}), changed(CLAIMS, claims))


def without(name: str, value: object = GONE) -> Callable[[], str]:
    """Return what makes a token in which the claim *name* has another value, or is not there."""
    return lambda: signed(HEADER, changed(CLAIMS, {name: value}))


GOOD = token()
PRINCIPAL = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=frozenset({Scope.CUSTOMERS_READ}), seller_id="acme")
FIRST, SECOND, THIRD = GOOD.split(".")
PUBLIC_PEM = KEY.as_pem(private=False)
STRANGER = ECKey.generate_key("P-256", auto_kid=True)
RSA = RSAKey.generate_key(2048)


def by_stranger(header: dict[str, Any]) -> str:
    return jwt.encode(changed(HEADER, header), CLAIMS, STRANGER, algorithms=["ES256"], registry=_ANY_HEADER)


def hmac_with_public_key() -> str:
    content = f"{segment(changed(HEADER, {'alg': 'HS256'}))}.{segment(CLAIMS)}"
    return f"{content}.{segment(hmac.digest(PUBLIC_PEM, content.encode(), hashlib.sha256))}"


HOSTILE: dict[str, Callable[[], str]] = {
    "alg none": lambda: f"{segment(changed(HEADER, {'alg': 'none'}))}.{SECOND}.",
    "alg None": lambda: f"{segment(changed(HEADER, {'alg': 'None'}))}.{SECOND}.",
    "alg none, with a sound signature": lambda: token({"alg": "none"}),
    "alg HS256": lambda: jwt.encode(changed(HEADER, {"alg": "HS256"}), CLAIMS, OctKey.generate_key(256)),
    "alg HS256 with the public key as its secret": hmac_with_public_key,
    "alg RS256": lambda: jwt.encode(changed(HEADER, {"alg": "RS256"}), CLAIMS, RSA),
    "alg ES384": lambda: token({"alg": "ES384"}),
    "alg that is a list": lambda: token({"alg": ["ES256"]}),
    "alg that is an object": lambda: token({"alg": {}}),
    "alg missing": lambda: token({"alg": GONE}),
    "a stranger's signature": lambda: by_stranger({}),
    "a stranger's key in the header": lambda: by_stranger({"jwk": STRANGER.as_dict(private=False)}),
    "a stranger's key in the header and its name": lambda: by_stranger(
        {"jwk": STRANGER.as_dict(private=False), "kid": STRANGER.kid}
    ),
    "a key by URL": lambda: by_stranger({"jku": "https://example.com/keys"}),
    "a certificate by URL": lambda: by_stranger({"x5u": "https://example.com/certificate"}),
    "kid unknown": lambda: token({"kid": "another"}),
    "kid missing": lambda: token({"kid": GONE}),
    "kid null": lambda: token({"kid": None}),
    "kid a number": lambda: token({"kid": 0}),
    "kid a list": lambda: token({"kid": [KEY.kid]}),
    "kid an object": lambda: token({"kid": {"$ne": ""}}),
    "crit unknown": lambda: token({"crit": ["new"], "new": 1}),
    "b64 off": lambda: token({"crit": ["b64"], "b64": False}),
    "typ of another token": lambda: token({"typ": "JWT"}),
    "typ missing": lambda: token({"typ": GONE}),
    "header no object": lambda: signed(b"[]", CLAIMS),
    "header null": lambda: signed(b"null", CLAIMS),
    "header deep": lambda: signed(b"[" * 4000, CLAIMS),
    "header bad UTF-8": lambda: signed(b'{"alg":"\xff"}', CLAIMS),
    "header with more digits than Python converts": lambda: signed(b"9" * 5000, CLAIMS),
    "claims no object": lambda: signed(HEADER, b"[]"),
    "claims null": lambda: signed(HEADER, b"null"),
    "claims deep": lambda: signed(HEADER, b"[" * 4000),
    "claims no JSON": lambda: signed(HEADER, b"ada"),
    "claims empty": lambda: signed(HEADER, b"{}"),
    "iss wrong": lambda: token(iss="somebody"),
    "iss almost": lambda: token(iss=f"{ISSUER}/"),
    "aud wrong": lambda: token(aud="another-service"),
    "aud list without us": lambda: token(aud=["another-service"]),
    "aud empty list": lambda: token(aud=[]),
    **{f"{name} missing": without(name) for name in CLAIMS},
    **{f"{name} null": without(name, None) for name in CLAIMS},
    **{f"{name} a list": without(name, ["x"]) for name in CLAIMS},
    **{f"{name} an object": without(name, {"$ne": ""}) for name in CLAIMS},
    "exp at the end of the leeway": lambda: token(exp=SECONDS - 30),
    "exp long past": lambda: token(exp=0),
    "exp text": lambda: token(exp="tomorrow"),
    "exp beyond all calendars": lambda: token(exp=10**15),
    "exp beyond all numbers": lambda: token(exp=1e308),
    "nbf to come": lambda: token(nbf=SECONDS + 31),
    "iat to come": lambda: token(iat=SECONDS + 31),
    "subject empty": lambda: token(sub=""),
    "kind unknown": lambda: token(kind="ADMIN"),
    "kind in small letters": lambda: token(kind="operator"),
    "operator without a seller": lambda: token(seller_id=GONE),
    "operator of a nameless seller": lambda: token(seller_id=""),
    "customer without a seller": lambda: token(kind="CUSTOMER", sub=CUSTOMER_ID, seller_id=GONE),
    "customer that is no customer": lambda: token(kind="CUSTOMER", sub="ada"),
    "customer that is an address": lambda: token(kind="CUSTOMER", sub=new_id(IdKind.ADDRESS)),
    "service of a nameless seller": lambda: token(kind="SERVICE", seller_id=""),
    "service of a seller that is a number": lambda: token(kind="SERVICE", seller_id=5),
    "service of a seller that is an operator": lambda: token(kind="SERVICE", seller_id={"$ne": ""}),
    "one byte too long": lambda: padded(LONGEST_TOKEN + 1),
    "far too long": lambda: "A" * 10_000_000,
    "nothing": lambda: "",
    "garbage": lambda: "garbage",
    "two segments": lambda: f"{FIRST}.{SECOND}",
    "three empty segments": lambda: "..",
    "no signature": lambda: f"{FIRST}.{SECOND}.",
    "signature of zeros": lambda: f"{FIRST}.{SECOND}.{segment(bytes(64))}",
    "signature in DER's length": lambda: f"{FIRST}.{SECOND}.{segment(bytes(70))}",
    "signature cut": lambda: GOOD[:-4],
    "signature twice": lambda: f"{GOOD}.{THIRD}",
    "five segments": lambda: f"{FIRST}.{SECOND}.{SECOND}.{THIRD}.{THIRD}",
    "five segments, encrypted": lambda: f"{segment({'alg': 'dir', 'enc': 'A128GCM'})}..{SECOND}.{SECOND}.{THIRD}",
    "others' claims": lambda: f"{FIRST}.{segment(changed(CLAIMS, {'seller_id': 'other'}))}.{THIRD}",
    "padding": lambda: f"{GOOD}==",
    "blank in front": lambda: f" {GOOD}",
    "blank in the middle": lambda: f"{FIRST}. {SECOND}.{THIRD}",
    "line break behind": lambda: f"{GOOD}\n",
    "two tokens": lambda: f"{GOOD}, {GOOD}",
    "NUL": lambda: f"{GOOD}\x00",
    "accent": lambda: f"{FIRST}.{SECOND}.é",
    "half of a surrogate pair": lambda: f"\ud800.{SECOND}.{THIRD}",
    "the JSON serialization": lambda: orjson.dumps({"protected": FIRST, "payload": SECOND, "signature": THIRD}).decode(),
}


def padded(length: int) -> str:
    """Return a good token of exactly this length."""
    filling = length - len(GOOD)
    for size in range(filling * 3 // 4 - 20, filling):
        made = token(filling="x" * size)
        if len(made) == length:
            return made
    raise AssertionError(length)


@pytest.mark.parametrize("forge", HOSTILE.values(), ids=HOSTILE)
def test_a_token_that_does_not_hold_is_refused_with_one_message(forge: Callable[[], str]) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        VERIFIER.verify(forge())

    assert MESSAGE == str(refusal.value)


def test_the_forgeries_differ_from_a_good_token_in_one_thing_only() -> None:
    """
    Else the list above would prove nothing.
    """
    assert PRINCIPAL == VERIFIER.verify(GOOD).principal
    assert PRINCIPAL == VERIFIER.verify(padded(LONGEST_TOKEN)).principal


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated, match=f"^{MESSAGE}$"):
        VERIFIER.verify(text)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_under_a_sound_signature_are_refused(header: bytes, claims: bytes) -> None:
    for forged in (signed(header, claims), signed(HEADER, claims)):
        with pytest.raises(Unauthenticated, match=f"^{MESSAGE}$"):
            VERIFIER.verify(forged)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["$ne", "a"]), inner),
    max_leaves=4,
)


@given(st.sampled_from(sorted(set(CLAIMS) - {"exp", "iat"})), JSON)
def test_a_claim_of_another_shape_is_refused(name: str, value: object) -> None:
    with pytest.raises(Unauthenticated, match=f"^{MESSAGE}$"):
        VERIFIER.verify(without(name, value)())


@given(st.sampled_from(["exp", "iat", "nbf"]), JSON)
def test_a_time_of_another_shape_never_breaks_anything(name: str, value: object) -> None:
    try:
        VERIFIER.verify(without(name, value)())
    except Unauthenticated as refusal:
        assert MESSAGE == str(refusal)  # noqa: PT017 - some of these times are good


@given(st.sampled_from(["alg", "kid", "typ"]), JSON)
def test_a_header_of_another_shape_is_refused(name: str, value: object) -> None:
    with pytest.raises(Unauthenticated, match=f"^{MESSAGE}$"):
        VERIFIER.verify(token({name: value}))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": SECONDS + 1},
        {"exp": SECONDS - 29},  # within the leeway
        {"exp": SECONDS + 0.5},
        {"nbf": SECONDS + 30},
        {"iat": SECONDS + 30},
        {"aud": [AUDIENCE, "another-service"]},
        {"extra": {"deep": [1]}},
    ],
    ids=str,
)
def test_tokens_at_the_edge_that_hold(claims: dict[str, Any]) -> None:
    assert PRINCIPAL == VERIFIER.verify(token(**claims)).principal


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        ("", set()),
        ("customers:read", {Scope.CUSTOMERS_READ}),
        ("customers:read  imports:write", {Scope.CUSTOMERS_READ, Scope.IMPORTS_WRITE}),
        ("customers:read admin *", {Scope.CUSTOMERS_READ}),
        ("CUSTOMERS:READ", set()),
    ],
)
def test_scopes_that_nobody_knows_give_nothing(scope: str, scopes: set[Scope]) -> None:
    assert scopes == VERIFIER.verify(token(scope=scope)).principal.scopes


@pytest.mark.parametrize(
    ("kind", "subject", "seller_id"),
    [
        (PrincipalKind.OPERATOR, "ada", "acme"),
        (PrincipalKind.CUSTOMER, CUSTOMER_ID, "acme"),
        (PrincipalKind.SERVICE, "oms", None),
        (PrincipalKind.SERVICE, "oms", "acme"),  # a service that is bound to one seller reaches no other
    ],
)
def test_what_is_issued_is_verified(kind: PrincipalKind, subject: str, seller_id: str | None) -> None:
    made = ISSUE(kind=kind, subject=subject, scopes=OPERATOR_SCOPES, lifetime=timedelta(minutes=10), seller_id=seller_id)

    found = VERIFIER.verify(made)
    who = found.principal

    assert Principal(kind=kind, subject=subject, scopes=OPERATOR_SCOPES, seller_id=seller_id) == who
    assert seller_id == who.reach().seller_id
    assert NOW + timedelta(minutes=10) == found.expires_at


def test_a_token_of_our_own_for_somebody_else_is_refused() -> None:
    elsewhere = TokenIssuer(KEYS, issuer=ISSUER, audience="another-service", clock=StoppedClock())
    made = elsewhere.issue(kind=PrincipalKind.SERVICE, subject="oms", scopes=(), lifetime=timedelta(minutes=10))

    with pytest.raises(Unauthenticated):
        VERIFIER.verify(made)


def test_two_tokens_never_have_the_same_name() -> None:
    made = [ISSUE(kind=PrincipalKind.SERVICE, subject="oms", scopes=(), lifetime=timedelta(minutes=10)) for _ in range(2)]

    first, second = (orjson.loads(base64.urlsafe_b64decode(one.split(".")[1] + "==")) for one in made)
    assert first["jti"] != second["jti"]
    assert first["sid"] != second["sid"]


def test_a_retired_key_verifies_while_it_is_in_the_set_and_not_after() -> None:
    new = generate_key_set()["keys"]
    old = [KEY.as_dict(private=False)]

    during = TokenVerifier(load_key_set({"keys": new + old}), issuer=ISSUER, audience=AUDIENCE, clock=StoppedClock())
    after = TokenVerifier(load_key_set({"keys": new}), issuer=ISSUER, audience=AUDIENCE, clock=StoppedClock())

    assert PRINCIPAL == during.verify(GOOD).principal
    with pytest.raises(Unauthenticated):
        after.verify(GOOD)
