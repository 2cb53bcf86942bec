"""What is counted of requests: by names of ours alone, whatever callers write."""

from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY, Gauge
from starlette.types import Message, Receive, Scope, Send

from app import watched
from app.watched import Watched
from core.request_facts import CURRENT, note
from tests.api import Api, Tokens
from tests.graphql.socket import open_socket


def counted(operation: str, status: int = 200, code: str = "OK") -> float:
    return REGISTRY.get_sample_value("http_requests_total", {"operation": operation, "status": str(status), "code": code}) or 0


def measured(operation: str) -> float:
    return REGISTRY.get_sample_value("http_request_seconds_count", {"operation": operation}) or 0


def labels(metric: str, name: str) -> set[str]:
    return {
        sample.labels[name]
        for family in REGISTRY.collect()
        if family.name == metric
        for sample in family.samples
        if name in sample.labels
    }


async def test_an_operation_is_counted_under_its_root_field(execute: Api) -> None:
    counts, times = counted("query customers"), measured("query customers")

    await execute.data("query Whatever { __typename renamed: customers(first: 1) { nodes { id } } }")

    assert counts + 1 == counted("query customers")
    assert times + 1 == measured("query customers")


async def test_fields_of_fragments_are_root_fields_too(execute: Api) -> None:
    before = counted("query several")

    await execute.data("""
        query { ...A }
        fragment A on Query { ... on Query { customers(first: 1) { totalCount } } ...B }
        fragment B on Query { viewer { kind } }
    """)

    assert before + 1 == counted("query several")


@pytest.mark.parametrize(
    ("query", "status", "code", "operation"),
    [
        ("{ customers(first: 1000) { nodes { id } } }", 200, "BAD_USER_INPUT", "query customers"),
        ("{ nothingLikeThis }", 200, "BAD_USER_INPUT", "POST /graphql"),
        ("{ customers(", 200, "BAD_USER_INPUT", "POST /graphql"),
        ("", 400, "BAD_USER_INPUT", "POST /graphql"),
    ],
)
async def test_a_refusal_is_counted_by_its_code(execute: Api, query: str, status: int, code: str, operation: str) -> None:
    before = counted(operation, status, code)

    await execute.http.post("/graphql", json={"query": query}, headers=execute.headers())

    assert before + 1 == counted(operation, status, code)


async def test_a_bad_token_is_counted(execute: Api) -> None:
    before = counted("POST /graphql", 401, "UNAUTHENTICATED")

    await execute.http.post("/graphql", json={"query": "{ viewer { kind } }"}, headers={"authorization": "Bearer no"})

    assert before + 1 == counted("POST /graphql", 401, "UNAUTHENTICATED")


async def test_no_caller_makes_labels(execute: Api, served: str, tokens: Tokens, seller: str) -> None:
    """
    Names of operations, aliases, paths, methods and ids are what callers like, and each label is a time series for ever.
    """
    names = [f"hostile_{number}" for number in range(50)]
    warm_up = "query warm { viewer { kind } }"
    await execute.http.post("/graphql", json={"query": warm_up}, headers=execute.headers())
    await execute.http.get("/healthz/hostile")
    await execute.http.request("HOSTILE", "/healthz")
    before = labels("http_requests", "operation")

    for name in names:
        body = {"query": f"query {name} {{ {name}: viewer {{ kind }} }}", "operationName": name}
        await execute.http.post("/graphql", json=body, headers={**execute.headers(), "x-request-id": name})
        await execute.http.post("/graphql", json={**body, "operationName": "other"}, headers=execute.headers())
        await execute.http.get(f"/{name}")
        await execute.http.request(name.upper(), "/healthz")
        await execute.http.get(f"/.well-known/{name}?{name}={name}")
    async with open_socket(served) as socket:
        await socket.init(tokens.operator(seller))
        await socket.subscribe("subscription hostile_0 { hostile_1: bulkImportsProgress { id } }", {})

    assert before == labels("http_requests", "operation")
    for metric in {family.name for family in REGISTRY.collect()}:
        for label in ("operation", "code", "status", "query", "transport"):
            assert not [value for value in labels(metric, label) if "hostile" in value.lower()]


async def test_operations_of_a_socket_are_counted_by_operation(served: str, tokens: Tokens, seller: str) -> None:
    def operations() -> float:
        return (
            REGISTRY.get_sample_value("graphql_socket_operations_total", {"operation": "subscription bulkImportsProgress"}) or 0
        )

    before = operations()
    async with open_socket(served) as socket:
        await socket.init(tokens.operator(seller))
        for id_ in "12":
            await socket.subscribe("subscription { bulkImportsProgress { id } }", {}, id_=id_)
        await socket.subscribe("query { viewer { kind } }", {}, id_="3")
        await socket.receive()

        assert before + 2 == operations()


async def test_a_socket_is_a_live_connection_while_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    gauge = Gauge("live", "Sockets of this test.", ["transport"], registry=None)
    monkeypatch.setattr(watched, "_LIVE", gauge)
    while_open: list[float] = []

    async def socket(*_: object) -> None:
        while_open.append(gauge.labels("websocket")._value.get())

    await Watched(socket)({"type": "websocket"}, nobody, nobody)

    assert [1] == while_open
    assert 0 == gauge.labels("websocket")._value.get()


async def nobody(*_: object) -> Any:
    raise AssertionError("Nobody is there.")


def test_outside_of_requests_nothing_is_noted() -> None:
    note(operation="query customers", code="NOT_FOUND")

    assert CURRENT.get() is None


async def _client(application: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=Watched(application)), base_url="http://api.test")


async def test_a_stream_is_no_slow_request() -> None:
    """
    It is open for as long as somebody listens; among the others it would be an alarm.
    """
    open_while_streaming: list[float | None] = []

    async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
        note(operation="test stream")
        start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
        await send(start)
        open_while_streaming.append(REGISTRY.get_sample_value("live_connections", {"transport": "event-stream"}))
        await send({"type": "http.response.body", "body": b""})

    before = REGISTRY.get_sample_value("live_connections", {"transport": "event-stream"}) or 0
    async with await _client(stream) as client:
        await client.get("/")

    assert [before + 1] == open_while_streaming
    assert before == REGISTRY.get_sample_value("live_connections", {"transport": "event-stream"})
    assert 1 == counted("test stream")
    assert 0 == measured("test stream")


async def test_an_application_that_fails_is_counted_too() -> None:
    async def broken(*_: object) -> None:
        note(operation="test broken")
        raise OSError("broken on purpose")

    async with await _client(broken) as client:
        with pytest.raises(OSError, match="on purpose"):
            await client.get("/")

    assert 1 == counted("test broken", 0, "0")
    assert 0 == REGISTRY.get_sample_value("http_requests_in_flight")
