"""Counters in the database, which many processes share."""

import asyncio
from datetime import datetime, timedelta

from app.container import Container
from auth.limits import Limit
from core.clock import SystemClock
from repositories import throttle
from tests.api import fresh

# Half a minute past a full hour, and still to come: the database itself removes what has expired by its own clock.
NOW = SystemClock().now().replace(minute=0, second=30, microsecond=0) + timedelta(hours=1)
TWO_A_MINUTE = (Limit(2, timedelta(minutes=1)),)


def later(seconds: float) -> datetime:
    """Return a moment after the first one."""
    return NOW + timedelta(seconds=seconds)


async def test_what_is_within_the_limit_is_admitted_and_the_window_slides(container: Container) -> None:
    subject = fresh("subject")

    admitted = [
        (await throttle.admit(subject, TWO_A_MINUTE, later(second))).hit is not None for second in (0, 40, 59, 60, 99, 100)
    ]

    assert [True, True, False, True, False, True] == admitted


async def test_each_limit_looks_back_as_far_as_it_reaches(container: Container) -> None:
    subject = fresh("subject")
    limits = (Limit(1, timedelta(seconds=10)), Limit(3, timedelta(minutes=1)))

    admitted = [(await throttle.admit(subject, limits, later(second))).hit is not None for second in (0, 5, 10, 20, 30, 60)]

    assert [True, False, True, True, False, True] == admitted


async def test_a_refusal_says_how_long_to_wait_and_counts_nothing(container: Container) -> None:
    subject = fresh("subject")
    for second in (0, 10):
        await throttle.admit(subject, TWO_A_MINUTE, later(second))

    waits = [(await throttle.admit(subject, TWO_A_MINUTE, later(second))).retry_after for second in (20, 21, 22)]

    assert [40, 39, 38] == waits
    assert (await throttle.admit(subject, TWO_A_MINUTE, later(60))).hit is not None


async def test_what_is_too_old_is_dropped_and_nothing_before_that(container: Container) -> None:
    subject = fresh("subject")
    for second in (0, 90, 120):
        await throttle.admit(subject, TWO_A_MINUTE, later(second))

    stored = await container.mongo.database["throttles"].find_one({"_id": subject})

    assert stored is not None
    assert [later(90), later(120)] == [hit["at"] for hit in stored["hits"]]
    assert later(180) == stored["expires_at"]


async def test_many_at_once_are_counted_one_by_one(container: Container) -> None:
    subject = fresh("subject")
    limits = (Limit(7, timedelta(minutes=1)),)

    admitted = await asyncio.gather(*(throttle.admit(subject, limits, NOW) for _ in range(100)))

    assert 7 == sum(one.hit is not None for one in admitted)


async def test_what_is_taken_back_makes_room(container: Container) -> None:
    subject = fresh("subject")
    first = await throttle.admit(subject, TWO_A_MINUTE, NOW)
    await throttle.admit(subject, TWO_A_MINUTE, NOW)

    await throttle.take_back(first)

    assert (await throttle.admit(subject, TWO_A_MINUTE, NOW)).hit is not None
    assert (await throttle.admit(subject, TWO_A_MINUTE, NOW)).hit is None
    await throttle.clear(subject)
    assert (await throttle.admit(subject, TWO_A_MINUTE, NOW)).hit is not None


async def test_taking_back_what_was_refused_changes_nothing(container: Container) -> None:
    subject = fresh("subject")
    for _ in range(2):
        await throttle.admit(subject, TWO_A_MINUTE, NOW)

    await throttle.take_back(await throttle.admit(subject, TWO_A_MINUTE, NOW))

    assert (await throttle.admit(subject, TWO_A_MINUTE, NOW)).hit is None


async def test_distinct_kinds_are_counted_once_each(container: Container) -> None:
    subject = fresh("subject")
    limits = (Limit(2, timedelta(minutes=1), distinct=True),)

    admitted = [
        (await throttle.admit(subject, limits, NOW, what=what)).hit is not None for what in ("44", "44", "33", "49", None, "33")
    ]

    assert [True, True, True, False, True, True] == admitted


async def test_an_allowance_is_used_up_by_the_clock_hour(container: Container) -> None:
    allowance, hour = fresh("allowance"), timedelta(hours=1)

    waits = [await throttle.spend(allowance, 2, hour, later(minutes * 60)) for minutes in (0, 10, 20, 59, 60)]

    assert [0, 0, 2370, 30, 0] == waits


async def test_networks_are_forgotten_in_time(container: Container) -> None:
    network = fresh("network")
    assert not await throttle.knows(network, NOW)

    await throttle.remember(network, later(60))

    assert await throttle.knows(network, later(59))
    assert not await throttle.knows(network, later(60))
