"""``customer-service retention``, as an operator types it, on a database of its own."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pymongo
import pytest
from pymongo.database import Database
from typer.testing import CliRunner

from app.cli import retention
from app.container import build_rules
from app.database import open_database
from app.settings import Settings
from core.drafts import CustomerDraft
from core.tenancy import Tenant
from infra.mongo import create_indexes
from repositories.unit_of_work import Repositories
from tests.api import fresh

Run = Callable[..., tuple[int, str]]


@pytest.fixture(name="settings")
def _settings(settings: Settings) -> Settings:
    """Settings with an empty database, and rules that hold for every seller."""
    mongodb = settings.mongodb.model_copy(update={"database": fresh("retention")})
    rules = settings.sellers.retention.model_copy(update={"inactive_months": 12})
    return settings.model_copy(update={"mongodb": mongodb, "sellers": settings.sellers.model_copy(update={"retention": rules})})


@pytest.fixture(name="database")
def _database(settings: Settings) -> Iterator[Database[Any]]:
    with pymongo.MongoClient[Any](settings.mongodb.uri.get_secret_value()) as client:
        yield client[settings.mongodb.database]
        client.drop_database(settings.mongodb.database)


@pytest.fixture(name="run")
def _run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on that database."""
    monkeypatch.setattr(retention, "settings_beside_the_stack", lambda: settings)

    def run(*arguments: str) -> tuple[int, str]:
        answer = CliRunner().invoke(retention.retention, arguments)
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer.exit_code, answer.stdout

    return run


async def _stored(settings: Settings, *ages: int) -> list[str]:
    """Store a customer of each age in days; return their ids."""
    rules = build_rules(settings)
    async with open_database(settings):
        await create_indexes()
        made = [
            rules.records.new_customer(
                CustomerDraft(email=f"{age}@example.com"), seller_id="acme", at=rules.clock.now() - timedelta(days=age)
            ).customer
            for age in ages
        ]
        await Repositories(Tenant("acme")).customers.insert_many(made)
    return [one.id for one in made]


def test_what_would_be_removed_is_shown_and_nothing_is_changed(run: Run, database: Database[Any], settings: Settings) -> None:
    old, older, _ = asyncio.run(_stored(settings, 400, 500, 10))
    before = list(database["customers"].find({}).sort("_id", 1))

    shown = run("plan", "--seller", "acme")
    status, lines = run("plan", "--seller", "acme", "--json")
    ahead = run("plan", "--seller", "acme", "--days-ahead", "400")
    nothing = run("plan", "--seller", "other")

    *due, totals = [json.loads(line) for line in lines.splitlines()]
    assert [("FLAG", older), ("FLAG", old)] == [(one["action"], one["id"]) for one in due]
    assert (0, {"FLAG": 2}, "DRY_RUN", 12) == (status, totals["counts"], totals["mode"], totals["inactiveMonths"])
    assert (0, True, True) == (shown[0], f"FLAG  {old}" in shown[1], shown[1].endswith("flag: 2\n"))
    assert ahead[1].endswith("flag: 3\n")
    assert (0, "Nothing is past its period.\n") == nothing
    assert before == list(database["customers"].find({}).sort("_id", 1))
    assert 0 == database["retention_runs"].count_documents({})


def test_rules_are_approved_and_suspended_and_the_rest_of_the_settings_stays(
    run: Run, database: Database[Any], settings: Settings
) -> None:
    asyncio.run(_stored(settings, 10))
    database["sellers"].insert_one(
        {"_id": "acme", "own": {"default_country": "AE"}, "updated_at": build_rules(settings).clock.now()}
    )

    approved = run("approve", "--seller", "acme", "--json")
    active = database["sellers"].find_one({"_id": "acme"})
    suspended = run("suspend", "--seller", "acme")

    assert (0, "ACTIVE") == (approved[0], json.loads(approved[1])["mode"])
    assert active is not None
    assert {"default_country": "AE", "retention_mode": "ACTIVE"} == active["own"]
    assert (0, True) == (suspended[0], "mode: DRY_RUN" in suspended[1])
    assert 2 == run("approve", "--seller", "no seller")[0]


def test_the_last_rounds_are_reported(run: Run, database: Database[Any], settings: Settings) -> None:
    asyncio.run(_stored(settings, 10))
    none = run("report")
    now = build_rules(settings).clock.now()
    last = {"mode": "DRY_RUN", "finished_at": now, "flagged": 1200}
    database["retention_runs"].insert_many(
        [{"_id": "acme", "due_at": now, "step": 1, "last": last}, {"_id": "new", "due_at": now, "step": 0}]
    )

    table, (status, told) = run("report"), run("report", "--json")

    assert 1 == none[0]
    assert (0, True, False) == (table[0], "1,200" in table[1], "new" in table[1])
    assert (0, ["acme", "new"], 1200) == (
        status,
        [one["sellerId"] for one in json.loads(told)],
        json.loads(told)[0]["last"]["flagged"],
    )
    assert (1, []) == ((found := run("report", "--seller", "none", "--json"))[0], json.loads(found[1]))
