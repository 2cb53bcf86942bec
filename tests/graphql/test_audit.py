"""Who reaches across all sellers leaves a line in the audit log, and nobody else does."""

from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from app.container import Container, import_worker
from app.observability import of_the_request
from tests.api import Api, Json, Tokens
from tests.graphql.imports import announce, csv
from tests.graphql.operations import BERLIN, READ, UPDATE, create
from tests.graphql.socket import open_socket
from tests.graphql.test_subscription import PROGRESS


@pytest.fixture(name="log")
def _log() -> Iterator[list[EventDict]]:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars, of_the_request]) as lines:
        yield lines


def audited(log: list[EventDict]) -> list[EventDict]:
    return [line for line in log if line["event"] == "cross-tenant access"]


async def ask(execute: Api, query: str, variables: Json, token: str, request_id: str) -> Json:
    headers = {**execute.headers(token), "x-request-id": request_id}
    answer: Json = (await execute.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)).json()
    return answer


async def test_a_service_that_looks_something_up_by_id_is_audited(execute: Api, tokens: Tokens, log: list[EventDict]) -> None:
    """
    Once for all that the operation reads; with its name and the request's id, and nothing of what it read.
    """
    customer = await create(execute, firstName="Canaria", addresses=[BERLIN])
    log.clear()

    answer = await ask(execute, READ, {"id": customer["id"]}, tokens.service(), "audit-1")

    assert customer["id"] == answer["data"]["customer"]["id"]
    who = {"actor": "service:oms", "request_id": "audit-1"}
    line = {"event": "cross-tenant access", "log": "audit", "log_level": "info", "operation": "query customer", **who}
    assert [line] == audited(log)


async def test_a_service_that_changes_something_by_id_is_audited(execute: Api, tokens: Tokens, log: list[EventDict]) -> None:
    customer = await create(execute)
    log.clear()

    await ask(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": "Ada"}}, tokens.service(), "audit-2")

    assert {("service:oms", "audit-2")} == {(line["actor"], line["request_id"]) for line in audited(log)}


async def test_a_service_on_a_socket_is_audited(execute: Api, served: str, tokens: Tokens, log: list[EventDict]) -> None:
    id_, _ = await announce(execute, csv(1))
    log.clear()

    async with open_socket(served) as socket:
        await socket.init(tokens.service())
        await socket.subscribe(PROGRESS, {"id": id_})
        await socket.receive()

    (line,) = audited(log)
    assert "service:oms" == line["actor"]
    assert line["request_id"]


async def test_nobody_else_is_audited(execute: Api, tokens: Tokens, seller: str, log: list[EventDict]) -> None:
    """
    Neither an operator, nor a customer, nor a service that names the seller it means.
    """
    customer = await create(execute, addresses=[BERLIN])

    for token in (tokens.operator(seller), tokens.customer(customer["id"], seller)):
        answer = await ask(execute, READ, {"id": customer["id"]}, token, "audit-3")
        assert customer["id"] == answer["data"]["customer"]["id"]
    named = "query($seller: ID) { customers(sellerId: $seller) { totalCount nodes { id } } }"
    assert 1 == (await ask(execute, named, {"seller": seller}, tokens.service(), "audit-4"))["data"]["customers"]["totalCount"]

    assert [] == audited(log)


async def test_the_books_of_the_import_worker_are_not_audited(container: Container, log: list[EventDict]) -> None:
    await import_worker(container)._runs.sweep()

    assert [] == audited(log)


async def test_nothing_of_a_request_stays_in_the_context_of_the_log(execute: Api, tokens: Tokens) -> None:
    await ask(execute, "{ viewer { subject } }", {}, tokens.service(), "audit-5")

    assert "request_id" not in structlog.contextvars.get_contextvars()
