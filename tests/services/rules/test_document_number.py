"""Numbers of documents: right where a country says what is right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.util import get_cc_module

from core.errors import ErrorCode
from core.vocabulary import DocumentType
from services.rules import document_number
from services.rules.country import country_codes
from services.rules.document_number import compact_number, lookup_numbers, normalise_document_number
from tests.services.rules.test_text import ANY_TEXT

NATIONAL_ID, TAX = DocumentType.NATIONAL_ID, DocumentType.TAX_CERTIFICATE

RIGHT = [
    (NATIONAL_ID, "ES", "54362315-K", "54362315K"),
    (NATIONAL_ID, "ES", "x-2482300w", "X2482300W"),
    (NATIONAL_ID, "BR", "390.533.447-05", "39053344705"),
    (NATIONAL_ID, "PL", "44051401359", "44051401359"),
    (NATIONAL_ID, "PL", "ABS 123456", "ABS123456"),
    (NATIONAL_ID, "FI", "131052-308T", "131052308T"),
    (NATIONAL_ID, "SE", "880320-0016", "8803200016"),
    (NATIONAL_ID, "NL", "111222333", "111222333"),
    (NATIONAL_ID, "ZA", "7503305044089", "7503305044089"),
    (NATIONAL_ID, "TR", "17291716060", "17291716060"),
    (NATIONAL_ID, "FR", "2 95 10 99 126 111 93", "295109912611193"),
    (NATIONAL_ID, "FR", "880692310285", "880692310285"),
    (NATIONAL_ID, "US", "536-90-4399", "536904399"),
    (NATIONAL_ID, "AE", "784-1980-1234567-8", "784198012345678"),
    (NATIONAL_ID, "AE", "٧٨٤١٩٨٠١٢٣٤٥٦٧٨", "784198012345678"),
    (NATIONAL_ID, "SA", "1000000008", "1000000008"),
    (NATIONAL_ID, "GB", "anything-7", "ANYTHING7"),
    (TAX, "ES", "ES B-58378431", "B58378431"),
    (TAX, "DE", "DE 136 695 976", "136695976"),
    (TAX, "GR", "EL 094259216", "094259216"),
    (TAX, "GB", "GB 980 7806 84", "980780684"),
    (TAX, "IN", "27AAPFU0939F1ZV", "27AAPFU0939F1ZV"),
    (TAX, "AU", "83 914 571 673", "83914571673"),
    (TAX, "US", "91-1144442", "911144442"),
    (TAX, "AE", "100-1234-5678-9003", "100123456789003"),
    (TAX, "SA", "300000000000003", "300000000000003"),
    (DocumentType.PASSPORT, "DE", "c01x 00t47", "C01X00T47"),
    (DocumentType.BUSINESS_LICENSE, None, "HRB 12345/2", "HRB123452"),
    (DocumentType.UTILITY_BILL, "AE", "БЖ-12", "БЖ12"),
]
WRONG = [
    (NATIONAL_ID, "ES", "54362315-Z"),
    (NATIONAL_ID, "BR", "390.533.447-06"),
    (NATIONAL_ID, "PL", "44051401358"),
    (NATIONAL_ID, "AE", "784198012345679"),
    (NATIONAL_ID, "SA", "3000000008"),
    (NATIONAL_ID, "US", "078-05-1120"),
    (TAX, "ES", "B-58378432"),
    (TAX, "DE", "136695978"),
    (TAX, "SA", "300000000000004"),
]


@pytest.mark.parametrize(("type_", "country", "value", "spelled"), RIGHT)
def test_a_right_number_has_one_spelling(type_: DocumentType, country: str | None, value: str, spelled: str) -> None:
    assert (spelled, None) == normalise_document_number(type_, country, value)
    assert (spelled, None) == normalise_document_number(type_, country, spelled)
    assert spelled in lookup_numbers(value)


@pytest.mark.parametrize(("type_", "country", "value"), WRONG)
def test_a_slip_of_the_pen_is_refused_but_where_the_rule_is_off(type_: DocumentType, country: str | None, value: str) -> None:
    number, problem = normalise_document_number(type_, country, value)

    assert compact_number(value) == number
    assert problem is not None
    assert ErrorCode.INVALID_DOCUMENT_NUMBER == problem.code
    assert (compact_number(value), None) == normalise_document_number(type_, country, value, enabled=False)


@pytest.mark.parametrize(
    "value", ["", "-", "7", "A1;DROP", "a" * 41, "12\x0034", "\ud800\ud800", "12\u202e34", "x" * 10_000_000]
)
def test_what_cannot_be_a_number_is_refused(value: str) -> None:
    number, problem = normalise_document_number(DocumentType.PASSPORT, None, value)

    assert number is None
    assert problem is not None


def test_every_module_that_the_tables_name_exists() -> None:
    """
    A module that python-stdnum renames would silently become "no rule".
    """
    named = {
        (country, name)
        for table in (document_number._NATIONAL_ID, document_number._TAX)
        for country, names in table.items()
        for name in names.split()
    }

    assert [] == sorted((country, name) for country, name in named if get_cc_module(country, name) is None)


@given(
    st.sampled_from([*DocumentType]),
    st.sampled_from(sorted(country_codes())) | st.just("??") | st.none(),
    ANY_TEXT | st.from_regex(r"\A[0-9A-Z./ -]{6,18}\Z"),
)
def test_normalising_never_raises_and_twice_is_once(type_: DocumentType, country: str | None, value: str) -> None:
    number, problem = normalise_document_number(type_, country, value)

    if problem is None:
        assert number is not None
        assert (number, None) == normalise_document_number(type_, country, number)
        assert number == compact_number(number)
