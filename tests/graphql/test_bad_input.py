"""Pages, texts and values that make no sense: clear, typed errors, and nothing half-written."""

import pytest

from tests.api import Api, Json, codes, error_code, some_email
from tests.graphql.callers import error_codes
from tests.graphql.operations import (
    CREATE,
    CREATE_IMPORT,
    UPDATE,
    create,
    payload,
    read,
)

JSON = {"content-type": "application/json"}

# ---------------------------------------------------------------------------- pages


@pytest.mark.parametrize(
    "arguments",
    [
        "first: 0",
        "first: -1",
        "first: 101",
        "last: 0",
        "last: 101",
        "first: 1, last: 1",
        'after: ""',
        'after: "x"',
        'after: "bm9uc2Vuc2U"',
        'before: "%00"',
        'after: "WyJOQU1FX0FTQyIsIkEiLCJjdXNfMSJd"',
        "filter: {ids: [" + '"x",' * 101 + "]}",
    ],
    ids=lambda text: text[:30],
)
async def test_page_that_makes_no_sense_is_refused(execute: Api, arguments: str) -> None:
    assert "BAD_USER_INPUT" == await execute.code(f"{{ customers({arguments}) {{ nodes {{ id }} }} }}")


@pytest.mark.parametrize("arguments", ["first: 0", "first: 101", 'after: "x"'])
@pytest.mark.parametrize("field", ["addresses", "documents", "bulkImports"])
async def test_page_of_anything_else_that_makes_no_sense_is_refused(execute: Api, field: str, arguments: str) -> None:
    assert "BAD_USER_INPUT" == await execute.code(f"{{ {field}({arguments}) {{ nodes {{ id }} }} }}")


@pytest.mark.parametrize("field", ["history", "errors"])
@pytest.mark.parametrize("arguments", ["first: 0", "first: 101", 'after: "x"'])
async def test_page_below_something_that_makes_no_sense_is_refused(execute: Api, field: str, arguments: str) -> None:
    customer = await create(execute)
    made = await payload(execute, CREATE_IMPORT, {"input": {"fileName": "a.csv"}})
    parent, id_ = {"history": ("customer", customer["id"]), "errors": ("bulkImport", made["bulkImport"]["id"])}[field]

    code = await execute.code(
        f"query($id: ID!) {{ {parent}(id: $id) {{ {field}({arguments}) {{ pageInfo {{ hasNextPage }} }} }} }}", {"id": id_}
    )

    assert "BAD_USER_INPUT" == code


async def test_cursor_of_another_order_is_refused(execute: Api) -> None:
    await create(execute)
    page = await execute.data("{ customers(sort: NAME_ASC) { pageInfo { endCursor } } }")
    cursor = page["customers"]["pageInfo"]["endCursor"]

    code = await execute.code(
        "query($after: String) { customers(sort: CREATED_AT_ASC, after: $after) { nodes { id } } }", {"after": cursor}
    )

    assert "BAD_USER_INPUT" == code


# ---------------------------------------------------------------------------- texts


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "REQUIRED"),
        (" \u00a0\t", "REQUIRED"),
        ("Ada\u0000", "INVALID"),
        ("Ada\u0007", "INVALID"),
        ("Ada\u202e", "INVALID"),
        ("A" * 201, "TOO_LONG"),
        ("A" * 60_000, "TOO_LONG"),
    ],
    ids=["empty", "blank", "nul", "bell", "direction", "201 characters", "60,000 characters"],
)
async def test_name_that_is_none_is_refused(execute: Api, text: str, code: str) -> None:
    customer = await create(execute)

    for field in ("firstName", "lastName", "company"):
        assert [(code, [field])] == codes(await payload(execute, CREATE, {"input": {"email": some_email(), field: text}}))
        assert [(code, [field])] == codes(await payload(execute, UPDATE, {"id": customer["id"], "patch": {field: text}}))
    assert customer == await read(execute, customer["id"])


@pytest.mark.parametrize("text", ["Ada\u0000", "\u0000", "x" * 50_000, "$where", "{'$gt': ''}", ".*", "\uffff", "\U0010ffff"])
async def test_identifiers_that_nobody_can_have_find_nobody(execute: Api, text: str) -> None:
    for key in ("id", "email", "phone", "externalId", "documentNumber"):
        query = "query($key: CustomerKey!) { customerBy(key: $key) { id } }"
        assert {"customerBy": None} == await execute.data(query, {"key": {key: text}}), key
    found = await execute.data(
        """query($t: String!) { customerExists(email: $t, phone: $t, externalId: $t, documentNumber: $t) { customerId }
          customers(filter: {search: $t, email: $t, tags: [$t], ids: []}) { nodes { id } totalCount } }""",
        {"t": text},
    )
    assert {"customerExists": [], "customers": {"nodes": [], "totalCount": 0}} == found


async def test_lone_surrogate_written_as_an_escape_is_refused_and_does_no_harm(execute: Api) -> None:
    r"""
    The escape \ud800 is valid JSON and no character; orjson refuses the body, others would pass it on.
    """
    body = b'{"query": "query($k: String) { customerExists(externalId: $k) { customerId } }", "variables": {"k": "\\ud800"}}'

    answer = await execute.http.post("/graphql", content=body, headers={**JSON, **execute.headers()})

    assert (400, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))


@pytest.mark.parametrize("escape", ["\\\\ud800", "\\\\u{D800}", "\\\\udc00\\\\ud800"])
async def test_lone_surrogate_written_in_the_document_is_refused(execute: Api, escape: str) -> None:
    body = f'{{"query": "mutation {{ createCustomer(input: {{externalId: \\"{escape}\\"}}) {{ customer {{ id }} }} }}"}}'

    answer = await execute.http.post("/graphql", content=body.encode(), headers={**JSON, **execute.headers()})

    assert "BAD_USER_INPUT" == error_code(answer)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("dateOfBirth", "2001-02-30"),
        ("dateOfBirth", "yesterday"),
        ("dateOfBirth", 17),
        ("email", 17),
        ("email", ["a@b.example"]),
        ("tags", [None]),
        ("status", "GONE"),
        ("unknown", "x"),
        ("attributes", [{"key": "a"}]),
    ],
)
async def test_values_of_the_wrong_shape_are_refused(execute: Api, variable: str, value: object) -> None:
    assert "BAD_USER_INPUT" == await execute.code(CREATE, {"input": {"externalId": "A-1", variable: value}})


@pytest.mark.parametrize("key", [{}, {"id": "x", "email": "a@b.example"}, {"id": None}, {"email": None, "id": "x"}])
async def test_key_has_exactly_one_identifier(execute: Api, key: Json) -> None:
    answer = await execute("query($key: CustomerKey!) { customerBy(key: $key) { id } }", {"key": key})

    # One that is null beside another one is two mistakes.
    assert {"BAD_USER_INPUT"} == error_codes(answer)
    assert "data" not in answer


@pytest.mark.parametrize("moment", ["2026-11-22", "2026-11-22T10:00:00", "now", "0001-01-01T00:00:00+14:00", 0])
async def test_moments_need_a_date_a_time_and_a_zone(execute: Api, moment: object) -> None:
    query = "query($from: DateTime) { customers(filter: {createdAt: {from: $from}}) { nodes { id } } }"

    assert "BAD_USER_INPUT" == await execute.code(query, {"from": moment})
