"""Rows of an import, strictly and leniently."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.drafts import AddressDraft, AttributeDraft, CustomerDraft, DocumentDraft
from core.vocabulary import AddressKind, CustomerKind, CustomerStatus, DocumentType
from services.rules.country import country_codes, country_from_name
from services.rules.customer import judged_customer
from services.rules.plain_row import plain_row
from services.rules.policy import Checked, RowVerdict, RulePolicy
from services.rules.row import check_row, judged_row
from tests.services.rules.test_customer import BERLIN, POLICY, paths

ROW = CustomerDraft(external_id="7", email="ada@example.com")


def attributes(verdict: RowVerdict) -> dict[str, str]:
    return {attribute.key: attribute.value for attribute in verdict.draft.attributes}


@pytest.mark.parametrize(
    "row",
    [
        replace(ROW, phone="+453 3331 9991"),
        replace(ROW, phone="+56 (0)2 635 4444"),
        replace(ROW, addresses=(replace(BERLIN, postal_code="D-10117"),)),
        replace(ROW, addresses=(replace(BERLIN, country_code="Narnia"),)),
        replace(ROW, addresses=(replace(BERLIN, line1=""),)),
        replace(ROW, date_of_birth=date(1812, 1, 1)),
        replace(ROW, locale="?"),
        replace(ROW, documents=(DocumentDraft(type=DocumentType.NATIONAL_ID, number="54362315Z", issuing_country="Spain"),)),
        replace(
            ROW, documents=(DocumentDraft(type=DocumentType.PASSPORT, issuing_country="Narnia", expires_on=date(2001, 1, 1)),)
        ),
    ],
)
def test_strict_rejects_what_lenient_takes_with_a_warning(row: CustomerDraft) -> None:
    strict, lenient = check_row(row, POLICY, lenient=False), check_row(row, POLICY, lenient=True)

    assert [] == strict.warnings
    assert [] == lenient.errors
    assert [problem.field for problem in strict.errors] == [problem.field for problem in lenient.warnings]
    assert [] != lenient.warnings


@pytest.mark.parametrize(
    ("row", "path", "code"),
    [
        (CustomerDraft(first_name="Ada"), "", "REQUIRED"),
        (CustomerDraft(external_id="7", email="ada"), "email", "INVALID_EMAIL"),
        (CustomerDraft(phone="n/a"), "phone", "INVALID_PHONE"),
        (replace(ROW, first_name="A\x00"), "firstName", "INVALID"),
        (replace(ROW, phone="n/a\x00"), "phone", "INVALID"),
        (replace(ROW, company="x" * 201), "company", "TOO_LONG"),
        (replace(ROW, addresses=(BERLIN,) * 21), "addresses", "TOO_MANY"),
        (replace(ROW, addresses=(replace(BERLIN, city="x" * 101),)), "addresses.0.city", "TOO_LONG"),
    ],
)
def test_identity_and_structure_reject_a_row_leniently_too(row: CustomerDraft, path: str, code: str) -> None:
    for lenient in (True, False):
        assert [(path, code)] == [found for found in paths(check_row(row, POLICY, lenient=lenient).errors) if found[0] == path]


def test_a_phone_that_is_no_number_becomes_an_attribute_beside_those_that_are_there() -> None:
    row = replace(ROW, phone="ask Bob", attributes=(AttributeDraft(key="phone", value="x"),))

    verdict = check_row(row, POLICY, lenient=True)

    assert None is verdict.draft.phone
    assert {"phone": "x", "phone_2": "ask Bob"} == attributes(verdict)


def test_a_phone_that_is_only_possible_is_kept() -> None:
    verdict = check_row(replace(ROW, phone="+56 (0)2 635 4444"), POLICY, lenient=True)

    assert "+56026354444" == verdict.draft.phone
    assert {} == attributes(verdict)


def test_an_address_that_its_country_refuses_is_kept_as_it_came() -> None:
    given = replace(BERLIN, postal_code="D-10117", city=None, phone="none")

    verdict = check_row(replace(ROW, addresses=(given,)), POLICY, lenient=True)

    assert (replace(given, phone=None),) == verdict.draft.addresses
    assert {"shipping_phone": "none"} == attributes(verdict)
    assert ["addresses.0.city", "addresses.0.postalCode", "addresses.0.phone"] == [path for path, _ in paths(verdict.warnings)]


def test_an_address_that_cannot_be_one_becomes_an_attribute_and_paths_stay() -> None:
    nowhere = AddressDraft(
        kind=AddressKind.BILLING, line1="1 Lamp Post", city="Cair Paravel", region="N", country_code="Narnia"
    )

    verdict = check_row(replace(ROW, addresses=(nowhere, replace(BERLIN, postal_code="?"))), POLICY, lenient=True)

    assert {"billing_address": "1 Lamp Post, Cair Paravel, N, Narnia"} == attributes(verdict)
    assert [replace(BERLIN, postal_code="?")] == list(verdict.draft.addresses)
    assert ["addresses.0.countryCode", "addresses.1.postalCode"] == [path for path, _ in paths(verdict.warnings)]


def test_a_row_without_a_country_is_in_the_sellers() -> None:
    verdict = check_row(
        replace(ROW, addresses=(replace(BERLIN, country_code=" "),)), replace(POLICY, default_country="DE"), lenient=True
    )

    assert (BERLIN,) == verdict.draft.addresses
    assert [("addresses.0.countryCode", "INVALID_ADDRESS")] == paths(verdict.warnings)
    assert [("addresses.0.countryCode", "REQUIRED")] == paths(
        check_row(replace(ROW, addresses=(replace(BERLIN, country_code=" "),)), POLICY, lenient=False).errors
    )


def test_countries_may_be_names_and_blank_names_are_none() -> None:
    verdict = check_row(
        replace(ROW, first_name=" ", phone="030 26550280", addresses=(replace(BERLIN, country_code="Deutschland"),)),
        POLICY,
        lenient=False,
    )

    assert ([], []) == (verdict.errors, verdict.warnings)
    assert ("DE", None, "+493026550280") == (
        verdict.draft.addresses[0].country_code,
        verdict.draft.first_name,
        verdict.draft.phone,
    )


def test_a_document_with_a_slip_is_kept_for_the_reviewer() -> None:
    document = DocumentDraft(type=DocumentType.NATIONAL_ID, number="54362315-Z", issuing_country="Spain")

    verdict = check_row(replace(ROW, documents=(document,)), POLICY, lenient=True)

    assert (replace(document, number="54362315Z", issuing_country="ES"),) == verdict.draft.documents


TEXTS = st.sampled_from(
    ["Ada", "O'Brien", "Müller", "Mu\u0308ller", "李", " Ada", "A\u00a0B", "A\u200b", "A\nB", "", " ", "x" * 300]
)
MAYBE = st.one_of(st.none(), TEXTS)
SOUND = CustomerDraft(
    external_id="7",
    email="Ada@example.com",
    phone="030 26550280",
    first_name="Ada",
    last_name="Müller",
    tags=("vip",),
    attributes=(AttributeDraft(key="Größe (cm)", value="180"),),
    addresses=(BERLIN,),
)
OF_ADDRESSES = {
    "line1": TEXTS,
    "country_code": st.sampled_from(["US", "GB", "XK", "us", "Germany", "", "Narnia", "USA"]),
    "kind": st.sampled_from(AddressKind),
    "is_default": st.sampled_from([None, True]),
    "recipient": MAYBE,
    "line2": MAYBE,
    "city": MAYBE,
    "region": st.sampled_from([None, "CA", "california", "Nowhere"]),
    "postal_code": st.sampled_from([None, "94043", " 10117", "10115", "sw1a 1aa", "?"]),
    "phone": st.sampled_from([None, "+1 650 253 0000", "030 26550280", "ask me"]),
}
OF_ROWS = {
    "external_id": MAYBE,
    "email": st.sampled_from([None, "ada@example.com ", "ada@b\u00fccher.example", "nobody", ""]),
    "phone": st.sampled_from([None, "+1 650 253 0000", "030 26550280 ", "+0049 30 26550280", "ask me", "12", ""]),
    "first_name": MAYBE,
    "last_name": MAYBE,
    "company": MAYBE,
    "kind": st.sampled_from(CustomerKind),
    "status": st.sampled_from(CustomerStatus),
    "date_of_birth": st.sampled_from([date(1990, 12, 24), date(1812, 1, 1), date(2999, 1, 1)]),
    "locale": st.sampled_from(["en_us", "?"]),
    "tags": st.lists(TEXTS, max_size=2).map(tuple),
    "attributes": st.lists(st.builds(AttributeDraft, key=TEXTS, value=TEXTS), max_size=2).map(tuple),
    "documents": st.just((DocumentDraft(type=DocumentType.PASSPORT, number="X1234567"),)),
}


def changed(draw: st.DrawFn, sound: Any, ways: Mapping[str, st.SearchStrategy[Any]], most: int) -> Any:
    """Return something sound with a few of its fields otherwise: with more, hardly any would be plain."""
    names = draw(st.sets(st.sampled_from(sorted(ways)), max_size=most))
    return replace(sound, **{name: draw(ways[name]) for name in names})


@st.composite
def rows(draw: st.DrawFn) -> CustomerDraft:
    addresses = tuple(changed(draw, BERLIN, OF_ADDRESSES, 2) for _ in range(draw(st.integers(0, 2))))
    row: CustomerDraft = changed(draw, replace(SOUND, addresses=addresses), OF_ROWS, 3)
    return row


SWITCHES = st.builds(replace, st.just(POLICY), **dict.fromkeys(("email", "phone", "documents", "addresses"), st.booleans()))


@settings(max_examples=2000, deadline=None)  # names of countries are read when the first is met
@given(rows(), SWITCHES, st.booleans())
def test_a_row_that_is_plainly_sound_is_judged_as_if_field_by_field(
    row: CustomerDraft, policy: RulePolicy, lenient: bool
) -> None:
    """
    And so is a customer that comes by itself.
    """
    plain = plain_row(row, policy)

    if plain is not None:
        assert RowVerdict(plain, [], []) == judged_row(row, policy, lenient=lenient)
        assert Checked(plain, []) == judged_customer(row, policy)


@pytest.mark.parametrize("code", sorted(country_codes()))
def test_the_code_of_a_country_is_its_name_everywhere(code: str) -> None:
    assert code == country_from_name(code)


def test_rows_as_shops_export_them_are_plainly_sound() -> None:
    """
    Attributes, tags, a local phone and letters of any script are no reason to look closer.
    """
    row = replace(
        ROW,
        phone="030 26550280",
        first_name="Zoë",
        company="Büro 李",
        date_of_birth=date(1990, 12, 24),
        tags=("vip", "früh"),
        attributes=(AttributeDraft(key="Größe (cm)", value="180"),),
        addresses=(BERLIN,),
    )

    plain = plain_row(row, POLICY)

    assert plain is not None
    assert ("+493026550280", "Zoë", CustomerKind.INDIVIDUAL, ("vip", "früh")) == (
        plain.phone, plain.first_name, plain.kind, plain.tags
    )  # fmt: skip
