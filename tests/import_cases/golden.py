"""What became of an import, in a form that can be written down and compared.

``REWRITE_GOLDEN=1 make test ARGS="tests/import_cases"`` writes the golden files anew; the difference is then to be read.
"""

import json
import os
from pathlib import Path
from typing import Any

from core.errors import Refused
from models.bulk_import import BulkImport
from tests.imports import OPERATOR, Bench

_GOLDEN = Path(__file__).with_name("golden")
_CUSTOMER = (
    "external_id", "kind", "status", "email", "phone", "first_name", "last_name", "full_name", "company", "date_of_birth",
    "locale", "tags",
)  # fmt: skip
_ADDRESS = (
    "kind", "is_default", "recipient", "company", "line1", "line2", "city", "region", "postal_code", "country_code", "phone",
)  # fmt: skip
_DOCUMENT = ("type", "issuing_country", "expires_on", "number_last_four")
_USUAL = {"kind": "INDIVIDUAL", "status": "ACTIVE", "is_default": True}
"""Left out of the golden files where it says nothing."""


def assert_golden(name: str, actual: object) -> None:
    """Compare *actual* with the golden file of this name."""
    path = _GOLDEN / f"{name}.json"
    text = json.dumps(actual, ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(text)


def refusal(refused: Refused) -> dict[str, Any]:
    """Return why a file was refused before its first row."""
    return {"refused": [f"{one.code} {one.message}" for one in refused.problems]}


async def report(bench: Bench, record: BulkImport) -> dict[str, Any]:
    """Return all that callers are told of an import that is over."""
    counts = {name: count for name, count in record.counts.model_dump().items() if count}
    found: dict[str, Any] = {"status": record.status.value, "rows": record.total_rows, "counts": counts}
    if record.failure is not None:
        found["failure"] = f"{record.failure.code} {record.failure.message}"
    if problems := await problems_of(bench, record):
        found["problems"] = problems
    if outcomes := await outcomes_of(bench, record):
        found["outcomes"] = " ".join(outcomes)
    if record.error_report_key is not None:
        found["error_report"] = (await bench.read(record.error_report_key)).split("\r\n")
    return found


async def problems_of(bench: Bench, record: BulkImport) -> list[str]:
    """Return every problem of an import as one line."""
    lines: list[str] = []
    after = None
    while True:
        page = await bench.service.errors(OPERATOR, record, 100, after)
        lines += [f"{one.row} {one.column or '-'} {one.severity} {one.code} {one.message}" for one in page.items]
        if not page.has_next:
            return lines
        after = page.items[-1].cursor


async def outcomes_of(bench: Bench, record: BulkImport) -> list[str]:
    """Return what the result report says of every row, and make sure that each is there, with its customer if it has one."""
    assert record.result_report_key is not None
    header, *lines = (await bench.read(record.result_report_key)).splitlines()
    rows = [line.split(",") for line in lines]
    assert "row,outcome,customer_id" == header
    assert [str(number) for number in range(1, (record.total_rows or 0) + 1)] == [row for row, _, _ in rows]
    made = {str(one["source"]["row"]): one["_id"] for one in await bench.stored("customers", **{"source.import_id": record.id})}
    assert made == {row: customer for row, outcome, customer in rows if outcome == "CREATED" and not record.dry_run}
    return [outcome for _, outcome, _ in rows]


async def customers_of(bench: Bench) -> list[dict[str, Any]]:
    """Return every stored customer, as its shop would check it."""
    customers = []
    for one in await bench.stored("customers"):
        of_it = {"customer_id": one["_id"]}
        found = _given(one, _CUSTOMER)
        if one["attributes"]:
            found["attributes"] = {pair["key"]: pair["value"] for pair in one["attributes"]}
        for name, fields in (("addresses", _ADDRESS), ("documents", _DOCUMENT)):
            if belonging := await bench.stored(name, **of_it):
                found[name] = [_given(each, fields) for each in belonging]
        customers.append(found)
    return customers


def _given(stored: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: stored[name] for name in fields if stored.get(name) not in (None, "", []) and _USUAL.get(name) != stored[name]
    }
