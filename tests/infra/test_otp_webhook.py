"""Codes for a program of the operator's: signed, recognisable, and safe to repeat."""

import hashlib
import hmac
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import orjson
import pytest
import pytest_asyncio

from core.clock import SystemClock
from core.delivery import NotSent
from infra.otp_webhook import WebhookDelivery, open_webhook
from services.ports import CodeDelivery
from tests.infra.providers import Behaviour, Provider, code_message, provider

SECRET = "shared"
WITHIN = 0.5


@pytest_asyncio.fixture(name="program")
async def _program() -> AsyncIterator[Provider]:
    async with provider() as running:
        yield running


@pytest_asyncio.fixture(name="webhook")
async def _webhook(program: Provider) -> AsyncIterator[WebhookDelivery]:
    async with open_webhook(f"{program.url}/send", SECRET, SystemClock(), within=WITHIN) as webhook:
        yield webhook


async def test_it_is_what_services_ask_for(webhook: WebhookDelivery) -> None:
    port: CodeDelivery = webhook

    assert port is webhook


async def test_the_program_learns_what_it_needs(program: Provider, webhook: WebhookDelivery) -> None:
    await webhook.deliver(code_message(expires_at=datetime(2026, 11, 22, 17, 30, tzinfo=UTC)))
    [request] = program.requests

    assert "POST /send HTTP/1.1" == request.line
    assert ("application/json", "otp_1") == (request.headers["content-type"], request.headers["idempotency-key"])
    assert {
        "id": "otp_1",
        "sellerId": "demo",
        "channel": "SMS",
        "destination": "+4915112345678",
        "code": "048151",
        "expiresAt": "2026-11-22T17:30:00.000Z",
    } == orjson.loads(request.body)


async def test_the_program_can_check_that_it_is_us_and_now(program: Provider, webhook: WebhookDelivery) -> None:
    await webhook.deliver(code_message())
    [request] = program.requests
    parts = dict(part.split("=") for part in request.headers["x-signature"].split(","))
    expected = hmac.new(SECRET.encode(), f"{parts['t']}.".encode() + request.body, hashlib.sha256).hexdigest()

    assert expected == parts["v1"]
    assert 0 <= datetime.now(UTC).timestamp() - int(parts["t"]) < 60


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted", "204 No Content"])
async def test_any_success_will_do(program: Provider, webhook: WebhookDelivery, status: str) -> None:
    program.status, program.body = status, b""
    await webhook.deliver(code_message())

    assert 1 == len(program.requests)


@pytest.mark.parametrize(
    ("status", "final"),
    [
        ("301 Moved Permanently", False),
        ("400 Bad Request", True),
        ("410 Gone", True),
        ("408 Request Timeout", False),
        ("409 Conflict", False),
        ("429 Too Many Requests", False),
        ("500 Internal Server Error", False),
        ("504 Gateway Timeout", False),
        ("599 Unheard Of", False),
    ],
    ids=str,
)
async def test_a_refusal_was_not_sent(program: Provider, webhook: WebhookDelivery, status: str, final: bool) -> None:
    """
    A redirection is not followed either: the code would go to somebody the settings do not name.
    """
    program.status, program.headers = status, f"Location: {program.url}/elsewhere\r\n"
    with pytest.raises(NotSent, match=status[:3]) as caught:
        await webhook.deliver(code_message())

    assert final == caught.value.final
    assert 1 == len(program.requests)


@pytest.mark.parametrize(
    "behaviour", [Behaviour.HANG, Behaviour.DROP, Behaviour.RESET, Behaviour.TRICKLE], ids=lambda one: one.name
)
async def test_without_an_answer_it_may_be_tried_again(
    program: Provider, webhook: WebhookDelivery, behaviour: Behaviour
) -> None:
    """
    The key tells the program that it is the same code.
    """
    program.behaviour = behaviour
    with pytest.raises(NotSent) as caught:
        await webhook.deliver(code_message())
    program.behaviour = Behaviour.ANSWER
    await webhook.deliver(code_message())

    assert not caught.value.final
    assert ["otp_1", "otp_1"] == [request.headers["idempotency-key"] for request in program.requests]


async def test_an_answer_without_end_is_not_read(program: Provider, webhook: WebhookDelivery) -> None:
    program.behaviour = Behaviour.ENDLESS
    await webhook.deliver(code_message())

    assert 1 == len(program.requests)


@pytest.mark.parametrize("url", ["refused", "http://[bad/", "http://nobody.invalid/"], ids=str)
async def test_nobody_there_was_not_sent(url: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        if url == "refused":
            url = f"http://127.0.0.1:{reserved.getsockname()[1]}/"
        async with open_webhook(url, SECRET, SystemClock(), within=5) as webhook:
            with pytest.raises(NotSent) as caught:
                await webhook.deliver(code_message())

    assert "048151" not in str(caught.value)
