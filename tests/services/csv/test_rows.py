from datetime import date
from pathlib import Path

import pytest

from core.drafts import AddressDraft, AttributeDraft, CustomerDraft, DocumentDraft
from core.errors import ErrorCode, Problem
from core.vocabulary import AddressKind, CustomerKind, CustomerStatus, DocumentType
from services.csv.columns import map_columns
from services.csv.format import recognise
from services.csv.records import read_all
from services.csv.rows import RowDraft, to_draft

EXAMPLES = Path(__file__).parents[3] / "examples"


def row_of(*, default_country: str | None = None, **cells: str) -> RowDraft:
    plan = map_columns([name.replace("__", ".") for name in ("external_id", *cells)], [])
    return to_draft(plan, ["1", *cells.values()], default_country=default_country)


def rows_of(name: str) -> list[RowDraft]:
    data = (EXAMPLES / name).read_bytes()
    format = recognise(data, delimiter=None, size=len(data))
    plan = map_columns(format.header, [])
    return [to_draft(plan, record.cells or ()) for record in read_all(format, [data])]


def test_all_rows_of_chinook_are_sound() -> None:
    rows = rows_of("chinook-customers.csv")

    assert 59 == len(rows)
    assert [] == [row.problems for row in rows if row.problems]
    assert (
        RowDraft(
            CustomerDraft(
                external_id="5",
                email="frantisekw@jetbrains.com",
                phone="+420 2 4172 5555",
                first_name="František",
                last_name="Wichterlová",
                company="JetBrains s.r.o.",
                attributes=(AttributeDraft(key="Fax", value="+420 2 4172 5555"), AttributeDraft(key="SupportRepId", value="4")),
                addresses=(
                    AddressDraft(
                        kind=AddressKind.SHIPPING,
                        line1="Klanova 9/506",
                        city="Prague",
                        postal_code="14700",
                        country_code="CZ",
                        is_default=True,
                    ),
                ),
            ),
            country="CZ",
        )
        == rows[4]
    )
    assert all(row.country and len(row.draft.addresses) == 1 for row in rows)


def test_rows_of_northwind_with_a_comma_too_many_say_so() -> None:
    rows = rows_of("northwind-customers.csv")

    ragged = [number for number, row in enumerate(rows, 1) if row.problems]
    assert 91 == len(rows)
    assert [7, 8, 9, 15, 18, 21, 22, 23, 26, 29, 30, 31, 34, 40, 57, 61, 62, 67, 69, 74, 76, 81, 84, 88] == ragged
    assert {
        (
            ErrorCode.INVALID_CSV,
            (
                "The row has 12 cells, the header has 11 columns. Most likely a cell contains the delimiter and is not quoted: "
                "put that cell between double quotes."
            ),
        )
    } == {(problem.code, problem.message) for row in rows for problem in row.problems}


def test_northwind_writes_null_and_uk() -> None:
    row = rows_of("northwind-customers.csv")[3]

    assert ("GB", "Thomas", "Hardy", None) == (
        row.country,
        row.draft.first_name,
        row.draft.last_name,
        row.draft.addresses[0].region,
    )


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1"], "The row has 1 cells, the header has 2 columns. Most likely a cell contains a line break"),
        (["1", "a", "b"], "The row has 3 cells, the header has 2 columns. Most likely a cell contains the delimiter"),
        (["1", "a", "", "b"], "The row has 4 cells"),
    ],
)
def test_ragged_rows_are_refused_and_the_likely_reason_named(cells: list[str], words: str) -> None:
    """Case 6."""
    row = to_draft(map_columns(["external_id", "email"], []), cells)

    assert [ErrorCode.INVALID_CSV] == [problem.code for problem in row.problems]
    assert row.problems[0].message.startswith(words)
    assert CustomerDraft() == row.draft


def test_trailing_empty_cells_are_tolerated() -> None:
    """Case 6."""
    row = to_draft(map_columns(["external_id", "email"], []), ["1", "a@b.c", "", " "])

    assert (CustomerDraft(external_id="1", email="a@b.c"), []) == (row.draft, row.problems)


def test_every_field_finds_its_place() -> None:
    row = row_of(
        email=" a@b.c ",
        phone="'+49 30 123",
        first_name="Ada",
        last_name="Lovelace",
        company="NULL",
        kind="Company",
        status="enabled",
        date_of_birth="10.12.1815",
        locale="en-GB",
        tags="vip|b2b",
        attribute__tier="=gold",
        document_type="Passport",
        document_number="'00123",
        document_country="Germany",
        document_expires_on="2030-01-31",
    )

    assert [] == row.problems
    assert (
        CustomerDraft(
            external_id="1",
            kind=CustomerKind.BUSINESS,
            email="a@b.c",
            phone="+49 30 123",
            first_name="Ada",
            last_name="Lovelace",
            date_of_birth=date(1815, 12, 10),
            locale="en-GB",
            tags=("vip", "b2b"),
            attributes=(AttributeDraft(key="tier", value="=gold"),),
            status=CustomerStatus.ACTIVE,
            documents=(
                DocumentDraft(type=DocumentType.PASSPORT, number="00123", issuing_country="DE", expires_on=date(2030, 1, 31)),
            ),
        )
        == row.draft
    )


def test_billing_and_shipping_stand_in_one_row() -> None:
    row = row_of(
        billing_first_name="Ada",
        billing_last_name="Lovelace",
        billing_address_1="1 Main St",
        billing_country="France",
        shipping_street="12 Rue\nÉtage 3\nPorte 4",
        shipping_zip="'01234",
        shipping_country="be",
    )

    assert (
        AddressDraft(
            kind=AddressKind.SHIPPING,
            line1="12 Rue",
            line2="Étage 3, Porte 4",
            postal_code="01234",
            country_code="BE",
            is_default=True,
        ),
        AddressDraft(kind=AddressKind.BILLING, line1="1 Main St", country_code="FR", recipient="Ada Lovelace", is_default=True),
    ) == row.draft.addresses
    assert ("BE", "Ada", "Lovelace") == (row.country, row.draft.first_name, row.draft.last_name)


def test_a_country_or_a_phone_alone_makes_no_address() -> None:
    row = row_of(shipping_country="FR", shipping_phone="1", shipping_city=" ", shipping_company="X")

    assert () == row.draft.addresses


@pytest.mark.parametrize(
    ("given", "default", "code", "region"),
    [("Atlantis", "DE", "Atlantis", None), ("", "DE", "DE", "DE"), ("", None, "", None), ("UK", None, "GB", "GB")],
)
def test_a_country_becomes_its_code_or_stays_for_the_rules(
    given: str, default: str | None, code: str, region: str | None
) -> None:
    row = row_of(city="X", country=given, default_country=default)

    assert (code, region, []) == (row.draft.addresses[0].country_code, row.country, row.problems)


@pytest.mark.parametrize(
    ("column", "cell", "code", "path"),
    [
        ("phone", "9.71E+11", ErrorCode.INVALID_PHONE, ("phone",)),
        ("date_of_birth", "03/04/2020", ErrorCode.INVALID, ("dateOfBirth",)),
        ("status", "whatever", ErrorCode.INVALID, ("status",)),
        ("kind", "?", ErrorCode.INVALID, ("kind",)),
        ("document_number", "123", ErrorCode.REQUIRED, ("documents", "0", "type")),
        ("document_type", "library card", ErrorCode.INVALID, ("documents", "0", "type")),
    ],
)
def test_a_cell_that_cannot_be_a_field_is_a_problem_with_a_path(
    column: str, cell: str, code: ErrorCode, path: tuple[str, ...]
) -> None:
    """Cases 14 and 25; the field stays empty."""
    row = row_of(**{column: cell})

    assert [(code, path)] == [(problem.code, problem.field) for problem in row.problems]
    assert CustomerDraft(external_id="1") == row.draft


def test_a_shortened_id_is_refused() -> None:
    row = to_draft(map_columns(["id"], []), ["1.2345E+15"])

    assert [
        Problem(
            ErrorCode.INVALID,
            "'1.2345E+15': a spreadsheet has shortened this number. Format the column as text and export the file again.",
            ("externalId",),
        )
    ] == row.problems


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ({"full_name": "Ada Lovelace"}, ("Ada", "Lovelace", None)),
        ({"full_name": "Acme Ltd", "kind": "business"}, (None, None, "Acme Ltd")),
        ({"full_name": "acme ltd", "company": "Acme Ltd"}, (None, None, "Acme Ltd")),
        ({"full_name": "X Y", "first_name": "Ada"}, ("Ada", None, None)),
    ],
)
def test_a_full_name_fills_what_is_missing(cells: dict[str, str], names: tuple[str | None, ...]) -> None:
    draft = row_of(**cells).draft

    assert names == (draft.first_name, draft.last_name, draft.company)
