"""``customer-service database``: what has to be there before the processes start."""

import asyncio

import typer

from app.cli.answers import AsJson, show_json
from app.cli.stack_settings import settings_of_the_stack
from app.cli.teaching import shown_by
from app.container import build_rules
from app.database import open_database
from app.settings import Settings
from app.stores import open_queue, open_store
from app.vault import open_vault
from core.clock import SystemClock
from infra.mongo import create_indexes, drop_retired_indexes, missing_indexes
from repositories.migration import Migrations

database = typer.Typer(name="database", help="Prepare and check the database.", no_args_is_help=True)


@database.command()
@shown_by("database indexes", "database indexes --json")
def indexes(*, as_json: AsJson = False) -> None:
    """Create the indexes that are missing. Run once per deployment, before the service starts."""
    asyncio.run(_indexes(settings_of_the_stack()))
    _say({"indexes": "complete"}, "Every index is there.", as_json=as_json)


@database.command()
@shown_by("database migrate", "database migrate --json")
def migrate(*, as_json: AsJson = False) -> None:
    """Bring the data into the shape of this version. Run once per deployment, after the indexes; twice does no harm."""
    done = asyncio.run(_migrate(settings_of_the_stack()))
    lines = [*(f"Migrated: {name}" for name in done), "The data has the shape of this version."]
    _say({"migrated": done}, "\n".join(lines), as_json=as_json)


@database.command()
@shown_by("database prepare   # in a job of its own, before the new version starts")
def prepare(*, as_json: AsJson = False) -> None:
    """Do both, indexes and migrations: what a deployment runs once, before its processes start."""
    settings = settings_of_the_stack()
    asyncio.run(_indexes(settings))
    done = asyncio.run(_migrate(settings))
    _say({"indexes": "complete", "migrated": done}, "The database is ready for this version.", as_json=as_json)


@database.command()
@shown_by("database verify", "database verify --json", "database verify || customer-service database prepare")
def verify(*, as_json: AsJson = False) -> None:
    """Say which indexes are missing and which migrations are pending; exit status 1 when some are."""
    missing = asyncio.run(_missing(settings_of_the_stack()))
    if as_json:
        show_json({"missing": missing})
    else:
        for name in missing:
            typer.echo(name)
    if missing:
        raise typer.Exit(1)


@database.command()
@shown_by("database tidy   # once no process of an earlier version runs", "database tidy --json")
def tidy(*, as_json: AsJson = False) -> None:
    """Drop the indexes that only earlier versions read by: once no process of theirs runs. They cost each change some time."""
    dropped = asyncio.run(_tidy(settings_of_the_stack()))
    lines = [*(f"Dropped: {name}" for name in dropped), "No index is left that this version does not need."]
    _say({"dropped": dropped}, "\n".join(lines), as_json=as_json)


@database.command()
@shown_by("database setup")
def setup(*, as_json: AsJson = False) -> None:
    """Do the same, and create the bucket and the queues where they are missing: for development and self-hosted servers."""
    asyncio.run(_setup(settings_of_the_stack()))
    told: dict[str, object] = {"indexes": "complete", "bucket": "there", "queues": "there"}
    _say(told, "Indexes, bucket and queues are there.", as_json=as_json)


def _say(told: dict[str, object], sentence: str, *, as_json: bool) -> None:
    if as_json:
        show_json(told)
    else:
        typer.echo(sentence)


async def _indexes(settings: Settings) -> None:
    # Building one on a hundred million customers takes an hour, and the patience of requests would cut it off.
    async with open_database(settings, patience=None):
        await create_indexes()


async def _migrate(settings: Settings) -> list[str]:
    rules = build_rules(settings)
    vault = rules.records.vault
    async with open_database(settings, patience=None), open_vault(settings, rules.clock, rules.sealer, vault):
        return await Migrations(rules.clock).apply(vault)


async def _missing(settings: Settings) -> list[str]:
    async with open_database(settings):
        return [*await missing_indexes(), *await Migrations(SystemClock()).pending()]


async def _tidy(settings: Settings) -> list[str]:
    async with open_database(settings):
        return await drop_retired_indexes()


async def _setup(settings: Settings) -> None:
    await _indexes(settings)
    await _migrate(settings)
    async with open_store(settings) as store, open_queue(settings) as queue:
        await store.ensure_bucket()
        await queue.ensure_queues()
