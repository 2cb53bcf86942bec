"""``customer-service doctor``: is everything there that the service needs, and if not, what is to be done."""

import asyncio
import logging
from collections.abc import AsyncIterator

import typer
from rich.console import Console
from rich.text import Text

from app.cli.answers import AsJson, show_json
from app.cli.checks import Finding, State, examine
from app.cli.stack_settings import settings_of_the_stack
from app.cli.teaching import shown_by
from app.settings import InvalidSettings

_MISCONFIGURED = 2
_MARKS = {State.WELL: ("✓", "green"), State.DOUBTFUL: ("!", "yellow"), State.BROKEN: ("✗", "bold red")}


@shown_by("doctor", "doctor --json", "doctor && customer-service serve")
def doctor(*, as_json: AsJson = False) -> None:
    """Check everything the service needs, and say what to do about what is wrong.

    Configuration, signing keys and master key, ports, disk, MongoDB (replica set, transactions, indexes, migrations, clock,
    outbox), Kafka's topics, the object store, the queues, the malware scanner. Beside a running development stack it is the
    stack that is looked at. Nothing is changed, but for an object that is written to the object store and removed.

    Exit status: 0 nothing is broken, 1 something is, 2 the configuration cannot be used.
    """
    # What is wrong is told once, by us.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    found: list[Finding] = []
    console = Console(highlight=False, markup=False, soft_wrap=True)
    status = asyncio.run(_examine(found, None if as_json else console))
    if as_json:
        told = [{"name": one.name, "state": one.state, "found": one.found, "advice": one.advice or None} for one in found]
        show_json({"state": _worst(found), "checks": told})
    raise typer.Exit(status)


async def _examine(found: list[Finding], console: Console | None) -> int:
    async for finding in _findings():
        found.append(finding)
        if console is not None:
            mark, style = _MARKS[finding.state]
            console.print(Text(f"{mark} ", style) + Text(f"{finding.name}: ", "bold") + Text(finding.found))
            if finding.advice:
                console.print(Text(f"    {finding.advice}", style))
    if found[0].state is State.BROKEN:
        return _MISCONFIGURED
    return 1 if _worst(found) is State.BROKEN else 0


async def _findings() -> AsyncIterator[Finding]:
    try:
        settings = settings_of_the_stack()
    except InvalidSettings as error:
        yield Finding(
            "configuration", State.BROKEN, str(error), "set what is named there; docs/reference/settings.md has all keys"
        )
        return
    yield Finding("configuration", State.WELL, f"can be used, for {settings.environment}")
    async for finding in examine(settings):
        yield finding


def _worst(found: list[Finding]) -> State:
    states = {finding.state for finding in found}
    return next(state for state in (State.BROKEN, State.DOUBTFUL, State.WELL) if state in states)
