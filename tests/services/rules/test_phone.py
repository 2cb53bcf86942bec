"""One number, one spelling: E.164."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ErrorCode
from services.rules.phone import normalise_phone
from tests.services.rules.test_text import ANY_TEXT


@pytest.mark.parametrize(
    ("value", "region", "spelled"),
    [
        ("(415) 555-2671", "US", "+14155552671"),
        ("+1 415.555.2671", None, "+14155552671"),
        ("001 415 555 2671", "DE", "+14155552671"),
        ("0044 20 7946 0958", "US", "+442079460958"),
        ("011 44 20 7946 0958", "US", "+442079460958"),
        ("٠٥٠١٢٣٤٥٦٧", "AE", "+971501234567"),
        ("'+14155552671", "US", "+14155552671"),
        ("+14155552671\u202c", "US", "+14155552671"),
        ("Tel.: 030 26550280", "DE", "+493026550280"),
        ("1-800-FLOWERS", "US", "+18003569377"),
    ],
)
def test_spellings_of_one_number_meet(value: str, region: str | None, spelled: str) -> None:
    assert (spelled, None) == normalise_phone(value, region)


@pytest.mark.parametrize(
    ("value", "region", "kept", "words"),
    [
        ("+56 (0)2 635 4444", "CL", "+56026354444", "only possible"),
        ("415-555-2671 ext. 12", "US", "+14155552671", "leave '12' out"),
        ("+453 3331 9991", "DK", None, "too long"),
        ("555 2671", "US", None, "area code is missing"),
        ("12", "US", None, "too short"),
        ("n/a", "US", None, "not a phone number"),
        ("please ring 4155552671", "US", None, "not a phone number"),
        ("030 26550280", None, None, "calling code"),
        ("9.71E+11", "AE", None, "rounded by a spreadsheet"),
        ("9,71501E+11", "AE", None, "rounded by a spreadsheet"),
        ("1" * 65, "US", None, "at most 64"),
        ("\ud800", "US", None, "not a phone number"),
    ],
)
def test_valid_possible_impossible_and_no_number_are_told_apart(
    value: str, region: str | None, kept: str | None, words: str
) -> None:
    number, problem = normalise_phone(value, region)

    assert kept == number
    assert problem is not None
    assert ErrorCode.INVALID_PHONE == problem.code
    assert words in problem.message


@given(ANY_TEXT | st.from_regex(r"\A\+?[0-9 ().-]{5,18}\Z"), st.sampled_from([None, "US", "DE", "IT", "AE", "BR", "XX", ""]))
def test_normalising_never_raises_and_twice_is_once(value: str, region: str | None) -> None:
    number, problem = normalise_phone(value, region)

    if problem is None:
        assert number is not None
        assert (number, None) == normalise_phone(number, None)
        assert number[0] == "+"
        assert 16 >= len(number)
