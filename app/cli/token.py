"""``customer-service token``: an access token for a person or a program."""

from datetime import timedelta
from typing import Annotated

import typer

from app.cli.answers import AsJson, show_json
from app.cli.stack_settings import settings_beside_the_stack
from app.cli.teaching import shown_by
from app.keys import token_issuer
from auth.principal import SCOPES, SELLER_ID_RULE, Scope, is_seller_id
from core.clock import SystemClock
from core.ids import IdKind, is_id
from core.vocabulary import PrincipalKind


@shown_by(
    "token operator --seller demo",
    "token service --scope customers:read --minutes 60 --json",
    "token customer --seller demo --subject cus_01kat5x2p3f8m9rj4t6vwy7z0a",
)
def token(
    kind: Annotated[PrincipalKind, typer.Argument(case_sensitive=False, help="Who will use it.")],
    *,
    seller: Annotated[str | None, typer.Option(help="The seller it is bound to; a service without one spans all.")] = None,
    subject: Annotated[str | None, typer.Option(help="Who it speaks for; for customers, the customer's id.")] = None,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it allows, repeatable; by default what its kind allows.")
    ] = None,
    minutes: Annotated[int, typer.Option(min=1, max=60 * 24 * 90, help="How long it holds.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Print a signed access token."""
    if kind is not PrincipalKind.SERVICE and seller is None:
        raise typer.BadParameter("an operator's or a customer's token needs --seller")
    if kind is PrincipalKind.CUSTOMER and subject is None:
        raise typer.BadParameter("a customer's token needs --subject with the customer's id")
    if seller is not None and not is_seller_id(seller):
        raise typer.BadParameter(SELLER_ID_RULE)
    if kind is PrincipalKind.CUSTOMER and not is_id(IdKind.CUSTOMER, str(subject)):
        raise typer.BadParameter("--subject has to be a customer's id, cus_…")
    # Beside a running stack, the token is one of its own unless the environment says otherwise.
    settings = settings_beside_the_stack()
    allowed = sorted(scope or SCOPES[kind])
    made = token_issuer(settings, SystemClock()).issue(
        kind=kind,
        subject=subject or kind.value.lower(),
        scopes=allowed,
        lifetime=timedelta(minutes=minutes),
        seller_id=seller,
    )
    if as_json:
        show_json({"accessToken": made, "tokenType": "Bearer", "expiresIn": minutes * 60, "scope": " ".join(allowed)})
    else:
        typer.echo(made)
