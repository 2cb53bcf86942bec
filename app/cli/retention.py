"""``customer-service retention``: what the rules of sellers would remove, have removed, and whether they may."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

import orjson
import typer

from app.cli.answers import AsJson, show_json, show_table
from app.cli.stack_settings import settings_beside_the_stack
from app.cli.teaching import shown_by
from app.container import build_rules
from app.database import open_database
from auth.principal import SELLER_ID_RULE, is_seller_id
from core.clock import SystemClock, rfc3339
from core.retention import RetentionPolicy
from core.vocabulary import RetentionMode, RetentionStage
from models.retention_run import RetentionReport, RetentionRun
from repositories.retention_run import RetentionRuns
from services.retention_plan import Due, Found, look
from services.seller import SellerPolicies
from services.seller_book import SellerBook, open_seller_book

retention = typer.Typer(name="retention", help="See what is past its period, and let it be removed.", no_args_is_help=True)

_PAGE = 100
_COUNTED = ("flagged", "unflagged", "anonymised", "files", "imports", "kept", "failed")


def _seller(text: str) -> str:
    if not is_seller_id(text):
        raise typer.BadParameter(SELLER_ID_RULE)
    return text


OfSeller = Annotated[str, typer.Option("--seller", help="Whose rules.", callback=_seller)]


@retention.command()
@shown_by("retention plan --seller demo", "retention plan --seller demo --days-ahead 30 --json | tail -n 1")
def plan(
    *,
    seller: OfSeller,
    days_ahead: Annotated[
        int, typer.Option(min=0, max=3650, help="As it would be so many days from now, if nothing happens until then.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line; the last one has the counts.")] = False,
) -> None:
    """Say what a round of retention would do now, whether or not it may: what to which record, line by line, then how often.

    Nothing is changed, and memory does not grow with what is found. Who is not flagged yet is never anonymised.
    """
    asyncio.run(_plan(seller, SystemClock().now() + timedelta(days=days_ahead), as_json=as_json))


@retention.command()
@shown_by("retention report", "retention report --seller demo --json")
def report(*, seller: Annotated[str | None, typer.Option(help="Only this seller's.")] = None, as_json: AsJson = False) -> None:
    """Say what the last round of each seller removed, or in a dry run would have.

    Exit status: 0 there was one, 1 there was none.
    """
    found = asyncio.run(_reports(seller))
    if as_json:
        show_json([_told(one) for one in found])
    else:
        rows = [(one.id, *_cells(one.last)) for one in found if one.last is not None]
        show_table(("seller", "mode", "finished", *_COUNTED), rows, whole="seller")
    raise typer.Exit(0 if any(one.last is not None for one in found) else 1)


@retention.command()
@shown_by("retention approve --seller demo")
def approve(*, seller: OfSeller, as_json: AsJson = False) -> None:
    """Let a seller's rules be carried out from now on (mode ACTIVE). Look at what `plan` and `report` say first."""
    _say(seller, RetentionMode.ACTIVE, as_json=as_json)


@retention.command()
@shown_by("retention suspend --seller demo")
def suspend(*, seller: OfSeller, as_json: AsJson = False) -> None:
    """Let a seller's rules be reported only from now on (mode DRY_RUN).

    What is flagged stays flagged, and nothing comes of it.
    """
    _say(seller, RetentionMode.DRY_RUN, as_json=as_json)


def _say(seller: str, mode: RetentionMode, *, as_json: bool) -> None:
    policy = asyncio.run(_set(seller, mode))
    said = {"sellerId": seller, **_policy(policy)}
    if as_json:
        show_json(said)
    else:
        typer.echo(", ".join(f"{name}: {value}" for name, value in said.items()))


async def _plan(seller: str, now: datetime, *, as_json: bool) -> None:
    counts: Counter[str] = Counter()
    async with _open() as (policies, _):
        policy = policies.retention_of(seller)
        async with aclosing(_pages(seller, policy, now)) as pages:
            async for found in pages:
                counts["KEPT"] += len(found.kept)
                for due in found.due:
                    counts[due.action.value] += 1
                    typer.echo(
                        orjson.dumps(_line(due)) if as_json else "  ".join(str(one) for one in _line(due).values() if one)
                    )
    totals = {name: number for name, number in counts.items() if number}
    if as_json:
        typer.echo(orjson.dumps({"sellerId": seller, "at": rfc3339(now), **_policy(policy), "counts": totals}))
        return
    typer.echo(", ".join(f"{name.lower()}: {number:,}" for name, number in totals.items()) or "Nothing is past its period.")


async def _pages(seller: str, policy: RetentionPolicy, now: datetime) -> AsyncGenerator[Found]:
    for stage in RetentionStage:
        found = await look(seller, policy, stage, None, now)
        yield found
        while found.place is not None:
            found = await look(seller, policy, stage, found.place, now)
            yield found


async def _reports(seller: str | None) -> list[RetentionRun]:
    async with open_database(settings_beside_the_stack()):
        runs, found = RetentionRuns(), []
        if seller is not None:
            one = await runs.of(seller)
            return [] if one is None else [one]
        after = ""
        while page := await runs.after(after, _PAGE):
            found += page
            after = page[-1].id
        return found


async def _set(seller: str, mode: RetentionMode) -> RetentionPolicy:
    async with _open() as (policies, book):
        await book.say(seller, replace(book.own(seller), retention_mode=mode))
        await RetentionRuns().hurry(seller, SystemClock().now())
        return policies.retention_of(seller)


@asynccontextmanager
async def _open() -> AsyncIterator[tuple[SellerPolicies, SellerBook]]:
    settings = settings_beside_the_stack()
    rules = build_rules(settings)
    async with open_database(settings, patience=None), open_seller_book(rules.clock, None) as book:
        yield rules.policies.with_sellers(book), book


def _line(due: Due) -> dict[str, Any]:
    customer_id = None if due.customer_id == due.id else due.customer_id
    return {"action": due.action.value, "id": due.id, "customerId": customer_id, "since": rfc3339(due.since)}


def _policy(policy: RetentionPolicy) -> dict[str, Any]:
    return {
        "mode": policy.mode.value,
        "inactiveMonths": policy.inactive_months,
        "graceDays": policy.grace_days,
        "endedFileDays": policy.ended_file_days,
        "verifiedFileDays": policy.verified_file_days,
        "importDays": policy.import_days,
    }


def _told(run: RetentionRun) -> dict[str, Any]:
    last = None
    if run.last is not None:
        finished_at = None if run.last.finished_at is None else rfc3339(run.last.finished_at)
        numbers = {name: getattr(run.last, name) for name in _COUNTED}
        last = {"mode": run.last.mode.value, "finishedAt": finished_at, **numbers}
    return {"sellerId": run.id, "underWay": run.stage is not None, "last": last}


def _cells(last: RetentionReport) -> list[str]:
    finished_at = "" if last.finished_at is None else rfc3339(last.finished_at)
    return [last.mode.value, finished_at, *(f"{getattr(last, name):,}" for name in _COUNTED)]
