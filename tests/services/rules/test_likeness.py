"""How likely two customers are one person: pairs as they are found in shops, and pairs that only look so."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.merging import DuplicateReason as Why
from services.rules.likeness import LISTED, WEIGHTS, Known, Place, likeness, mailbox, plain

HOME = Place("Torstraße 12", "10119", "DE")
ELSEWHERE = Place("Lange Reihe 5", "20099", "HH")
PHONE = frozenset({"+493012345678"})


def known(name: str = "", **more: Any) -> Known:
    """Return what is known of "First Last"; a name in one word is a last name."""
    first, _, last = name.rpartition(" ")
    return Known(first_name=first or None, last_name=last or None, **more)


ONE = [
    ("the same name", known("Ada King"), known("Ada King"), {Why.SAME_NAME}),
    ("names swapped", known("Ada King", phones=PHONE), known("King Ada", phones=PHONE), {Why.SAME_NAME, Why.SAME_PHONE}),
    ("umlauts spelled out", known("Jürgen Müller"), known("Juergen Mueller"), {Why.SAME_NAME}),
    ("umlauts left out", known("Jürgen Müller"), known("Jurgen Muller"), {Why.SAME_NAME}),
    ("a title and capitals", known("Dr. Jürgen Groß"), known("JÜRGEN GROSS"), {Why.SAME_NAME}),
    (
        "a slip of the pen at one address",
        known("Jonh Smith", places=[HOME]),
        known("John Smith", places=[Place("Torstr. 12", "10119", "DE")]),
        {Why.SIMILAR_NAME, Why.SAME_ADDRESS},
    ),
    (
        "a slip of the pen and another provider",
        known("Katarina Kowalski", email="katarina.kowalski@gmail.com"),
        known("Katharina Kowalsky", email="katarina.kowalski@web.de"),
        {Why.SIMILAR_NAME, Why.SIMILAR_EMAIL},
    ),
    (
        "an initial and the phone of an address",
        known("J. Smith", phones=PHONE),
        known("John Smith", phones=PHONE),
        {Why.SIMILAR_NAME, Why.SAME_PHONE},
    ),
    (
        "a second name that one lacks",
        known("Anna Maria Schmidt", date_of_birth="1990-12-10"),
        known("Anna Schmidt", date_of_birth="1990-12-10"),
        {Why.SIMILAR_NAME, Why.SAME_DATE_OF_BIRTH},
    ),
    (
        "plus-tags and dots of one mailbox",
        known("", email="ada.king+shop@gmail.com"),
        known("", email="adaking@googlemail.com"),
        {Why.SAME_MAILBOX},
    ),
    (
        "moved house and got another phone",
        known("Ada King", email="ada@x.example", phones=PHONE, places=[HOME], date_of_birth="1990-12-10"),
        known("Ada King", email="a.king@y.example", places=[ELSEWHERE], date_of_birth="1990-12-10"),
        {Why.SAME_NAME, Why.SAME_DATE_OF_BIRTH},
    ),
    (
        "married, and kept phone and birthday",
        known("Ada Byron", phones=PHONE, date_of_birth="1990-12-10"),
        known("Ada King", phones=PHONE, date_of_birth="1990-12-10"),
        {Why.SAME_PHONE, Why.SAME_DATE_OF_BIRTH},
    ),
    (
        "day and month swapped",
        known("Ada King", date_of_birth="1990-12-10"),
        known("Ada King", date_of_birth="1990-10-12"),
        {Why.SAME_NAME},
    ),
    ("one company in two forms", known(company="Acme Ltd."), known(company="ACME Limited"), {Why.SAME_NAME}),
]

TWO = [
    (
        "a couple at one address with one phone",
        known("Ada King", phones=PHONE, places=[HOME]),
        known("Otto King", phones=PHONE, places=[HOME]),
    ),
    (
        "a family with one mailbox",
        known("Ada King", email="kings+ada@x.example", places=[HOME]),
        known("Otto King", email="kings+otto@x.example", places=[HOME]),
    ),
    ("flatmates", known("Ada King", phones=PHONE, places=[HOME]), known("Tim Berg", phones=PHONE, places=[HOME])),
    (
        "twins",
        known("Ada King", places=[HOME], date_of_birth="1990-12-10"),
        known("Eva King", places=[HOME], date_of_birth="1990-12-10"),
    ),
    (
        "father and son of one name",
        known("Otto King", places=[HOME], date_of_birth="1960-01-02"),
        known("Otto King", places=[HOME], date_of_birth="1990-12-10"),
    ),
    ("two short names a letter apart", known("Tim Berg", places=[HOME]), known("Tom Berg", places=[HOME])),
    ("two of one last name", known("Ada King"), known("Otto King")),
    ("only a last name each", known("King"), known("King")),
    (
        "mailboxes of nobody in particular",
        known("Ada King", email="info@x.example"),
        known("Otto Berg", email="info@y.example"),
    ),
    (
        "the next house",
        known("Jonh Smith", places=[Place("Torstraße 12", "10119", "DE")]),
        known("John Smith", places=[Place("Torstraße 13", "10119", "DE")]),
    ),
    ("nothing at all", known(), known()),
]


@pytest.mark.parametrize(("one", "other", "why"), [pair[1:] for pair in ONE], ids=[pair[0] for pair in ONE])
def test_one_person_twice_is_listed_with_the_reasons(one: Known, other: Known, why: set[Why]) -> None:
    found = likeness(one, other)

    assert why == set(found.reasons)
    assert LISTED <= found.score <= 1


@pytest.mark.parametrize(("one", "other"), [pair[1:] for pair in TWO], ids=[pair[0] for pair in TWO])
def test_two_people_are_not_listed(one: Known, other: Known) -> None:
    assert likeness(one, other).score < LISTED


WORDS = st.sampled_from(["Ada", "Jürgen", "King", "Müller", "Mueller", "J", "Anna", "Hanna", ""])
SOMEBODY = st.builds(
    Known,
    first_name=WORDS,
    last_name=WORDS,
    company=st.sampled_from([None, "Acme Ltd", "Acme GmbH", "Acne"]),
    email=st.sampled_from([None, "ada.king@gmail.com", "adaking+x@gmail.com", "adakinq@gmail.com", "info@x.example"]),
    phones=st.sampled_from([frozenset(), PHONE]),
    date_of_birth=st.sampled_from([None, "1990-12-10", "1990-10-12", "1960-01-02"]),
    places=st.lists(st.sampled_from([HOME, ELSEWHERE]), max_size=2),
)


@given(SOMEBODY, SOMEBODY)
def test_it_is_the_same_from_either_side_and_a_probability(one: Known, other: Known) -> None:
    found = likeness(one, other)

    assert likeness(other, one) == found
    assert 0 <= found.score <= 1
    assert bool(found.reasons) or found.score == 0


@given(SOMEBODY)
def test_more_that_is_the_same_is_never_less_likely(one: Known) -> None:
    other = replace(one, phones=frozenset(), places=(), date_of_birth=None)

    assert likeness(one, one).score >= likeness(one, other).score


def test_every_reason_has_a_weight_that_is_a_probability() -> None:
    assert set(Why) == WEIGHTS.keys()
    assert all(0 < weight < 1 for weight in WEIGHTS.values())


@pytest.mark.parametrize(
    ("email", "box"),
    [
        ("Ada.King+shop@Gmail.com", "adaking@gmail.com"),
        ("ada.king@googlemail.com", "adaking@gmail.com"),
        ("ada.king+a+b@x.example", "ada.king@x.example"),
        ("+ada@x.example", "+ada@x.example"),
    ],
)
def test_mailboxes(email: str, box: str) -> None:
    assert box == mailbox(email)


@pytest.mark.parametrize("name", ["Müller", "Mueller", "MÜLLER", "Muller", "Mu\u0308ller"])
def test_umlauts_have_one_spelling(name: str) -> None:
    assert "muller" == plain(name)
