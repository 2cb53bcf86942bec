"""Access tokens: what is believed, and the long list of what is not."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.keys import generate_key_set, load_key_set
from auth.principal import OPERATOR_SCOPES, Principal, Scope
from auth.tokens import LONGEST_TOKEN, TokenIssuer, TokenVerifier
from core.errors import Unauthenticated
from core.vocabulary import PrincipalKind
from tests.auth.forgery import CUSTOMER_ID, GONE, HOSTILE, Forge, changed
from tests.clocks import NOON as NOW
from tests.clocks import StoppedClock

ISSUER = "customer-service"
AUDIENCE = "customer-service"
MESSAGE = "The access token is not valid, or no longer."


KEYS = load_key_set(generate_key_set())
(KEY,) = (one.key for one in KEYS.keys)
VERIFIER = TokenVerifier(KEYS, issuer=ISSUER, audience=AUDIENCE, clock=StoppedClock())
ISSUE = TokenIssuer(KEYS, issuer=ISSUER, audience=AUDIENCE, clock=StoppedClock()).issue
SECONDS = int(NOW.timestamp())

FORGE = Forge(KEY, issuer=ISSUER, audience=AUDIENCE, seconds=SECONDS)
HEADER, CLAIMS, GOOD = FORGE.header, FORGE.claims, FORGE.good
token, signed, padded = FORGE.token, FORGE.signed, FORGE.padded


def without(name: str, value: object = GONE) -> Callable[[], str]:
    """Return what makes a token in which the claim *name* has another value, or is not there."""
    return lambda: signed(HEADER, changed(CLAIMS, {name: value}))


PRINCIPAL = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=frozenset({Scope.CUSTOMERS_READ}), seller_id="acme")


@pytest.mark.parametrize("forge", HOSTILE.values(), ids=HOSTILE)
def test_a_token_that_does_not_hold_is_refused_with_one_message(forge: Callable[[Forge], str]) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        VERIFIER.verify(forge(FORGE))

    assert MESSAGE == str(refusal.value)


def test_the_forgeries_differ_from_a_good_token_in_one_thing_only() -> None:
    """
    Else the list above would prove nothing.
    """
    assert PRINCIPAL == VERIFIER.verify(GOOD).principal
    assert PRINCIPAL == VERIFIER.verify(padded(LONGEST_TOKEN)).principal


@pytest.mark.parametrize("claims", [{"exp": SECONDS - 30}, {"nbf": SECONDS + 31}, {"iat": SECONDS + 31}], ids=str)
def test_tokens_one_second_over_the_edge_are_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match=f"^{MESSAGE}$"):
        VERIFIER.verify(token(**claims))


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
