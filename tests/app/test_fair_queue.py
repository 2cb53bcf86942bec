"""Lanes take turns."""

import pytest

from app.fair_queue import FairQueue


def queue_of(*items: str) -> FairQueue[str]:
    """Return a queue of *items*, each in the lane of its first letter."""
    queue: FairQueue[str] = FairQueue()
    for item in items:
        queue.add(item[0], item)
    return queue


def taken(queue: FairQueue[str]) -> list[str]:
    return [queue.take() for _ in range(len(queue))]


def test_lanes_take_turns_and_within_a_lane_the_first_is_served_first() -> None:
    assert ["a1", "b1", "c1", "a2", "b2", "a3"] == taken(queue_of("a1", "a2", "a3", "b1", "b2", "c1"))


def test_whoever_comes_to_an_empty_lane_waits_for_one_round() -> None:
    queue = queue_of("a1", "a2", "b1", "b2")
    assert "a1" == queue.take()
    queue.add("c", "c1")

    assert ["b1", "a2", "c1", "b2"] == taken(queue)


def test_the_last_of_the_longest_lane_is_dropped() -> None:
    queue = queue_of("a1", "b1", "b2", "b3", "c1", "c2")

    assert ("b", 3) == (queue.longest(), queue.length("b"))
    assert "b3" == queue.drop("b")
    assert ["a1", "b1", "c1", "b2", "c2"] == taken(queue)


def test_who_is_gone_takes_no_turn() -> None:
    queue = queue_of("a1", "b1", "b2")
    queue.remove("a", "a1")
    queue.remove("a", "a1")
    queue.remove("b", "never")

    assert (2, 0) == (len(queue), queue.length("a"))
    assert ["b1", "b2"] == taken(queue)


def test_an_empty_queue_has_nobody_to_take() -> None:
    with pytest.raises(StopIteration):
        queue_of().take()
    with pytest.raises(ValueError, match="empty"):
        queue_of().longest()
