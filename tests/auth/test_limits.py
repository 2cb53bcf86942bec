"""How long one has to wait, given what was done."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.limits import (
    FAILURES_PER_ACCOUNT,
    FAILURES_PER_CLIENT,
    FAILURES_PER_NETWORK,
    SENDS_PER_DESTINATION,
    Hit,
    Limit,
    seconds_until_free,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def ago(*seconds: int, what: str | None = None) -> list[Hit]:
    """Return hits that long ago, oldest first."""
    return [Hit(NOW - timedelta(seconds=one), what) for one in seconds]


@pytest.mark.parametrize(
    ("hits", "wait"),
    [
        ([], 0),
        (ago(30), 0),
        (ago(29), 1),
        (ago(0), 30),
        (ago(600, 100, 40), 0),
        (ago(599, 100, 40), 1),
        (ago(300, 200, 100), 300),
        (ago(3000, 2400, 1800, 1200, 700), 600),
        (ago(*range(80_000, 8_000, -8_000)), 0),
        (ago(*range(86_000, 6_000, -8_000)), 400),
    ],
    ids=lambda value: None if isinstance(value, int) else f"{len(value)} hits",
)
def test_codes_for_one_destination(hits: list[Hit], wait: int) -> None:
    assert wait == seconds_until_free(hits, SENDS_PER_DESTINATION, NOW)


@pytest.mark.parametrize(
    ("hits", "what", "wait"),
    [
        ([*ago(50, what="44"), *ago(10, what="33")], "44", 0),
        ([*ago(50, what="44"), *ago(10, what="33")], "49", 50),
        ([*ago(50, what="44"), *ago(40, what="44")], "49", 0),
        ([*ago(50, what="44"), *ago(40)], "49", 0),
        ([*ago(50, what="44"), *ago(10, what="33")], None, 0),
        ([*ago(500, what="44"), *ago(10, what="33")], "49", 0),
    ],
)
def test_of_distinct_kinds_only_new_ones_count(hits: list[Hit], what: str | None, wait: int) -> None:
    limits = (Limit(2, timedelta(seconds=100), distinct=True),)

    assert wait == seconds_until_free(hits, limits, NOW, what)


def test_wrong_codes_and_secrets_are_as_many_as_the_manual_says() -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)

    assert (Limit(10, hour), Limit(20, day)) == FAILURES_PER_ACCOUNT
    assert (Limit(200, hour),) == FAILURES_PER_NETWORK
    assert (Limit(100, hour),) == FAILURES_PER_CLIENT
