"""Imports over GraphQL: announced, uploaded, started, worked through, reported."""

import asyncio
import csv as csv_module
import io
import zipfile
from pathlib import Path

import pytest

from app.container import Container
from tests.api import Api, Json, codes, some_email
from tests.graphql.imports import announce, csv, finished, problems, start, state, upload
from tests.graphql.operations import CANCEL_IMPORT, CREATE_IMPORT, RETRY_IMPORT, START_IMPORT, create, fetch, payload, send

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COUNT = "{ customers { totalCount } }"


async def count(execute: Api) -> int:
    return int((await execute.data(COUNT))["customers"]["totalCount"])


def counts(found: Json) -> dict[str, int]:
    names = ("total", "processed", "created", "updated", "unchanged", "failed", "warning", "unprocessed")
    return {name: found[f"{name}Rows"] for name in names if found[f"{name}Rows"]}


# ---------------------------------------------------------------------------- before it starts


async def test_new_import_waits_for_its_file(execute: Api, seller: str) -> None:
    made = await payload(execute, CREATE_IMPORT, {"input": {"fileName": " a.csv ", "size": 17}})

    assert {
        "sellerId": seller,
        "status": "AWAITING_UPLOAD",
        "mode": "CREATE",
        "matchBy": "EXTERNAL_ID",
        "validation": "LENIENT",
        "dryRun": False,
        "fileName": "a.csv",
        "totalRows": None,
        "processedRows": 0,
        "progress": 0.0,
        "requestedBy": "operator:ada",
        "errorReport": None,
        "failure": None,
    }.items() <= made["bulkImport"].items()
    assert ("PUT", {"Content-Type": "text/csv", "Content-Length": "17"}) == (
        made["upload"]["method"],
        {header["name"]: header["value"] for header in made["upload"]["headers"]},
    )


async def test_every_problem_of_an_announcement_comes_back_at_once(execute: Api) -> None:
    asked = {"fileName": " ", "size": 0, "delimiter": "ab", "columns": [{"from": "", "to": "email"}]}

    made = await payload(execute, CREATE_IMPORT, {"input": asked})

    assert {"fileName", "size", "delimiter", "columns.0.from"} == {".".join(path or []) for _, path in codes(made)}


@pytest.mark.parametrize(("name", "problem"), [("a\u0000.csv", "INVALID"), ("x" * 256, "TOO_LONG")])
async def test_name_of_a_file_that_is_none_is_refused(execute: Api, name: str, problem: str) -> None:
    assert [(problem, ["fileName"])] == codes(await payload(execute, CREATE_IMPORT, {"input": {"fileName": name}}))


async def test_file_larger_than_allowed_is_refused_before_it_is_sent(execute: Api) -> None:
    made = await payload(execute, CREATE_IMPORT, {"input": {"fileName": "a.csv", "size": 2**31 - 1}})

    assert [("TOO_LONG", ["size"])] == codes(made)


async def test_upload_that_never_came_cannot_be_started_but_may_still_come(execute: Api) -> None:
    content = csv(1)
    id_, target = await announce(execute, content)

    early = await payload(execute, START_IMPORT, {"id": id_})
    await send(target, content)
    late = await payload(execute, START_IMPORT, {"id": id_})

    assert [("UPLOAD_MISSING", ["id"])] == codes(early)
    assert ([], "QUEUED") == (late["userErrors"], late["bulkImport"]["status"])


def a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("customers.csv", csv(1))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (a_zip(), "INVALID_CSV"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "INVALID_CSV"),
        (b"email\n\xff\xfe\xfa@example.com\n", "UNSUPPORTED_ENCODING"),
        (b"em\x00ail\nada@example.com\n", "INVALID_CSV"),
        (b"shoe size,colour\n42,red\n", "MISSING_COLUMN"),
        (b"\n", "INVALID_CSV"),
        (b"email,email\na@b.example,c@d.example\n", "INVALID_CSV"),
    ],
    ids=["zip", "pdf", "no utf-8", "nul", "nothing to know anybody by", "blank", "one column twice"],
)
async def test_file_that_is_no_csv_of_customers_is_refused_at_the_start(execute: Api, content: bytes, problem: str) -> None:
    id_ = await upload(execute, content)

    refused = await payload(execute, START_IMPORT, {"id": id_})

    assert [problem] == [code for code, _ in codes(refused)]
    assert "AWAITING_UPLOAD" == (await state(execute, id_))["status"]
    assert 0 == await count(execute)


async def test_file_of_another_size_than_announced_is_refused(execute: Api) -> None:
    content = csv(2)
    id_, target = await announce(execute, content)
    target["headers"] = [header for header in target["headers"] if header["name"] != "Content-Length"]
    await send(target, content + csv(1))

    refused = await payload(execute, START_IMPORT, {"id": id_})

    assert codes(refused) in ([("UPLOAD_MISMATCH", ["id"])], [("UPLOAD_MISSING", ["id"])])


async def test_import_starts_once(execute: Api) -> None:
    id_ = await upload(execute, csv(1))

    outcomes = await asyncio.gather(*(payload(execute, START_IMPORT, {"id": id_}) for _ in range(10)))

    assert 1 == len([one for one in outcomes if one["bulkImport"]])
    assert {"STATE"} == {error["code"] for one in outcomes for error in one["userErrors"]}


# ---------------------------------------------------------------------------- from file to customers


async def test_every_row_becomes_a_customer_with_its_address_and_its_event(
    execute: Api, container: Container, import_worker: None, seller: str
) -> None:
    found = await finished(execute, await start(execute, csv(250)))

    assert ("COMPLETED", 1.0) == (found["status"], found["progress"])
    assert {"total": 250, "processed": 250, "created": 250} == counts(found)
    assert found["startedAt"] <= found["finishedAt"]
    for collection in ("customers", "addresses", "customer_events"):
        assert 250 == await container.mongo.database[collection].count_documents({"seller_id": seller})
    (customer,) = (
        await execute.data(
            """{ customers(filter: {externalId: "E-249"}) { nodes {
              firstName version defaultAddress(kind: SHIPPING) { line1 } } } }"""
        )
    )["customers"]["nodes"]
    assert {"firstName": "Ada 249", "version": 1, "defaultAddress": {"line1": "Torstraße 250"}} == customer


async def test_refused_rows_are_named_and_come_back_in_a_report_that_can_be_mended(execute: Api, import_worker: None) -> None:
    found = await finished(execute, await start(execute, csv(10, broken=3)))

    assert "COMPLETED_WITH_ERRORS" == found["status"]
    assert {"total": 10, "processed": 10, "created": 7, "failed": 3} == counts(found)
    assert [(row, "email", "ERROR", "INVALID_EMAIL") for row in (8, 9, 10)] == [
        (one["row"], one["column"], one["severity"], one["code"]) for one in problems(found)
    ]
    report = (await fetch(found["errorReport"]["url"])).content.decode("utf-8-sig")
    rows = list(csv_module.DictReader(io.StringIO(report)))
    assert [("8", "email", "INVALID_EMAIL", "E-7")] == [
        (row["_row"], row["_column"], row["_code"], row["external_id"]) for row in rows[:1]
    ]
    for row in rows:
        report = report.replace(row["email"], some_email())
    mended = await finished(execute, await start(execute, report.encode()))
    assert ("COMPLETED", {"total": 3, "processed": 3, "created": 3}) == (mended["status"], counts(mended))
    assert 10 == await count(execute)


@pytest.mark.parametrize(
    "cell",
    ["a\x00b@example.com", '"a@example.com', "a@example.com,extra", "\x1b[31m", "x" * 100_000],
    ids=["nul", "open quote", "one cell too many", "escape", "100,000 characters"],
)
async def test_bad_row_does_not_sink_the_rest(execute: Api, import_worker: None, cell: str) -> None:
    content = f"email\n{some_email()}\n{some_email()}\n{cell}\n".encode()

    found = await finished(execute, await start(execute, content))

    assert {"total": 3, "processed": 3, "created": 2, "failed": 1} == counts(found)
    assert {3} == {one["row"] for one in problems(found)}


async def test_refused_rows_can_be_tried_again_as_they_are(execute: Api, import_worker: None) -> None:
    holder = await create(execute)
    content = f"external_id,email\nE-1,{holder['email']}\nE-2,{some_email()}\n".encode()
    first = await finished(execute, await start(execute, content))
    await execute.data("mutation($id: ID!) { deleteCustomer(id: $id) { deletedId } }", {"id": holder["id"]})

    retried = await payload(execute, RETRY_IMPORT, {"id": first["id"]})
    second = await finished(execute, retried["bulkImport"]["id"])
    never = await payload(execute, RETRY_IMPORT, {"id": second["id"]})

    assert [(1, "TAKEN")] == [(one["row"], one["code"]) for one in problems(first)]
    assert ("COMPLETED", {"total": 1, "processed": 1, "created": 1}) == (second["status"], counts(second))
    assert [("STATE", ["id"])] == codes(never)


async def test_upsert_changes_creates_and_leaves_alone(execute: Api, import_worker: None) -> None:
    content = b"external_id,first_name\nE-1,Ada\nE-2,Grace\n"
    options = {"mode": "UPSERT", "matchBy": "EXTERNAL_ID"}
    await finished(execute, await start(execute, content, **options))

    found = await finished(execute, await start(execute, content.replace(b"Ada", b"Augusta") + b"E-3,Mary\n", **options))

    assert {"total": 3, "processed": 3, "created": 1, "updated": 1, "unchanged": 1} == counts(found)


async def test_dry_run_writes_nothing(execute: Api, container: Container, import_worker: None, seller: str) -> None:
    found = await finished(execute, await start(execute, csv(10, broken=2), dryRun=True))

    assert {"total": 10, "processed": 10, "created": 8, "failed": 2} == counts(found)
    for collection in ("customers", "addresses", "customer_events"):
        assert 0 == await container.mongo.database[collection].count_documents({"seller_id": seller})


async def test_unknown_columns_go_where_the_caller_says(execute: Api, import_worker: None) -> None:
    content = "Kundennr;Post\nK-1;Größe\n".encode("utf-16")
    columns = [{"from": "Kundennr", "to": "external_id"}, {"from": "Post", "to": "attribute.post"}]

    found = await finished(execute, await start(execute, content, columns=columns, delimiter=";"))

    assert "COMPLETED" == found["status"]
    node = (await execute.data("{ customers { nodes { externalId attributes { key value } } } }"))["customers"]["nodes"][0]
    assert {"externalId": "K-1", "attributes": [{"key": "post", "value": "Größe"}]} == node


async def test_cancelled_import_stops_and_keeps_what_it_took(execute: Api) -> None:
    id_ = await start(execute, csv(10))

    cancelled = await payload(execute, CANCEL_IMPORT, {"id": id_})
    again = await payload(execute, CANCEL_IMPORT, {"id": id_})

    assert "CANCELED" == cancelled["bulkImport"]["status"]
    assert [("STATE", ["id"])] == codes(again)


async def test_errors_are_paged(execute: Api, import_worker: None) -> None:
    found = await finished(execute, await start(execute, csv(7, broken=7)))
    query = """query($id: ID!, $after: String) { bulkImport(id: $id) { errors(first: 3, after: $after) {
      pageInfo { hasNextPage endCursor } edges { node { row } } } } }"""

    rows: list[int] = []
    after: str | None = None
    more = True
    while more:
        page = (await execute.data(query, {"id": found["id"], "after": after}))["bulkImport"]["errors"]
        rows += [edge["node"]["row"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert [1, 2, 3, 4, 5, 6, 7] == rows


async def test_imports_are_listed_newest_first_and_by_state(execute: Api) -> None:
    ids = [(await announce(execute, b"x"))[0] for _ in range(3)]
    await payload(execute, CANCEL_IMPORT, {"id": ids[1]})
    query = """query($status: BulkImportStatus, $first: Int, $after: String) {
      bulkImports(status: $status, first: $first, after: $after) { nodes { id } pageInfo { endCursor } } }"""

    whole = await execute.data(query)
    cancelled = await execute.data(query, {"status": "CANCELED"})
    first = await execute.data(query, {"first": 2})
    rest = await execute.data(query, {"after": first["bulkImports"]["pageInfo"]["endCursor"]})

    assert ids[::-1] == [node["id"] for node in whole["bulkImports"]["nodes"]]
    assert [ids[1]] == [node["id"] for node in cancelled["bulkImports"]["nodes"]]
    assert ids[:1] == [node["id"] for node in rest["bulkImports"]["nodes"]]


# ---------------------------------------------------------------------------- the two files that everybody tries first


async def test_chinook_is_imported_whole_and_its_imperfections_are_named(execute: Api, import_worker: None) -> None:
    content = (EXAMPLES / "chinook-customers.csv").read_bytes()

    found = await finished(execute, await start(execute, content))

    assert "COMPLETED" == found["status"]
    assert {"total": 59, "processed": 59, "created": 59} == {
        name: value for name, value in counts(found).items() if name != "warning"
    }
    warnings = problems(found)
    assert {"WARNING"} == {one["severity"] for one in warnings}
    assert 3 == len({one["row"] for one in warnings if one["code"] == "INVALID_PHONE"})
    assert 10 == len({one["row"] for one in warnings if one["code"] == "INVALID_ADDRESS"})
    addresses = await execute.data("{ addresses(first: 100) { nodes { id } } }")
    assert 59 == len(addresses["addresses"]["nodes"])


async def test_chinook_is_refused_in_part_when_it_has_to_be_strict(execute: Api, import_worker: None) -> None:
    content = (EXAMPLES / "chinook-customers.csv").read_bytes()

    found = await finished(execute, await start(execute, content, validation="STRICT"))

    refused = {one["row"] for one in problems(found)}
    assert {"ERROR"} == {one["severity"] for one in problems(found)}
    assert {"total": 59, "processed": 59, "created": 59 - len(refused), "failed": len(refused)} == counts(found)


async def test_northwind_loses_exactly_the_rows_that_are_broken(execute: Api, import_worker: None) -> None:
    content = (EXAMPLES / "northwind-customers.csv").read_bytes()
    lines = list(csv_module.reader(io.StringIO(content.decode("utf-8-sig"))))
    ragged = {row for row, cells in enumerate(lines[1:], 1) if len(cells) != len(lines[0])}

    found = await finished(execute, await start(execute, content))

    assert 24 == len(ragged)
    assert {"total": 91, "processed": 91, "created": 67, "failed": 24} == {
        name: value for name, value in counts(found).items() if name != "warning"
    }
    assert ragged == {one["row"] for one in problems(found) if one["severity"] == "ERROR"}
