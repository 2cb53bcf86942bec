"""POST /graphql, whatever bytes arrive: the answer is GraphQL, never a traceback."""

import json
from typing import Any

import pytest
import structlog

from services.customer import CustomerService
from tests.api import Api, error_code
from tests.graphql.operations import (
    CREATE,
    READ,
)

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'[{"query": "{ viewer { kind } }"}]',
        b"17",
        b"null",
        b'"query"',
        b"{}",
        b'{"query": null}',
        b'{"query": 17}',
        b'{"query": ""}',
        b'{"query": "{ viewer { kind } }", "variables": []}',
        b'{"query": "{ viewer { kind } }", "operationName": 17}',
        b'{"query": "{ viewer { kind } }", "operationName": "Other"}',
        b'{"query": "\xff\xfe"}',
        b'{"query": "\xed\xa0\x80"}',
        b"\x00",
        b"[" * 50_000,
        '{"query": "{ viewer { kind } }"}'.encode("utf-16"),
        b'{"query": "subscription { bulkImportsProgress { id } }"}',
    ],
    ids=lambda body: repr(body[:40]),
)
async def test_body_that_is_no_request_is_refused(execute: Api, body: bytes) -> None:
    answer = await execute.http.post("/graphql", content=body, headers={**JSON, **execute.headers()})

    assert (400, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))


@pytest.mark.parametrize("media_type", ["", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "*/*"])
async def test_other_media_types_are_refused(execute: Api, media_type: str) -> None:
    """
    Anything a browser would send to us from somebody else's page without asking.
    """
    answer = await execute.http.post(
        "/graphql", content=b'{"query": "{ viewer { kind } }"}', headers={"content-type": media_type, **execute.headers()}
    )

    assert (415, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))


async def test_compressed_body_is_refused(execute: Api) -> None:
    answer = await execute.http.post(
        "/graphql", content=b"\x1f\x8b", headers={**JSON, "content-encoding": "gzip", **execute.headers()}
    )

    assert (415, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))


@pytest.mark.parametrize("declared", [True, False], ids=["with its length", "in chunks"])
async def test_ten_megabytes_are_too_much(execute: Api, declared: bool) -> None:
    body = json.dumps({"query": CREATE, "variables": {"input": {"firstName": "x" * 10_000_000}}}).encode()

    async def chunks() -> Any:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    answer = await execute.http.post("/graphql", content=body if declared else chunks(), headers={**JSON, **execute.headers()})

    assert (413, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ nothing }",
        "{ customer { id } }",
        "{ viewer { kind } " + "viewer { kind } " * 400 + "}",
        "query A { viewer { kind } } query B { viewer { kind } }",
        "fragment F on Query { viewer { kind } }",
        "{ ...F } fragment F on Query { ...F }",
        "{ viewer { kind } }" + " " * 16_000,
        "#\n" * 30 + "{ viewer { kind } }",
        "{ viewer { kind } } \u0000",
        "{" * 2000,
    ],
    ids=lambda text: text[:30],
)
async def test_document_that_is_none_is_refused(execute: Api, query: str) -> None:
    answer = await execute.http.post("/graphql", json={"query": query}, headers=execute.headers())

    assert {"BAD_USER_INPUT"} == {error["extensions"]["code"] for error in answer.json()["errors"]}
    assert answer.status_code in {200, 400}


# ---------------------------------------------------------------------------- our own faults


async def test_fault_of_ours_shows_no_cause_and_can_be_found_in_the_log(execute: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("password=hunter2 at mongodb://10.0.0.1")

    monkeypatch.setattr(CustomerService, "get", fail)
    with structlog.testing.capture_logs() as log:
        answer = await execute.http.post(
            "/graphql",
            json={"query": READ, "variables": {"id": "x"}},
            headers={**execute.headers(), "x-request-id": "req-17"},
        )

    (error,) = answer.json()["errors"]
    assert ("INTERNAL", "req-17") == (error["extensions"]["code"], error["extensions"]["requestId"])
    assert "hunter2" not in answer.text
    assert {"code", "requestId", "errorId"} == error["extensions"].keys()
    (entry,) = [one for one in log if one["log_level"] == "error"]
    assert error["extensions"]["errorId"] == entry["errorId"]
    assert "hunter2" in str(entry["exc_info"])


async def test_fault_in_one_field_leaves_the_others(execute: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(CustomerService, "get", fail)

    answer = await execute('{ viewer { kind } customer(id: "x") { id } }')

    assert {"viewer": {"kind": "OPERATOR"}, "customer": None} == answer["data"]
    assert ["customer"] == answer["errors"][0]["path"]


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>"])
async def test_request_id_that_is_not_harmless_is_replaced(execute: Api, given: str) -> None:
    answer = await execute.http.post(
        "/graphql", json={"query": "{ viewer { kind } }"}, headers={**execute.headers(), "x-request-id": given}
    )

    assert given != answer.headers["x-request-id"]
    assert answer.headers["x-request-id"].isalnum()
