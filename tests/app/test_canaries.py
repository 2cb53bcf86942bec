"""Personal data and secrets put through the whole service leave no trace in its log."""

import asyncio
import io
import logging
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from app.container import Container
from app.observability import configure_logging
from models.customer import Customer
from repositories.customer import CustomerRepository
from tests.api import Api, Tokens
from tests.graphql.socket import open_socket
from tests.outbox import Outbox

EMAIL, PHONE, NUMBER = "canary.person@example.com", "+971504561237", "CANARY77X"
INPUT: dict[str, Any] = {
    "externalId": "canary-external",
    "email": EMAIL,
    "phone": PHONE,
    "firstName": "Canaryfirst",
    "lastName": "Canarylast",
    "company": "Canarycompany",
    "dateOfBirth": "1907-12-09",
    "tags": ["canarytag"],
    "attributes": [{"key": "canarykey", "value": "canaryvalue"}],
    "addresses": [
        {
            "kind": "SHIPPING",
            "recipient": "Canaryrecipient",
            "line1": "Canaryline 1",
            "line2": "Canaryline 2",
            "city": "Canarycity",
            "region": "DC",
            "postalCode": "20500",
            "countryCode": "US",
            "phone": "+12027075000",
        }
    ],
    "documents": [{"type": "PASSPORT", "number": NUMBER, "issuingCountry": "US"}],
}
CANARIES = ["canary", "504561237", "1907-12-09", "2027075000", NUMBER.lower()]
CREATE = "mutation($input: CustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code field } } }"


@pytest.fixture(name="log")
def _log() -> Iterator[io.StringIO]:
    """What every process writes to its log, from here on."""
    root = logging.getLogger()
    handlers, level, before, stderr = root.handlers[:], root.level, structlog.get_config(), sys.stderr
    root.handlers = []
    written = io.StringIO()
    sys.stderr = written
    try:
        configure_logging()
        # Loggers that were used before keep what they were made with; those of this test are to see everything.
        structlog.configure(cache_logger_on_first_use=False)
        yield written
    finally:
        sys.stderr = stderr
        root.handlers, root.level = handlers, level
        structlog.configure(**before)


def found(log: io.StringIO) -> list[str]:
    return [line for line in log.getvalue().splitlines() if any(canary in line.lower() for canary in CANARIES)]


async def test_what_customers_are_and_say_is_not_logged(execute: Api, log: io.StringIO) -> None:
    created = await execute.data(CREATE, {"input": INPUT})
    customer = created["createCustomer"]["customer"]["id"]
    taken = await execute.data(CREATE, {"input": INPUT})
    wrong = await execute.data(CREATE, {"input": {**INPUT, "email": "canary@", "phone": "canary", "externalId": "canary" * 99}})
    await execute.data(
        "mutation($id: ID!, $patch: CustomerPatch!) { updateCustomer(id: $id, patch: $patch) { userErrors { code } } }",
        {"id": customer, "patch": {"lastName": "Canaryother", "email": "other.canary@example.com"}},
    )
    for query in (
        '{ customers(first: 1, filter: {search: "canaryfirst"}) { nodes { id } } }',
        f'{{ customerBy(key: {{email: "{EMAIL}"}}) {{ id canary }} }}',
        f'{{ customerBy(key: {{documentNumber: "{NUMBER}"}}) {{ id }} }}',
        "{ canary(",
        'query canary { node(id: "canary") { id } }',
    ):
        await execute(query)

    assert "TAKEN" in str(taken)
    assert "INVALID_EMAIL" in str(wrong)
    assert [] == found(log)
    assert "createCustomer" in log.getvalue() or "refused" in log.getvalue()


async def test_codes_tokens_and_destinations_are_not_logged(
    execute: Api, log: io.StringIO, outbox: Outbox, seller: str, served: str, tokens: Tokens
) -> None:
    await execute.data(CREATE, {"input": {"email": EMAIL}})
    ask = "mutation($to: String!, $of: ID!) { requestOtp(sellerId: $of, channel: EMAIL, destination: $to) { challengeId } }"
    asked = await execute.data(
        ask,
        {"to": EMAIL, "of": seller},
        as_=None,
    )
    code = await outbox.code(asked["requestOtp"]["challengeId"])
    login = (
        "mutation($id: ID!, $code: String!) { login(challengeId: $id, code: $code) { tokens { accessToken refreshToken } } }"
    )
    signed_in = await execute.data(login, {"id": asked["requestOtp"]["challengeId"], "code": code}, as_=None)
    pair = signed_in["login"]["tokens"]
    await execute("{ viewer { kind } }", as_=f"{pair['accessToken']}canary")
    await execute.http.post(
        "/api/v1/auth/access_token", data={"grant_type": "client_credentials"}, auth=("canary", "canary-secret")
    )
    async with open_socket(f"{served}?access_token=canary") as socket:
        await socket.init(pair["accessToken"])
        await socket.subscribe('query { customerBy(key: {email: "canary@example.com"}) { id } }')
        await socket.receive()

    text = log.getvalue()
    assert [] == found(log)
    for secret in (
        code,
        pair["accessToken"],
        pair["refreshToken"],
        tokens.operator(seller)[-40:],
        asked["requestOtp"]["challengeId"],
    ):
        assert secret not in text


@pytest.mark.parametrize(
    "fault",
    [
        RuntimeError(f"cannot read {EMAIL}, called {PHONE}"),
        KeyError(f"Bearer canary.{EMAIL}"),
        ValueError('E11000 duplicate key error dup key: { last_name: "Canarylast" }'),
        TypeError("Customer(first_name='Canaryfirst', last_name=\"Canarylast\")"),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_faults_are_logged_without_what_they_quote(
    execute: Api, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    async def fails(*_: object, **__: object) -> Customer:
        raise fault

    monkeypatch.setattr(CustomerRepository, "read", fails)

    assert "INTERNAL" == await execute.code(f'{{ customerBy(key: {{email: "{EMAIL}"}}) {{ id }} }}')
    assert "internal error" in log.getvalue()
    assert type(fault).__name__ in log.getvalue()
    assert [] == found(log)


async def test_a_line_says_which_request_and_seller_and_operation_it_is_about(
    execute: Api, log: io.StringIO, seller: str
) -> None:
    headers = {**execute.headers(), "x-request-id": "canary-free"}
    await execute.http.post(
        "/graphql", json={"query": '{ documents(first: 1, after: "nonsense") { nodes { id } } }'}, headers=headers
    )

    (line,) = [line for line in log.getvalue().splitlines() if '"refused"' in line]
    assert f'"seller": "{seller}"' in line
    assert '"operation": "query documents"' in line
    assert '"request_id": "canary-free"' in line or '"requestId": "canary-free"' in line


async def test_a_request_is_known_in_its_own_lines_only(
    http: httpx.AsyncClient, app: FastAPI, container: Container, log: io.StringIO
) -> None:
    await http.get("/healthz")
    structlog.get_logger().info("between requests")
    await asyncio.sleep(0)

    (line,) = [line for line in log.getvalue().splitlines() if "between requests" in line]
    assert "request_id" not in line
