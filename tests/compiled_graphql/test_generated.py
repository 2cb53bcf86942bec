"""Random operations on small random schemas are answered as the reference executor answers them, byte by byte."""

import os
import random
from collections.abc import Mapping
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLSchema, execute, parse, validate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from compiled_graphql.operation import CompiledOperation
from tests.compiled_graphql.worlds import Operations, World

EXAMPLES = int(os.environ.get("EQUALITY_EXAMPLES", "150"))
"""How many operations each test makes up. A night's worth: ``EQUALITY_EXAMPLES=50000``."""

GENERATED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


async def answers(world: World, operations: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the reference executor and the compiled operation answer."""
    plain, told = world.schema(batches=False), world.schema(batches=True)
    generator = Operations(operations, plain)
    text, variables = generator.document(), generator.variables()
    document = parse(text)
    assume(not validate(plain, document))
    return await reference(plain, document, variables), await compiled(told, document, variables)


async def reference(schema: GraphQLSchema, document: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
    result: Any = execute(schema, document, variable_values=dict(variables))
    found: ExecutionResult = result if isinstance(result, ExecutionResult) else await result
    return dict(found.formatted)


async def compiled(schema: GraphQLSchema, document: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
    operation = CompiledOperation(schema, document)
    first = await operation.execute(variable_values=dict(variables))
    again = await operation.execute(variable_values=dict(variables))
    assert first.formatted == again.formatted
    return dict(again.formatted)


def nulled(data: Any, path: list[Any]) -> tuple[Any, ...]:
    """Return the place on the way of a path where the answer is null already."""
    for length, step in enumerate(path):
        if data is None:
            return tuple(path[:length])
        data = data[step]
    return tuple(path)


def by_place(answer: Mapping[str, Any]) -> dict[tuple[Any, ...], list[bytes]]:
    """Return the errors by the places that they made null."""
    places: dict[tuple[Any, ...], list[bytes]] = {}
    for error in answer.get("errors", []):
        places.setdefault(nulled(answer["data"], error["path"]), []).append(orjson.dumps(error))
    return places


@GENERATED
@given(st.randoms(use_true_random=False), st.randoms(use_true_random=False))
async def test_whatever_does_not_wait_is_answered_byte_by_byte(world: random.Random, operation: random.Random) -> None:
    expected, actual = await answers(World(world, tasks=False), operation)

    assert orjson.dumps(expected) == orjson.dumps(actual)


@GENERATED
@given(st.randoms(use_true_random=False), st.randoms(use_true_random=False))
async def test_what_waits_has_the_same_data_and_the_same_errors(world: random.Random, operation: random.Random) -> None:
    """
    Where several fields race to make one place null, the first one is told: whose turn comes first may differ.
    """
    expected, actual = await answers(World(world, tasks=True), operation)

    assert orjson.dumps(expected["data"]) == orjson.dumps(actual["data"])
    wanted, found = by_place(expected), by_place(actual)
    assert wanted.keys() == found.keys()
    for place, errors in wanted.items():
        if all(list(place) == orjson.loads(error)["path"] for error in (*errors, *found[place])):
            assert sorted(errors) == sorted(found[place])
