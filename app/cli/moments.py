"""Moments as people write them on a command line."""

import re
from datetime import UTC, datetime, timedelta

import typer

from core.clock import rfc3339

_AGO = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, now: datetime) -> datetime:
    """Return the moment that *text* names: ``2026-11-22``, ``2026-11-22T17:30:00+01:00``, or ``90m`` for so long ago.

    Without a zone it is UTC.

    Raises:
        typer.BadParameter: for anything else.
    """
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no moment: write it like {rfc3339(now)}, 2026-11-22, or 90m, 6h, 2d for so long ago"
        raise typer.BadParameter(message) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
