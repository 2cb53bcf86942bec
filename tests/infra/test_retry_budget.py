"""What fails is sent again, but never so often that it comes to a second load."""

import asyncio
from itertools import count
from typing import Any

import pytest

from app.graphql.rules import OperationRules
from core.errors import Unavailable
from infra.aws import FOR_A_CALLER, FOR_A_WORKER, Patience
from infra.retry_budget import BURST, SHARE, RetryBudget
from infra.s3 import open_object_store
from tests.infra.test_breaker import failing

_NAMES = count()
CALLS = 300


def test_a_share_of_the_calls_may_be_repeated_and_a_few_more() -> None:
    budget = RetryBudget(f"budget {next(_NAMES)}")
    repeated = 0
    for _ in range(CALLS):
        budget.earn()
        repeated += budget.spend()

    assert SHARE * CALLS + BURST == pytest.approx(repeated, abs=1)


def test_calls_that_go_well_save_no_more_than_a_few() -> None:
    budget = RetryBudget(f"budget {next(_NAMES)}")
    for _ in range(100 * CALLS):
        budget.earn()

    assert BURST == sum(budget.spend() for _ in range(CALLS))


async def test_scattered_failures_add_a_tenth_to_the_load_and_no_more() -> None:
    """
    Every second call fails, so that no circuit opens: with three attempts each it would be asked half as much again and more.
    """
    async with failing() as (server, access), open_object_store(access, bucket="b") as store:
        server.every(2)
        for _ in range(CALLS // 30):
            await asyncio.gather(*(store.describe("key") for _ in range(30)), return_exceptions=True)

    assert CALLS < server.asked <= CALLS * (1 + SHARE) + BURST


async def test_a_call_that_fails_in_passing_is_repeated() -> None:
    async with failing() as (server, access), open_object_store(access, bucket="b") as store:
        server.every(2)

        assert [None, None] == [await store.describe("key"), await store.describe("key")]

    assert 3 == server.asked


async def test_a_store_that_says_nothing_is_unavailable_after_the_attempts_there_are() -> None:
    patience = Patience(connect=5, read=0.05, attempts=2)
    async with failing() as (server, access), open_object_store(access, bucket="b", patience=patience) as store:
        server.silent = True
        with pytest.raises(Unavailable):
            await store.describe("key")

    assert 2 == server.asked


def test_who_waits_for_an_operation_is_told_before_its_deadline() -> None:
    deadline = OperationRules().deadline.total_seconds()

    assert FOR_A_CALLER.longest < deadline < FOR_A_WORKER.longest


@pytest.mark.parametrize("patience", [FOR_A_CALLER, FOR_A_WORKER])
def test_nothing_below_the_budget_repeats(patience: Patience) -> None:
    config: Any = patience.config()

    assert 1 == config._user_provided_options["retries"]["total_max_attempts"]
