"""``customer-service database``: what has to be there before the processes start."""

import asyncio

import typer

from app.container import build_rules, open_queue, open_store
from app.database import open_database
from app.settings import Settings, load_settings
from app.vault import open_vault
from core.clock import SystemClock
from infra.mongo import create_indexes, missing_indexes
from repositories.migration import Migrations

database = typer.Typer(name="database", help="Prepare and check the database.", no_args_is_help=True)


@database.command()
def indexes() -> None:
    """Create the indexes that are missing. Run once per deployment, before the service starts."""
    asyncio.run(_indexes(load_settings()))
    typer.echo("Every index is there.")


@database.command()
def migrate() -> None:
    """Bring the data into the shape of this version. Run once per deployment, after the indexes; twice does no harm."""
    for name in asyncio.run(_migrate(load_settings())):
        typer.echo(f"Migrated: {name}")
    typer.echo("The data has the shape of this version.")


@database.command()
def prepare() -> None:
    """Do both, indexes and migrations: what a deployment runs once, before its processes start."""
    settings = load_settings()
    asyncio.run(_indexes(settings))
    asyncio.run(_migrate(settings))
    typer.echo("The database is ready for this version.")


@database.command()
def verify() -> None:
    """Say which indexes are missing and which migrations are pending; exit status 1 when some are."""
    missing = asyncio.run(_missing(load_settings()))
    for name in missing:
        typer.echo(name)
    if missing:
        raise typer.Exit(1)


@database.command()
def setup() -> None:
    """Do the same, and create the bucket and the queues where they are missing: for development and self-hosted servers."""
    asyncio.run(_setup(load_settings()))
    typer.echo("Indexes, bucket and queues are there.")


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


async def _setup(settings: Settings) -> None:
    await _indexes(settings)
    await _migrate(settings)
    async with open_store(settings) as store, open_queue(settings) as queue:
        await store.ensure_bucket()
        await queue.ensure_queues()
