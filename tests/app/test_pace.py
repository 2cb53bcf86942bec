"""How many are answered at a time follows how quickly the loop comes round."""

import asyncio
import time

from app.pace import LEAST, SLOW_SECONDS, Pace


def test_a_slow_loop_has_fewer_places_but_never_fewer_than_it_takes_to_keep_busy() -> None:
    pace = Pace(40)
    pace.turned(SLOW_SECONDS * 10)
    after_one = pace.places
    for _ in range(100):
        pace.turned(SLOW_SECONDS * 10)

    assert 40 > after_one > LEAST == pace.places


def test_a_loop_that_waits_gets_its_places_back() -> None:
    pace = Pace(40)
    for _ in range(100):
        pace.turned(SLOW_SECONDS * 10)
    for _ in range(1000):
        pace.turned(SLOW_SECONDS / 100)

    assert 40 == pace.places


def test_a_process_that_is_told_to_do_little_at_a_time_does_so() -> None:
    pace = Pace(1)
    for _ in range(100):
        pace.turned(SLOW_SECONDS * 10)

    assert 1 == pace.places


async def test_what_keeps_the_loop_busy_is_noticed() -> None:
    pace = Pace(40)
    while pace.places == 40:
        pace.look()
        pace.look()
        until = time.thread_time() + 2 * SLOW_SECONDS
        while time.thread_time() < until:
            pass
        await asyncio.sleep(0)

    assert 40 > pace.places


async def test_what_other_programs_take_is_not_held_against_it() -> None:
    pace = Pace(40)
    for _ in range(5):
        pace.look()
        time.sleep(2 * SLOW_SECONDS)  # noqa: ASYNC251 - as if the machine were somebody else's for so long
        await asyncio.sleep(0)

    assert 40 == pace.places
