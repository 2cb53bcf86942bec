"""Signing keys: making and reading them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auth.keys import KeyRing, UnusableKeys, as_document, generate_key_set, load_key_set, rotate, start_over

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
LIFETIME = timedelta(minutes=10)
DELAY = timedelta(minutes=10)


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
        key(nbf="1"),
        key(nbf=1.5),
        key(nbf=True),
        key(exp=-1),
        key(exp=10**12),
        key(exp=[1]),
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


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def ring(**keys: dict[str, int]) -> KeyRing:
    """Return a ring of keys with these names and times."""
    return load_key_set({"keys": [{**key(kid=name), **times} for name, times in keys.items()]})


def believes(keys: KeyRing, kid: str, now: datetime) -> bool:
    try:
        return keys.verifying(kid, now).kid == kid
    except KeyError:
        return False


def turned(old: KeyRing, now: datetime = NOW, delay: timedelta = DELAY) -> KeyRing:
    return rotate(old, now=now, delay=delay, token_lifetime=LIFETIME)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"a": {}, "b": {}}, "a"),
        ({"a": {}, "b": {"nbf": SECONDS}}, "b"),
        ({"a": {}, "b": {"nbf": SECONDS + 1}}, "a"),
        ({"a": {"nbf": SECONDS - 1}, "b": {"nbf": SECONDS - 2}}, "a"),
        ({"a": {"nbf": SECONDS - 2}, "b": {"nbf": SECONDS - 1}, "c": {"nbf": SECONDS + 1}}, "b"),
        ({"a": {"exp": SECONDS}, "b": {}}, "b"),
        ({"a": {}, "b": {"nbf": SECONDS - 1, "exp": SECONDS}}, "a"),
        ({"a": {"nbf": SECONDS, "exp": SECONDS + 1}, "b": {}}, "a"),
    ],
)
def test_the_key_that_began_last_signs(keys: dict[str, dict[str, int]], expected: str) -> None:
    assert expected == ring(**keys).signing(NOW).kid


@pytest.mark.parametrize("times", [{"nbf": SECONDS + 1}, {"exp": SECONDS}], ids=["not yet", "no longer"])
def test_without_a_key_for_the_moment_nothing_is_signed(times: dict[str, int]) -> None:
    with pytest.raises(UnusableKeys, match="keys rotate"):
        ring(a=times).signing(NOW)


def test_a_public_key_verifies_and_never_signs() -> None:
    made = key(kid="public", nbf=SECONDS)
    both = load_key_set({"keys": [{name: made[name] for name in made if name != "d"}, key(kid="private")]})

    assert "private" == both.signing(NOW).kid
    assert believes(both, "public", NOW)


def test_a_key_verifies_before_it_signs_and_until_its_end() -> None:
    two = ring(old={"exp": SECONDS + 1}, new={"nbf": SECONDS + 60})

    assert {"old", "new"} == {one["kid"] for one in two.public(NOW)["keys"]}
    assert believes(two, "old", NOW)
    assert believes(two, "new", NOW)
    assert not believes(two, "old", NOW + timedelta(seconds=1))
    assert ["new"] == [one["kid"] for one in two.public(NOW + timedelta(seconds=1))["keys"]]


def test_nothing_private_is_public() -> None:
    """
    Neither the private half nor anything else that somebody wrote into the file.
    """
    shown = load_key_set({"keys": [key(nbf=1, exp=SECONDS + 1, note="of the old cluster")]}).public(NOW)

    (only,) = shown["keys"]
    assert {"kty", "crv", "x", "y", "kid", "use", "alg"} == set(only)


def test_a_rotation_changes_the_signature_after_the_delay_and_forgets_the_old_key_after_its_last_token() -> None:
    old = load_key_set(generate_key_set())
    kid = old.signing(NOW).kid

    new = turned(old)

    assert kid == new.signing(at(9.99)).kid
    assert kid != new.signing(at(10)).kid
    assert new.signing(at(10)).kid == new.signing(at(60 * 24 * 365)).kid
    # Signed in the last moment, its last token lives 10 minutes, and clocks differ by one.
    assert believes(new, kid, at(20.99))
    assert not believes(new, kid, at(21))


def test_a_rotation_throws_out_what_has_expired() -> None:
    first = load_key_set(generate_key_set())
    second = turned(first)

    third = turned(second, at(21))

    assert [second.keys[1].kid] == [one.kid for one in third.keys[:-1]]
    assert 2 == len(third.keys)


def test_rotations_in_a_row_leave_no_moment_without_a_key_and_no_token_unverified() -> None:
    """
    Each minute of two hours, with a rotation every few minutes: what is signed is verified as long as it lives.
    """
    keys = load_key_set(generate_key_set())
    signed: list[tuple[str, int]] = []

    for minute in range(120):
        if minute % 7 == 0:
            keys = turned(keys, at(minute), timedelta(minutes=(minute * 5) % 13))
        signed.append((keys.signing(at(minute)).kid, minute))
        for kid, since in signed[-11:]:
            assert believes(keys, kid, at(minute)), f"signed at minute {since}"

    assert len({kid for kid, _ in signed}) > 5


def test_a_second_rotation_with_a_shorter_delay_does_not_bring_the_first_ones_key_back() -> None:
    first = turned(load_key_set(generate_key_set()), delay=timedelta(hours=1))

    second = turned(first, delay=timedelta(0))

    assert second.keys[-1].kid == second.signing(at(61)).kid
    assert 3 == len({second.signing(at(minute)).kid for minute in (0, 60, 61)})


def test_a_longer_life_that_somebody_gave_a_key_is_kept() -> None:
    until = SECONDS + 90 * 86400

    assert [until] == [one.verifies_until for one in turned(ring(a={"exp": until})).keys[:-1]]


def test_a_key_about_to_expire_still_signs_until_the_new_one_does() -> None:
    soon = ring(a={"exp": SECONDS + 60})

    assert "a" == turned(soon).signing(at(9.99)).kid


def test_when_every_key_has_expired_a_rotation_begins_anew() -> None:
    (only,) = turned(ring(a={"exp": SECONDS}), delay=timedelta(0)).keys

    assert SECONDS == only.signs_from


def test_starting_over_leaves_one_key_that_signs_whatever_the_clock_says() -> None:
    fresh = start_over()

    assert fresh.signing(at(-5)).kid == fresh.signing(at(5)).kid == fresh.keys[0].kid
    assert 1 == len(fresh.keys)


def test_what_is_written_is_what_is_read() -> None:
    made = turned(turned(load_key_set(generate_key_set())))

    read = load_key_set(as_document(made))

    assert as_document(made) == as_document(read)
    assert all("d" in one for one in as_document(read)["keys"])
    assert [(one.kid, one.signs_from, one.verifies_until) for one in made.keys] == [
        (one.kid, one.signs_from, one.verifies_until) for one in read.keys
    ]
