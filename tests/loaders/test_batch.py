"""Loaders: whatever happens to a load, everybody who waits for it learns of it, and nobody else suffers."""

import asyncio
from collections.abc import Collection, Mapping

import pytest
import strawberry

from core.errors import Unavailable
from loaders.batch import by_key
from tests.graphql.alone import context
from tests.leftovers import left_since, ours


async def _echo(keys: Collection[str]) -> Mapping[str, str]:
    await asyncio.sleep(0.02)
    return {key: key.upper() for key in keys}


@pytest.mark.parametrize("error", [ValueError("x"), asyncio.CancelledError()], ids=["error", "cancelled"])
async def test_what_goes_wrong_in_a_load_reaches_everybody_who_waits(error: BaseException) -> None:
    async def fail(_: Collection[str]) -> Mapping[str, str]:
        await asyncio.sleep(0)
        raise error

    loader = by_key(fail)
    async with asyncio.timeout(5):
        found = await asyncio.gather(*(loader.load(key) for key in "abcab"), return_exceptions=True)

    expected = Unavailable if isinstance(error, asyncio.CancelledError) else ValueError
    assert [expected] * 5 == [type(one) for one in found]


async def test_one_who_gives_up_takes_nobody_along() -> None:
    loader = by_key(_echo)
    first, second = (asyncio.ensure_future(loader.load("a")) for _ in range(2))
    await asyncio.sleep(0)

    first.cancel()

    assert "A" == await second
    assert "A" == await loader.load("a")


async def test_a_load_that_nobody_waits_for_any_more_ends() -> None:
    happened: list[str] = []

    async def slow(_: Collection[str]) -> Mapping[str, str]:
        try:
            await asyncio.sleep(60)
        finally:
            happened.append("ended")
        return {}

    before = ours()
    loader = by_key(slow)
    waiting = [asyncio.ensure_future(loader.load(key)) for key in "aab"]
    await asyncio.sleep(0.01)

    for one in waiting:
        one.cancel()
    await asyncio.sleep(0.01)

    assert ["ended"] == happened
    assert [] == await left_since(before)


@strawberry.type
class Thing:
    @strawberry.field
    async def name(self, info: strawberry.Info) -> str | None:
        found: str | None = await vars(info.context).setdefault("echo", by_key(_echo)).load("a")
        return found

    @strawberry.field
    async def broken(self) -> str:
        await asyncio.sleep(0.01)
        raise Unavailable("Not now.")


@strawberry.type
class Query:
    @strawberry.field
    async def thing(self) -> Thing | None:
        return Thing()


async def test_a_field_that_fails_takes_no_other_along_by_what_they_both_load() -> None:
    """
    The failure ends the work on one thing, which waits for the same name as the other.
    """
    result = await strawberry.Schema(query=Query).execute(
        "{ a: thing { broken name } b: thing { name } }", context_value=context()
    )

    assert {"a": None, "b": {"name": "A"}} == result.data
