"""Moments on a command line."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from app.cli.moments import moment

NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T17:30:00.005Z", datetime(2026, 11, 22, 17, 30, 0, 5000, UTC)),
        ("2026-11-22T17:30:00+01:00", datetime(2026, 11, 22, 16, 30, tzinfo=UTC)),
        ("2026-11-22T17:30", datetime(2026, 11, 22, 17, 30, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("90m", NOW - timedelta(minutes=90)),
        ("6h", NOW - timedelta(hours=6)),
        ("2d", NOW - timedelta(days=2)),
    ],
)
def test_what_people_write_is_understood(text: str, expected: datetime) -> None:
    assert expected == moment(text, NOW)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "6", "6w", "-2d", "1700000000"])
def test_what_nobody_can_understand_is_refused_with_examples(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="6h"):
        moment(text, NOW)
