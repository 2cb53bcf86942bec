"""Traces: from the caller's request over MongoDB to the header on Kafka, one trace, without anything that a caller wrote."""

import asyncio
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from app.asgi import create_app
from app.container import Container
from app.observability import start_tracing
from app.sections import MonitoringSettings, NewRelicSettings
from app.settings import Settings
from app.tracing import LAST_SECONDS, Tracing
from core.clock import SystemClock
from core.request_facts import RequestFacts
from events.customer import EventTopics
from infra.kafka import Record
from models.lease import Lease
from repositories.customer_event import MongoOutbox
from tests.api import BASE, Tokens, fresh, some_email
from tests.collector import Collector, attributes, running_collector
from tests.house import ROOT
from workers.relay import Relay

CALLER = "b7ad6b7169203331"
CREATE = """mutation Canary($input: CustomerInput!) {
    createCustomer(input: $input) { customer { id addresses { id } } userErrors { code } }
}"""


class Kept:
    """Stands for Kafka."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def publish(self, records: Sequence[Record]) -> Sequence[Exception | None]:
        self.records += records
        await asyncio.sleep(0)
        return [None] * len(records)


@asynccontextmanager
async def traced(settings: Settings, collector: Collector, **how: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The application over the same database, with its traces going to *collector*; they are there when the context ends."""
    new_relic = NewRelicSettings.model_validate(
        {"enabled": True, "license_key": "canary-licence", "app_name": "shop-customers", "endpoint": collector.url, **how}
    )
    monitoring = settings.monitoring.model_copy(update={"new_relic": new_relic})
    app = create_app(settings.model_copy(update={"monitoring": monitoring}))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as client,
    ):
        yield client


def trace_of(header: str) -> str:
    return header.split("-")[1]


def new_trace() -> str:
    return f"00-{uuid.uuid4().hex}-{CALLER}-01"


async def test_a_change_is_one_trace_from_the_caller_to_kafka(
    container: Container, settings: Settings, tokens: Tokens, seller: str
) -> None:
    header = new_trace()
    kafka = Kept()
    with running_collector() as collector:
        async with traced(settings, collector) as client:
            answer = await client.post(
                "/graphql",
                json={"query": CREATE, "variables": {"input": {"email": some_email(), "externalId": "x"}}},
                headers={"authorization": f"Bearer {tokens.operator(seller)}", "traceparent": header, "x-request-id": "r-1"},
            )
            assert [] == answer.json()["data"]["createCustomer"]["userErrors"]
            customer = answer.json()["data"]["createCustomer"]["customer"]["id"]
            relaying = tracing_to(collector)
            await relay_everything(relaying, kafka)
            relaying.close()

    spans = collector.of_trace(trace_of(header))
    by_kind: dict[int, list[Span]] = {
        kind: [span for span in spans if span.kind == kind] for kind in {span.kind for span in spans}
    }
    (request,) = by_kind[Span.SPAN_KIND_SERVER]
    assert CALLER == request.parent_span_id.hex()
    assert "mutation createCustomer" == request.name
    assert {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "customer_service.operation": "mutation createCustomer",
        "customer_service.request_id": "r-1",
        "customer_service.seller": seller,
    } == attributes(request)
    asked = by_kind[Span.SPAN_KIND_CLIENT]
    assert {"insert customers", "insert customer_events", "commitTransaction admin"} <= {span.name for span in asked}
    (record,) = [record for record in kafka.records if record.key == customer.encode()]
    assert f"00-{trace_of(header)}-{request.span_id.hex()}-01".encode() == dict(record.headers)["traceparent"]
    (sent,) = by_kind[Span.SPAN_KIND_PRODUCER]
    assert "send customer.created" == sent.name
    assert {request.span_id} == {span.parent_span_id for span in [*asked, sent]}
    assert all(request.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano for span in asked)


def tracing_to(collector: Collector) -> Tracing:
    new_relic = NewRelicSettings.model_validate({"enabled": True, "license_key": "k", "endpoint": collector.url})
    tracing = start_tracing(MonitoringSettings(new_relic=new_relic), process="test")
    assert tracing is not None
    return tracing


async def relay_everything(tracing: Tracing, kafka: Kept) -> None:
    await Lease.get_pymongo_collection().delete_many({})
    outbox = MongoOutbox(SystemClock(), holder=fresh("relay"))
    topics = EventTopics(created="customer.created", updated="customer.updated", deleted="customer.deleted")
    relay = Relay(outbox, tracing.of_producer(kafka), topics)
    while await relay.step():
        pass
    await outbox.release()


async def test_what_loaders_read_is_in_the_trace(container: Container, settings: Settings, tokens: Tokens, seller: str) -> None:
    """
    Batches run in nobody's context, and would be in nobody's trace.
    """
    header = new_trace()
    headers = {"authorization": f"Bearer {tokens.operator(seller)}", "traceparent": header}
    with running_collector() as collector:
        async with traced(settings, collector) as client:
            await client.post(
                "/graphql", json={"query": CREATE, "variables": {"input": {"email": some_email()}}}, headers=headers
            )

    assert "find addresses" in {span.name for span in collector.of_trace(trace_of(header))}


async def test_nothing_that_a_caller_wrote_is_in_a_trace(
    container: Container, settings: Settings, tokens: Tokens, seller: str
) -> None:
    token = tokens.operator(seller)
    with running_collector() as collector:
        async with traced(settings, collector) as client:
            for body in (
                {
                    "query": CREATE,
                    "variables": {"input": {"email": "canary@example.com", "firstName": "canary", "phone": "+971501234567"}},
                },
                {"query": '{ canary: customers(first: 1, filter: {search: "canary"}) { nodes { id } } }'},
                {"query": "{ canary }"},
                {"query": CREATE, "variables": {"input": {"email": "canary@"}}, "operationName": "canary"},
            ):
                await client.post("/graphql?canary=canary", json=body, headers={"authorization": f"Bearer {token}"})
            await client.get("/canary", headers={"user-agent": "canary", "host": "canary"})
            await client.request("CANARY", "/healthz/canary", headers={"tracestate": "canary=canary", "baggage": "canary=1"})

    assert len(collector.spans) > 4
    secrets = [b"canary", b"CANARY", b"971501234567", b"example.com", token.encode()]
    assert [] == [secret for secret in secrets if secret in collector.raw]


async def test_it_goes_to_the_collector_with_the_licence_key(container: Container, settings: Settings) -> None:
    with running_collector() as collector:
        async with traced(settings, collector) as client:
            await client.get("/.well-known/jwks.json")

    assert {"/v1/traces"} == set(collector.paths)
    assert {"canary-licence"} == {headers["api-key"] for headers in collector.headers}
    assert "shop-customers" == collector.resources[0]["service.name"]
    assert ["GET /.well-known/jwks.json"] == [span.name for span in collector.spans]


@pytest.mark.parametrize(
    ("header", "ratio", "recorded"),
    [
        (f"00-{'a' * 32}-{CALLER}-01", 0, True),
        (f"00-{'a' * 32}-{CALLER}-00", 1, False),
        (None, 0, False),
        (None, 1, True),
        ("nonsense", 1, True),
        ("00-0-0-0", 1, True),
        ("00-00000000000000000000000000000000-0000000000000000-01", 1, True),
    ],
)
async def test_the_caller_decides_for_its_trace_and_the_ratio_for_all_others(
    container: Container, settings: Settings, header: str | None, ratio: float, recorded: bool
) -> None:
    with running_collector() as collector:
        async with traced(settings, collector, sample_ratio=ratio) as client:
            headers = {} if header is None else {"traceparent": header}
            assert 200 == (await client.get("/.well-known/jwks.json", headers=headers)).status_code

    assert recorded == bool(collector.spans)


async def test_health_is_not_traced(container: Container, settings: Settings) -> None:
    with running_collector() as collector:
        async with traced(settings, collector) as client:
            await client.get("/healthz")
            await client.get("/readyz")

    assert [] == collector.spans


@pytest.mark.parametrize(("status", "code"), [(503, None), (None, None), (200, "INTERNAL")])
def test_a_fault_is_an_error(status: int | None, code: str | None) -> None:
    facts = RequestFacts()
    facts.status, facts.code = status, code
    with running_collector() as collector:
        tracing = tracing_to(collector)
        with tracing.of_request({"path": "/", "method": "GET", "headers": []}, facts):
            pass
        tracing.close()

    assert [Status.STATUS_CODE_ERROR] == [span.status.code for span in collector.spans]


async def test_a_collector_that_does_not_answer_keeps_nobody(container: Container, settings: Settings) -> None:
    """
    Neither requests nor, for longer than the last spans may take, the end of the process.
    """
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with traced(settings, Collector(f"http://127.0.0.1:{port}")) as client:
        assert 200 == (await client.get("/.well-known/jwks.json")).status_code
        begun = time.monotonic()
    assert time.monotonic() - begun < LAST_SECONDS + 5
    silent.close()


@pytest.mark.parametrize("settings", [{}, {"enabled": False, "license_key": "k"}, {"enabled": True}], ids=str)
def test_without_it_nothing_is_traced(settings: dict[str, Any]) -> None:
    assert start_tracing(MonitoringSettings(new_relic=NewRelicSettings.model_validate(settings)), process="serve") is None


def test_without_it_nothing_of_it_is_loaded() -> None:
    program = (
        "import sys, app.asgi, app.cli.serve, app.cli.relay, app.cli.worker;"
        "heavy = ('opentelemetry.sdk', 'opentelemetry.exporter', 'app.tracing');"
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "[]" == answer.stdout.strip()
