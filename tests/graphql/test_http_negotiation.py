"""Methods, media types, statuses and origins of /graphql, as GraphQL over HTTP and RFC 9110 have them."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from strawberry.types.execution import ExecutionResult, PreExecutionError

from app.graphql.http import open_to_browsers
from app.graphql.response import Refusal, answer_to, preferred, refused
from core.errors import (
    BadInput,
    PersistedQueryNotFound,
    PersistedQueryRequired,
    QueryTooComplex,
    RateLimited,
    ServiceError,
    TimedOut,
    Unavailable,
)
from core.ids import IdKind, new_id
from repositories.customer import CustomerRepository
from repositories.whole_customer import WholeCustomers
from tests.api import BASE, Api, error_code

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
EVENTS = "text/event-stream"
WHO = {"query": "{ viewer { kind } }"}

# ---------------------------------------------------------------------------- Accept


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        ("APPLICATION/JSON; charset=utf-8", JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{JSON};q=0.9,{GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL};charset=utf-8, {JSON};charset=utf-8", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{JSON}, */*", JSON),
        (f"{GRAPHQL}, */*", GRAPHQL),
        (f"{GRAPHQL};q=0, */*", JSON),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{JSON};q=0, application/*;q=0.2, text/html", GRAPHQL),
        ("text/html, */*;q=0.1", JSON),
        (EVENTS, EVENTS),
        ("text/*", EVENTS),
        (f"{EVENTS}, {JSON};q=0.5", EVENTS),
        (f"{EVENTS}, {JSON}", JSON),
        (f"{GRAPHQL}, application/graphql+json, {JSON}, {EVENTS}, multipart/mixed", GRAPHQL),
        ("multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json", GRAPHQL),
        (f"nonsense, {JSON};q=2, {GRAPHQL};q=0.1", GRAPHQL),
        (f";;;,,{JSON};;q=0.3;", JSON),
    ],
)
def test_answer_has_the_media_type_the_client_likes_best(accept: str | None, media_type: str) -> None:
    """
    The quality decides, then how exactly it is named, then what we like; ``*/*`` alone is the older type.
    """
    assert media_type == preferred(accept)


@pytest.mark.parametrize("accept", ["text/html", "image/*", f"{JSON};q=0", "application/xml, */*;q=0", "nonsense", "*"])
async def test_client_that_accepts_nothing_we_have_is_told_what_there_is(execute: Api, accept: str) -> None:
    with pytest.raises(Refusal):
        preferred(accept)

    answer = await execute.http.post("/graphql", json=WHO, headers={**execute.headers(), "accept": accept})

    assert (406, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))
    assert f"{JSON}; charset=utf-8" == answer.headers["content-type"]
    assert all(served in answer.json()["errors"][0]["message"] for served in (JSON, GRAPHQL, EVENTS))


async def test_several_accept_headers_are_one_list(execute: Api) -> None:
    headers = [*execute.headers().items(), ("accept", "text/html"), ("accept", GRAPHQL)]

    answer = await execute.http.post("/graphql", json=WHO, headers=headers)

    assert f"{GRAPHQL}; charset=utf-8" == answer.headers["content-type"]


# ---------------------------------------------------------------------------- methods


@pytest.mark.parametrize("accept", ["*/*", GRAPHQL, EVENTS, "image/png"])
@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "QUERY", "OPTIONS", "TRACE"])
async def test_operations_come_by_post_only(execute: Api, method: str, accept: str) -> None:
    """
    But for queries of callers with a token: see `test_http_get`.
    """
    headers = {**execute.headers(), "accept": accept, "content-type": JSON}

    answer = await execute.http.request(
        method, "/graphql?query={viewer{kind}}", content=b'{"query": "{ viewer { kind } }"}', headers=headers
    )

    assert (405, "POST", "no-store") == (answer.status_code, answer.headers["allow"], answer.headers["cache-control"])
    assert b"" == answer.content if method == "HEAD" else error_code(answer) == "BAD_USER_INPUT"


# ---------------------------------------------------------------------------- statuses


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("no"), 400),
        (QueryTooComplex("no"), 400),
        (PersistedQueryNotFound("PersistedQueryNotFound"), 404),
        (PersistedQueryRequired("no"), 403),
        (RateLimited(17), 429),
        (TimedOut("no"), 503),
        (Unavailable("no"), 503),
    ],
    ids=lambda value: value.code if isinstance(value, ServiceError) else str(value),
)
def test_operation_that_was_refused_says_so_in_the_status_of_the_new_media_type(error: ServiceError, status: int) -> None:
    result = refused(error, "req-1")

    new, old = (answer_to(result, media_type, anonymous=False) for media_type in (GRAPHQL, JSON))

    assert (status, 200) == (new.status, old.status)
    assert new.body == old.body
    assert {"errors"} == new.body.keys()
    assert {"code": error.code, "requestId": "req-1"}.items() <= new.body["errors"][0]["extensions"].items()
    assert (status in {429, 503}) == ("retry-after" in new.headers) == ("retry-after" in old.headers)


def test_retry_after_is_what_the_refusal_says() -> None:
    result = refused(RateLimited(17), "req-1")
    assert result.errors is not None
    result.errors[0].extensions = {**(result.errors[0].extensions or {}), "retryAfter": 17}

    assert "17" == answer_to(result, GRAPHQL, anonymous=False).headers["retry-after"]


def test_data_that_is_null_is_there_once_execution_began() -> None:
    result = refused(Unavailable("no"), "req-1")
    assert result.errors is not None
    result.errors[0].path = ["viewer"]
    began = ExecutionResult(data=None, errors=result.errors)

    answer = answer_to(began, GRAPHQL, anonymous=False)

    assert (200, None) == (answer.status, answer.body["data"])
    assert "data" not in answer_to(PreExecutionError(data=None, errors=result.errors), GRAPHQL, anonymous=False).body


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_partial_data_is_a_success(execute: Api, accept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise Unavailable("The database did not answer.")

    monkeypatch.setattr(CustomerRepository, "read_many", fail)
    monkeypatch.setattr(WholeCustomers, "read_many", fail)

    answer = await execute.http.post(
        "/graphql",
        json={"query": f'{{ viewer {{ kind }} customer(id: "{new_id(IdKind.CUSTOMER)}") {{ id }} }}'},
        headers={**execute.headers(), "accept": accept},
    )

    assert (200, {"viewer": {"kind": "OPERATOR"}, "customer": None}) == (answer.status_code, answer.json()["data"])
    assert ["UNAVAILABLE"] == [error["extensions"]["code"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("accept", [JSON, GRAPHQL, EVENTS, "*/*"])
async def test_token_that_does_not_hold_is_401_for_every_media_type(execute: Api, accept: str) -> None:
    answer = await execute.http.post("/graphql", json=WHO, headers={"authorization": "Bearer x", "accept": accept})

    assert (401, "UNAUTHENTICATED") == (answer.status_code, error_code(answer))
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("accept", [JSON, GRAPHQL, "*/*", None])
async def test_subscription_without_a_stream_is_refused(execute: Api, accept: str | None) -> None:
    """
    MUST 45.
    """
    answer = await execute.http.post(
        "/graphql",
        json={"query": "subscription { bulkImportsProgress { id } }"},
        headers={**execute.headers(), **({} if accept is None else {"accept": accept})},
    )

    assert (400, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))
    assert EVENTS in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("body", [WHO, {"query": "{"}, {"query": 1}], ids=["data", "refused", "malformed"])
async def test_answers_are_nobodys_to_keep(execute: Api, body: dict[str, Any]) -> None:
    answer = await execute.http.post("/graphql", json=body, headers=execute.headers())

    assert ("no-store", "Accept, Origin") == (answer.headers["cache-control"], answer.headers["vary"])


# ---------------------------------------------------------------------------- pages on other origins


@pytest.fixture(name="browser")
async def _browser(execute: Api) -> AsyncIterator[httpx.AsyncClient]:
    """The endpoint as pages on https://console.example may use it."""
    application = open_to_browsers(execute.http._transport.app, ["https://console.example"])  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url=BASE) as client:
        yield client


PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


async def test_page_on_an_allowed_origin_may_ask(execute: Api, browser: httpx.AsyncClient) -> None:
    origin = {"origin": "https://console.example"}

    asked = await browser.options("/graphql", headers={**origin, **PREFLIGHT})
    answer = await browser.post("/graphql", json=WHO, headers={**origin, **execute.headers()})

    assert (200, "https://console.example") == (asked.status_code, asked.headers["access-control-allow-origin"])
    assert "GET, POST" == asked.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in asked.headers
    assert (200, "https://console.example") == (answer.status_code, answer.headers["access-control-allow-origin"])
    assert "retry-after" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://console.example.evil", "http://console.example"])
async def test_page_on_another_origin_may_not(execute: Api, browser: httpx.AsyncClient, origin: str) -> None:
    asked = await browser.options("/graphql", headers={"origin": origin, **PREFLIGHT})
    answer = await browser.post("/graphql", json=WHO, headers={"origin": origin, **execute.headers()})

    assert 400 == asked.status_code
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_no_origin_is_allowed_unless_it_is_configured(execute: Api) -> None:
    asked = await execute.http.options("/graphql", headers={"origin": "https://console.example", **PREFLIGHT})

    assert 400 == asked.status_code
    assert "access-control-allow-origin" not in asked.headers
