"""Each system the API stands on goes silent in turn: what needs it ends in typed errors in time, and all else goes on."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles

import httpx
import pytest
import pytest_asyncio

from infra.breaker import THRESHOLD
from tests.api import Json, fresh
from tests.chaos.deployment import Deployment, deployed
from tests.chaos.history import TYPED
from tests.chaos.load import load
from tests.chaos.proxy import FaultProxy, fault_proxy
from tests.graphql.operations import COMPLETE, CREATE, announced
from tests.journeys.outages import until
from tests.servers import Servers

DEADLINE = 10.0
_log = logging.getLogger(__name__)
_REQUEST_CODE = """mutation($seller: ID!, $to: String!) {
  requestOtp(sellerId: $seller, channel: EMAIL, destination: $to) { challengeId userErrors { code } } }"""


@dataclass(slots=True)
class Ways:
    """An API, and the ways to what it stands on."""

    deployment: Deployment
    database: FaultProxy
    store: FaultProxy
    tenants: FaultProxy
    codes: FaultProxy


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as a program that has nothing to say: a tenant service that knows no seller, a webhook that takes every code."""
    while head := await reader.readline():
        method, length = head.split(b" ", 1)[0], 0
        while (line := await reader.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        await reader.readexactly(length)
        status = b"404 Not Found" if method == b"GET" else b"204 No Content"
        writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")
    writer.close()


@pytest_asyncio.fixture(name="ways")
async def _ways(servers: Servers, tmp_path: Path) -> AsyncIterator[Ways]:
    async with AsyncExitStack() as stack:
        others = await asyncio.start_server(_silence, "127.0.0.1", 0)
        stack.callback(others.close)
        port = others.sockets[0].getsockname()[1]
        addresses = (servers.mongodb_uri, servers.aws_endpoint, f"127.0.0.1:{port}", f"127.0.0.1:{port}")
        database, store, tenants, codes = [await stack.enter_async_context(fault_proxy(one)) for one in addresses]
        given = replace(
            servers,
            mongodb_uri=f"mongodb://{database.address}/?directConnection=true",
            aws_endpoint=f"http://{store.address}",
        )
        deployment = await stack.enter_async_context(
            deployed(
                tmp_path,
                given,
                TENANT_SERVICE__URL=f"http://{tenants.address}/{{sellerId}}",
                OTP__EMAIL="webhook",
                OTP__CHANNELS='["EMAIL"]',
                OTP__WEBHOOK__URL=f"http://{codes.address}/",
                OTP__WEBHOOK__SECRET="between us",
            )
        )
        del deployment.environment["CUSTOMER_SERVICE_SECURITY__OTP_OUTBOX"]
        deployment.start("serve")
        await deployment.ready()
        yield Ways(deployment, database, store, tenants, codes)


@pytest_asyncio.fixture(name="http")
async def _client(ways: Ways) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=ways.deployment.url, timeout=60, trust_env=False) as http:
        yield http


async def asked(http: httpx.AsyncClient, query: str, variables: Json, token: str | None) -> tuple[Json, float]:
    """Return what is answered, and how many seconds that took."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    began = time.monotonic()
    answer = await http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    body: Json = answer.json()
    return body, time.monotonic() - began


def code_of(body: Json) -> str:
    """Return why an operation failed, or that it did not."""
    return str(body["errors"][0]["extensions"]["code"]) if body.get("errors") else "fine"


async def waits(deployment: Deployment, seconds: float) -> tuple[list[float], float]:
    """Create and change customers for a while; return how long calls took, and which was their 99th in a hundred (in ms)."""
    async with load(deployment.url, {(seller := fresh("calm")): deployment.token(seller)}, callers=4) as running:
        await asyncio.sleep(seconds)
    assert {} == running.history.untyped()
    assert [] == running.history.failed
    assert [] == running.history.wrong
    found = [one.ended - one.began for one in running.history.done]
    return found, quantiles(found, n=100)[98] * 1000


@pytest.mark.timeout(300)
async def test_without_the_object_store_only_files_wait(ways: Ways, http: httpx.AsyncClient) -> None:
    token = ways.deployment.token("files")
    documents = [
        {"type": "PASSPORT", "number": f"P{number}", "issuingCountry": "GB", "file": announced()} for number in range(1, 5)
    ]
    made, _ = await asked(http, CREATE, {"input": {"externalId": "files", "documents": documents}}, token)
    ids = [one["documentId"] for one in made["data"]["createCustomer"]["documentUploads"]]
    _, before = await waits(ways.deployment, 6)

    ways.store.black_hole()
    calm = asyncio.create_task(waits(ways.deployment, 12))
    first = await asyncio.gather(*(asked(http, COMPLETE, {"id": ids[n % len(ids)]}, token) for n in range(THRESHOLD)))
    later = await asyncio.gather(*(asked(http, COMPLETE, {"id": id_}, token) for id_ in ids))
    found, during = await calm
    ways.store.heal()
    healed, _ = await until(lambda: asked(http, COMPLETE, {"id": ids[0]}, token), lambda one: code_of(one[0]) == "fine", 60)

    _log.info("others' p99 %.0f ms before, %.0f ms during (%d calls)", before, during, len(found))
    _log.info("files: first %s", [(code_of(body), round(took, 1)) for body, took in first])
    _log.info("files: later %s", [(code_of(body), round(took, 2)) for body, took in later])
    assert {"UNAVAILABLE"} == {code_of(body) for body, _ in first}
    assert DEADLINE > max(took for _, took in first)
    # The circuit is open: nobody waits any more.
    assert {"UNAVAILABLE"} == {code_of(body) for body, _ in later}
    assert DEADLINE / 2 > max(took for _, took in later)
    assert "UPLOAD_MISSING" == healed[0]["data"]["completeDocumentUpload"]["userErrors"][0]["code"]


@pytest.mark.timeout(300)
async def test_without_the_tenant_service_sellers_have_what_is_configured(ways: Ways, http: httpx.AsyncClient) -> None:
    ways.tenants.black_hole()

    took = []
    for number in range(THRESHOLD + 5):
        body, seconds = await asked(http, "{ viewer { kind } }", {}, ways.deployment.token(f"new-{number}-{fresh('s')}"))
        assert "fine" == code_of(body)
        took.append(seconds)

    _log.info("first calls of new sellers took %s s", [round(one, 2) for one in took])
    assert DEADLINE > max(took)
    assert 1 > min(took[THRESHOLD:])


@pytest.mark.timeout(300)
async def test_without_the_carrier_of_codes_they_are_asked_for_as_always(ways: Ways, http: httpx.AsyncClient) -> None:
    token = ways.deployment.token("shop")
    for number in range(8):
        await asked(http, CREATE, {"input": {"email": f"ada{number}@example.com"}}, token)
    ways.codes.black_hole()

    answers = [
        await asked(http, _REQUEST_CODE, {"seller": "shop", "to": f"ada{number}@example.com"}, None) for number in range(8)
    ]
    _, during = await waits(ways.deployment, 6)

    _log.info("codes were asked for in %s s; others' p99 %.0f ms", [round(took, 2) for _, took in answers], during)
    assert [[]] * 8 == [body["data"]["requestOtp"]["userErrors"] for body, _ in answers]
    assert DEADLINE / 2 > max(took for _, took in answers)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", ["black_hole", "reset", "half_open"])
async def test_without_the_database_everybody_is_told_in_time_and_readiness_says_so(
    ways: Ways, http: httpx.AsyncClient, fault: str
) -> None:
    token = ways.deployment.token("shop")
    getattr(ways.database, fault)()
    began = time.monotonic()

    answers = await asyncio.gather(
        *(asked(http, CREATE, {"input": {"externalId": f"x{number}"}, "key": f"x{number}"}, token) for number in range(20))
    )
    health = await http.get("/healthz")
    probe = time.monotonic()
    ready = await http.get("/readyz")
    probed = time.monotonic() - probe
    keys = await http.get("/.well-known/jwks.json")
    ways.database.heal()
    healed = time.monotonic()
    await until(lambda: http.get("/readyz"), lambda one: one.is_success, 60)
    back = time.monotonic() - healed
    again = [
        await asked(http, CREATE, {"input": {"externalId": f"x{number}"}, "key": f"x{number}"}, token) for number in range(20)
    ]

    _log.info("%s: %s", fault, json.dumps(sorted({code_of(body): round(took, 1) for body, took in answers}.items())))
    _log.info("readiness said so within %.1f s, and was back %.1f s after; %.0f s in all", probed, back, healed - began)
    assert {code_of(body) for body, _ in answers} <= TYPED
    assert DEADLINE + 5 > max(took for _, took in answers)
    assert (200, 503, 200) == (health.status_code, ready.status_code, keys.status_code)
    assert [[]] * 20 == [body["data"]["createCustomer"]["userErrors"] for body, _ in again]
    assert 20 == len({body["data"]["createCustomer"]["customer"]["id"] for body, _ in again})
