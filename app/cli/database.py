"""``customer-service database``: what has to be there before the processes start."""

import asyncio

import typer

from app.container import open_queue, open_store
from app.database import open_database
from app.settings import Settings, load_settings
from infra.mongo import create_indexes, missing_indexes

database = typer.Typer(name="database", help="Prepare and check the database.", no_args_is_help=True)


@database.command()
def indexes() -> None:
    """Create the indexes that are missing. Run once per deployment, before the service starts."""
    asyncio.run(_indexes(load_settings()))
    typer.echo("Every index is there.")


@database.command()
def verify() -> None:
    """Say which indexes are missing; exit status 1 when some are."""
    missing = asyncio.run(_missing(load_settings()))
    for name in missing:
        typer.echo(name)
    if missing:
        raise typer.Exit(1)


@database.command()
def setup() -> None:
    """Create indexes, the bucket and the queues, where they are missing: for development and self-hosted servers."""
    asyncio.run(_setup(load_settings()))
    typer.echo("Indexes, bucket and queues are there.")


async def _indexes(settings: Settings) -> None:
    async with open_database(settings):
        await create_indexes()


async def _missing(settings: Settings) -> list[str]:
    async with open_database(settings):
        return await missing_indexes()


async def _setup(settings: Settings) -> None:
    await _indexes(settings)
    async with open_store(settings) as store, open_queue(settings) as queue:
        await store.ensure_bucket()
        await queue.ensure_queues()
