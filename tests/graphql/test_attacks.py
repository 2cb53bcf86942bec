"""Known attacks on GraphQL servers, row by row, with what each is answered.

What happens on a WebSocket is in `test_socket_guard`, `test_socket_operations` and `test_handshake`; other sellers' ids in
`test_two_sellers` and `test_strangers`; one-time codes in `test_auth_documents`; forged tokens in `test_tokens_on_the_wire`.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from graphql import parse

from app.graphql.screened import Screened
from tests.api import Api, Tokens
from tests.effort import effort
from tests.graphql.alone import CLOSED, CUSTOMER, OPEN, codes, errors, run

JSON = {"content-type": "application/json"}


def bomb(size: int, innermost: str = "__typename") -> str:
    """Fragments that each spread the next one twice."""
    doubling = " ".join(f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(size))
    return f"{{...F0}} {doubling} fragment F{size} on Query{{{innermost}}}"


MOST_CALLS = 500_000
"""What the most expensive of these documents comes to (286,255 calls), and some room for newer libraries."""

SIGNS = "abcdefghijklmnopqrstuvwxyz"
CIRCULAR = "{ __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }"

REFUSED: dict[str, tuple[str, set[str]]] = {
    "alias overloading": ("{ " + " ".join(f"alias{n}: __typename" for n in range(101)) + " }", {"QUERY_TOO_COMPLEX"}),
    "field duplication": ("{ " + "__typename " * 500 + "}", {"QUERY_TOO_COMPLEX"}),
    "directive overloading": ("{ __typename " + "@aa" * 10 + " }", {"BAD_USER_INPUT"}),
    "directive overloading, more of it": ("{ __typename " + "@aa" * 60 + " }", {"QUERY_TOO_COMPLEX"}),
    "circular introspection": (CIRCULAR, {"UNAUTHENTICATED"}),
    "introspection": ("{ __schema { types { name } } }", {"UNAUTHENTICATED"}),
    "fragment bomb of 30": (bomb(30), {"QUERY_TOO_COMPLEX"}),
    "fragment bomb of 30, empty": (bomb(30, ""), {"QUERY_TOO_COMPLEX"}),
    "fragment bomb of 30, circular": (bomb(30, "...F0"), {"QUERY_TOO_COMPLEX"}),
    "fragment bomb of 100": (bomb(100), {"QUERY_TOO_COMPLEX"}),
    "fragment bomb of 1000": (bomb(1000), {"QUERY_TOO_COMPLEX"}),
    "circular fragments": ("{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }", {"BAD_USER_INPUT"}),
    "unknown fragments": ("{ ...Nowhere }", {"BAD_USER_INPUT"}),
    "unused fragments": ("{ __typename } fragment F on Query { __typename }", {"BAD_USER_INPUT"}),
    "inline fragments that overlap": ("{" + "...on Query{me{id}}" * 140 + "}", {"QUERY_TOO_COMPLEX"}),
    "inline fragments that overlap, below": ("{me{" + "...on Customer{a:id}" * 120 + "}}", {"QUERY_TOO_COMPLEX"}),
    "250 times a { name }": ("{" + "me{id}" * 240 + "}", {"QUERY_TOO_COMPLEX"}),
    "250 times a { name }, below": ("{me{" + "history{nodes{id}}" * 120 + "}}", {"QUERY_TOO_COMPLEX"}),
    "lists 5,000 deep": ("{customer(id:" + "[" * 5000 + ")}", {"BAD_USER_INPUT", "QUERY_TOO_COMPLEX"}),
    "fields 5,000 deep": ("{a" * 5000, {"BAD_USER_INPUT", "QUERY_TOO_COMPLEX"}),
    "comment padding": ("#" + "x" * 60_000 + "\n{ __typename }", {"QUERY_TOO_COMPLEX"}),
    "a long string": ('{ customer(id: "' + "x" * 60_000 + '") { id } }', {"QUERY_TOO_COMPLEX"}),
    "a page of a million": ("{ customers(first: 1000000) { totalCount } }", {"BAD_USER_INPUT"}),
    "a limit split over operations": (
        "query A { a: viewer { kind } } query B { " + " ".join(f"{a}: __typename" for a in SIGNS) + " }",
        {"BAD_USER_INPUT"},
    ),
    "one-time codes by alias": (
        """mutation { a: login(challengeId: "x", code: "000001") { __typename }
          b: login(challengeId: "x", code: "000002") { __typename } }""",
        {"BAD_USER_INPUT"},
    ),
    "mass assignment": (
        'mutation { createCustomer(input: {email: "a@b.example", version: 7, role: "admin"}) { __typename } }',
        {"BAD_USER_INPUT"},
    ),
    "an operator for a filter": ('{ customers(filter: {email: {ne: ""}}) { totalCount } }', {"BAD_USER_INPUT"}),
    "deferred fragments": ("{ ... @defer { __typename } }", {"BAD_USER_INPUT"}),
    "streamed lists": ("{ customers { nodes @stream { id } } }", {"BAD_USER_INPUT"}),
    "nested pages": ("{ customers(first: 100) { nodes { history(first: 100) { nodes { id } } } } }", {"QUERY_TOO_COMPLEX"}),
}


@pytest.mark.parametrize(("document", "expected"), REFUSED.values(), ids=REFUSED)
async def test_the_document_is_refused_without_data(document: str, expected: set[str]) -> None:
    """
    And without much work: what the CPU time of each is stands in `docs/limits.md`.
    """
    with effort() as spent:
        result = await run(document, schema=CLOSED)

    assert codes(result)
    assert set(codes(result)) <= expected
    assert result.data is None
    assert not [message for _, message in errors(result) if "Did you mean" in message or "Traceback" in message]
    assert spent.calls < MOST_CALLS


@pytest.mark.parametrize(
    "sent",
    [
        {"query": "query($n: Int) { customers(first: $n) { totalCount } }", "variables": {"n": 1_000_000}},
        {"query": "query($n: Int) { customers(last: $n) @skip(if: true) { totalCount } }", "variables": {"n": 1_000_000}},
        {
            "query": "query($f: CustomerFilter) { customers(filter: $f) { totalCount } }",
            "variables": {"f": {"email": {"$ne": None}}},
        },
    ],
    ids=["first", "last, skipped", "an operator"],
)
async def test_what_is_smuggled_in_variables_is_refused(execute: Api, sent: dict[str, Any]) -> None:
    answer = await execute.http.post("/graphql", json=sent, headers=execute.headers())

    assert {"BAD_USER_INPUT"} == {error["extensions"]["code"] for error in answer.json()["errors"]}
    assert not answer.json().get("data")


@pytest.mark.parametrize("condition", ["@skip(if: $if)", "@include(if: $if)", "@skip(if: true)", "@include(if: false)"])
@pytest.mark.parametrize("value", [True, False])
async def test_conditions_hide_no_cost(condition: str, value: bool) -> None:
    declared = "query($if: Boolean!)" if "$" in condition else "query"
    document = f"{declared} {{ customers(first: 100) {{ nodes {{ history(first: 100) {condition} {{ nodes {{ id }} }} }} }} }}"

    assert ["QUERY_TOO_COMPLEX"] == codes(await run(document, {"if": value}, schema=CLOSED, principal=CUSTOMER))


# ---------------------------------------------------------------------------- worst documents

LONGEST = 15_000


def filled(before: str, repeated: str, after: str) -> str:
    """Repeat something until the document has as many characters, or tokens, as the parser takes."""
    count = (LONGEST - len(before) - len(after)) // len(repeated)
    while count:
        try:
            parse(before + repeated * count + after, max_lexical_tokens=1000)
        except Exception:  # noqa: BLE001  whatever is wrong with so much of it
            count = count * 9 // 10
        else:
            break
    return before + repeated * count + after


WORST: dict[str, Callable[[], str]] = {
    "a { name }": lambda: filled("{", "me{id}", "}"),
    "a { name }, below": lambda: filled("{me{", "history{nodes{id}}", "}}"),
    "one field": lambda: filled("{me{", "id ", "}}"),
    "different fields that are none": lambda: "{me{" + " ".join(f"field{n}" for n in range(480)) + "}}",
    "inline fragments": lambda: filled("{me{", "...on Customer{id}", "}}"),
    "inline fragments, nested": lambda: "{me{" + "...on Customer{id " * 150 + "}" * 150 + "}}",
    "arguments": lambda: filled("{customers(", "first:1 ", "){totalCount}}"),
    "different arguments": lambda: "{customers(" + " ".join(f"a{n}:1" for n in range(320)) + "){totalCount}}",
    "directives": lambda: filled("{me{id ", "@skip(if:true)", "}}"),
    "variables": lambda: "query(" + " ".join(f"$v{n}:Int" for n in range(240)) + "){__typename}",
    "variables in use": lambda: (
        "query("
        + " ".join(f"$v{n}:ID" for n in range(140))
        + "){nodes(ids:["
        + " ".join(f"$v{n}" for n in range(140))
        + "]){id}}"
    ),
    "deep lists": lambda: "{nodes(ids:" + "[" * 60 + "1" + "]" * 60 + "){id}}",
    "a deep object": lambda: "{customers(filter:" + "{createdAt:" * 60 + "1" + "}" * 60 + "){totalCount}}",
    "a wide object": lambda: "{customers(filter:{" + " ".join(f"a{n}:1" for n in range(320)) + "}){totalCount}}",
    "a long string": lambda: '{customer(id:"' + "\\u0041" * 2400 + '"){id}}',
    "a long block string": lambda: '{customer(id:"""' + "\n  x" * 3600 + '"""){id}}',
    "long names": lambda: "{" + "a" * 7000 + ":" + "b" * 7000 + "}",
    "many fragments": lambda: "{...F0}" + "".join(f"fragment F{n} on Query{{...F{n + 1}}}" for n in range(120)),
    "many fragments that are not used": lambda: (
        "{__typename}" + "".join(f"fragment F{n} on Query{{me{{id}}}}" for n in range(90))
    ),
    "fragments in all fragments": lambda: (
        "{"
        + "".join(f"...F{n} " for n in range(20))
        + "}"
        + "".join(f"fragment F{n} on Query{{{''.join(f'...F{m} ' for m in range(n + 1, 20))}}}" for n in range(20))
    ),
    "one fragment, spread often": lambda: "{me{" + "...F " * 400 + "}} fragment F on Customer{id}",
    "operations": lambda: "".join(f"query Q{n}{{...F}}" for n in range(100)) + "fragment F on Query{__typename}",
    "introspection": lambda: filled("{__schema{types{", "fields{name}", "}}}"),
    "types": lambda: filled("{__typename}", "type A{b:Int}", ""),
    "conflicting fields": lambda: "{me{" + "".join(f"a:{name} " for name in ("id", "email", "phone")) * 5 + "}}",
    "fields that are nearly others": lambda: "{" + " ".join(f"customer{sign}" for sign in SIGNS) * 9 + "}",
    "enum values that are nearly others": lambda: "{customers(sort:" + "CREATED_AT_ASD" * 900 + "){totalCount}}",
}


@pytest.mark.parametrize("make", WORST.values(), ids=WORST)
def test_the_worst_documents_are_looked_at_with_little_effort(make: Callable[[], str]) -> None:
    """
    All that is done before execution: parsing, the guard, and validation if the guard lets it through.
    """
    document = make()
    assert len(document) <= LONGEST

    with effort() as spent:
        known = Screened(OPEN._schema, parse(document))
        if known.refusal(named=True) is None:
            known.errors()

    assert spent.calls < MOST_CALLS


@pytest.mark.parametrize("make", WORST.values(), ids=WORST)
def test_validation_alone_is_bounded_too(make: Callable[[], str]) -> None:
    """
    Should the guard be wrong about a document, its validation still ends.
    """
    known = Screened(OPEN._schema, parse(make()))

    with effort() as spent:
        known.errors()

    assert spent.calls < MOST_CALLS


# ---------------------------------------------------------------------------- over HTTP


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (json.dumps([{"query": "{ __typename }"}] * 10).encode(), {400}),
        (b"[" * 90_000, {400}),
        (b'{"query": "{ __typename }", "variables": {"a": ' + b"1" * 5000 + b"}}", {200, 400}),
        (b'{"query": "# ' + b"x" * 1_000_000 + b'"}', {413}),
        (b'{"query": "{ a(b: \\"' + b"x" * 1_000_000 + b'\\") }"}', {413}),
        (b"\x1f\x8b" + b"\x00" * 1000, {400, 415}),
    ],
    ids=["batch", "deep", "a long number", "comment padding", "a long string", "compressed"],
)
async def test_the_request_is_refused(execute: Api, body: bytes, status: set[int]) -> None:
    answer = await execute.http.post("/graphql", content=body, headers={**JSON, **execute.headers()})

    assert answer.status_code in status
    assert "Traceback" not in answer.text


async def test_a_compressed_request_is_not_decoded(execute: Api) -> None:
    answer = await execute.http.post(
        "/graphql", content=b"\x1f\x8b", headers={**JSON, "content-encoding": "gzip", **execute.headers()}
    )

    assert 415 == answer.status_code


@pytest.mark.parametrize(
    "query", ["mutation{logout{__typename}}", "{__typename}", "subscription{bulkImportProgress(id:1){id}}"]
)
async def test_get_runs_nothing(execute: Api, query: str) -> None:
    answer = await execute.http.get("/graphql", params={"query": query}, headers={"accept": "text/event-stream"})

    assert answer.status_code in {400, 403, 404, 405, 406}
    assert "data" not in answer.text.split('"errors"')[0]


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
async def test_a_request_that_any_page_could_send_is_refused(execute: Api, media_type: str) -> None:
    answer = await execute.http.post(
        "/graphql", content=b"query=mutation{logout{__typename}}", headers={"content-type": media_type, **execute.headers()}
    )

    assert answer.status_code in {400, 403, 415}


async def test_there_is_no_trace(execute: Api) -> None:
    answer: httpx.Response = await execute.http.post(
        "/graphql",
        json={"query": "{ viewer { kind } }"},
        headers={"apollo-federation-include-trace": "ftv1", "x-apollo-tracing": "1", **execute.headers()},
    )

    assert {"cost"} == set(answer.json()["extensions"])


async def test_what_is_not_asked_in_words_of_ours_names_no_seller(execute: Api, tokens: Tokens, seller: str) -> None:
    """
    Headers that other systems believe in.
    """
    spoofed = {"x-seller-id": "other", "x-forwarded-user": "root", **execute.headers()}

    answer = await execute.http.post("/graphql", json={"query": "{ viewer { sellerId } }"}, headers=spoofed)

    assert {"viewer": {"sellerId": seller}} == answer.json()["data"]


async def test_ids_of_another_kind_find_nothing(execute: Api) -> None:
    for id_ in ("Customer:adr_1", "Q3VzdG9tZXI6MQ==", "adr_01m82c4ykgergbr9bz5f1r0xgf"):
        assert {"customer": None, "node": None} == await execute.data(
            "query($id: ID!) { customer(id: $id) { id } node(id: $id) { __typename } }", {"id": id_}
        )
