"""A whole customer: everything that is wrong, at once, with its path."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.drafts import AddressDraft, AttributeDraft, CustomerDraft, DocumentDraft, FileDraft
from core.errors import Problem
from core.vocabulary import AddressKind, CustomerKind, DocumentType
from services.rules.customer import (
    RulePolicy,
    check_address_patch,
    check_customer,
    check_customer_values,
    check_document_draft,
    check_row,
)
from tests.services.rules.test_text import ANY_TEXT

TODAY = date(2026, 3, 1)
POLICY = RulePolicy(email=True, phone=True, documents=True, addresses=True, default_country="US", today=TODAY)
OFF = replace(POLICY, email=False, phone=False, documents=False, addresses=False)
BERLIN = AddressDraft(
    kind=AddressKind.SHIPPING, line1="Unter den Linden 1", city="Berlin", postal_code="10117", country_code="DE"
)


def paths(problems: Sequence[Problem]) -> list[tuple[str, str]]:
    return [(".".join(problem.field), problem.code.value) for problem in problems]


def test_a_sound_customer_comes_back_normalised() -> None:
    checked = check_customer(
        CustomerDraft(
            email=" Ada@Example.com",
            phone="030 26550280",
            first_name=" Ada ",
            locale="en_gb",
            tags=("vip", " vip", "new"),
            addresses=(replace(BERLIN, country_code="de"),),
            documents=(DocumentDraft(type=DocumentType.NATIONAL_ID, number="54362315-k", issuing_country="es"),),
        ),
        POLICY,
    )

    assert [] == checked.problems
    assert "ada@example.com" == checked.draft.email
    assert "+493026550280" == checked.draft.phone  # the region is the address's
    assert ("Ada", "en-GB", ("vip", "new")) == (checked.draft.first_name, checked.draft.locale, checked.draft.tags)
    assert CustomerKind.INDIVIDUAL == checked.draft.kind
    assert BERLIN == checked.draft.addresses[0]
    assert ("ES", "54362315K") == (checked.draft.documents[0].issuing_country, checked.draft.documents[0].number)


def test_all_problems_come_at_once_with_their_paths() -> None:
    draft = CustomerDraft(
        email="ada",
        phone="1",
        first_name=" ",
        company="x" * 201,
        date_of_birth=date(2026, 3, 2),
        locale="english!",
        tags=("ok", "a\x00"),
        attributes=(
            AttributeDraft(key="", value=""),
            AttributeDraft(key="Fax", value="1"),
            AttributeDraft(key="Fax", value="2"),
        ),
        addresses=(replace(BERLIN, postal_code="1", is_default=True), replace(BERLIN, phone="x", is_default=True)),
        documents=(
            DocumentDraft(
                type=DocumentType.NATIONAL_ID,
                number="54362315Z",
                issuing_country="ES",
                issued_on=date(2027, 1, 1),
                expires_on=date(2026, 1, 1),
                file=FileDraft(name="../x", content_type="text/html", size=0, sha256="z"),
            ),
            DocumentDraft(type=DocumentType.PASSPORT, number="!", issuing_country="Spain", expires_on=date(2026, 2, 28)),
        ),
    )

    assert {
        ("email", "INVALID_EMAIL"),
        ("phone", "INVALID_PHONE"),
        ("firstName", "REQUIRED"),
        ("company", "TOO_LONG"),
        ("dateOfBirth", "INVALID"),
        ("locale", "INVALID"),
        ("tags.1", "INVALID"),
        ("attributes.0.key", "REQUIRED"),
        ("attributes.2.key", "INVALID"),
        ("addresses.0.postalCode", "INVALID_ADDRESS"),
        ("addresses.1.phone", "INVALID_PHONE"),
        ("addresses.1.isDefault", "INVALID"),
        ("documents.0.number", "INVALID_DOCUMENT_NUMBER"),
        ("documents.0.issuedOn", "INVALID"),
        ("documents.0.expiresOn", "INVALID"),
        ("documents.0.file.name", "INVALID"),
        ("documents.0.file.contentType", "FILE_TYPE_REJECTED"),
        ("documents.0.file.size", "INVALID"),
        ("documents.0.file.sha256", "INVALID"),
        ("documents.1.number", "INVALID_DOCUMENT_NUMBER"),
        ("documents.1.issuingCountry", "INVALID"),
        ("documents.1.expiresOn", "DOCUMENT_EXPIRED"),
    } == set(paths(check_customer(draft, POLICY).problems))


@pytest.mark.parametrize(
    "draft", [CustomerDraft(), CustomerDraft(first_name="Ada"), CustomerDraft(email=" ", external_id="\u200b")]
)
def test_somebody_unknowable_is_refused_as_a_whole(draft: CustomerDraft) -> None:
    assert [("", "REQUIRED")] == paths(check_customer(draft, POLICY).problems)


def test_too_many_of_anything_is_said_once() -> None:
    draft = CustomerDraft(
        external_id="1",
        tags=("t",) * 251,
        attributes=(AttributeDraft(key="k", value="v"),) * 101,
        addresses=(BERLIN,) * 21,
        documents=(DocumentDraft(type=DocumentType.PASSPORT),) * 21,
    )

    assert ["tags", "attributes", "addresses", "documents"] == [
        path for path, _ in paths(check_customer(draft, POLICY).problems)
    ]


def test_a_file_of_ten_mebibytes_is_the_largest() -> None:
    file = FileDraft(name="id.pdf", content_type="Application/PDF", size=10 * 1024 * 1024, sha256="A" * 64)
    document = DocumentDraft(type=DocumentType.PASSPORT, file=file)

    checked, problems = check_document_draft(document, POLICY)
    assert checked.file is not None
    assert ([], "application/pdf", "a" * 64) == (problems, checked.file.content_type, checked.file.sha256)
    assert [("file.size", "TOO_LONG")] == paths(
        check_document_draft(replace(document, file=replace(file, size=file.size + 1)), POLICY)[1]
    )


@pytest.mark.parametrize(
    ("draft", "kind"),
    [
        (CustomerDraft(email="a@b.co"), CustomerKind.INDIVIDUAL),
        (CustomerDraft(email="a@b.co", company="ACME"), CustomerKind.BUSINESS),
        (CustomerDraft(email="a@b.co", company="ACME", last_name="Ada"), CustomerKind.INDIVIDUAL),
        (CustomerDraft(email="a@b.co", company="ACME", kind=CustomerKind.INDIVIDUAL), CustomerKind.INDIVIDUAL),
    ],
)
def test_a_company_without_a_person_is_a_business(draft: CustomerDraft, kind: CustomerKind) -> None:
    assert kind == check_customer(draft, POLICY).draft.kind


def test_rules_that_are_off_refuse_nothing_for_what_it_says() -> None:
    draft = CustomerDraft(
        email="ADA AT HOME",
        phone="n/a",
        addresses=(replace(BERLIN, postal_code="?"),),
        documents=(
            DocumentDraft(type=DocumentType.NATIONAL_ID, number="1-2", issuing_country="ES", expires_on=date(2000, 1, 1)),
        ),
    )
    checked = check_customer(draft, OFF)

    assert [] == checked.problems
    assert ("ada at home", "n/a", "12") == (checked.draft.email, checked.draft.phone, checked.draft.documents[0].number)
    assert ["INVALID"] == [code for _, code in paths(check_customer(replace(draft, phone="1\x00"), OFF).problems)]


def test_a_patch_touches_what_it_names_and_null_clears() -> None:
    checked = check_customer_values({"phone": "030 26550280", "company": None, "tags": None, "kind": None}, POLICY, region="DE")

    assert {"phone": "+493026550280", "company": None, "tags": (), "kind": None} == checked.values
    assert [("kind", "REQUIRED")] == paths(checked.problems)


def test_an_address_kept_leniently_can_be_relabelled_but_not_half_mended() -> None:
    stored = replace(BERLIN, postal_code="D-10117", phone="+999")

    relabelled, problems = check_address_patch(stored, {"label": " Home "}, POLICY)
    assert ([], "Home", "D-10117", "+999") == (problems, relabelled.label, relabelled.postal_code, relabelled.phone)
    assert [("postalCode", "INVALID_ADDRESS")] == paths(check_address_patch(stored, {"city": "Bonn"}, POLICY)[1])
    assert [] == check_address_patch(stored, {"postal_code": "10117"}, POLICY)[1]
    assert [("line1", "REQUIRED")] == paths(check_address_patch(BERLIN, {"line1": None}, POLICY)[1])


ATTRIBUTES = st.lists(st.builds(AttributeDraft, key=ANY_TEXT, value=ANY_TEXT), max_size=2).map(tuple)
ADDRESSES = st.lists(
    st.builds(AddressDraft, line1=ANY_TEXT, country_code=ANY_TEXT, phone=ANY_TEXT, kind=st.just(AddressKind.BILLING)),
    max_size=2,
).map(tuple)
DRAFTS = st.builds(
    CustomerDraft,
    external_id=ANY_TEXT,
    email=ANY_TEXT,
    phone=ANY_TEXT,
    first_name=ANY_TEXT,
    locale=ANY_TEXT,
    tags=st.lists(ANY_TEXT, max_size=3).map(tuple),
    attributes=ATTRIBUTES,
    addresses=ADDRESSES,
)


@given(DRAFTS)
def test_whatever_is_accepted_is_accepted_again_unchanged_and_can_be_stored(draft: CustomerDraft) -> None:
    checked = check_customer(draft, POLICY)
    verdict = check_row(draft, POLICY, lenient=True)

    if not checked.problems:
        assert checked == check_customer(checked.draft, POLICY)
    if not verdict.errors:
        again = check_row(verdict.draft, POLICY, lenient=True)
        assert ([], verdict.draft) == (again.errors, again.draft)
