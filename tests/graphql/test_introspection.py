"""Who is told the schema, and that nobody else recovers it from error messages."""

from typing import Any

import pytest
from graphql import get_introspection_query

from app.graphql.execution import Schema
from auth.principal import Principal
from tests.graphql.alone import CLOSED, CUSTOMER, OPEN, OPERATOR, SERVICE, codes, errors, run

WAYS = {
    "plainly": "{ __schema { queryType { name } } }",
    "one type": '{ __type(name: "Customer") { name } }',
    "by alias": '{ a: __type(name: "Customer") { name } }',
    "in a fragment": "{ ...F } fragment F on Query { __schema { queryType { name } } }",
    "in an inline fragment": "{ ... on Query { ... { __schema { queryType { name } } } } }",
    "in a fragment that is skipped": "{ ...F @skip(if: true) } fragment F on Query { __schema { queryType { name } } }",
    "in a fragment that nobody uses": "{ __typename } fragment F on Query { __schema { queryType { name } } }",
    "in full": get_introspection_query(),
    "the subgraph's": "{ _service { sdl } }",
}


@pytest.mark.parametrize(
    ("principal", "code"), [(None, "UNAUTHENTICATED"), (CUSTOMER, "FORBIDDEN")], ids=["anonymous", "customer"]
)
@pytest.mark.parametrize("document", WAYS.values(), ids=WAYS)
async def test_the_schema_is_told_to_staff_only(document: str, principal: Principal | None, code: str) -> None:
    result = await run(document, schema=CLOSED, principal=principal)

    ((found, message),) = errors(result)
    assert code == found
    assert "operators and services only" in message
    assert result.data is None


async def test_it_is_refused_in_an_operation_that_is_not_asked_for() -> None:
    document = f"query A {{ __typename }} query B {WAYS['plainly']}"

    assert ["UNAUTHENTICATED"] == codes(await run(document, schema=CLOSED, operation_name="A"))


@pytest.mark.parametrize(
    ("schema", "principal"),
    [(CLOSED, OPERATOR), (CLOSED, SERVICE), (OPEN, None), (OPEN, CUSTOMER)],
    ids=["operator", "service", "anonymous in development", "customer in development"],
)
async def test_the_schema_is_told(schema: Schema, principal: Principal | None) -> None:
    result = await run(WAYS["one type"], schema=schema, principal=principal)

    assert {"__type": {"name": "Customer"}} == result.data


async def test_the_name_of_a_type_is_told_to_everybody() -> None:
    assert {"__typename": "Query"} == (await run("{ __typename }", schema=CLOSED)).data


# ---------------------------------------------------------------------------- what error messages tell

MISSES: dict[str, tuple[str, dict[str, Any]]] = {
    "a root field": ("{ customr { id } }", {}),
    "a mutation": ('mutation { deleteCustomr(id: "1") { deletedId } }', {}),
    "a field": ('{ customer(id: "1") { emai } }', {}),
    "selections of an object": ('{ customer(id: "1") }', {}),
    "an argument": ('{ customer(idd: "1") { id } }', {}),
    "an argument of a directive": ("{ __typename @skip(iff: true) }", {}),
    "a directive": ("{ __typename @skp(if: true) }", {}),
    "a type": ("{ ...F } fragment F on Custome { id }", {}),
    "a type of a variable": ("query($a: CustomerFiltr) { customers(filter: $a) { totalCount } }", {}),
    "an enum's value": ("{ customers(sort: NAME_AS) { totalCount } }", {}),
    "an enum's value as a text": ('{ customers(sort: "NAME_ASC") { totalCount } }', {}),
    "an enum's value in a variable": ("query($a: CustomerSort) { customers(sort: $a) { totalCount } }", {"a": "NAME_AS"}),
    "an input's field": ("{ customers(filter: {emal: 1}) { totalCount } }", {}),
    "an input's field in a variable": (
        "query($a: CustomerFilter) { customers(filter: $a) { totalCount } }",
        {"a": {"extrnalId": "x"}},
    ),
    "a field of another type": ('{ node(id: "1") { email } }', {}),
}


@pytest.mark.parametrize(("document", "variables"), MISSES.values(), ids=MISSES)
@pytest.mark.parametrize("principal", [None, CUSTOMER], ids=["anonymous", "customer"])
async def test_nobody_is_told_what_it_may_have_meant(
    document: str, variables: dict[str, Any], principal: Principal | None
) -> None:
    for _ in range(2):  # the second time, from what is known of the document
        result = await run(document, variables, schema=CLOSED, principal=principal)

        assert {"BAD_USER_INPUT"} == set(codes(result))
        assert not [message for _, message in errors(result) if "Did you mean" in message or "did you mean" in message]


@pytest.mark.parametrize("name", ["a root field", "an argument", "an enum's value in a variable"])
async def test_operators_are_told(name: str) -> None:
    document, variables = MISSES[name]
    # Strangers first: what they were told is not what is kept.
    await run(document, variables, schema=CLOSED)

    assert "Did you mean" in errors(await run(document, variables, schema=CLOSED, principal=OPERATOR))[0][1]


def near(name: str) -> list[str]:
    """Return names that are nearly *name*, as a word list would have them."""
    return [name[:-1], name + "s", name + "x", name[1:], name[:1] + name[2:], name.lower() + "_", name[::-1]]


async def test_strangers_are_not_told_what_does_not_fit() -> None:
    """
    Neither what there is nor what there is not: a word list learns no more from a hit than from a miss.
    """
    documents = [
        "{ customers }",
        "{ nothing }",
        "{ viewer { kind nothing } }",
        "{ node { id } }",
        "{ customers { nodes { id: x } } }",
    ]

    told = [errors(await run(document, schema=CLOSED)) for document in documents]

    assert 1 == len({str(one) for one in told})
    (((code, message),), *_) = told
    assert "BAD_USER_INPUT" == code
    assert "access token" in message


async def test_near_misses_of_every_root_field_recover_none() -> None:
    """
    In the spirit of Clairvoyance: it sends word lists, and collects the names in the answers.
    """
    fields = set((await _fields("Query")) + (await _fields("Customer")))
    guesses = sorted({guess for name in fields for guess in near(name)} - fields)
    told = set()
    for start in range(0, len(guesses), 10):
        some = guesses[start : start + 10]
        for document in (f"{{ {' '.join(some)} }}", f'{{ customer(id: "1") {{ {" ".join(some)} }} }}'):
            found = errors(await run(document, schema=CLOSED, principal=CUSTOMER))
            told |= {word for _, message in found for word in message.split("'")[1::2]} - set(some)

    assert told <= {"Query", "Customer"}
    assert len(guesses) > 100


async def _fields(type_: str) -> list[str]:
    found = await run(f'{{ __type(name: "{type_}") {{ fields {{ name }} }} }}')
    return [field["name"] for field in (found.data or {})["__type"]["fields"]]
