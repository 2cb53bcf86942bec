"""The collector of traces of development takes what services send, and shows it to people."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from app.sections import NewRelicSettings
from app.tracing import start_tracing
from core.request_facts import RequestFacts
from embedded.traces import KEY, Traces
from tests.embedded.conftest import running

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"


@pytest_asyncio.fixture(name="address", scope="module")
async def _address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    collector = Traces(tmp_path_factory.mktemp("traces") / "log")
    async with running(collector) as one:
        yield collector.endpoint(one.port)


@pytest_asyncio.fixture(name="http")
async def _http(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address) as client:
        yield client


async def test_what_a_process_traced_is_found_by_the_id_of_the_trace(http: httpx.AsyncClient, address: str) -> None:
    settings = NewRelicSettings.model_validate({"enabled": True, "license_key": KEY, "endpoint": address})
    tracing = start_tracing(settings, process="serve")
    headers = [(b"traceparent", f"00-{TRACE}-{CALLER}-01".encode())]
    facts = RequestFacts()
    with tracing.of_request({"path": "/graphql", "method": "POST", "headers": headers}, facts):
        facts.operation, facts.status, facts.request_id = "query Customer", 200, "req_1"
    tracing.close()

    found = (await http.get(f"/traces/{TRACE}")).json()
    latest = (await http.get("/traces")).json()["traces"]

    (span,) = found["spans"]
    assert ("query Customer", "SERVER", "serve", CALLER, False) == tuple(
        span[name] for name in ("name", "kind", "process", "parentId", "failed")
    )
    assert "req_1" == span["attributes"]["customer_service.request_id"]
    assert [(TRACE, "query Customer", 1)] == [(one["traceId"], one["name"], one["spans"]) for one in latest]


async def test_an_unknown_trace_has_no_spans(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/traces/{'f' * 32}")

    assert (404, []) == (answer.status_code, answer.json()["spans"])


@pytest.mark.parametrize("headers", [{}, {"content-encoding": "gzip"}], ids=["plain", "said to be compressed"])
async def test_what_is_no_otlp_is_refused_and_the_rest_goes_on(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    before = (await http.get("/traces")).json()

    answer = await http.post("/v1/traces", content=b"\xffno spans", headers=headers)

    assert 400 == answer.status_code
    assert before == (await http.get("/traces")).json()
