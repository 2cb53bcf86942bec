"""``customer-service database``: indexes however long they take, and migrations once each."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pymongo
import pytest
from pymongo.collection import Collection
from typer.testing import CliRunner

from app.cli import database
from app.database import open_database
from app.settings import Settings
from infra.mongo import create_indexes, open_mongo
from models.registry import RETIRED_INDEXES
from repositories import migration
from repositories.migration import Migration
from tests.api import fresh

ROWS = 40_000


@pytest.fixture(name="settings")
def _settings(settings: Settings) -> Settings:
    """Settings with an empty database."""
    mongodb = settings.mongodb.model_copy(update={"database": fresh("database")})
    return settings.model_copy(update={"mongodb": mongodb})


@pytest.fixture(name="customers")
def _customers(settings: Settings) -> Iterator[Collection[Any]]:
    """The collection of customers, as the driver sees it."""
    with pymongo.MongoClient[Any](settings.mongodb.uri.get_secret_value()) as client:
        yield client[settings.mongodb.database]["customers"]
        client.drop_database(settings.mongodb.database)


@pytest.fixture(name="command")
def _command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Runs the command on that database."""
    monkeypatch.setattr(database, "settings_of_the_stack", lambda: settings)

    def run(*arguments: str) -> tuple[int, str]:
        answer = CliRunner().invoke(database.database, arguments)
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer.exit_code, answer.stdout

    return run


async def test_requests_have_no_patience_for_an_index(settings: Settings, customers: Collection[Any]) -> None:
    """
    What the next test stands on: as long as requests wait, this index cannot be built.
    """
    customers.insert_many([{"seller_id": "s", "live": True, "search_words": [f"w{row}", "x"]} for row in range(ROWS)])
    uri, name = settings.mongodb.uri.get_secret_value(), settings.mongodb.database

    # Opening has time: a busy machine takes longer for it than the index may take here.
    async with open_mongo(uri, name):
        with pytest.raises(pymongo.errors.PyMongoError) as cut, pymongo.timeout(0.03):
            await create_indexes()

    assert cut.value.timeout


def test_an_index_is_built_however_long_it_takes(
    command: Callable[..., tuple[int, str]], customers: Collection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    customers.insert_many([{"seller_id": "s", "live": True, "search_words": [f"w{row}", "x"]} for row in range(ROWS)])
    as_for_requests = partial(open_database, patience=0.03)
    monkeypatch.setattr(database, "open_database", as_for_requests)

    assert (0, "Every index is there.\n") == command("indexes")
    assert len(customers.index_information()) > 5


def test_what_is_missing_is_told(command: Callable[..., tuple[int, str]], customers: Collection[Any]) -> None:
    command("prepare")
    (name, *_) = [name for name in customers.index_information() if name != "_id_"]
    customers.drop_index(name)

    assert (1, f"customers.{name}\n") == command("verify")


def test_a_new_database_has_been_through_every_migration_once(
    command: Callable[..., tuple[int, str]], customers: Collection[Any]
) -> None:
    each = "".join(f"Migrated: {one.name}\n" for one in migration.MIGRATIONS)

    assert (0, f"{each}The data has the shape of this version.\n") == command("migrate")
    assert (0, "The data has the shape of this version.\n") == command("migrate")


def test_a_migration_is_run_once_in_its_turn(
    command: Callable[..., tuple[int, str]], customers: Collection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    command("indexes")
    ran: list[str] = []
    broken = [True]

    def step(name: str) -> Migration:
        async def run(*_: object) -> None:
            ran.append(name)
            if name == "2026-02" and broken.pop():
                broken.append(False)
                raise RuntimeError("halfway")

        return Migration(name, run)

    steps = (step("2026-01"), step("2026-02"), step("2026-03"))
    monkeypatch.setattr(database, "Migrations", lambda clock: migration.Migrations(clock, steps))
    assert (1, "2026-01\n2026-02\n2026-03\n") == command("verify")

    with pytest.raises(RuntimeError, match="halfway"):
        command("migrate")
    assert (1, "2026-02\n2026-03\n") == command("verify")
    assert (0, "Migrated: 2026-02\nMigrated: 2026-03\nThe data has the shape of this version.\n") == command("migrate")
    assert (0, "The data has the shape of this version.\n") == command("migrate")
    assert (0, "") == command("verify")
    assert ["2026-01", "2026-02", "2026-02", "2026-03"] == ran


def test_a_deployment_is_prepared_by_one_command(command: Callable[..., tuple[int, str]], customers: Collection[Any]) -> None:
    assert (0, "The database is ready for this version.\n") == command("prepare")
    assert (0, "") == command("verify")


def test_migrations_are_listed_in_the_order_of_their_names() -> None:
    names = [one.name for one in migration.MIGRATIONS]

    assert sorted(set(names)) == names


def test_what_only_earlier_versions_read_by_is_dropped(
    command: Callable[..., tuple[int, str]], customers: Collection[Any]
) -> None:
    command("indexes")
    needed = customers.index_information()
    customers.create_index([("seller_id", 1), ("tags", 1)], name="by_tags")

    assert (0, "Dropped: customers.by_tags\nNo index is left that this version does not need.\n") == command("tidy")
    assert (0, "No index is left that this version does not need.\n") == command("tidy")
    assert needed == customers.index_information()


def test_no_index_is_retired_that_is_needed() -> None:
    for model, names in RETIRED_INDEXES:
        assert {index.document["name"] for index in model.Settings.indexes}.isdisjoint(names)
