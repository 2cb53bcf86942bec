"""Random operations on small random schemas are answered as the reference executor answers them, byte by byte."""

import gc
import os
import random
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest
from graphql import ExecutionResult, GraphQLSchema, execute, parse, validate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from compiled_graphql.operation import CompiledOperation
from tests.compiled_graphql.answers import assert_alike
from tests.compiled_graphql.worlds import Operations, World

# Of a list that fails at one item, both executors leave the items behind it alone: the coroutines among them never begin.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")

EXAMPLES = int(os.environ.get("EQUALITY_EXAMPLES", "150"))
"""How many operations each test makes up. A night's worth: ``EQUALITY_EXAMPLES=50000``."""

GENERATED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@pytest.fixture(autouse=True)
def _left_alone() -> Iterator[None]:
    """Let go of what never began while that is expected, and not in the middle of another test."""
    yield
    gc.collect()


async def both_answers(world: World, operations: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
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


@GENERATED
@given(st.randoms(use_true_random=False), st.randoms(use_true_random=False))
async def test_whatever_does_not_wait_is_answered_byte_by_byte(world: random.Random, operation: random.Random) -> None:
    expected, actual = await both_answers(World(world, tasks=False), operation)

    assert orjson.dumps(expected) == orjson.dumps(actual)


# The reference executor leaves coroutines behind, never awaited, of what it has given up.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@GENERATED
@given(st.randoms(use_true_random=False), st.randoms(use_true_random=False))
async def test_what_waits_has_the_same_data_and_the_same_errors(world: random.Random, operation: random.Random) -> None:
    expected, actual = await both_answers(World(world, tasks=True), operation)

    assert_alike(expected, actual)
