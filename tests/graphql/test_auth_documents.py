"""One auth mutation per document: nobody tries a thousand codes, or sends a thousand, with one request."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
import strawberry
from graphql import parse
from strawberry.types.execution import ExecutionResult

from app.graphql.auth_documents import AUTH_MUTATIONS, multiplies_auth
from app.graphql.execution import Schema
from schema.context import Context
from services.registry import Services
from tests.api import Api

EXECUTED: list[str] = []


@strawberry.type
class Query:
    @strawberry.field
    def fine(self) -> bool:
        return True


@strawberry.type
class Outcome:
    login: str
    other: str


def attempt(name: str) -> Outcome:
    EXECUTED.append(name)
    return Outcome(login=name, other=name)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def login(self, code: str = "") -> Outcome:
        return attempt("login")

    @strawberry.mutation
    def request_otp(self) -> Outcome:
        return attempt("requestOtp")

    @strawberry.mutation
    def rename(self) -> Outcome:
        return attempt("rename")


SMALL = Schema(query=Query, mutation=Mutation)


@pytest.fixture(autouse=True)
def _nothing_executed() -> Iterator[None]:
    EXECUTED.clear()
    yield
    EXECUTED.clear()


async def run(document: str, operation_name: str | None = None, **variables: Any) -> ExecutionResult:
    context = Context(cast("Services", None), request_id="1")
    return await SMALL.execute(document, variable_values=variables, context_value=context, operation_name=operation_name)


MULTIPLIED = {
    "aliases": 'mutation { a: login(code: "1") { login } b: login(code: "2") { login } }',
    "the same again": "mutation { login { login } login { login } }",
    "two kinds": "mutation { login { login } requestOtp { login } }",
    "beside another": "mutation { login { login } rename { login } }",
    "behind another": "mutation { rename { login } login { login } }",
    "fragment": "mutation { ...F } fragment F on Mutation { a: login { login } b: login { login } }",
    "field and fragment": "mutation { login { login } ...F } fragment F on Mutation { b: login { login } }",
    "two fragments": """mutation { ...F ...G }
      fragment F on Mutation { login { login } } fragment G on Mutation { a: login { login } }""",
    "fragment twice": "mutation { ...F ...F } fragment F on Mutation { login { login } }",
    "fragment in fragment": """mutation { ...F rename { login } }
      fragment F on Mutation { ...G } fragment G on Mutation { login { login } }""",
    "inline fragment": "mutation { login { login } ... on Mutation { a: login { login } } }",
    "inline fragments without a type": "mutation { ... { login { login } } ... { a: login { login } } }",
    "deep inline fragments": "mutation { ... { ... { ... { login { login } } } } ... { ... { rename { login } } } }",
    "skipped": "mutation { login { login } a: login @skip(if: true) { login } }",
    "not included": "mutation($no: Boolean = false) { login @include(if: $no) { login } rename { login } }",
    "skipped fragment": "mutation { login { login } ...F @skip(if: true) } fragment F on Mutation { a: login { login } }",
    "two operations, named": "mutation A { login { login } } mutation B { a: login { login } }",
    "two operations, the other a query": "mutation A { login { login } } query B { fine }",
    "two operations, asking for the harmless one": "mutation B { login { login } } mutation A { rename { login } }",
    "cycle": "mutation { ...F } fragment F on Mutation { login { login } ...G } fragment G on Mutation { ...F }",
    "cycle of one": "mutation { ...F } fragment F on Mutation { login { login } ...F }",
}

SINGLE = {
    "plain": "mutation { login { login } }",
    "named": "mutation A { login { login other } }",
    "alias": "mutation { a: login { login } }",
    "fragment": "mutation { ...F } fragment F on Mutation { login { ...O } } fragment O on Outcome { login other }",
    "inline fragment": "mutation { ... on Mutation { ... { login { login } } } }",
    "with the type's name": "mutation { __typename login { __typename login } }",
    "fields below that are called so": "mutation { login { login a: login b: login } }",
}


@pytest.mark.parametrize("document", MULTIPLIED.values(), ids=MULTIPLIED)
async def test_more_than_one_of_them_is_refused_and_nothing_is_executed(document: str) -> None:
    for name in ("A", "A", None):  # the second time, the document comes from the caches
        result = await run(document, name if " A " in document else None)

        assert result.errors is not None
        (error,) = result.errors
        assert "BAD_USER_INPUT" == (error.extensions or {})["code"]
        assert error.message.startswith("Send login, logout, refreshTokens, requestOtp, revokeSession one at a time")
        assert result.data is None
    assert [] == EXECUTED


@pytest.mark.parametrize("document", SINGLE.values(), ids=SINGLE)
async def test_one_of_them_alone_is_executed_once(document: str) -> None:
    result = await run(document)

    assert result.errors is None
    assert ["login"] == EXECUTED


async def test_other_mutations_may_stand_together() -> None:
    result = await run("mutation A { rename { login } b: rename { other } } query B { fine }", "A")

    assert result.errors is None
    assert ["rename", "rename"] == EXECUTED


async def test_a_query_may_have_fields_that_are_called_so() -> None:
    result = await run("{ login: fine logout: fine }")

    assert {"login": True, "logout": True} == result.data


async def test_a_document_that_is_refused_is_not_validated() -> None:
    """
    Two hundred aliases of one field cost half a second to validate; refusing them costs nothing.
    """
    result = await run("mutation { login(nothing: 1) { nothing } a: login { nothing } }")

    assert result.errors is not None
    assert 1 == len(result.errors)


def test_the_time_is_linear_in_the_size_of_the_document() -> None:
    """
    Fragments that each spread the next one twice: walked spread by spread, sixty of them would not end in this life.
    """
    bomb = " ".join(f"fragment F{n} on Mutation {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    document = parse(f"mutation {{ ...F0 }} {bomb} fragment F60 on Mutation {{ login {{ login }} }}")

    assert multiplies_auth(document)


def test_nesting_as_deep_as_the_parser_allows_is_no_fault() -> None:
    chain = " ".join(f"fragment F{n} on Mutation {{ ...F{n + 1} }}" for n in range(5000))
    document = parse(f"mutation {{ ...F0 }} {chain} fragment F5000 on Mutation {{ a: login b: login }}")

    assert multiplies_auth(document)


# ---------------------------------------------------------------------------- the real schema


async def test_the_schema_has_all_of_them_under_these_names(execute: Api) -> None:
    found = await execute.data("{ __schema { mutationType { fields { name } } } }")

    names = {field["name"] for field in found["__schema"]["mutationType"]["fields"]}
    assert names >= AUTH_MUTATIONS


@pytest.mark.parametrize(
    "document",
    [
        'mutation { a: login(challengeId: "x", code: "1") {__typename} b: login(challengeId: "x", code: "2") {__typename} }',
        'mutation { a: refreshTokens(refreshToken: "x") { __typename } b: refreshTokens(refreshToken: "y") { __typename } }',
        "mutation { logout { __typename } b: logout { __typename } }",
        'mutation { revokeSession(id: "x") { __typename } deleteCustomer(id: "x") { __typename } }',
        """mutation { a: requestOtp(sellerId: "x", channel: SMS, destination: "1") { __typename }
          b: requestOtp(sellerId: "x", channel: SMS, destination: "2") { __typename } }""",
    ],
    ids=lambda document: document.split("(")[0].split("{")[1].strip(),
)
async def test_the_application_refuses_them(execute: Api, document: str) -> None:
    answer = await execute(document)

    assert "data" not in answer
    (error,) = answer["errors"]
    assert "BAD_USER_INPUT" == error["extensions"]["code"]
    assert "one at a time" in error["message"]


async def test_a_batch_of_documents_is_refused(execute: Api) -> None:
    body = [{"query": "mutation { logout { __typename } }"}] * 2

    answer = await execute.http.post("/graphql", json=body, headers=execute.headers())

    assert 400 == answer.status_code
