"""REST on the wire: whatever arrives is answered with a problem of its own, and changes nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.container import Container
from app.graphql.quotas import Key, Quotas
from core.errors import RateLimited, Unavailable
from core.request_id import request_id_of
from rest.facade import Facade
from services.customer import CustomerService
from tests.api import Json, some_email
from tests.rest.calls import Calls, problem, reasons, stored

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"nobody",
        b'{"email": "a@example.com", "email": "b@example.com"}',
        b'{"email": "\xff"}',
        b'\xef\xbb\xbf{"email": "a@example.com"}',
        b'{"email": "\\ud800"}',
        b'{"size": 1e999}',
        b'{"size": NaN}',
        b"[" * 100_000,
        b"9" * 50_000,
    ],
    ids=repr,
)
async def test_what_is_no_json_is_not_understood(rest: Calls, customers: str, seller: str, content: bytes) -> None:
    answer = await rest("POST", customers, content=content, headers=JSON)

    problem(answer, 400, "BAD_USER_INPUT")
    assert [] == (await stored(seller))["Customer"]


@pytest.mark.parametrize("body", [None, [], 1, "customer", True], ids=repr)
async def test_json_that_is_no_object_is_not_understood(rest: Calls, customers: str, body: object) -> None:
    content = {"json": body} if body is not None else {"content": b"null", "headers": JSON}

    problem(await rest("POST", customers, **content), 400, "BAD_USER_INPUT")


async def test_a_body_that_is_missing_is_required(rest: Calls, customers: str) -> None:
    answer = await rest("POST", customers)

    assert [("REQUIRED", None)] == reasons(problem(answer, 400, "BAD_USER_INPUT"))


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/merge-patch+json"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {},
    ],
    ids=str,
)
async def test_other_media_types_are_refused(rest: Calls, customers: str, seller: str, headers: dict[str, str]) -> None:
    answer = await rest("POST", customers, content=b'{"externalId": "a"}', headers=headers)

    problem(answer, 415, "BAD_USER_INPUT")
    assert [] == (await stored(seller))["Customer"]


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_that_is_too_large_is_not_read_to_its_end(rest: Calls, customers: str, declared: bool) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * 10_000

    headers = {**JSON, **({"content-length": "1000000"} if declared else {"transfer-encoding": "chunked"})}

    answer = await rest("POST", customers, content=body(), headers=headers)

    problem(answer, 413, "BAD_USER_INPUT")
    assert "close" == answer.headers["connection"]
    assert sent < 15


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/*;q=0.1", "text/html, */*;q=0.1", ""])
async def test_who_accepts_json_gets_it(rest: Calls, customers: str, accept: str) -> None:
    answer = await rest.get(customers, headers={"accept": accept})

    assert (200, "application/json") == (answer.status_code, answer.headers["content-type"])


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml, text/*", "application/json;q=0, */*", "*/*; q=0.000", "json"]
)
async def test_who_accepts_no_json_gets_a_problem(rest: Calls, customers: str, accept: str) -> None:
    problem(await rest.get(customers, headers={"accept": accept}), 406, "BAD_USER_INPUT")


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/customer", "/internal/api/v1/addresses", "/api/v1/addresses/"])
async def test_an_address_that_does_not_exist_is_a_problem(rest: Calls, path: str) -> None:
    problem(await rest.get(path), 404, "NOT_FOUND")


async def test_a_method_that_does_not_exist_is_a_problem(rest: Calls, customers: str) -> None:
    answer = await rest("PATCH", customers, {})

    problem(answer, 405, "BAD_USER_INPUT")
    assert answer.headers["allow"]


async def test_other_addresses_answer_as_ever(http: httpx.AsyncClient) -> None:
    answer = await http.get("/nothing")

    assert (404, {"detail": "Not Found"}) == (answer.status_code, answer.json())


@pytest.mark.parametrize("header", ["Basic YTpi", "Digest a", "Bearer"])
async def test_other_credentials_are_told_what_is_read(rest: Calls, customers: str, header: str) -> None:
    answer = await rest.get(customers, headers={"authorization": header})

    assert answer.status_code in {400, 401}
    assert "Bearer" in answer.headers["www-authenticate"]


async def test_a_token_in_the_address_is_refused(rest: Calls, customers: str) -> None:
    answer = await rest.as_(None).get(customers, params={"access_token": rest.token or ""})

    assert (400, "BAD_USER_INPUT") == (answer.status_code, answer.json()["code"])
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


async def test_a_request_keeps_its_id(rest: Calls, customers: str) -> None:
    for given in ("order-4711", "a b", "x" * 65):
        for path in (customers, f"{customers}/cus_1", "/api/v1/nothing"):
            token = await rest.as_(None)("POST", "/api/v1/auth/access_token", headers={"x-request-id": given})
            assert (token.headers["x-request-id"] == given) == (request_id_of(given) == given)
            echoed = (await rest.get(path, headers={"x-request-id": given})).headers["x-request-id"]
            assert (echoed == given) == (request_id_of(given) == given)


async def test_what_goes_wrong_here_is_told_once_in_the_log_and_not_to_the_caller(
    rest: Calls, customers: str, seller: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        message = "a secret of ours"
        raise RuntimeError(message)

    monkeypatch.setattr(CustomerService, "create", fail)

    answer = await rest.post(customers, {"email": "somebody@example.com"})

    told = problem(answer, 500, "INTERNAL")
    assert "secret" not in answer.text
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert 1 == len(errors)
    assert told["errorId"] in errors[0]
    assert "somebody@example.com" not in errors[0]
    assert [] == (await stored(seller))["Customer"]


async def test_while_the_database_is_away_callers_are_told_to_come_again(
    rest: Calls, customers: str, ada: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise Unavailable("The database did not answer in time. Try again.")

    monkeypatch.setattr(CustomerService, "get", fail)

    answer = await rest.get(f"{customers}/{ada['id']}")

    problem(answer, 503, "UNAVAILABLE")
    assert "5" == answer.headers["retry-after"]


@pytest.fixture(name="narrow")
def _narrow(app: FastAPI, container: Container, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Changes what the facade stands on, for one test."""

    def narrow(**changes: Any) -> None:
        found: Facade = app.state.facade
        known = {name: getattr(found, name) for name in Facade.__slots__}
        monkeypatch.setattr(app.state, "facade", Facade(**{**known, **changes}))

    return narrow


async def test_a_call_ends_with_its_deadline(rest: Calls, customers: str, ada: Json, narrow: Any, monkeypatch: Any) -> None:
    async def hang(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    narrow(deadline=0.05)
    monkeypatch.setattr(CustomerService, "get", hang)
    monkeypatch.setattr(CustomerService, "update", hang)

    read = problem(await rest.get(f"{customers}/{ada['id']}"), 504, "TIMEOUT")
    changed = problem(await rest.put(f"{customers}/{ada['id']}", {}), 504, "TIMEOUT")

    assert "may have been completed" not in read["detail"]
    assert "may have been completed" in changed["detail"]


async def test_a_body_has_to_arrive_in_time(rest: Calls, customers: str, narrow: Any) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    narrow(read_timeout=0.05)

    answer = await rest("POST", customers, content=slow(), headers={**JSON, "transfer-encoding": "chunked"})

    problem(answer, 408, "BAD_USER_INPUT")


async def test_callers_spend_from_the_quota_that_they_have_in_graphql(
    rest: Calls, customers: str, seller: str, ada: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: list[tuple[Quotas, Key]] = []

    def spend(self: Quotas, key: Key, cost: int) -> None:
        spent.append((self, key))
        if cost and len(spent) > 2:
            raise RateLimited(7)

    monkeypatch.setattr(Quotas, "spend", spend)
    graphql = {"json": {"query": "{ viewer { kind } }"}}

    path = f"{customers}/{ada['id']}"
    answers = [await rest("POST", "/graphql", **graphql), await rest.get(path), await rest.get(path)]

    assert [200, 200] == [one.status_code for one in answers[:2]]
    problem(answers[2], 429, "RATE_LIMITED")
    assert "7" == answers[2].headers["retry-after"]
    assert [("seller", seller)] * 3 == [key for _, key in spent]
    assert 1 == len({id(quotas) for quotas, _ in spent})


async def test_what_is_about_many_costs_as_much_as_many_calls(
    rest: Calls, customers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: list[int] = []
    monkeypatch.setattr(Quotas, "spend", lambda _, __, cost: spent.append(cost))

    async def cost(answer: Awaitable[httpx.Response]) -> int:
        spent.clear()
        assert (await answer).is_success
        return sum(spent)

    assert 70 == await cost(rest.get(customers, params={"first": 7}))
    assert 200 == await cost(rest.get("/api/v1/addresses"))
    assert 30 == await cost(rest.post(f"{customers}/bulk", {"customers": [{"externalId": str(n)} for n in range(3)]}))


async def test_before_its_start_it_is_unavailable(rest: Calls, customers: str, app: FastAPI, monkeypatch: Any) -> None:
    monkeypatch.setattr(app.state, "facade", None)

    problem(await rest.post(customers, {"email": some_email()}), 503, "UNAVAILABLE")
