"""Rows of an import, strictly and leniently."""

from dataclasses import replace
from datetime import date

import pytest

from core.drafts import AddressDraft, AttributeDraft, CustomerDraft, DocumentDraft
from core.vocabulary import AddressKind, DocumentType
from services.rules.policy import RowVerdict
from services.rules.row import check_row
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
