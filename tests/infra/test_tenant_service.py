"""The tenant service, over HTTP: what it says, and everything that keeps it from saying it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY

from core.errors import Unavailable
from core.seller import SellerRules
from core.vocabulary import DocumentType, OnboardingStep, OtpChannel
from infra.breaker import THRESHOLD, Breaker
from infra.tenant_service import SYSTEM, TenantService, open_tenant_service

WITHIN = 0.5
Behave = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Tenants:
    """A server that does as it is told: one behaviour for each request, the last one for all that follow."""

    def __init__(self, *behaviours: Behave) -> None:
        self._behaviours = list(behaviours)
        self.requests: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.decode())
            await (self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0])(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def says(body: object, status: int = 200, *, late: float = 0) -> Behave:
    async def behave(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(late)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (status, len(content), content))
        await writer.drain()

    return behave


async def says_nothing(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
    await writer.drain()


async def drips(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def tenants(*behaviours: Behave, token: str | None = None) -> AsyncIterator[tuple[Tenants, TenantService]]:
    fake = Tenants(*behaviours)
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/api/v1/sellers/{{sellerId}}/settings"
    async with open_tenant_service(url, token=token, within=WITHIN) as service:
        yield fake, service
    server.close()


WHOLE: dict[str, Any] = {
    "defaultCountry": "AE",
    "onboarding": ["ADDRESS_ADDED", "DOCUMENT_VERIFIED"],
    "requiredDocuments": ["PASSPORT", "TAX_CERTIFICATE"],
    "validation": {"email": True, "phone": False, "documents": None, "newer": 1},
    "otp": {"channels": ["SMS"], "length": 8},
    "plan": "gold",
}


async def test_what_a_seller_has_configured_is_understood() -> None:
    async with tenants(says(WHOLE), token="secret") as (fake, service):
        rules = await service.rules_of("demo")

    assert rules == SellerRules(
        default_country="AE",
        onboarding=(OnboardingStep.ADDRESS_ADDED, OnboardingStep.DOCUMENT_VERIFIED),
        required_documents=(DocumentType.PASSPORT, DocumentType.TAX_CERTIFICATE),
        email=True,
        phone=False,
        otp_channels=(OtpChannel.SMS,),
    )
    assert fake.requests[0].startswith("GET /api/v1/sellers/demo/settings HTTP/1.1")
    assert "authorization: bearer secret" in fake.requests[0].lower()


async def test_a_sellers_id_is_no_path() -> None:
    async with tenants(says({})) as (fake, service):
        await service.rules_of("../admin?x")

    assert "GET /api/v1/sellers/..%2Fadmin%3Fx/settings HTTP/1.1" in fake.requests[0]


@pytest.mark.parametrize(("behave", "rules"), [(says({}), SellerRules()), (says({}, 404), None), (says(b"no", 404), None)])
async def test_a_seller_may_have_configured_nothing(behave: Behave, rules: SellerRules | None) -> None:
    async with tenants(behave) as (_, service):
        assert rules == await service.rules_of("demo")


@pytest.mark.parametrize(
    "failure", [says({}, 500), says({}, 503), says({}, 429), hangs_up], ids=["500", "503", "429", "hangs up"]
)
async def test_a_second_attempt_mends_what_one_can(failure: Behave) -> None:
    async with tenants(failure, says(WHOLE)) as (fake, service):
        rules = await service.rules_of("demo")

    assert rules is not None
    assert 2 == len(fake.requests)


@pytest.mark.parametrize(
    ("behave", "said", "requests"),
    [
        (says_nothing, "did not answer within 0.5 seconds", 1),
        (drips, "did not answer within 0.5 seconds", 1),
        (says(WHOLE, late=2), "did not answer within 0.5 seconds", 1),
        (says({}, 500), "status 500", 2),
        (hangs_up, "RemoteProtocolError", 2),
        (says({}, 401), "status 401", 1),
        (says({}, 302), "status 302", 1),
        (says(b"<html>"), "about: body", 1),
        (says([]), "about: body", 1),
        (says({"defaultCountry": 5}), "about: defaultCountry", 1),
        (says({"onboarding": ["canary"]}), "about: onboarding.0", 1),
        (says({"validation": {"email": "yes"}}), "about: validation.email", 1),
        (says(b'"' + b"x" * 200_000 + b'"'), "more than 100,000 bytes", 1),
    ],
    ids=lambda value: getattr(value, "__name__", None) if callable(value) else None,
)
async def test_what_is_no_answer_is_said_in_bounded_time(behave: Behave, said: str, requests: int) -> None:
    async with tenants(behave) as (fake, service):
        begun = time.monotonic()
        with pytest.raises(Unavailable) as unavailable:
            await service.rules_of("demo")

    assert said in str(unavailable.value)
    assert "canary" not in str(unavailable.value)
    # On a busy machine the time may be over before the request has come.
    assert len(fake.requests) in ({0, requests} if "within" in said else {requests})
    assert time.monotonic() - begun < WITHIN + 5


async def test_a_service_that_is_not_there_is_said() -> None:
    async with open_tenant_service("http://127.0.0.1:1/{sellerId}", token=None, within=WITHIN) as service:
        with pytest.raises(Unavailable, match="ConnectError"):
            await service.rules_of("demo")


def state(system: str) -> float | None:
    return REGISTRY.get_sample_value("circuit_breaker_state", {"system": system})


async def test_who_does_not_answer_is_left_alone() -> None:
    async with tenants(says_nothing) as (fake, service):
        for _ in range(THRESHOLD):
            with pytest.raises(Unavailable, match="did not answer"):
                await service.rules_of("demo")
        asked = len(fake.requests)

        begun = time.monotonic()
        for _ in range(50):
            with pytest.raises(Unavailable, match="left alone"):
                await service.rules_of("demo")

    assert asked == len(fake.requests) <= THRESHOLD
    assert 2 == state(SYSTEM)
    assert time.monotonic() - begun < WITHIN


class Work:
    """Fails or does not, as it is told."""

    def __init__(self) -> None:
        self.broken = True
        self.done = 0

    async def __call__(self) -> str:
        self.done += 1
        if self.broken:
            raise OSError("broken on purpose")
        return "fine"


async def test_a_circuit_closes_again_by_a_probe() -> None:
    breaker, work = Breaker("test system", threshold=2, open_seconds=0.1), Work()
    assert 0 == state("test system")
    for _ in "12":
        with pytest.raises(OSError, match="on purpose"):
            await breaker.call(work)
    with pytest.raises(Unavailable):
        await breaker.call(work)
    assert (2, 2) == (state("test system"), work.done)

    await asyncio.sleep(0.15)
    with pytest.raises(OSError, match="on purpose"):
        await breaker.call(work)
    assert (2, 3) == (state("test system"), work.done)

    work.broken = False
    await asyncio.sleep(0.15)
    assert ["fine", "fine"] == [await breaker.call(work), await breaker.call(work)]
    assert 0 == state("test system")


async def test_a_success_forgives_the_failures_before_it() -> None:
    breaker, work = Breaker("another system", threshold=2), Work()
    for broken in (True, False, True, False, True):
        work.broken = broken
        if broken:
            with pytest.raises(OSError, match="on purpose"):
                await breaker.call(work)
        else:
            await breaker.call(work)

    assert 0 == state("another system")
