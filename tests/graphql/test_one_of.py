"""Inputs of which exactly one field is given: what is wrong with them is the client's mistake, wherever it stands."""

import pytest
from graphql import parse, specified_rules, validate

from app.graphql.one_of import OneOfVariables
from tests.api import Api, some_email
from tests.graphql.catalogue import SCHEMA
from tests.graphql.operations import create

NULLABLE = "Variable '$x' may be null, and exactly one field of CustomerKey is given. Declare it with an exclamation mark."
EXACTLY_ONE = (
    "Within OneOf Input Object type 'CustomerKey', exactly one field must be specified, and the value for that field must be "
    "non-null."
)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("query($x: ID) { customerBy(key: { id: $x }) { id } }", NULLABLE),
        ('query($x: ID = "a") { customerBy(key: { id: $x }) { id } }', NULLABLE),
        ("query($x: ID) { ...F } fragment F on Query { customerBy(key: { id: $x }) { id } }", NULLABLE),
        ("fragment F on Query { customerBy(key: { id: $x }) { id } } query($x: ID) { ...F }", NULLABLE),
        ('{ customerBy(key: { id: "a", email: "b" }) { id } }', EXACTLY_ONE),
        ("{ customerBy(key: {}) { id } }", EXACTLY_ONE),
        ("{ customerBy(key: { id: $x }) { id } }", "Variable '$x' is not defined."),
        ("fragment F on Query { customerBy(key: { id: $x }) { id } } { ...F }", "Variable '$x' is not defined."),
    ],
)
async def test_mistake_is_told_once(execute: Api, document: str, problem: str) -> None:
    answer = await execute(document)

    assert [(problem, "BAD_USER_INPUT")] == [(error["message"], error["extensions"]["code"]) for error in answer["errors"]]
    assert [problem] == [one.message for one in validate(SCHEMA, parse(document), [*specified_rules, OneOfVariables])]


@pytest.mark.parametrize("key", [{}, {"id": None}, {"id": "a", "email": "b"}, {"id": "a", "email": None}], ids=str)
async def test_variable_with_other_than_one_field_is_refused(execute: Api, key: dict[str, str | None]) -> None:
    assert "BAD_USER_INPUT" == await execute.code("query($x: CustomerKey!) { customerBy(key: $x) { id } }", {"x": key})


async def test_one_field_finds_its_customer_literally_and_by_variables(execute: Api) -> None:
    email = some_email()
    customer = await create(execute, email=email)

    found = await execute.data(
        """query($email: String!, $key: CustomerKey!) { ...Mine b: customerBy(key: $key) { id } }
          fragment Mine on Query { a: customerBy(key: { email: $email }) { id } }""",
        {"email": email, "key": {"email": email}},
    )

    assert {"a": {"id": customer["id"]}, "b": {"id": customer["id"]}} == found
