"""What single requests cost the API process: microseconds of CPU each, through the real application, with everything on.

``python -m bench.requests`` starts a MongoDB of its own and calls the ASGI application without sockets, so that the process
pays for nothing but the service and its driver. Everything between two clients' bytes and ours is uvicorn's, and not in here.
"""

import asyncio
import base64
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from app.asgi import create_app
from app.container import Container
from app.keys import token_issuer
from app.observability import configure_logging
from app.settings import Settings
from auth.keys import generate_key_set
from auth.principal import SCOPES
from bench.figure import Figure
from core.clock import SystemClock
from core.drafts import AddressDraft, CustomerDraft, DocumentDraft
from core.tenancy import EverySeller
from core.vocabulary import AddressKind, DocumentType, PrincipalKind
from embedded.mongod import Mongod
from embedded.ports import choose
from embedded.processes import start_until_ready
from infra.mongo import create_indexes
from repositories.unit_of_work import Repositories

SELLER = "bench"
CUSTOMERS = 500
CONNECTIONS = 32
ROUNDS = 5
"""Of which the median counts: others use the machine too."""

_WHOLE = """id email phone firstName lastName status tags createdAt
  addresses { id kind line1 city postalCode countryCode isDefault } documents { id type number status }"""
Q1 = f"query Q1($id: ID!) {{ customer(id: $id) {{ {_WHOLE} }} }}"
Q2 = f"query Q2 {{ customers(first: 50) {{ edges {{ cursor node {{ {_WHOLE} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
M1 = """mutation M1($input: CustomerInput!) {
  createCustomer(input: $input) { customer { id email status createdAt } userErrors { code } } }"""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked, how often in a round, and over how many connections; *variables* makes those of one request."""

    name: str
    query: str
    variables: Callable[[], Mapping[str, Any]]
    requests: int
    connections: int = CONNECTIONS


class Client:
    """Posts to the application as a server would, as an operator of `SELLER`."""

    def __init__(self, app: Any, token: str) -> None:
        self._app = app
        self._headers = [
            (b"host", b"127.0.0.1:8084"),
            (b"content-type", b"application/json"),
            (b"accept", b"application/json"),
            (b"user-agent", b"bench"),
            (b"authorization", f"Bearer {token}".encode()),
        ]

    async def post(self, body: bytes) -> bytes:
        """Return the body of the answer.

        Raises:
            RuntimeError: it has errors.
        """
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "root_path": "",
            "query_string": b"",
            "headers": [*self._headers, (b"content-length", str(len(body)).encode())],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8084),
            "state": {},
        }
        sent: list[bytes] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body":
                sent.append(message.get("body", b""))

        await self._app(scope, receive, send)
        answer = b"".join(sent)
        if b'"errors":' in answer or b'"userErrors":[{' in answer:
            raise RuntimeError(answer[:2000].decode())
        return answer


async def microseconds(client: Client, load: Load) -> float:
    """Run one round; return the CPU time of this process per request."""
    bodies = [json.dumps({"query": load.query, "variables": load.variables()}).encode() for _ in range(load.requests)]

    async def connection(mine: Sequence[bytes]) -> None:
        for body in mine:
            await client.post(body)

    begun = time.process_time()
    await asyncio.gather(*(connection(bodies[one :: load.connections]) for one in range(load.connections)))
    return (time.process_time() - begun) * 1e6 / load.requests


async def measure(only: Sequence[str] = ()) -> list[Figure]:
    """Return the CPU time per request of each load, or of *only* some, by their names."""
    with tempfile.TemporaryDirectory(prefix="customer-service-bench-") as name:
        directory = Path(name)
        server = Mongod(directory / "mongod", directory / "mongod.log")
        port = choose(0, reserved={0})
        mongod = await start_until_ready(server.command(port), lambda: server.ready(port), port=port, within=60)
        try:
            return await _on(_settings(directory, server.uri(port)), only)
        finally:
            await mongod.stop(grace=10)


async def _on(settings: Settings, only: Sequence[str]) -> list[Figure]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        await create_indexes()
        ids = await _seed(app.state.container)
        scopes = SCOPES[PrincipalKind.OPERATOR]
        issuer = token_issuer(settings, SystemClock())
        token = issuer.issue(
            kind=PrincipalKind.OPERATOR, subject="ada", scopes=scopes, seller_id=SELLER, lifetime=timedelta(hours=1)
        )
        client = Client(app, token)
        figures = []
        for load in _loads(ids):
            if not only or load.name in only:
                _, *rounds = [await microseconds(client, load) for _ in range(ROUNDS + 1)]  # the first warms up
                figures.append(Figure(f"{load.name}, CPU of the process", median(rounds), "µs"))
        return figures


def _loads(ids: Sequence[str]) -> list[Load]:
    def one() -> Mapping[str, Any]:
        return {"id": secrets.choice(ids)}

    numbers = count(CUSTOMERS)  # nobody else's phones

    def new() -> Mapping[str, Any]:
        number = next(numbers)
        address = {"kind": "BILLING", "line1": "Rua Nova, 1", "city": "São Paulo", "region": "SP", "countryCode": "BR"}
        return {
            "input": {
                "email": f"new.{secrets.token_hex(8)}@example.test",
                "phone": f"+55119{number:08d}",
                "firstName": "New",
                "lastName": "Customer",
                "tags": ["new", "trial"],
                "addresses": [{**address, "postalCode": "01000-000"}],
            }
        }

    return [
        Load("Q1", Q1, one, 1_600),
        Load("Q1 alone", Q1, one, 300, connections=1),
        Load("Q2", Q2, dict, 64),
        Load("M1", M1, new, 320),
    ]


async def _seed(container: Container) -> list[str]:
    """Store customers with two addresses and a document each; return their ids."""
    made = [
        container.rules.records.new_customer(_draft(number), seller_id=SELLER, at=container.rules.clock.now())
        for number in range(CUSTOMERS)
    ]
    to = Repositories(EverySeller("bench", audited=False))
    await to.customers.insert_many([one.customer for one in made])
    await to.addresses.insert_many([address for one in made for address in one.addresses])
    await to.documents.insert_many([document for one in made for document in one.documents])
    await to.keys.insert_stored([key for one in made for key in one.keys])
    return [one.customer.id for one in made]


def _draft(number: int) -> CustomerDraft:
    address = AddressDraft(
        kind=AddressKind.SHIPPING,
        line1=f"Rua das Flores, {number}",
        city="São Paulo",
        postal_code="01000-000",
        country_code="BR",
    )
    return CustomerDraft(
        email=f"customer.{number}@example.test",
        phone=f"+5511{900_000_000 + number}",
        first_name=f"First{number}",
        last_name=f"Last{number % 97}",
        tags=("vip", "newsletter"),
        addresses=(address, AddressDraft(kind=AddressKind.BILLING, line1="Rua 2", city="Campinas", country_code="BR")),
        documents=(DocumentDraft(type=DocumentType.PASSPORT, number=f"P{number:07d}", issuing_country="BR"),),
    )


def _settings(directory: Path, uri: str) -> Settings:
    key_file = directory / "keys.json"
    key_file.write_text(json.dumps(generate_key_set()), encoding="utf-8")
    aws = {"region": "us-east-1", "endpoint": "http://127.0.0.1:1", "access_key": "-", "secret_key": "-"}
    return Settings.model_validate(
        {
            "mongodb": {"uri": uri, "database": "bench"},
            "aws": {"s3": {**aws, "bucket": "bench"}, "sqs": {**aws, "queues": {"customer_queue": "bench"}}},
            "kafka": {"brokers": ["127.0.0.1:1"]},
            "security": {
                "key_file": key_file,
                "master_key": base64.b64encode(secrets.token_bytes(32)).decode(),
                "otp_outbox": directory / "otp.jsonl",
            },
            # A load generator spends far more than any client may.
            "graphql": {"seller_points": 10**12, "seller_points_per_second": 10**12},
            "monitoring": {"prometheus": {"enabled": False}},
        }
    )


if __name__ == "__main__":
    configure_logging()
    for figure in uvloop.run(measure(sys.argv[1:])):
        print(f"{figure.what:40} {figure.value:10,.0f} {figure.unit}")
