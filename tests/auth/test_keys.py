"""Signing keys: making and reading them."""

from typing import Any

import pytest

from auth.keys import UnusableKeys, generate_key_set, load_key_set


def key(**changes: object) -> dict[str, Any]:
    """Return a new private key, changed; None removes a member."""
    (made,) = generate_key_set()["keys"]
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


def test_a_new_key_set_holds_one_private_key_that_can_be_read_back() -> None:
    made = generate_key_set()

    (only,) = made["keys"]
    assert {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256"}.items() <= only.items()
    assert only["d"]
    assert [only["kid"]] == [loaded.kid for loaded in load_key_set(made).keys]


def test_two_new_key_sets_share_nothing() -> None:
    (one,), (other,) = generate_key_set()["keys"], generate_key_set()["keys"]

    assert set() == {one[name] for name in "dxy"} & {other[name] for name in "dxy"}
    assert one["kid"] != other["kid"]


def test_several_keys_stay_in_order() -> None:
    old, new = key(), key()

    assert [new["kid"], old["kid"]] == [loaded.kid for loaded in load_key_set({"keys": [new, old]}).keys]


@pytest.mark.parametrize(
    "document", [None, "", "keys", 5, [], [{}], {}, {"keys": None}, {"keys": []}, {"keys": {}}, {"key": [{}]}]
)
def test_a_document_without_keys_is_refused_with_advice(document: object) -> None:
    with pytest.raises(UnusableKeys, match="customer-service keys new"):
        load_key_set(document)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "key",
        {},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "a"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "a"},
        key(crv="P-384"),
        key(crv="secp256k1"),
        key(kid=None),
        key(kid=""),
        key(kid=5),
        key(x=None),
        key(x=5),
        key(x="AA", y="AA"),
        key(d="AAAA"),
        key(d="not base 64!"),
    ],
)
def test_one_wrong_key_spoils_the_set(wrong: object) -> None:
    with pytest.raises(UnusableKeys):
        load_key_set({"keys": [key(), wrong]})


def test_a_damaged_key_is_not_quoted() -> None:
    damaged = key(d="c2VjcmV0")

    with pytest.raises(UnusableKeys) as refusal:
        load_key_set({"keys": [damaged]})

    assert "c2VjcmV0" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_two_keys_under_one_name_are_refused() -> None:
    """
    Else one of them would verify what the other has signed, that is nothing.
    """
    with pytest.raises(UnusableKeys, match="same kid"):
        load_key_set({"keys": [key(kid="a"), key(kid="a")]})
