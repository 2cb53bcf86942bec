"""No operation takes longer than it may, and nothing of it is left running."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import timedelta
from typing import Any

import pytest
import strawberry

from app.container import Container
from app.graphql.execution import Schema
from app.graphql.rules import OperationRules
from loaders.batch import by_key
from schema.context import Context, Info
from tests.graphql.alone import OPERATOR, codes, context, errors, run
from tests.leftovers import left_since, ours

DEADLINE = timedelta(milliseconds=200)
FOREVER = 60

HAPPENED: list[str] = []


async def _slow(what: str) -> str:
    try:
        await asyncio.sleep(FOREVER)
    except asyncio.CancelledError:
        HAPPENED.append(f"{what} cancelled")
        raise
    return what


async def _fetch(keys: Collection[str]) -> Mapping[str, str]:
    return {key: await _slow("load") for key in keys}


async def _transaction() -> None:
    await asyncio.sleep(0.5)
    HAPPENED.append("committed")


@strawberry.type
class Thing:
    @strawberry.field
    async def slow(self) -> str:
        return await _slow("field")

    @strawberry.field
    async def loaded(self, info: Info, key: str) -> str | None:
        loader = vars(info.context).setdefault("slow_loader", by_key(_fetch))
        loaded: str | None = await loader.load(key)
        return loaded


@strawberry.type
class Query:
    @strawberry.field
    async def quick(self) -> str:
        await asyncio.sleep(0)
        return "quick"

    @strawberry.field
    async def things(self) -> list[Thing]:
        return [Thing() for _ in range(20)]

    @strawberry.field
    async def gathered(self) -> str:
        return "".join(await asyncio.gather(*(_slow("gathered") for _ in range(3))))

    @strawberry.field
    async def impatient(self) -> str:
        async with asyncio.timeout(0.001):
            return await _slow("impatient")

    @strawberry.field
    async def database(self, info: Info) -> int:
        """Let MongoDB itself be slow."""
        pipeline = [
            {"$documents": [{"a": 1}]},
            {"$project": {"b": {"$function": {"body": "function() { sleep(20000); return 1 }", "args": [], "lang": "js"}}}},
        ]
        mongo: Any = info.context.services
        return len(await (await mongo.database.aggregate(pipeline)).to_list())


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def change(self) -> str:
        await asyncio.shield(asyncio.ensure_future(_transaction()))
        return "changed"

    @strawberry.mutation
    async def next(self) -> str:
        HAPPENED.append("the next mutation")
        return "next"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def things(self) -> AsyncIterator[Thing]:
        # Longer than an operation may take, and yet nobody's fault.
        await asyncio.sleep(DEADLINE.total_seconds() * 2)
        yield Thing()


SLOW = Schema(query=Query, mutation=Mutation, subscription=Subscription, rules=OperationRules(deadline=DEADLINE))


@pytest.fixture(autouse=True)
def _fresh() -> None:
    HAPPENED.clear()


QUERIES = {
    "one field": "{ things { slow } }",
    "beside what is quick": "{ quick things { slow } }",
    "a loader": '{ things { loaded(key: "a") } }',
    "several keys": '{ things { a: loaded(key: "a") b: loaded(key: "b") } }',
    "gathered": "{ gathered quick }",
}


@pytest.mark.parametrize("document", QUERIES.values(), ids=QUERIES)
async def test_what_takes_too_long_is_cancelled_and_leaves_nothing(document: str) -> None:
    before = ours()
    begun = time.monotonic()

    result = await run(document, schema=SLOW)

    assert time.monotonic() - begun < FOREVER / 10
    assert result.data is None
    assert [("TIMEOUT", "This took longer than 0.2 seconds. Ask for less at once, or try again.")] == errors(result)
    assert [] == await left_since(before)
    assert {"cancelled"} == {what.split()[1] for what in HAPPENED}


async def test_many_of_them_leave_nothing() -> None:
    before = ours()

    results = await asyncio.gather(*(run(QUERIES["several keys"], schema=SLOW) for _ in range(20)))

    assert {("TIMEOUT",)} == {tuple(codes(result)) for result in results}
    assert [] == await left_since(before)


async def test_what_is_quick_is_answered() -> None:
    assert {"quick": "quick"} == (await run("{ quick }", schema=SLOW)).data


async def test_a_timeout_of_a_field_is_no_timeout_of_the_operation() -> None:
    assert ["INTERNAL"] == codes(await run("{ impatient }", schema=SLOW))


async def test_a_transaction_that_was_begun_runs_on_and_the_answer_says_so() -> None:
    result = await run("mutation { change next }", schema=SLOW)

    ((code, message),) = errors(result)
    assert "TIMEOUT" == code
    assert "It may have been completed: read before you repeat it." in message
    assert [] == HAPPENED
    await asyncio.sleep(0.6)
    assert ["committed"] == HAPPENED


async def streamed(document: str) -> list[Any]:
    return [result async for result in await SLOW.stream(document, context_value=context())]


async def test_a_query_on_a_stream_has_the_same_deadline() -> None:
    (result,) = await streamed("{ things { slow } }")

    assert ["TIMEOUT"] == codes(result)


async def test_an_event_has_a_deadline_and_waiting_for_one_has_none() -> None:
    before = ours()

    (result,) = await streamed("subscription { things { slow } }")

    assert ["TIMEOUT"] == codes(result)
    assert ["field cancelled"] == HAPPENED
    assert [] == await left_since(before)


async def test_an_operation_of_the_database_is_given_up_and_the_next_one_is_answered(container: Container) -> None:
    slow: Context = context()
    slow.services = container.mongo  # type: ignore[assignment]  # what the one resolver that asks takes it for
    begun = time.monotonic()

    result = await SLOW.execute("{ database }", context_value=slow)

    assert ["TIMEOUT"] == codes(result)
    assert time.monotonic() - begun < 15
    assert await container.mongo.answers()


def test_the_deadline_is_ten_seconds() -> None:
    assert timedelta(seconds=10) == OperationRules().deadline


async def test_staff_has_the_same_deadline() -> None:
    assert ["TIMEOUT"] == codes(await run("{ things { slow } }", schema=SLOW, principal=OPERATOR))
