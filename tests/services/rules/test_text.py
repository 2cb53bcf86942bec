"""Text is cleaned, bounded, and made comparable."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ErrorCode, Problem
from services.rules.text import clean_text, fold, is_latin, is_plain, search_words
from tests.effort import effort

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))
"""Including surrogates, which the default leaves out."""


def clean(
    value: str | None, *, limit: int = 20, required: bool = False, multiline: bool = False, identifier: bool = False
) -> tuple[str | None, list[ErrorCode]]:
    problems: list[Problem] = []
    text = clean_text(
        value, limit=limit, field=("x",), problems=problems, required=required, multiline=multiline, identifier=identifier
    )
    return text, [problem.code for problem in problems]


def test_blanks_around_a_text_are_dropped_and_those_inside_stay() -> None:
    assert ("Mataderos  2312", []) == clean(" Mataderos  2312 ")


def test_text_is_stored_composed() -> None:
    assert ("é", []) == clean("e\u0301")


@pytest.mark.parametrize("value", [None, "", "  ", "\ufeff", "\n"])
def test_nothing_is_none_and_a_problem_only_where_something_is_required(value: str | None) -> None:
    assert (None, []) == clean(value)
    assert (None, [ErrorCode.REQUIRED]) == clean(value, required=True)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a\x00b", "U+0000 (NUL)"),
        ("a\x1b[31m", "U+001B (ESCAPE)"),
        ("a\x9fb", "U+009F (a control character)"),
        ("\ud800", "U+D800 (half of a surrogate pair)"),
        ("a\u202eb", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
        ("a\u2066b", "U+2066 (LEFT-TO-RIGHT ISOLATE)"),
    ],
)
def test_a_forbidden_character_is_named(value: str, name: str) -> None:
    problems: list[Problem] = []

    assert clean_text(value, limit=20, field=("x",), problems=problems) is None
    assert [Problem(ErrorCode.INVALID, f"Remove the character {name}: it is not allowed here.", ("x",))] == problems


def test_line_breaks_become_a_blank_unless_lines_are_wanted() -> None:
    assert ("12 Main St Apt 4", []) == clean("12 Main St \r\n\tApt 4")
    assert ("12 Main St\nApt 4", []) == clean("12 Main St\nApt 4", multiline=True)
    assert (None, [ErrorCode.INVALID]) == clean("A\n1", identifier=True)


def test_identifiers_that_look_alike_are_alike_and_names_keep_their_joiners() -> None:
    assert ("A1", []) == clean("A\u200b1\u2060", identifier=True)
    assert ("क्\u200dष", []) == clean("क्\u200dष")


def test_a_text_that_is_too_long_names_the_limit() -> None:
    problems: list[Problem] = []
    clean_text("x" * 21, limit=20, field=("company",), problems=problems)

    assert [Problem(ErrorCode.TOO_LONG, "At most 20 characters are allowed; there are 21.", ("company",))] == problems


def test_ten_megabytes_are_refused_without_being_read() -> None:
    text = "\u0301" * 10_000_000
    with effort() as spent:
        refused = clean(text)

    assert (None, [ErrorCode.TOO_LONG]) == refused
    assert spent.calls < 100


@given(ANY_TEXT, st.booleans(), st.booleans())
def test_cleaning_never_raises_and_cleans_once_and_for_all(value: str, multiline: bool, identifier: bool) -> None:
    text, problems = clean(value, multiline=multiline, identifier=identifier)

    assert 1 >= len(problems)
    if text is not None:
        assert [] == problems
        assert 20 >= len(text)
        assert unicodedata.is_normalized("NFC", text)
        assert (text, []) == clean(text, multiline=multiline, identifier=identifier)


@given(ANY_TEXT)
def test_folding_never_raises_and_twice_is_once(value: str) -> None:
    assert fold(value) == fold(fold(value))


@pytest.mark.parametrize(
    ("value", "folded"),
    [
        ("Łódź", "lodz"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Ærø  By", "aero by"),
        ("한국", "한국"),
        ("İzmir", "izmir"),
    ],
)
def test_folding_drops_case_and_accents(value: str, folded: str) -> None:
    assert folded == fold(value)


def test_scripts_are_told_apart() -> None:
    assert is_latin("Đà Nẵng 12")
    assert not is_latin("東京")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("Ada", None, "Lovelace"), ["ada", "lovelace"]),
        (("O\u2019Reilly",), ["o", "reilly", "oreilly"]),
        (("+14155552671",), ["14155552671", "4155552671"]),
        (("+442079460958",), ["442079460958", "2079460958"]),
        (("020 7946 0958",), ["2079460958"]),
        (("Ada.L@Example.com",), ["ada.l@example.com", "ada.l", "example.com", "ada", "l"]),
        (("ada@exa",), ["ada@exa", "ada", "exa"]),
        (("@",), []),
        (("ada ada",), ["ada"]),
    ],
)
def test_search_words(values: tuple[str | None, ...], words: list[str]) -> None:
    assert words == search_words(*values)


@given(st.lists(ANY_TEXT | st.none(), max_size=5))
def test_search_words_are_bounded(values: list[str | None]) -> None:
    words = search_words(*values)

    assert 40 >= len(words)
    assert all(0 < len(word) <= 64 for word in words)
    assert len(words) == len(set(words))


def test_a_text_of_many_words_costs_forty() -> None:
    assert 40 == len(search_words(" ".join(f"w{n}" for n in range(100_000))))
    assert [64] == [len(word) for word in search_words("x" * 100_000)]


@given(
    st.one_of(ANY_TEXT, st.text(alphabet="aé\u0301 \u00a0\u200b\u2028\n", max_size=8)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_a_plain_text_needs_no_cleaning(value: str, required: bool, multiline: bool, identifier: bool) -> None:
    if is_plain(value, 20):
        assert (value, []) == clean(value, required=required, multiline=multiline, identifier=identifier)


@pytest.mark.parametrize("value", ["Ada", "Zo\u00eb", "\u674e \u5c0f\u9f99", "O'Brien & S\u00f8ns (2)", "x" * 20])
def test_nearly_every_text_is_plain(value: str) -> None:
    assert is_plain(value, 20)


def test_every_character_alone_is_plain_only_where_cleaning_keeps_it() -> None:
    plain = [chr(code) for code in range(0x110000) if is_plain(chr(code), 20)]

    assert [] == [character for character in plain if clean(character, identifier=True) != (character, [])]
    assert len(plain) > 100_000
