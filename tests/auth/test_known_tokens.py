"""A token that was verified is believed without another look at its signature, and not a moment longer than it may be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auth.keys import KeyRing, generate_key_set, load_key_set
from auth.known_tokens import KnownTokens
from auth.tokens import TokenIssuer, TokenVerifier
from core.errors import Unauthenticated
from core.vocabulary import PrincipalKind

START = datetime(2026, 1, 1, tzinfo=UTC)


class Machine:
    """Keys that can be exchanged, and a clock that can be set."""

    def __init__(self) -> None:
        self.ring = load_key_set(generate_key_set())
        self.moment = START
        self.verifier = TokenVerifier(self, issuer="us", audience="us", clock=self)

    def current(self) -> KeyRing:
        return self.ring

    def now(self) -> datetime:
        return self.moment

    def token(self, subject: str = "ada") -> str:
        issuer = TokenIssuer(self.ring, issuer="us", audience="us", clock=self)
        return issuer.issue(
            kind=PrincipalKind.OPERATOR, subject=subject, scopes=[], lifetime=timedelta(minutes=10), seller_id="acme"
        )

    @property
    def known(self) -> int:
        return len(self.verifier._known)


@pytest.fixture(name="machine")
def _machine() -> Machine:
    return Machine()


def test_a_verified_token_is_known_and_says_the_same(machine: Machine) -> None:
    token = machine.token()

    first, second = machine.verifier.verify(token), machine.verifier.verify(token)

    assert first is second
    assert 1 == machine.known


def test_tokens_are_not_mixed_up(machine: Machine) -> None:
    ada, bob = machine.token("ada"), machine.token("bob")

    found = [machine.verifier.verify(token).principal.subject for token in (ada, bob, ada, bob)]

    assert ["ada", "bob", "ada", "bob"] == found


def test_a_known_token_expires(machine: Machine) -> None:
    token = machine.token()
    machine.verifier.verify(token)

    machine.moment = START + timedelta(minutes=11)

    with pytest.raises(Unauthenticated):
        machine.verifier.verify(token)
    assert 0 == machine.known


def test_a_key_that_was_thrown_out_takes_its_tokens_along(machine: Machine) -> None:
    token = machine.token()
    machine.verifier.verify(token)

    machine.ring = load_key_set(generate_key_set())

    with pytest.raises(Unauthenticated):
        machine.verifier.verify(token)


def test_a_key_whose_time_is_over_takes_its_tokens_along(machine: Machine) -> None:
    (key,) = machine.ring.keys
    machine.ring = KeyRing((replace(key, verifies_until=int((START + timedelta(minutes=2)).timestamp())),))
    token = machine.token()
    machine.verifier.verify(token)
    machine.moment = START + timedelta(minutes=1)
    machine.verifier.verify(token)

    machine.moment = START + timedelta(minutes=2)

    with pytest.raises(Unauthenticated):
        machine.verifier.verify(token)


def test_a_clock_that_was_set_back_makes_us_look_again(machine: Machine) -> None:
    token = machine.token()
    first = machine.verifier.verify(token)

    machine.moment = START - timedelta(seconds=1)

    assert first is not machine.verifier.verify(token)


@pytest.mark.parametrize("change", [lambda token: token + "x", lambda token: token[:-4] + "AAAA", lambda _: "\ud800"])
def test_what_differs_from_a_known_token_is_another_one(machine: Machine, change: object) -> None:
    token = machine.token()
    machine.verifier.verify(token)

    with pytest.raises(Unauthenticated):
        machine.verifier.verify(change(token))  # type: ignore[operator]  # one of the three above
    assert 1 == machine.known


def test_the_one_that_was_used_longest_ago_is_forgotten_first(machine: Machine) -> None:
    known: KnownTokens[str] = KnownTokens(most=2)
    for token in ("a", "b"):
        known.keep(token, token.upper(), machine.ring, START, START + timedelta(minutes=1))
    known.find("a", machine.ring, START)

    known.keep("c", "C", machine.ring, START, START + timedelta(minutes=1))

    assert ["A", None, "C"] == [known.find(token, machine.ring, START) for token in "abc"]
    assert 2 == len(known)
