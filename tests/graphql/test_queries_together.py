"""Queries of one moment that are alike are executed as one, and nobody can tell by the answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import pytest
import strawberry

from app.graphql.execution import Schema
from app.graphql.rules import OperationRules
from auth.principal import SCOPES, Principal, Scope
from core.errors import NotFound
from core.vocabulary import PrincipalKind
from schema.batching import called
from schema.context import Context, Info
from services.registry import Services
from tests.api import Api, Commands
from tests.graphql.operations import BERLIN, create

DEADLINE = timedelta(seconds=0.3)
ECHO = "query($text: String!, $loud: Boolean = false) { echo(text: $text) loud: echo(text: $text) @include(if: $loud) }"
OPERATOR = Principal(PrincipalKind.OPERATOR, "ada", SCOPES[PrincipalKind.OPERATOR], "acme")
READER = Principal(PrincipalKind.OPERATOR, "ada", frozenset({Scope.CUSTOMERS_READ}), "acme")
ANYWHERE = Principal(PrincipalKind.SERVICE, "oms", SCOPES[PrincipalKind.SERVICE])

ASKED: list[list[str]] = []
"""What was asked for at once, one execution after the other. Of calls of one moment, the first finds nobody to join."""


async def _echo(calls: Sequence[Mapping[str, Any]], _info: Info) -> list[str | Exception]:
    texts = [call["text"] for call in calls]
    ASKED.append(texts)
    await asyncio.sleep(0)
    if "slow" in texts:
        await asyncio.sleep(60)
    return [NotFound("There is no such text.") if text == "wrong" else text for text in texts]


@strawberry.type
class Query:
    @strawberry.field(description="The text that is given.", metadata=called(_echo))
    async def echo(self, info: Info, text: str) -> str:
        """Return a text."""
        raise NotImplementedError


class Asking:
    """Asks a schema of its own, which nobody has asked for anything so far but for the document."""

    def __init__(self) -> None:
        self._schema = Schema(query=Query, rules=OperationRules(deadline=DEADLINE))

    async def __call__(self, text: str, principal: Principal = OPERATOR, **variables: Any) -> Any:
        context = Context(cast("Services", None), request_id=f"of {text}", principal=principal, of_one=True)
        return await self._schema.execute(ECHO, variable_values={"text": text, **variables}, context_value=context)


@pytest.fixture(name="ask")
async def _ask() -> AsyncIterator[Asking]:
    ask = Asking()
    await ask("known from now on")
    ASKED.clear()
    yield ask
    ASKED.clear()


async def test_who_finds_company_shares_an_execution_and_has_an_answer_of_its_own(ask: Asking) -> None:
    found = await asyncio.gather(ask("a"), ask("b"), ask("c"), ask("b"))

    assert [{"echo": text} for text in "abcb"] == [one.data for one in found]
    assert [["a"], ["b", "c", "b"]] == ASKED


async def test_who_comes_alone_waits_for_nobody(ask: Asking) -> None:
    await asyncio.gather(ask("a"), ask("b"))
    for _ in range(64):
        await ask("on its own")
    loop, turns = asyncio.get_running_loop(), 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        loop.call_soon(turn)

    loop.call_soon(turn)
    await ask("on its own")

    assert 2 >= turns


async def test_an_error_is_told_to_the_one_it_is_about_under_its_own_request_id(ask: Asking) -> None:
    first, well, wrong = await asyncio.gather(ask("a"), ask("b"), ask("wrong"))

    assert [{"echo": "a"}, {"echo": "b"}] == [first.data, well.data]
    assert not well.errors
    assert wrong.data is None
    assert ["of wrong"] == [error.extensions["requestId"] for error in wrong.errors]
    assert [["a"], ["b", "wrong"], ["b"], ["wrong"]] == ASKED


async def test_after_an_error_calls_of_that_kind_are_executed_by_themselves_for_a_while(ask: Asking) -> None:
    await asyncio.gather(ask("a"), ask("b"), ask("wrong"))
    ASKED.clear()

    while len(ASKED) < 60:
        await asyncio.gather(ask("a"), ask("b"), ask("c"))
    apart = [texts for texts in ASKED if len(texts) > 1]
    ASKED.clear()
    await asyncio.gather(*(ask("a") for _ in range(8)))

    assert [] == apart
    assert any(len(texts) > 1 for texts in ASKED)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([("b", READER), ("c", READER)], id="what they may do"),
        pytest.param([("b", OPERATOR), ("c", ANYWHERE)], id="which sellers they reach"),
    ],
)
async def test_callers_of_whom_one_might_see_more_share_nothing(ask: Asking, others: list[tuple[str, Principal]]) -> None:
    await asyncio.gather(ask("a"), ask("d"), *(ask(text, caller) for text, caller in others))

    together = [texts for texts in ASKED if "d" in texts]
    assert all("c" not in texts for texts in together)
    assert set("abcd") == {text for texts in ASKED for text in texts}


async def test_calls_that_select_other_fields_share_nothing(ask: Asking) -> None:
    found = await asyncio.gather(ask("a"), ask("b"), ask("c", loud=True), ask("d", loud=True))

    assert [{"echo": "a"}, {"echo": "b"}, {"echo": "c", "loud": "c"}, {"echo": "d", "loud": "d"}] == [one.data for one in found]
    assert not any({"b", "c"} <= set(texts) for texts in ASKED)


async def test_all_who_share_an_execution_that_takes_too_long_are_told_so(ask: Asking) -> None:
    found = await asyncio.gather(ask("a"), ask("slow"), ask("c"))

    assert {"echo": "a"} == found[0].data
    assert [None, None] == [one.data for one in found[1:]]
    assert [["TIMEOUT"], ["TIMEOUT"]] == [[error.extensions["code"] for error in one.errors] for one in found[1:]]
    assert ["of slow", "of c"] == [error.extensions["requestId"] for one in found[1:] for error in one.errors]


async def test_who_goes_away_takes_nobody_along(ask: Asking) -> None:
    first, gone, stays = (asyncio.ensure_future(ask(text)) for text in "abc")
    await asyncio.sleep(0)
    gone.cancel()

    assert [{"echo": "a"}, {"echo": "c"}] == [one.data for one in await asyncio.gather(first, stays)]
    assert gone.cancelled()


async def test_customers_asked_for_in_one_moment_are_read_with_all_they_own_by_few_commands(
    execute: Api, commands: Commands
) -> None:
    customers = [await create(execute, addresses=[BERLIN], documents=[{"type": "PASSPORT"}]) for _ in range(6)]
    query = "query($id: ID!) { customer(id: $id) { id addresses { id } documents { id status } } }"
    alone = [await execute(query, {"id": one["id"]}) for one in customers]
    commands.forget()

    together = await asyncio.gather(*(execute(query, {"id": one["id"]}) for one in customers))

    assert alone == list(together)
    assert len(commands.of_requests("aggregate", "find")) < len(customers)
