"""``customer-service customers``, against a service that really runs."""

import asyncio
import csv
import io
import json
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli import customer_export
from app.cli.graphql_client import GraphQLFailed
from app.cli.main import command_line
from auth.principal import Scope
from tests.api import Api, Tokens, fresh

Command = Callable[..., Coroutine[Any, Any, Result]]

ADA: dict[str, Any] = {
    "externalId": "shop-1",
    "email": "ada@example.com",
    "phone": "+493026550001",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "company": "=HYPERLINK(0)",
    "dateOfBirth": "1990-12-24",
    "locale": "en-GB",
    "tags": ["vip", "lists, of"],
    "attributes": [{"key": "shoe size", "value": "-38"}, {"key": "note", "value": 'says "hi"\nand more'}],
    "addresses": [
        {"kind": "SHIPPING", "recipient": "A. L.", "line1": "Unter den Linden 1", "line2": "3. Stock", "city": "Berlin",
         "postalCode": "10117", "countryCode": "DE"},
        {"kind": "BILLING", "line1": "1600 Pennsylvania Avenue NW", "city": "Washington", "region": "DC", "postalCode": "20500",
         "countryCode": "US", "phone": "+12027075000"},
    ],
    "documents": [{"type": "PASSPORT", "number": "P1234567", "issuingCountry": "GB"}],
}  # fmt: skip
ACME = {"externalId": "shop-2", "company": "Acme", "kind": "BUSINESS", "tags": ["a;b"]}
CREATE = "mutation($input: CustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { message } } }"


def invoke(arguments: Sequence[object], environ: dict[str, str | None]) -> Result:
    return CliRunner().invoke(command_line(["customers"]), ["customers", *map(str, arguments)], env=environ)


@pytest.fixture(name="customers")
def _customers(served: str, tokens: Tokens, seller: str, tmp_path: Path) -> Command:
    """Run the command in a thread, as this seller's operator or with another token."""

    async def run(*arguments: object, token: str | None = None, url: str = served) -> Result:
        environ: dict[str, str | None] = {"RUN_DIR": str(tmp_path / "nothing"), "CUSTOMER_SERVICE_URL": url, "COLUMNS": "120"}
        environ["CUSTOMER_SERVICE_TOKEN"] = token or tokens.operator(seller)
        return await asyncio.to_thread(invoke, arguments, environ)

    return run


@pytest.fixture(name="ada")
async def _ada(execute: Api) -> str:
    created = (await execute.data(CREATE, {"input": ADA}))["createCustomer"]
    assert [] == created["userErrors"]
    return str(created["customer"]["id"])


async def test_somebody_is_found_by_words(customers: Command, execute: Api, ada: str) -> None:
    await execute.data(CREATE, {"input": ACME})

    shown, told = await customers("find", "love", "ada"), await customers("find", "--json", "--tag", "a;b")
    nobody = await customers("find", "nobody")

    assert (0, 0, 1) == (shown.exit_code, told.exit_code, nobody.exit_code), shown.output
    assert [["id", "name", "e-mail", "phone", "reference", "state"], [ada, "Ada", "Lovelace"]] == [
        line.split()[: 6 - 3 * place] for place, line in enumerate(shown.stdout.splitlines())
    ]
    found = json.loads(told.stdout)
    assert (["Acme"], False) == ([one["fullName"] for one in found["customers"]], found["more"])
    assert ("", "No customer is like that.\n") == (nobody.stdout, nobody.stderr)


@pytest.mark.parametrize("which", ["id", "ada@Example.com", "+49 30 26550001", "shop-1"])
async def test_somebody_is_shown_by_whatever_is_known_of_them(customers: Command, ada: str, which: str) -> None:
    result = await customers("show", ada if which == "id" else which, "--json")

    assert 0 == result.exit_code, result.output
    assert ada == json.loads(result.stdout)["id"]


async def test_a_customer_is_shown_whole(customers: Command, ada: str) -> None:
    result = await customers("show", ada)

    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert f"Ada Lovelace {ada}" == lines[0]
    assert {
        "e-mail ada@example.com",
        "tags vip, lists, of",
        "billing, default: 1600 Pennsylvania Avenue NW, WASHINGTON, DC 20500, UNITED STATES",
        "document: PASSPORT, ••••4567, GB, AWAITING_UPLOAD",
        "onboarding lacks CONTACT_VERIFIED, DOCUMENT_SUBMITTED",
    } <= set(lines)
    assert "P1234567" not in result.stdout


async def test_who_is_not_there_and_who_is_another_sellers_are_the_same(customers: Command, tokens: Tokens, ada: str) -> None:
    theirs = await customers("show", ada, token=tokens.operator(fresh("seller")))
    nobodys = await customers("show", "nobody@example.com")

    assert (1, 1) == (theirs.exit_code, nobodys.exit_code)
    assert f"There is no customer {ada} that this token can see.\n" == theirs.stderr


async def test_an_export_in_csv_is_an_import_that_makes_the_same_customers(
    customers: Command, execute: Api, tokens: Tokens, ada: str, import_worker: None, served: str, tmp_path: Path
) -> None:
    await execute.data(CREATE, {"input": ACME})
    file, other = tmp_path / "all.csv", tokens.operator(fresh("seller"))

    exported = await customers("export", "--format", "csv", "--output", file, "--json")
    environ: dict[str, str | None] = {"CUSTOMER_SERVICE_URL": served, "CUSTOMER_SERVICE_TOKEN": other, "COLUMNS": "200"}
    imported = await asyncio.to_thread(CliRunner().invoke, command_line(["import"]), ["import", str(file)], env=environ)
    again = await customers("export", "--format", "csv", token=other)

    assert (0, 0, 0) == (exported.exit_code, imported.exit_code, again.exit_code), imported.output
    told = json.loads(exported.stdout)
    assert (2, ["note", "shoe size"], 0) == (told["customers"], sorted(told["attributes"]), told["withMoreAddresses"])
    assert rows(file.read_text("utf-8")) == rows(again.stdout_bytes.decode())
    assert "2  created" in imported.stdout
    assert not file.with_name("all.csv.part").exists()


def rows(text: str) -> list[dict[str, str]]:
    found = sorted(csv.DictReader(io.StringIO(text, newline="")), key=lambda row: row["external_id"])
    assert 2 == len(found)
    return [dict(sorted(row.items())) for row in found]


async def test_cells_that_a_spreadsheet_would_run_are_defused(customers: Command, ada: str) -> None:
    exported = await customers("export", "--format", "csv", "--attribute", "shoe size")

    (row,) = csv.DictReader(io.StringIO(exported.stdout_bytes.decode(), newline=""))
    assert ("'=HYPERLINK(0)", "'+493026550001", "'-38") == (row["company"], row["phone"], row["attribute.shoe size"])
    assert "attributes that have no column: 1." in exported.stderr


async def test_an_export_in_ndjson_has_everything_a_line_each(customers: Command, execute: Api, ada: str) -> None:
    second = {**ADA["addresses"][0], "line1": "Torstraße 2"}
    mutation = "mutation($id: ID!, $a: AddressFields!) { createAddress(customerId: $id, input: $a) { userErrors { code } } }"
    assert [] == (await execute.data(mutation, {"id": ada, "a": second}))["createAddress"]["userErrors"]

    lines = await customers("export")
    as_csv = await customers("export", "--format", "csv")

    (found,) = map(json.loads, lines.stdout_bytes.splitlines())
    assert (ada, 3, "••••4567") == (found["id"], len(found["addresses"]), found["documents"][0]["number"])
    assert "more addresses than a row holds: 1." in as_csv.stderr


async def test_pages_follow_each_other_and_an_export_that_broke_off_goes_on(
    customers: Command, execute: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        await execute.data(CREATE, {"input": {"externalId": f"c-{number}"}})
    monkeypatch.setattr(customer_export, "_PAGE", customer_export._PAGE.replace("first: 90", "first: 3"))
    file = tmp_path / "all.csv"
    whole = (await customers("export", "--format", "csv")).stdout_bytes
    broken_after_the_first(monkeypatch)
    broken = await customers("export", "--format", "csv", "--output", file)
    monkeypatch.undo()
    monkeypatch.setattr(customer_export, "_PAGE", customer_export._PAGE.replace("first: 90", "first: 3"))

    (place,) = [line.partition("--after ")[2] for line in broken.stderr.splitlines() if "--after " in line]
    gone_on = await customers("export", "--format", "csv", "--output", file, "--after", place)

    assert (1, 0) == (broken.exit_code, gone_on.exit_code), gone_on.output
    assert "Not finished. Customers written: 3. The token has expired." in broken.stderr
    assert whole == file.read_bytes()
    assert 8 == len(whole.splitlines())


def broken_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the second page not come, once the columns are known."""
    ask, pages = customer_export._patiently, []

    async def breaking(client: Any, document: str, variables: Any) -> Any:
        if "externalId" in document:
            pages.append(document)
            if len(pages) > 1:
                raise GraphQLFailed("The token has expired.")
        return await ask(client, document, variables)

    monkeypatch.setattr(customer_export, "_patiently", breaking)


async def test_what_cannot_be_exported_is_explained(customers: Command, ada: str, tmp_path: Path) -> None:
    nowhere = await customers("export", "--output", tmp_path / "no folder" / "x.csv")
    wrong = await customers("export", "--json")
    also_wrong = await customers("export", "--attribute", "x")
    refused = await customers("export", token="nonsense")

    assert [1, 2, 2, 1] == [one.exit_code for one in (nowhere, wrong, also_wrong, refused)]
    assert "cannot be written: No such file or directory" in nowhere.stderr
    assert "" == nowhere.stdout == refused.stdout


async def test_a_token_that_sees_customers_masked_exports_them_masked_with_the_same_columns(
    customers: Command, tokens: Tokens, seller: str, ada: str
) -> None:
    token = tokens.operator(seller, [Scope.CUSTOMERS_READ_MASKED])
    whole, masked = [await customers("export", "--format", "csv", token=one) for one in (None, token)]
    lines, masked_lines = [await customers("export", token=one) for one in (None, token)]

    assert [0, 0, 0, 0] == [one.exit_code for one in (whole, masked, lines, masked_lines)], masked_lines.output
    assert whole.stdout.splitlines()[0] == masked.stdout.splitlines()[0]
    row = next(csv.DictReader(io.StringIO(masked.stdout)))
    assert ("shop-1", "a***@example.com", "***01", "Ada", "", "", "•••") == tuple(
        row[name]
        for name in ("external_id", "email", "phone", "first_name", "date_of_birth", "shipping_line1", "attribute.note")
    )
    one, other = json.loads(lines.stdout), json.loads(masked_lines.stdout)
    assert (set(one), [], []) == (set(other), other["addresses"], other["documents"])
    assert "This token sees customers masked" in masked.stderr
    assert "masked" not in whole.stderr
