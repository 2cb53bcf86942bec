"""``customer-service audit``: the proof that histories are as they were written."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import orjson
import typer

from app.cli.answers import AsJson
from app.cli.stack_settings import settings_beside_the_stack
from app.cli.teaching import shown_by
from app.container import build_rules
from app.database import open_database
from app.settings import Settings
from services.audit_verification import MEANING, AuditVerification, Broken, Verified

audit = typer.Typer(name="audit", help="Prove that the histories of customers are as they were written.", no_args_is_help=True)


@audit.callback()
def _audit() -> None:
    """Keep `verify` a command of a group."""


@audit.command()
@shown_by(
    "audit verify",
    "audit verify --seller demo",
    "audit verify cus_01jz0000000000000000000000 --json",
)
def verify(
    customer_id: Annotated[
        str | None, typer.Argument(metavar="CUSTOMER", help="Only this customer; else those of a seller, or all.")
    ] = None,
    *,
    seller: Annotated[str | None, typer.Option(help="Only this seller's customers.")] = None,
    as_json: AsJson = False,
) -> None:
    """Follow the chain of every customer's history, and say which record was altered, added or removed.

    Deleted and erased customers have theirs, too. What it proves, and what it cannot: docs/audit.md. It reads every history
    once, a record at a time. Without the master key of the service nothing fits.

    Exit status: 0 all chains hold, 1 some do not, 2 there is no such customer, or it is called wrongly.
    """
    if customer_id is not None and seller is not None:
        raise typer.BadParameter("give a customer or a seller, not both")
    if not asyncio.run(_verify(settings_beside_the_stack(), customer_id, seller, as_json=as_json)):
        raise typer.Exit(1)


async def _verify(settings: Settings, customer_id: str | None, seller: str | None, *, as_json: bool) -> bool:
    async with open_database(settings):
        verification = AuditVerification(build_rules(settings).records.chain)
        broken = 0
        async with aclosing(_found(verification, customer_id, seller)) as found:
            async for one in found:
                broken += 1
                _tell(one, as_json=as_json)
    _sum_up(verification.verified, broken, as_json=as_json)
    return not broken


async def _found(verification: AuditVerification, customer_id: str | None, seller: str | None) -> AsyncGenerator[Broken]:
    if customer_id is None:
        async with aclosing(verification.every(seller)) as found:
            async for broken in found:
                yield broken
        return
    of_one = await verification.customer(customer_id)
    if of_one is None:
        message = f"there is no customer {customer_id!r}, and no history of it"
        raise typer.BadParameter(message)
    for broken in of_one:
        yield broken


def _tell(broken: Broken, *, as_json: bool) -> None:
    if as_json:
        # A line each: how many there are is not known before the end, and nobody keeps them.
        said = {
            "sellerId": broken.seller_id,
            "customerId": broken.customer_id,
            "chain": broken.chain,
            "number": broken.number,
            "flaw": broken.flaw,
            "meaning": MEANING[broken.flaw],
        }
        typer.echo(orjson.dumps(said))
        return
    where = "" if broken.number is None else f" {broken.number}"
    typer.echo(f"{broken.customer_id} of {broken.seller_id}, {broken.chain}{where}: {MEANING[broken.flaw]}")


def _sum_up(verified: Verified, broken: int, *, as_json: bool) -> None:
    if as_json:
        said = {"customers": verified.customers, "records": verified.records, "notSealed": verified.before, "broken": broken}
        typer.echo(orjson.dumps(said))
        return
    typer.echo(f"{verified.records:,} records of {verified.customers:,} customers were verified: {broken:,} flaws.")
    if verified.before:
        typer.echo(
            f"{verified.before:,} of them were written by an earlier version, without a seal: nothing is proved of these."
        )
