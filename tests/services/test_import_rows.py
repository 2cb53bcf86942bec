"""Rows judged by themselves: what is an error, what a warning, and which column is to blame."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ErrorCode
from core.sealing import Sealer
from core.vocabulary import BulkImportMatch, BulkImportMode, EventPrivacy, Severity
from services.csv.columns import map_columns
from services.csv.records import Record
from services.import_rows import CheckedRow, ImportPlan, check, row_keys
from services.records import RecordMaker
from services.rules.policy import RulePolicy
from tests.imports import MASTER_KEY

MAKER = RecordMaker(Sealer(MASTER_KEY), EventPrivacy.MASKED)
HEADER = (
    "Customer ID", "E-mail", "Phone", "birthday", "kind", "address1", "city", "state", "zip", "country_code",
    "document_type", "document_number",
)  # fmt: skip


def plan(*, lenient: bool) -> ImportPlan:
    """Return what is the same for all rows of an import."""
    return ImportPlan(
        import_id="imp_1",
        seller_id="acme",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        mode=BulkImportMode.CREATE,
        match_by=BulkImportMatch.EXTERNAL_ID,
        lenient=lenient,
        dry_run=False,
        columns=map_columns(HEADER, [("birthday", "date_of_birth")]),
        policy=RulePolicy(email=True, phone=True, documents=True, addresses=True, default_country="US", today=date(2026, 1, 1)),
    )


def row(changed: Mapping[str, str] | None = None, *, lenient: bool = True) -> CheckedRow:
    """Judge a sound row with some cells changed."""
    cells = {"Customer ID": "c1", "E-mail": "ada@example.com", **(changed or {})}
    return check(Record(7, 0, 1, tuple(cells.get(name, "") for name in HEADER), None), plan(lenient=lenient), MAKER)


def found(checked: CheckedRow) -> list[tuple[Severity, str | None, ErrorCode]]:
    """Return all problems of a row."""
    return [(one.severity, one.column, one.code) for one in (*checked.errors, *checked.warnings)]


def test_a_sound_row_has_no_problems_and_knows_its_keys() -> None:
    checked = row({"document_type": "passport", "document_number": "X1234567"})

    assert [] == found(checked)
    assert [("external_id", "c1"), ("email", "ada@example.com")] == [key for key, _ in checked.keys[:2]]
    assert ["document_keys"] == [name for (name, _), _ in checked.keys[2:]]
    assert not checked.gives_kind


@pytest.mark.parametrize("lenient", [False, True])
def test_a_malformed_email_is_an_error_in_its_column(lenient: bool) -> None:
    checked = row({"E-mail": "nobody"}, lenient=lenient)

    assert [(Severity.ERROR, "E-mail", ErrorCode.INVALID_EMAIL)] == found(checked)
    assert ("email", "nobody") not in [key for key, _ in checked.keys]


def test_a_lenient_row_keeps_what_is_no_phone_as_an_attribute() -> None:
    checked = row({"Phone": "ask the office"})

    assert [(Severity.WARNING, "Phone", ErrorCode.INVALID_PHONE)] == found(checked)
    assert None is checked.draft.phone
    assert {"phone": "ask the office"} == {one.key: one.value for one in checked.draft.attributes}


def test_a_lenient_row_keeps_a_cell_that_makes_no_sense_as_an_attribute() -> None:
    checked = row({"birthday": "03/04/1990", "kind": "alien"})

    assert {(Severity.WARNING, "birthday", ErrorCode.INVALID), (Severity.WARNING, "kind", ErrorCode.INVALID)} == set(
        found(checked)
    )
    assert {"date_of_birth": "03/04/1990", "kind": "alien"} == {one.key: one.value for one in checked.draft.attributes}


def test_a_strict_row_is_refused_for_any_of_it() -> None:
    checked = row({"birthday": "03/04/1990", "Phone": "ask the office", "kind": "alien"}, lenient=False)

    assert {Severity.ERROR} == {one.severity for one in checked.errors}
    assert {"birthday", "kind", "Phone"} == {one.column for one in checked.errors}
    assert [] == checked.warnings


def test_a_number_that_a_spreadsheet_has_ruined_identifies_nobody() -> None:
    checked = row({"Customer ID": "1.2E+11"})

    assert [(Severity.ERROR, "Customer ID", ErrorCode.INVALID)] == found(checked)


def test_a_document_number_never_becomes_an_attribute() -> None:
    """
    A document of an unknown type is refused: numbers of documents are stored sealed or not at all.
    """
    checked = row({"document_type": "library card", "document_number": "X1234567"})

    assert [(Severity.ERROR, "document_type", ErrorCode.INVALID)] == found(checked)
    assert () == checked.draft.attributes


def test_a_ragged_row_has_one_problem_and_keeps_its_cells() -> None:
    cells = ("c1", "ada@example.com")
    checked = check(Record(3, 0, 1, cells, None), plan(lenient=True), MAKER)

    assert [(Severity.ERROR, None, ErrorCode.INVALID_CSV)] == found(checked)
    assert (3, cells) == (checked.row, checked.cells)


def test_upserts_find_customers_by_one_field() -> None:
    assert None is plan(lenient=True).upsert_by
    upsert = replace(plan(lenient=True), mode=BulkImportMode.UPSERT, match_by=BulkImportMatch.PHONE)
    assert "phone" == upsert.upsert_by


COUNTRIES = st.sampled_from(["", "DE", "germany", "US", "Nowhere", "NULL"])
CELLS = st.tuples(
    st.sampled_from(["", "c1", " c2 ", "'007", "1.2E+11", "c\u200b1", "x" * 300, "NULL"]),
    st.sampled_from(["", "Ada@Example.com", " ada@b\u00fccher.example ", "nobody", "'=a@example.com"]),
    st.sampled_from(
        ["", "+1 415 555 2671", "030 26550280", "415-555-2671 ext. 12", "+0049 30 26550280", "ask me", "9.7E+11", "12"]
    ),
    st.sampled_from(["", "1990-12-24", "03/04/1990"]),
    st.sampled_from(["", "business", "alien"]),
    st.sampled_from(["", "1 Main Street", "1 Main Street\nFloor 2"]),
    st.sampled_from(["", "Springfield"]),
    st.sampled_from(["", "IL", "Nowhere"]),
    st.sampled_from(["", "62701"]),
    COUNTRIES,
    st.sampled_from(["", "passport", "id card", "library card"]),
    st.sampled_from(["", "X1234567", "12 34-56", "E-007", "1.2E+11", "?"]),
)


@settings(max_examples=1000, deadline=None)  # names of countries are read when the first is met
@given(CELLS, st.sampled_from([(), ("",), ("too much",)]), st.booleans(), st.booleans())
def test_the_keys_of_a_row_are_found_without_judging_it(
    cells: tuple[str, ...], beyond: tuple[str, ...], lenient: bool, enabled: bool
) -> None:
    policy = replace(plan(lenient=lenient).policy, email=enabled, phone=enabled, documents=enabled)
    rules = replace(plan(lenient=lenient), policy=policy)

    checked = check(Record(7, 0, 1, (*cells, *beyond), None), rules, MAKER)

    assert {key for key, _ in checked.keys} <= set(row_keys((*cells, *beyond), rules, MAKER))


def test_a_row_without_a_column_for_a_key_has_no_such_key() -> None:
    rules = replace(plan(lenient=True), columns=map_columns(("id", "email"), []))

    assert [("external_id", "c1"), ("email", "ada@example.com")] == row_keys(("c1", "ADA@example.com"), rules, MAKER)
    assert [] == row_keys(("", "NULL"), rules, MAKER)
    assert [] == row_keys(("c1",), rules, MAKER)
