"""Inputs are read as Strawberry reads them, only sooner."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from hypothesis import given
from hypothesis import strategies as st
from strawberry import UNSET
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryObjectDefinition

from tests.graphql.alone import OPEN

INPUTS: Mapping[str, GraphQLInputObjectType] = {
    name: type_ for name, type_ in OPEN._schema.type_map.items() if isinstance(type_, GraphQLInputObjectType)
}
QUICK = sorted(name for name in INPUTS if INPUTS[name].extensions["strawberry-definition"].from_input)
LEAVES = st.sampled_from(["", "Ada", 7, False, None, UNSET])
"""Whatever graphql-core has made of them: nothing more becomes of leaves."""


def values(type_: Any) -> st.SearchStrategy[Any]:
    """Return what graphql-core may hand over for an input type: null where it may be, and fields left out."""
    inner = get_nullable_type(type_)
    found: st.SearchStrategy[Any] = LEAVES
    if is_list_type(inner):
        found = st.lists(values(inner.of_type), max_size=2)
    elif is_input_object_type(inner):
        fields = {name: values(field.type) for name, field in inner.fields.items()}
        needed = {name for name, field in inner.fields.items() if is_non_null_type(field.type)}
        found = st.fixed_dictionaries(
            {name: fields[name] for name in fields if name in needed},
            optional={name: fields[name] for name in fields if name not in needed},
        )
    return found if is_non_null_type(type_) else st.one_of(st.none(), found)


@contextmanager
def left_to_strawberry() -> Iterator[None]:
    definitions: list[StrawberryObjectDefinition] = [one.extensions["strawberry-definition"] for one in INPUTS.values()]
    ways = [one.from_input for one in definitions]
    for one in definitions:
        one.from_input = None
    try:
        yield
    finally:
        for one, way in zip(definitions, ways, strict=True):
            one.from_input = way


def read(name: str, value: object) -> Any:
    origin = INPUTS[name].extensions["strawberry-definition"].origin
    return convert_argument(value, origin, OPEN.schema_converter.scalar_registry, OPEN.config)


@given(st.sampled_from(QUICK).flatmap(lambda name: st.tuples(st.just(name), values(INPUTS[name]))))
def test_an_input_is_read_as_strawberry_reads_it(given_: tuple[str, Any]) -> None:
    name, value = given_

    quickly = read(name, value)
    with left_to_strawberry():
        slowly = read(name, value)

    assert slowly == quickly
    assert type(slowly) is type(quickly)


def test_a_list_is_the_callers_own() -> None:
    """
    A default would be everybody's as soon as one changes it.
    """
    tags = ["vip"]

    read("CustomerInput", {"tags": tags}).tags.append("new")

    assert ["vip"] == tags


@pytest.mark.parametrize("name", ["CustomerPatch", "AddressPatch", "CustomerKey"])
def test_what_tells_absent_from_null_or_takes_one_of_many_is_left_to_strawberry(name: str) -> None:
    assert name not in QUICK


def test_what_customers_are_made_of_is_read_quickly() -> None:
    assert {"CustomerInput", "AddressFields", "DocumentFields", "FileFields", "AttributeInput"} <= set(QUICK)
