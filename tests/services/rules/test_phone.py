"""One number, one spelling: E.164."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import SUPPORTED_REGIONS, PhoneNumberFormat, PhoneNumberType

from core.errors import ErrorCode
from services.rules.phone import _normalised, normalise_phone
from services.rules.phone_patterns import plain_phone
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


NUMBERS = {
    region: [
        number
        for kind in range(PhoneNumberType.UNKNOWN)
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None
    ]
    for region in sorted(SUPPORTED_REGIONS)
}
SPELLINGS = (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL)


@st.composite
def written_numbers(draw: st.DrawFn) -> tuple[str, str | None]:
    """Make numbers of every region, as they are written there and with slips of the pen, and the region they are read in."""
    region = draw(st.sampled_from(sorted(NUMBERS)))
    text = phonenumbers.format_number(draw(st.sampled_from(NUMBERS[region])), draw(st.sampled_from(SPELLINGS)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from(["", *"0123456789", *" ()-./+"])) + text[place + draw(st.integers(0, 1)) :]
    return text, draw(st.sampled_from([region, region, *SUPPORTED_REGIONS, None]))


@settings(max_examples=500, deadline=None)  # the metadata of a region is read when it is first met
@given(written_numbers())
def test_a_plain_number_is_what_the_library_says(written: tuple[str, str | None]) -> None:
    text, region = written

    number = plain_phone(text, region) if text else None

    assert number is None or (number, None) == _normalised(text, region)


@pytest.mark.parametrize("spelling", SPELLINGS, ids=["E164", "INTERNATIONAL", "NATIONAL"])
def test_nearly_all_numbers_are_plain(spelling: int) -> None:
    """
    What is not plain takes ten times as long; a few national ways to dial have to be left to the library.
    """
    written = [(phonenumbers.format_number(one, spelling), region) for region, many in NUMBERS.items() for one in many]
    spelled = [(text, region) for text, region in written if _normalised(text, region)[1] is None]

    plain = [text for text, region in spelled if plain_phone(text, region) is not None]

    assert 1000 < len(spelled)
    assert 0.93 < len(plain) / len(spelled)
