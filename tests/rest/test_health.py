"""What balancers and orchestrators ask: whether the process lives, and whether it can work."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from app import asgi
from core.errors import Unavailable
from infra.mongo import Mongo
from repositories.migration import Migrations
from rest.health import Check, health_router
from tests.api import BASE, Commands


async def asked(path: str, ready: Check) -> httpx.Response:
    app = FastAPI()
    app.include_router(health_router(ready))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as client:
        return await client.get(path)


async def test_a_process_lives_whatever_else_does(commands: Commands, http: httpx.AsyncClient) -> None:
    answer = await http.get("/healthz")

    assert (200, {"status": "ok"}, "no-store") == (answer.status_code, answer.json(), answer.headers["cache-control"])
    assert [] == commands.of_requests("find", "ping", "hello")


async def test_a_process_that_can_work_says_so_to_anybody(http: httpx.AsyncClient) -> None:
    answer = await http.get("/readyz")

    assert (200, {"status": "ok"}, "no-store") == (answer.status_code, answer.json(), answer.headers["cache-control"])


async def test_what_is_missing_is_named() -> None:
    async def ready() -> str | None:
        return "indexes: customers.unique_email"

    answer = await asked("/readyz", ready)

    assert 503 == answer.status_code
    assert {"status": "unavailable", "missing": "indexes: customers.unique_email"} == answer.json()
    assert "no-store" == answer.headers["cache-control"]


class Container:
    """As much of one as readiness looks at."""

    def __init__(self, *, answers: bool = True) -> None:
        self.mongo = self
        self.rules = self
        self.clock = self
        self._answers = answers

    async def answers(self) -> bool:
        return self._answers


@pytest.mark.parametrize(
    ("answers", "indexes", "migrations", "said"),
    [
        (False, [], [], "MongoDB does not answer"),
        (True, ["customers.x"], ["2026-step"], "indexes: customers.x; run: customer-service database indexes"),
        (True, [], ["2026-step"], "migrations: 2026-step; run: customer-service database migrate"),
        (True, [], [], None),
        (True, Unavailable("gone"), [], "MongoDB does not answer"),
    ],
)
async def test_a_process_is_ready_when_the_database_is(
    monkeypatch: pytest.MonkeyPatch, answers: bool, indexes: list[str] | Unavailable, migrations: list[str], said: str | None
) -> None:
    async def missing() -> list[str]:
        if isinstance(indexes, Unavailable):
            raise indexes
        return indexes

    async def pending(_: object) -> list[str]:
        return migrations

    monkeypatch.setattr(asgi, "missing_indexes", missing)
    monkeypatch.setattr(Migrations, "pending", pending)
    stopping = asyncio.Event()
    ready = asgi._readiness(Container(answers=answers), stopping)  # type: ignore[arg-type]  # as much as is looked at

    assert said == await ready()
    stopping.set()
    assert "the process stops" == await ready()


async def test_a_database_that_is_gone_is_noticed_in_time(app: FastAPI, container: object) -> None:
    """
    The probe of an orchestrator waits for a few seconds only.
    """
    mongo: Mongo = app.state.container.mongo
    gone = Mongo(mongo.database.client.__class__("mongodb://127.0.0.1:1", serverSelectionTimeoutMS=300, timeoutMS=500)["x"])

    async with asyncio.timeout(5):
        assert not await gone.answers()
    await gone.database.client.close()
