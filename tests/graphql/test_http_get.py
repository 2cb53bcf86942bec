"""Queries by GET, for clients that send short ones that way, and never without a token in a header."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from tests.api import Api, error_code, some_email
from tests.graphql.operations import create

WHO = "query Who { viewer { kind } } query Other { __typename }"
READ = "query ($id: ID!) { customer(id: $id) { id } }"
CREATE = "mutation ($email: String!) { createCustomer(input: {email: $email}) { customer { id } } }"
GRAPHQL_JSON = "application/graphql-response+json"
URQL = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"


async def get(execute: Api, as_: str | None = "", accept: str = GRAPHQL_JSON, **asked: Any) -> httpx.Response:
    """Ask by GET; what is no text goes as JSON."""
    params = {key: value if isinstance(value, str | list) else json.dumps(value) for key, value in asked.items()}
    return await execute.http.get("/graphql", params=params, headers={"accept": accept, **execute.headers(as_)})


@pytest.mark.parametrize("accept", [GRAPHQL_JSON, "application/json", URQL])
async def test_a_query_by_get_is_answered_as_one_by_post(execute: Api, accept: str) -> None:
    customer = await create(execute)

    answer = await get(execute, accept=accept, query=READ, variables={"id": customer["id"]}, extensions={})

    assert (200, {"customer": {"id": customer["id"]}}) == (answer.status_code, answer.json()["data"])
    assert "no-store" == answer.headers["cache-control"]


async def test_the_operation_is_chosen_in_the_address(execute: Api) -> None:
    answer = await get(execute, query=WHO, operationName="Other")

    assert {"__typename": "Query"} == answer.json()["data"]


async def test_a_hash_is_enough_for_a_document_that_was_sent_before(execute: Api) -> None:
    text = f"{{ {some_email().replace('-', '_').partition('@')[0]}: __typename }}"
    hashed = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}

    answers = [
        await get(execute, extensions=hashed),
        await get(execute, query=text, extensions=hashed),
        await get(execute, extensions=hashed),
    ]

    assert [404, 200, 200] == [answer.status_code for answer in answers]
    assert answers[1].json()["data"] == answers[2].json()["data"]


async def test_nothing_runs_by_get_without_a_token(execute: Api) -> None:
    """
    A link on anybody's page, or a picture, would be such a request.
    """
    answers = [await get(execute, as_=None, query="{ __typename }"), await get(execute, as_=None)]

    assert [(405, "POST", "BAD_USER_INPUT")] * 2 == [
        (answer.status_code, answer.headers["allow"], error_code(answer)) for answer in answers
    ]


async def test_a_token_that_does_not_hold_is_said_to_be_one(execute: Api) -> None:
    assert 401 == (await get(execute, as_="x.y.z", query="{ __typename }")).status_code


async def test_a_mutation_by_get_changes_nothing(execute: Api) -> None:
    email = some_email()

    answer = await get(execute, query=CREATE, variables={"email": email})

    assert (405, "POST") == (answer.status_code, answer.headers["allow"])
    found = await execute.data("query ($email: String!) { customerExists(email: $email) { customerId } }", {"email": email})
    assert [] == found["customerExists"]


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", URQL])
async def test_a_subscription_is_not_for_get(execute: Api, accept: str) -> None:
    answer = await get(execute, accept=accept, query="subscription { bulkImportsProgress { id } }")

    assert (405, "POST", "BAD_USER_INPUT") == (answer.status_code, answer.headers["allow"], error_code(answer))


@pytest.mark.parametrize(
    "asked",
    [
        {"query": WHO},
        {"query": ["{ a: __typename }", "{ b: __typename }"], "operationName": ""},
        {"query": "{ __typename }", "variables": "{"},
        {"query": "{ __typename }", "variables": "[]"},
        {"query": "{ __typename }", "variables": '{"a": 1, "a": 2}'},
        {"query": "{ __typename }", "extensions": "NaN"},
        {"query": "{ __typename }", "documentId": "a"},
        {"query": ""},
        {"query": "{"},
        {"extensions": "{}"},
    ],
    ids=str,
)
async def test_what_cannot_be_understood_is_refused(execute: Api, asked: dict[str, Any]) -> None:
    answer = await get(execute, **asked)

    assert (400, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))


async def test_bytes_that_are_no_text_are_not_replaced(execute: Api) -> None:
    answer = await execute.http.get("/graphql?query=%7B%20__typename%20%7D&operationName=%ff%fe", headers=execute.headers())

    assert (400, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))


async def test_an_address_that_asks_for_nothing_is_told_how(execute: Api) -> None:
    answer = await get(execute, variables={})

    assert (405, "POST") == (answer.status_code, answer.headers["allow"])
