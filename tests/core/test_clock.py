"""Moments, as MongoDB and the API keep them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.clock import SystemClock, rfc3339, to_milliseconds


def test_the_clock_tells_utc_to_the_millisecond() -> None:
    before = to_milliseconds(datetime.now(UTC))
    now = SystemClock().now()

    assert before <= now <= datetime.now(UTC)
    assert timedelta(0) == now.utcoffset()
    assert 0 == now.microsecond % 1000


@pytest.mark.parametrize(("microsecond", "kept"), [(0, 0), (999, 0), (1000, 1000), (5999, 5000), (999_999, 999_000)])
def test_moments_are_cut_and_never_rounded_up(microsecond: int, kept: int) -> None:
    """
    Rounding up would give a moment that has not come yet.
    """
    moment = datetime(2026, 12, 31, 23, 59, 59, microsecond, UTC)

    assert moment.replace(microsecond=kept) == to_milliseconds(moment)


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 11, 22, 17, 30, tzinfo=UTC), "2026-11-22T17:30:00.000Z"),
        (datetime(2026, 11, 22, 17, 30, 0, 5999, UTC), "2026-11-22T17:30:00.005Z"),
        (datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2026-12-31T23:30:00.000Z"),
    ],
)
def test_moments_are_written_in_utc(moment: datetime, written: str) -> None:
    assert written == rfc3339(moment)
