"""``customer-service clients``: the programs that may get access tokens by themselves (OAuth client credentials)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer

from app.cli.answers import AsJson, show_json, show_table
from app.cli.stack_settings import settings_beside_the_stack
from app.cli.teaching import shown_by
from app.database import open_database
from auth.principal import Scope
from core.clock import SystemClock, rfc3339
from models.service_client import ServiceClient
from services.service_client import NewSecret, ServiceClients

clients = typer.Typer(name="clients", help="Make and manage the programs that may get access tokens.", no_args_is_help=True)

T = TypeVar("T")


@clients.command()
@shown_by("clients create order-management", "clients create warehouse --scope customers:read --seller demo --json")
def create(
    name: Annotated[str, typer.Argument(help="What people call it: order-management.")],
    *,
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do, repeatable; by default what services may.")] = None,
    seller: Annotated[str | None, typer.Option(help="The one seller it acts for; by default it acts for all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a client, and print its id and its secret. The secret is shown now and never again."""
    _show(_run(lambda service: service.create(name, scopes=scope or None, seller_id=seller)), as_json=as_json)


@clients.command(name="list")
@shown_by("clients list", "clients list --json")
def list_clients(*, as_json: AsJson = False) -> None:
    """Show all clients, never their secrets."""
    found = _run(lambda service: service.every())
    if as_json:
        show_json([_described(client) for client in found])
        return
    if not found:
        typer.echo("There are no clients yet. Make one with: customer-service clients create NAME")
        return
    show_table(
        ("id", "name", "seller", "scopes", "secrets", "created", "disabled"),
        [
            (
                client.id,
                client.name,
                client.seller_id or "all",
                " ".join(client.scopes),
                str(len(client.secrets)),
                rfc3339(client.created_at),
                _when(client.disabled_at) or "",
            )
            for client in found
        ],
    )


@clients.command(name="new-secret")
@shown_by("clients new-secret cli_2f6c1e", "clients new-secret cli_2f6c1e --json")
def new_secret(client_id: Annotated[str, typer.Argument(metavar="ID")], *, as_json: AsJson = False) -> None:
    """Give a client another secret, and print it. The one before holds until the next new one; older ones no longer."""
    _show(_run(lambda service: service.new_secret(client_id)), as_json=as_json)


@clients.command()
@shown_by("clients disable cli_2f6c1e")
def disable(client_id: Annotated[str, typer.Argument(metavar="ID")], *, as_json: AsJson = False) -> None:
    """Let a client get no more tokens, and take back those that it has, for good."""
    client = _run(lambda service: service.disable(client_id))
    if as_json:
        show_json(_described(client))
        return
    typer.echo(f"{client.id} ({client.name}) is disabled. Its tokens are void within 5 seconds.")


def _run(do: Callable[[ServiceClients], Awaitable[T]]) -> T:
    return asyncio.run(_with_the_service(do))


async def _with_the_service(do: Callable[[ServiceClients], Awaitable[T]]) -> T:
    # Beside a running stack, its database is meant unless the environment says otherwise.
    settings = settings_beside_the_stack()
    async with open_database(settings):
        return await do(ServiceClients(SystemClock(), token_lifetime=settings.security.access_token_lifetime))


def _show(made: NewSecret, *, as_json: bool) -> None:
    if as_json:
        show_json({"client_id": made.client.id, "client_secret": made.secret})
        return
    typer.echo(f"client_id:     {made.client.id}")
    typer.echo(f"client_secret: {made.secret}")
    typer.echo("Keep the secret now: it is stored as a digest only, and cannot be shown again.", err=True)


def _described(client: ServiceClient) -> dict[str, Any]:
    return {
        "id": client.id,
        "name": client.name,
        "sellerId": client.seller_id,
        "scopes": client.scopes,
        "secrets": len(client.secrets),
        "createdAt": rfc3339(client.created_at),
        "disabledAt": _when(client.disabled_at),
    }


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
