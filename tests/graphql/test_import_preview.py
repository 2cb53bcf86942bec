"""What a file would become, told before it is imported; and other ways to read it, tried and kept."""

import pytest

from tests.api import Api, Json
from tests.graphql.imports import csv, finished, problems, state, upload
from tests.graphql.operations import START_IMPORT, payload

PREVIEW = """query($id: ID!, $patch: BulkImportPatch) { previewBulkImport(id: $id, patch: $patch) {
  format { encoding byteOrderMark delimiter newline header }
  columns { name target use }
  rows { row problems { column severity code message } customer {
    externalId kind status email phone firstName lastName fullName company dateOfBirth locale tags attributes { key value }
    shippingAddress { recipient company line1 line2 city region postalCode countryCode phone } billingAddress { line1 }
    document { type number issuingCountry expiresOn } } }
  userErrors { code message field } } }"""
UPDATE = """mutation($id: ID!, $patch: BulkImportPatch!) { updateBulkImport(id: $id, patch: $patch) {
  bulkImport { id status validation dryRun } userErrors { code message field } } }"""


async def preview(execute: Api, id_: str, as_: str = "", **patch: object) -> Json:
    """Return the preview of an import that is there."""
    found: Json = (await execute.data(PREVIEW, {"id": id_, "patch": patch or None}, as_=as_))["previewBulkImport"]
    return found


async def test_rows_are_shown_as_they_would_be_stored(execute: Api) -> None:
    content = (
        "Customer ID;E-Mail;Mail;First Name;Shoe size;role;address1;city;zip;Country;document_type;document_number\r\n"
        "'0012;ADA@Example.com;office@example.com;Ada;38;admin;Torstraße 1;Berlin;10119;Germany;passport;P12345678\r\n"
        "13;nobody;;Bob;;;;;;;;\r\n"
    )
    id_ = await upload(execute, b"\xef\xbb\xbf" + content.encode())

    found = await preview(execute, id_)

    header = content.partition("\r\n")[0].split(";")
    written = {"encoding": "UTF_8", "byteOrderMark": True, "delimiter": ";", "newline": "CRLF", "header": header}
    assert written == found["format"]
    assert [
        ("Customer ID", "external_id", "RECOGNIZED"),
        ("E-Mail", "email", "RECOGNIZED"),
        ("Mail", "attribute.Mail", "SHADOWED"),
        ("First Name", "first_name", "RECOGNIZED"),
        ("Shoe size", "attribute.Shoe size", "UNKNOWN"),
        ("role", None, "IGNORED"),
    ] == [(one["name"], one["target"], one["use"]) for one in found["columns"][:6]]
    ada, bob = found["rows"]
    assert (1, []) == (ada["row"], ada["problems"])
    assert ("0012", "ada@example.com", "Ada", "Ada") == tuple(
        ada["customer"][name] for name in ("externalId", "email", "firstName", "fullName")
    )
    attributes = {one["key"]: one["value"] for one in ada["customer"]["attributes"]}
    assert {"Mail": "office@example.com", "Shoe size": "38"} == attributes
    shipping, document = ada["customer"]["shippingAddress"], ada["customer"]["document"]
    assert ("Torstraße 1", "DE", None) == (shipping["line1"], shipping["countryCode"], ada["customer"]["billingAddress"])
    assert ("PASSPORT", "••••5678") == (document["type"], document["number"])
    assert (2, None, [("E-Mail", "ERROR", "INVALID_EMAIL")]) == (
        bob["row"],
        bob["customer"],
        [(one["column"], one["severity"], one["code"]) for one in bob["problems"]],
    )
    assert [] == found["userErrors"]
    assert "AWAITING_UPLOAD" == (await state(execute, id_))["status"]


async def test_at_most_twenty_rows_are_shown(execute: Api) -> None:
    found = await preview(execute, await upload(execute, csv(30)))

    assert list(range(1, 21)) == [row["row"] for row in found["rows"]]


async def test_another_way_to_read_is_tried_without_being_kept(execute: Api) -> None:
    content = "Kennung,Größe\nada@example.com,38\n".encode("latin-1")
    id_ = await upload(execute, content)

    plain = await preview(execute, id_)
    assert (None, ["UNSUPPORTED_ENCODING"]) == (plain["format"], [error["code"] for error in plain["userErrors"]])
    read = await preview(execute, id_, encoding="LATIN_1")
    assert ("Größe", ["MISSING_COLUMN"]) == (read["format"]["header"][1], [error["code"] for error in read["userErrors"]])
    mapped = await preview(execute, id_, encoding="LATIN_1", columns=[{"from": "Kennung", "to": "email"}])
    assert [("Kennung", "email", "CHOSEN"), ("Größe", "attribute.Größe", "UNKNOWN")] == [
        (one["name"], one["target"], one["use"]) for one in mapped["columns"]
    ]
    assert ["ada@example.com"] == [row["customer"]["email"] for row in mapped["rows"]]
    assert plain == await preview(execute, id_)


async def test_a_corrected_mapping_is_kept_and_imported(execute: Api, import_worker: None) -> None:
    id_ = await upload(execute, "Kennung;Größe\nada@example.com;38\nnobody;39\n".encode("cp1252"))
    patch = {
        "encoding": "WINDOWS_1252",
        "columns": [{"from": "Kennung", "to": "email"}],
        "dryRun": True,
        "validation": "STRICT",
    }

    changed = await payload(execute, UPDATE, {"id": id_, "patch": patch})
    assert {"id": id_, "status": "AWAITING_UPLOAD", "validation": "STRICT", "dryRun": True} == changed["bulkImport"]
    shown = await preview(execute, id_)
    assert [] == (await payload(execute, UPDATE, {"id": id_, "patch": {"validation": None}}))["userErrors"]
    assert [] == (await payload(execute, START_IMPORT, {"id": id_}))["userErrors"]
    ended = await finished(execute, id_)

    assert ("LENIENT", True, 1, 1) == (ended["validation"], ended["dryRun"], ended["createdRows"], ended["failedRows"])
    told = [problem for row in shown["rows"] for problem in row["problems"]]
    assert told == [{name: one[name] for name in told[0]} for one in problems(ended)]


@pytest.mark.parametrize(
    ("patch", "field", "code"),
    [
        ({"delimiter": "x"}, ["delimiter"], "INVALID"),
        ({"columns": [{"from": "Mail", "to": ""}]}, ["columns", "0", "to"], "REQUIRED"),
    ],
)
async def test_a_change_that_makes_no_sense_changes_nothing(execute: Api, patch: Json, field: list[str], code: str) -> None:
    id_ = await upload(execute, csv(1))
    before = await preview(execute, id_)

    answer = await payload(execute, UPDATE, {"id": id_, "patch": patch})

    assert (None, [(field, code)]) == (
        answer["bulkImport"],
        [(error["field"], error["code"]) for error in answer["userErrors"]],
    )
    assert [(field, code)] == [(one["field"], one["code"]) for one in (await preview(execute, id_, **patch))["userErrors"]]
    assert before == await preview(execute, id_)


async def test_an_import_that_was_started_cannot_be_changed(execute: Api) -> None:
    id_ = await upload(execute, csv(1))
    await payload(execute, START_IMPORT, {"id": id_})

    answer = await payload(execute, UPDATE, {"id": id_, "patch": {"dryRun": True}})

    assert ["STATE"] == [error["code"] for error in answer["userErrors"]]
    assert not (await state(execute, id_))["dryRun"]


async def test_without_a_file_the_preview_says_so(execute: Api) -> None:
    id_ = (await payload(execute, CREATE, {"input": {"fileName": "a.csv"}}))["bulkImport"]["id"]

    found = await preview(execute, id_)

    assert (None, [], [], ["UPLOAD_MISSING"]) == (
        found["format"],
        found["columns"],
        found["rows"],
        [error["code"] for error in found["userErrors"]],
    )


async def test_an_unknown_import_has_no_preview(execute: Api) -> None:
    assert None is (await execute.data(PREVIEW, {"id": "imp_01m827zpbae9k9dzq6ks358976"}))["previewBulkImport"]


CREATE = "mutation($input: BulkImportInput!) { createBulkImport(input: $input) { bulkImport { id } userErrors { code } } }"
