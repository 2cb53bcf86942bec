"""What is plainly right among variables is taken as graphql-core would take it; about all else graphql-core is asked."""

from typing import Any

import pytest
from graphql import GraphQLInputObjectType, OperationDefinitionNode, VariableValues, build_schema, get_variable_values, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from compiled_graphql.variables import Variables

SCHEMA = build_schema("""
enum Colour { RED GREEN }
input Part { name: String! size: Int colour: Colour }
input Tree { name: String! tags: [String!] parts: [Part] left: Tree ratio: Float }
input WithDefault { name: String! size: Int = 3 }
input Either @oneOf { name: String size: Int }
scalar Moment
input Dated { name: String at: Moment }
type Query { f(tree: Tree, part: Part, preset: WithDefault, either: Either, dated: Dated): Int }
""")
(OPERATION,) = (
    one
    for one in parse(
        "query($tree: Tree, $part: Part!, $preset: WithDefault, $either: Either, $dated: Dated) { f(tree: $tree) }"
    ).definitions
    if isinstance(one, OperationDefinitionNode)
)
VARIABLES = Variables(SCHEMA, OPERATION)

ODD: st.SearchStrategy[Any] = st.sampled_from([None, "", "RED", 7, 2**31, 1.5, True, [], {}, ["a", None], {"name": 1}])
PARTS = st.fixed_dictionaries(
    {"name": st.text(max_size=2) | ODD}, optional={"size": st.integers() | ODD, "colour": ODD, "no": ODD}
)
TREES = st.recursive(
    ODD,
    lambda inner: st.fixed_dictionaries(
        {"name": st.text(max_size=2)},
        optional={"tags": ODD, "parts": st.lists(PARTS | ODD, max_size=2) | ODD, "left": inner, "ratio": st.floats() | ODD},
    ),
    max_leaves=3,
)


def by_graphql_core(given: dict[str, Any]) -> VariableValues | None:
    found = get_variable_values(SCHEMA, OPERATION.variable_definitions or (), given)
    return found if isinstance(found, VariableValues) else None


@settings(max_examples=200, deadline=None)
@given(TREES, PARTS | ODD)
def test_whatever_is_taken_is_what_graphql_core_makes_of_it(tree: Any, part: Any) -> None:
    taken = VARIABLES.coerced({"tree": tree, "part": part})

    if taken is not None:
        expected = by_graphql_core({"tree": tree, "part": part})
        assert expected is not None
        assert repr(expected.coerced) == repr(taken.coerced)


def test_inputs_inside_of_inputs_are_taken_in_the_order_of_their_type() -> None:
    tree = {"left": {"name": "left", "tags": ["a"]}, "parts": [{"size": 1, "name": "p", "colour": "RED"}, None], "name": "root"}

    taken = VARIABLES.coerced({"part": {"name": "p"}, "tree": tree})

    assert taken is not None
    assert {
        "tree": {
            "name": "root",
            "parts": [{"name": "p", "size": 1, "colour": "RED"}, None],
            "left": {"name": "left", "tags": ["a"]},
        },
        "part": {"name": "p"},
    } == taken.coerced
    assert ["name", "parts", "left"] == list(taken.coerced["tree"])


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="a required one is missing"),
        pytest.param({"part": {"size": 1}}, id="a required field is missing"),
        pytest.param({"part": {"name": "p", "more": 1}}, id="a field that nobody knows"),
        pytest.param({"part": {"name": "p"}, "preset": {"name": "p"}}, id="a field with a default is left out"),
        pytest.param({"part": {"name": "p"}, "either": {"name": "p"}}, id="one of several"),
        pytest.param({"part": {"name": "p"}, "dated": {"at": "2026-11-28"}}, id="a scalar of the schema's own"),
    ],
)
def test_what_has_rules_of_its_own_is_left_to_graphql_core(given: dict[str, Any]) -> None:
    assert VARIABLES.coerced(given) is None


def test_an_input_that_makes_something_else_of_its_fields_is_left_to_graphql_core() -> None:
    schema = build_schema("input Part { name: String } type Query { f(part: Part): Int }")
    part = schema.type_map["Part"]
    assert isinstance(part, GraphQLInputObjectType)
    part.out_type = tuple
    (operation,) = (
        one for one in parse("query($part: Part) { f(part: $part) }").definitions if isinstance(one, OperationDefinitionNode)
    )

    assert Variables(schema, operation).coerced({"part": {"name": "p"}}) is None
