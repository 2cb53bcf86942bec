"""The body of POST /graphql: whatever bytes arrive, they are understood in one way only, or refused with 4xx."""

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest
import structlog
from starlette.requests import Request

from app.graphql.request import MAX_BODY_BYTES, read_request
from app.graphql.response import Refusal
from core.strict_json import strict_json
from tests.api import Api, error_code
from tests.graphql.operations import CREATE

JSON = {"content-type": "application/json"}
WHO = "{ viewer { kind } }"

NO_REQUEST = {
    "nothing": b"",
    "half": b"{",
    "list": b"[]",
    "batch": b'[{"query": "{ viewer { kind } }"}]',
    "number": b"123",
    "null": b"null",
    "text": b'"x"',
    "true": b"true",
    "no query": b"{}",
    "null query": b'{"query": null}',
    "number for a query": b'{"query": 17}',
    "list for a query": b'{"query": ["{ viewer { kind } }"]}',
    "empty query": b'{"query": ""}',
    "list of variables": b'{"query": "{ viewer { kind } }", "variables": []}',
    "text for variables": b'{"query": "{ viewer { kind } }", "variables": "{}"}',
    "false for variables": b'{"query": "{ viewer { kind } }", "variables": false}',
    "number for a name": b'{"query": "{ viewer { kind } }", "operationName": 17}',
    "list of extensions": b'{"query": "{ viewer { kind } }", "extensions": []}',
    "number for an id": b'{"documentId": 17}',
    "invalid UTF-8": b'{"query": "\xff\xfe"}',
    "overlong UTF-8": b'{"query": "\xc0\x80"}',
    "surrogate in UTF-8": b'{"query": "\xed\xa0\x80"}',
    "lone surrogate": b'{"query": "{ viewer { kind } }", "variables": {"a": "\\ud800"}}',
    "surrogates the wrong way round": b'{"query": "{ viewer { kind } }", "variables": {"a": "\\udc00\\ud800"}}',
    "lone surrogate as a key": b'{"query": "{ viewer { kind } }", "variables": {"\\ud800": 1}}',
    "byte order mark": b'\xef\xbb\xbf{"query": "{ viewer { kind } }"}',
    "UTF-16": '{"query": "{ viewer { kind } }"}'.encode("utf-16"),
    "UTF-32": '{"query": "{ viewer { kind } }"}'.encode("utf-32"),
    "NUL": b"\x00",
    "NUL behind": b'{"query": "{ viewer { kind } }"}\x00',
    "control character": b'{"query": "{ viewer { kind } }\x01"}',
    "something behind": b'{"query": "{ viewer { kind } }"} {}',
    "comma behind": b'{"query": "{ viewer { kind } }",}',
    "comment": b'{"query": "{ viewer { kind } }" /* */}',
    "single quotes": b"{'query': '{ viewer { kind } }'}",
    "NaN": b'{"query": "{ viewer { kind } }", "variables": {"a": NaN}}',
    "Infinity": b'{"query": "{ viewer { kind } }", "variables": {"a": -Infinity}}',
    "1e999": b'{"query": "{ viewer { kind } }", "variables": {"a": 1e999}}',
    "5,000 digits": b'{"query": "{ viewer { kind } }", "variables": {"a": ' + b"9" * 5000 + b"}}",
    "leading zero": b'{"query": "{ viewer { kind } }", "variables": {"a": 01}}',
    "plus": b'{"query": "{ viewer { kind } }", "variables": {"a": +1}}',
    "two queries": b'{"query": "{ viewer { kind } }", "query": "{ viewer { id } }"}',
    "two equal queries": b'{"query": "{ viewer { kind } }", "query": "{ viewer { kind } }"}',
    "two queries, one disguised": b'{"query": "{ viewer { kind } }", "\\u0071uery": "{ viewer { id } }"}',
    "a variable twice": b'{"query": "{ viewer { kind } }", "variables": {"a": 1, "a": 2}}',
    "a key twice, deep inside": b'{"query": "{ viewer { kind } }", "variables": {"a": [{"b": {"c": 1, "c": 1}}]}}',
    "100,000 lists": b"[" * 100_000,
    "100,000 objects": b'{"a":' * 20_000,
    "1,100 lists": b'{"query": "{ viewer { kind } }", "variables": {"a": ' + b"[" * 1100 + b"]" * 1100 + b"}}",
    "form": b"query=%7B+viewer+%7B+kind+%7D+%7D",
    "gzip": b"\x1f\x8b\x08\x00",
}
"""Bodies that are no request of GraphQL over HTTP."""

NO_OPERATION = {
    "name of none": b'{"query": "{ viewer { kind } }", "operationName": "Other"}',
    "NUL in the document": b'{"query": "{ viewer { kind } }\\u0000"}',
    "two operations": b'{"query": "query A { viewer { kind } } query B { viewer { kind } }"}',
    "fragment only": b'{"query": "fragment F on Query { viewer { kind } }"}',
    "blank": b'{"query": "  "}',
    "deep document": json.dumps({"query": "{" * 5000}).encode(),
    "deep lists": json.dumps({"query": "{ node(id: " + "[" * 5000 + "]" * 5000 + ") { id } }"}).encode(),
    "long integer": json.dumps({"query": "{ customers(first: " + "9" * 5000 + ") { nodes { id } } }"}).encode(),
    "type of the schema": b'{"query": "type Query { a: Int }"}',
    "wrong variable": b'{"query": "query($a: Int!) { viewer { kind } customers(first: $a) { nodes { id } } }",'
    b' "variables": {"a": 9007199254740993}}',
    "float for an id": b'{"query": "query($a: ID!) { node(id: $a) { id } }", "variables": {"a": 1.5}}',
    "deep variable": b'{"query": "query($a: ID!) { node(id: $a) { id } }", "variables": {"a": '
    + b"[" * 400
    + b"]" * 400
    + b"}}",
}
"""Requests that are well-formed, and whose operation is refused before it begins."""


@pytest.mark.parametrize("media_type", ["application/json", "application/graphql-response+json", "text/event-stream"])
@pytest.mark.parametrize("name", NO_REQUEST)
async def test_body_that_is_no_request_is_refused(execute: Api, name: str, media_type: str) -> None:
    answer = await execute.http.post(
        "/graphql", content=NO_REQUEST[name], headers={**JSON, **execute.headers(), "accept": media_type}
    )

    assert (400, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))
    assert "data" not in answer.json()


@pytest.mark.parametrize("name", NO_OPERATION)
async def test_operation_that_is_none_is_refused(execute: Api, name: str) -> None:
    """
    GraphQL's own media type says so in the status as well, which clients of the older one would not look behind.
    """
    body = NO_OPERATION[name]
    answers = {
        media_type: await execute.http.post(
            "/graphql", content=body, headers={**JSON, **execute.headers(), "accept": media_type}
        )
        for media_type in ("application/json", "application/graphql-response+json")
    }

    assert [200, 400] == [answer.status_code for answer in answers.values()]
    for answer in answers.values():
        assert "data" not in answer.json()
        assert {error["extensions"]["code"] for error in answer.json()["errors"]} <= {"BAD_USER_INPUT", "QUERY_TOO_COMPLEX"}
        assert all(error["message"] and error["extensions"]["requestId"] for error in answer.json()["errors"])


async def test_no_body_of_the_corpus_is_a_fault_of_ours(execute: Api) -> None:
    """
    MUST 13: 2xx or 4xx, JSON with errors, and nothing in the log that asks for somebody's attention.
    """
    with structlog.testing.capture_logs() as log:
        for name, body in {**NO_REQUEST, **NO_OPERATION}.items():
            for changed in (body, body[: len(body) // 2], body + b"}", body.replace(b"viewer", b"\x00"), body[::-1]):
                answer = await execute.http.post("/graphql", content=changed, headers={**JSON, **execute.headers()})
                assert answer.status_code in {200, 400, 413}, name
                assert answer.json().get("errors") or answer.json()["data"], name

    assert set() == {entry["log_level"] for entry in log} - {"info", "debug"}


@pytest.mark.parametrize("text", ["\u0000", "Ada\u0000", "\uffff", "\U0001f600", "x" * 50_000])
async def test_strange_texts_are_texts(execute: Api, text: str) -> None:
    """
    MongoDB would not take a NUL in a key, and JavaScript not each of these; none of that is the client's problem.
    """
    query = "query($t: String!) { customerExists(externalId: $t) { customerId } }"

    assert {"customerExists": []} == await execute.data(query, {"t": text})


async def test_integers_keep_all_their_digits(execute: Api) -> None:
    assert {"a": 123456789012345678901234567890} == strict_json(b'{"a": 123456789012345678901234567890}')
    assert {"node": None} == await execute.data(
        "query($id: ID!) { node(id: $id) { id } }", {"id": 123456789012345678901234567890}
    )


async def test_what_nobody_knows_is_ignored(execute: Api) -> None:
    """
    Also a query in the address: there is one place for it.
    """
    body = {"query": WHO, "id": 17, "doc_id": "x", "extensions": {"tracing": True}, "operationName": None, "variables": None}

    answer = await execute.http.post("/graphql?query={id}&documentId=x", json=body, headers=execute.headers())

    assert {"data": {"viewer": {"kind": "OPERATOR"}}} == {"data": answer.json()["data"]}


# ---------------------------------------------------------------------------- media types


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "*/*",
        "application/graphql",
        "application/graphql+json",
        "application/jsonx",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json, text/plain",
        "text/plain; application/json",
    ],
)
async def test_other_media_types_are_refused(execute: Api, media_type: str) -> None:
    """
    Anything a browser would send to us from somebody else's page without asking, and anything not in UTF-8.
    """
    answer = await execute.http.post(
        "/graphql", content=b'{"query": "{ viewer { kind } }"}', headers={"content-type": media_type, **execute.headers()}
    )

    assert (415, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))


async def test_body_without_a_media_type_or_with_two_is_refused(execute: Api) -> None:
    body = b'{"query": "{ viewer { kind } }"}'

    none = await execute.http.post("/graphql", content=body, headers=execute.headers())
    two = await execute.http.post(
        "/graphql",
        content=body,
        headers=[*execute.headers().items(), ("content-type", "application/json"), ("content-type", "text/plain")],
    )

    assert [415, 415] == [none.status_code, two.status_code]


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "APPLICATION/JSON", "application/json;charset=utf-8", 'application/json ; charset="UTF-8"'],
)
async def test_json_in_utf_8_is_read(execute: Api, media_type: str) -> None:
    query = '{ customerExists(externalId: "\u00e9\U0001f600") { customerId } }'
    body = json.dumps({"query": query}, ensure_ascii=False).encode()

    answer = await execute.http.post("/graphql", content=body, headers={"content-type": media_type, **execute.headers()})

    assert (200, []) == (answer.status_code, answer.json()["data"]["customerExists"])


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip", "zstd"])
async def test_compressed_body_is_refused(execute: Api, encoding: str) -> None:
    answer = await execute.http.post(
        "/graphql", content=b"\x1f\x8b", headers={**JSON, "content-encoding": encoding, **execute.headers()}
    )

    assert (415, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))


# ---------------------------------------------------------------------------- size and time


@pytest.mark.parametrize("declared", [True, False], ids=["with its length", "in chunks"])
@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413), (10_000_000, 413)])
async def test_body_has_102400_bytes_at_most(execute: Api, declared: bool, size: int, status: int) -> None:
    empty = len(json.dumps({"query": CREATE, "variables": {"input": {"firstName": ""}}}))
    body = json.dumps({"query": CREATE, "variables": {"input": {"firstName": "x" * (size - empty)}}}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    content: Any = body if declared else chunks()
    answer = await execute.http.post("/graphql", content=content, headers={**JSON, **execute.headers()})

    assert (size, status) == (len(body), answer.status_code)
    if status == 413:
        assert ("BAD_USER_INPUT", "close") == (error_code(answer), answer.headers["connection"])


async def test_body_that_does_not_arrive_is_not_waited_for() -> None:
    headers = [(b"content-type", b"application/json")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, asyncio.Future)

    with pytest.raises(Refusal) as refusal:
        await read_request(request, seconds=0.01)

    assert (HTTPStatus.REQUEST_TIMEOUT, "close") == (refusal.value.status, refusal.value.headers["connection"])
