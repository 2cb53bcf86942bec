"""Fixtures for every test: real servers, and the real application on a database of this process's own."""

import asyncio
import base64
import json
import os
import secrets
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pymongo.monitoring
import pytest
import pytest_asyncio
import structlog
import uvicorn
from beanie import init_beanie
from fastapi import FastAPI

from app.asgi import create_app
from app.container import Container, import_worker
from app.keys import token_issuer
from app.settings import Settings
from auth.keys import generate_key_set
from core.clock import SystemClock
from infra.mongo import create_indexes
from models.customer import Customer
from models.registry import STORED_MODELS
from repositories.migration import Migrations
from tests.api import BASE, Api, Commands, Tokens, fresh
from tests.databases import drop
from tests.event_promise import every_event_as_promised
from tests.outbox import Outbox
from tests.servers import Servers, shared_servers

_COMMANDS = Commands()
_LONGEST_NAME = 60

# The default draws tracebacks with all their variables, which takes a second each, on the standard output, which commands own.
structlog.configure(
    processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
    logger_factory=structlog.stdlib.LoggerFactory(),
)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long values by their argument: a token or a megabyte is no name, and a random one differs between processes."""
    return argname if isinstance(val, str | bytes) and len(val) > _LONGEST_NAME else None


@pytest.fixture(scope="session", autouse=True, name="made_events")
def _made_events() -> Iterator[list[str]]:
    """The names of all events that the service has made in this process, each held against its JSON Schema."""
    with every_event_as_promised() as made:
        yield made


@pytest.fixture(scope="session", name="servers")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Real MongoDB, Kafka, S3 and SQS, started on first use and shared by all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    # Under xdist each worker has a folder of its own; its parent belongs to the whole run.
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with shared_servers(root / "servers") as servers:
        yield servers


@pytest.fixture(scope="session", name="settings")
def _settings(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with a database, a bucket and queues that only this process uses."""
    mine = f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{uuid.uuid4().hex[:8]}"
    key_file: Path = tmp_path_factory.mktemp("keys") / "keys.json"
    key_file.write_text(json.dumps(generate_key_set()), encoding="utf-8")
    aws: dict[str, Any] = {
        "region": servers.aws_region,
        "endpoint": servers.aws_endpoint,
        "access_key": servers.aws_access_key,
        "secret_key": servers.aws_secret_key,
    }
    return Settings.model_validate(
        {
            # Tests ask for a hundred things at once, on machines that are slow: what is refused then, others test.
            "server": {"max_concurrent_requests": 1000},
            "mongodb": {"uri": servers.mongodb_uri, "database": f"test-{mine}"},
            "aws": {
                "s3": {**aws, "bucket": f"documents-{mine}"},
                "sqs": {**aws, "queues": {"customer_queue": f"imports-{mine}"}, "wait_seconds": 1},
            },
            "kafka": {"brokers": servers.kafka_brokers.split(",")},
            "security": {
                "key_file": key_file,
                "master_key": base64.b64encode(secrets.token_bytes(32)).decode(),
                "otp_outbox": key_file.with_name("otp.jsonl"),
            },
            "monitoring": {"prometheus": {"enabled": False}},
        }
    )


@pytest_asyncio.fixture(scope="session", name="app")
async def _app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The real application, its connections open, its database indexed, its bucket and queues there."""
    pymongo.monitoring.register(_COMMANDS)
    # Nor are there fewer places while the loop is slow.
    with patch("app.pace.LEAST", settings.server.max_concurrent_requests):
        app = create_app(settings)
    async with app.router.lifespan_context(app):
        container: Container = app.state.container
        await create_indexes()
        await Migrations(container.rules.clock).apply(container.rules.records.vault)
        await container.store.ensure_bucket()
        await container.queue.ensure_queues()
        yield app
        await drop(container.mongo.database.client, container.mongo.database.name)


@pytest_asyncio.fixture(name="container")
async def _container(app: FastAPI) -> Container:
    """What the application is made of. Open no second one: Beanie knows one database per process."""
    container: Container = app.state.container
    if Customer.get_pymongo_collection().database.client is not container.mongo.database.client:
        # A test in between has told Beanie about a database of its own.
        await init_beanie(database=container.mongo.database, document_models=list(STORED_MODELS), skip_indexes=True)
    return container


@pytest.fixture(scope="session", name="tokens")
def _tokens(settings: Settings) -> Tokens:
    """Access tokens for whoever a test wants to be."""
    return Tokens(token_issuer(settings, SystemClock()))


@pytest.fixture(scope="session", name="outbox")
def _outbox(settings: Settings) -> Outbox:
    """The one-time codes that the application has sent."""
    assert settings.security.otp_outbox is not None
    return Outbox(settings.security.otp_outbox)


@pytest.fixture(name="seller")
def _seller() -> str:
    """The id of a seller that no other test has, so that tests never meet."""
    return fresh("seller")


@pytest_asyncio.fixture(scope="session", name="http")
async def _http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client inside this process: POST /graphql as it is served."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=60) as client:
        yield client


@pytest.fixture(name="execute")
def _execute(container: Container, http: httpx.AsyncClient, tokens: Tokens, seller: str) -> Api:
    """Runs GraphQL as an operator of the test's seller, or as somebody else with ``as_=``."""
    return Api(http, tokens.operator(seller))


@pytest.fixture(name="commands")
def _commands(container: Container) -> Iterator[Commands]:
    """What the application asks of its database from here on."""
    _COMMANDS.listening = True
    yield _COMMANDS
    _COMMANDS.listening = False
    _COMMANDS.forget()


@pytest_asyncio.fixture(name="import_worker")
async def _import_worker(container: Container) -> AsyncIterator[None]:
    """A worker that takes up imports, as ``customer-service worker`` runs it."""
    stop = asyncio.Event()
    working = asyncio.create_task(import_worker(container).run(stop))
    yield
    stop.set()
    await working


@pytest_asyncio.fixture(scope="session", name="served")
async def _served(app: FastAPI) -> AsyncIterator[str]:
    """The address of the application behind a real server, with the options that matter to sockets as in ``serve``."""
    config = uvicorn.Config(
        app, port=0, lifespan="off", http="httptools", ws="websockets-sansio", log_config=None, ws_max_size=65_536
    )
    server = uvicorn.Server(config)
    # Signals stay with pytest.
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    yield f"http://{host}:{port}/graphql"
    server.should_exit = True
    await serving
