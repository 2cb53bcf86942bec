"""``customer-service audit verify``, as an operator types it, on a database of its own."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pymongo
import pytest
from pymongo.database import Database
from typer.testing import CliRunner

from app.cli import audit
from app.container import build_customers, open_connections
from app.settings import Settings
from auth.principal import OPERATOR_SCOPES, Principal
from core.drafts import CustomerDraft
from core.ids import IdKind, new_id
from core.vocabulary import PrincipalKind
from infra.mongo import create_indexes
from tests.api import fresh

MISUSED = 2

Run = Callable[..., tuple[int, str]]

OPERATOR = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id="acme")


@pytest.fixture(name="settings")
def _settings(settings: Settings) -> Settings:
    """Settings with an empty database."""
    mongodb = settings.mongodb.model_copy(update={"database": fresh("audit")})
    return settings.model_copy(update={"mongodb": mongodb})


@pytest.fixture(name="database")
def _database(settings: Settings) -> Iterator[Database[Any]]:
    with pymongo.MongoClient[Any](settings.mongodb.uri.get_secret_value()) as client:
        yield client[settings.mongodb.database]
        client.drop_database(settings.mongodb.database)


@pytest.fixture(name="run")
def _run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(audit, "settings_beside_the_stack", lambda: settings)

    def run(*arguments: str) -> tuple[int, str]:
        answer = CliRunner().invoke(audit.audit, ["verify", *arguments])
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer.exit_code, answer.stderr if answer.exit_code == MISUSED else answer.stdout

    return run


async def _store(settings: Settings) -> list[str]:
    """Store two customers of two versions each; return their ids."""
    async with open_connections(settings) as to:
        await create_indexes()
        customers = build_customers(to)
        ids = []
        for name in ("Ada", "Bea"):
            made = (await customers.create(OPERATOR, CustomerDraft(first_name=name, external_id=name), seller_id=None)).customer
            await customers.update(OPERATOR, made.id, {"last_name": "King"})
            ids.append(made.id)
        return ids


def test_whole_chains_are_told_in_a_sentence_and_a_broken_one_by_its_place(
    run: Run, database: Database[Any], settings: Settings
) -> None:
    ada, bea = asyncio.run(_store(settings))
    whole = run()
    database["customer_events"].update_one({"customer_id": bea, "version": 1}, {"$set": {"actor": "operator:eve"}})

    everything, of_bea, of_ada = run(), run(bea), run(ada)
    of_seller, of_another = run("--seller", "acme", "--json"), run("--seller", "nobody")

    assert (0, "4 records of 2 customers were verified: 0 flaws.\n") == whole
    place = f"{bea} of acme, changes 1: the record was altered or added, or the one before it was replaced\n"
    assert (1, f"{place}4 records of 2 customers were verified: 1 flaws.\n") == everything
    assert (1, f"{place}2 records of 1 customers were verified: 1 flaws.\n") == of_bea
    assert (0, "2 records of 1 customers were verified: 0 flaws.\n") == of_ada
    broken, summary = map(json.loads, of_seller[1].splitlines())
    assert (1, "acme", bea, "changes", 1, "ALTERED") == (
        of_seller[0],
        *(broken[name] for name in ("sellerId", "customerId", "chain", "number", "flaw")),
    )
    assert {"customers": 2, "records": 4, "notSealed": 0, "broken": 1} == summary
    assert (0, "0 records of 0 customers were verified: 0 flaws.\n") == of_another


def test_what_makes_no_sense_is_said(run: Run, database: Database[Any], settings: Settings) -> None:
    unknown = new_id(IdKind.CUSTOMER)

    neither, both = run(unknown), run(unknown, "--seller", "acme")

    assert (2, True) == (neither[0], "there is no customer" in neither[1])
    assert (2, True) == (both[0], "not both" in both[1])
