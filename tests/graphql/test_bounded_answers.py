"""What an operation comes to is bounded, whatever was expected of it: objects of an answer, and time that nobody waits in."""

import time

import pytest
import strawberry

from app.graphql.bounded_execution import MAX_OBJECTS
from app.graphql.execution import Schema
from app.graphql.rules import OperationRules
from tests.api import Api, Commands
from tests.graphql.alone import OPERATOR, codes, errors, run
from tests.graphql.operations import BERLIN, create
from tests.graphql.test_deadline import DEADLINE

DONE: list[str] = []


@strawberry.type
class Leaf:
    name: str

    @strawberry.field
    def slow(self) -> str:
        """Keep the process busy: no timer runs meanwhile."""
        time.sleep(0.001)
        DONE.append("slept")
        return self.name


@strawberry.type
class Query:
    @strawberry.field
    def leaves(self, count: int) -> list[Leaf] | None:
        return [Leaf(name="x")] * count

    @strawberry.field
    async def leaves_later(self, count: int) -> list[Leaf]:
        return [Leaf(name="x")] * count


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def grow(self, count: int) -> list[Leaf]:
        DONE.append("grown")
        return [Leaf(name="x")] * count


SCHEMA = Schema(query=Query, mutation=Mutation, rules=OperationRules(deadline=DEADLINE))


@pytest.mark.parametrize("field", ["leaves", "leavesLater"])
async def test_an_answer_has_no_more_objects_than_it_may(field: str) -> None:
    document = f"query($count: Int!) {{ {field}(count: $count) {{ name }} }}"

    most = await run(document, {"count": MAX_OBJECTS}, schema=SCHEMA, principal=OPERATOR)
    more = await run(document, {"count": MAX_OBJECTS + 1}, schema=SCHEMA, principal=OPERATOR)

    assert most.data is not None
    assert MAX_OBJECTS == len(most.data[field])
    assert (None, ["QUERY_TOO_COMPLEX"]) == (more.data, codes(more))
    assert "smaller pages" in errors(more)[0][1]


async def test_who_asked_for_a_change_is_told_that_it_may_have_happened() -> None:
    DONE.clear()

    result = await run("mutation { grow(count: 9000) { name } }", schema=SCHEMA, principal=OPERATOR)

    ((code, message),) = errors(result)
    assert ("QUERY_TOO_COMPLEX", ["grown"]) == (code, DONE)
    assert "read before you repeat it" in message


@pytest.mark.parametrize("field", ["leaves", "leavesLater"])
async def test_time_counts_while_nothing_waits(field: str) -> None:
    """
    4,000 objects of a millisecond each; a timer would run after the last one.
    """
    DONE.clear()

    result = await run(f"{{ {field}(count: 4000) {{ slow }} }}", schema=SCHEMA, principal=OPERATOR)

    assert (None, ["TIMEOUT"]) == (result.data, codes(result))
    assert 0 < len(DONE) < 2000


async def test_a_customer_cannot_go_round_in_circles(execute: Api) -> None:
    customer = await create(execute, addresses=[BERLIN] * 20)
    circle = "addresses { customer { addresses { customer { addresses { id } } } } }"

    answer = await execute(f"query($id: ID!) {{ customer(id: $id) {{ {circle} }} }}", {"id": customer["id"]})

    assert ["QUERY_TOO_COMPLEX"] == [error["extensions"]["code"] for error in answer["errors"]]


async def test_one_history_is_read_once_however_often_it_is_met(execute: Api, commands: Commands) -> None:
    customer = await create(execute, addresses=[BERLIN] * 20)
    commands.forget()

    found = await execute.data(
        "query($id: ID!) { customer(id: $id) { addresses { customer { history(first: 5) { nodes { version } } } } } }",
        {"id": customer["id"]},
    )

    assert 20 == len(found["customer"]["addresses"])
    assert 1 == commands.of_requests("find").count("customer_events")


@pytest.mark.parametrize(("condition", "most"), [("tags", 250), ("status", 100), ("ids", 100)])
async def test_a_filter_has_no_endless_lists(execute: Api, condition: str, most: int) -> None:
    query = "query($filter: CustomerFilter) { customers(filter: $filter) { nodes { id } } }"
    value = {"tags": "vip", "status": "ACTIVE", "ids": "cus_x"}[condition]

    assert {"customers": {"nodes": []}} == await execute.data(query, {"filter": {condition: [value] * most}})
    assert "BAD_USER_INPUT" == await execute.code(query, {"filter": {condition: [value] * (most + 1)}})
