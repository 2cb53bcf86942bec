"""What an operation costs before it runs, with its variables, and that nobody gets round it."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse, validate

from app.graphql.document_cost import MAX_COST, compiled
from app.graphql.quotas import Quotas
from app.graphql.rules import OperationRules
from app.graphql.schema import build_schema
from core.errors import BadInput
from tests.api import Api
from tests.graphql.alone import CUSTOMER, OPEN, OPERATOR, codes, errors, run

SCHEMA = OPEN._schema


def cost(document: str, variables: dict[str, Any] | None = None) -> int:
    tree = parse(document)
    assert [] == validate(SCHEMA, tree)
    (operation,) = [one for one in tree.definitions if isinstance(one, OperationDefinitionNode)]
    return compiled(SCHEMA, tree, operation).of(variables or {})


PAGE = "{ customers(first: %s) { %s } }"
INSIDE = "id fullName tags addresses { id city } documents { id type status }"

COSTS = {
    "scalars": ("{ __typename }", 0),
    "an object": ('{ customer(id: "1") { id email tags } }', 1),
    "a list without a size": ('{ customer(id: "1") { addresses { id } } }', 1 + 3),
    "a list in a list": ('{ customer(id: "1") { addresses { customer { id } } } }', 1 + 3 * 2),
    "an object in a list": ('{ customer(id: "1") { documents { file { name } } } }', 1 + 3 * 2),
    "a page": ("{ customers(first: 7) { nodes { id } } }", 1 + 7),
    "a page from the end": ("{ customers(last: 7) { nodes { id } } }", 1 + 7),
    "a page without a size": ("{ customers { nodes { id } } }", 1 + 20),
    "a page with null for a size": ("{ customers(first: null) { nodes { id } } }", 1 + 20),
    "a page with a default size": ('{ bulkImport(id: "1") { errors { nodes { row } } } }', 1 + 1 + 50),
    "a page by edges": ("{ customers(first: 7) { edges { node { id } } } }", 1 + 7 * 2),
    "a page by both": ("{ customers(first: 7) { nodes { id } edges { node { id } } } }", 1 + 7 * 3),
    "a page's place": ("{ customers(first: 7) { pageInfo { hasNextPage } } }", 1 + 1),
    "a count": ("{ customers(first: 7) { totalCount } }", 1 + 150),
    "a search": ('{ customers(first: 7, filter: {search: "ada", tags: ["vip"]}) { nodes { id } } }', 1 + 50 + 50 + 7),
    "a search for nothing": ('{ customers(first: 7, filter: {search: "", tags: null}) { nodes { id } } }', 1 + 7),
    "a way back to the same list": (
        '{ customer(id: "1") { addresses { customer { addresses { id } } } } }',
        1 + 3 * (1 + 1 + 100),
    ),
    "a way back through a page": (
        '{ customer(id: "1") { documents { customer { history(first: 2) { nodes { customer { addresses { id } } } } } } } }',
        1 + 3 * (1 + 1 + 1 + 2 * (1 + 1 + 100)),
    ),
    "a page in a page": ("{ customers(first: 7) { nodes { history(first: 5) { nodes { id } } } } }", 1 + 7 * (1 + 1 + 5)),
    "the best of a search": ('{ customer(id: "1") { possibleDuplicates { customer { id } } } }', 1 + 50 + 10 * 2),
    "the best few of a search": (
        '{ customer(id: "1") { possibleDuplicates(first: 3) { score customer { id } } } }',
        1 + 50 + 3 * 2,
    ),
    "as many ids as are given": ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
    "one id for a list": ('{ nodes(ids: "a") { id } }', 1),
    "a filter by ids": ('{ customers(filter: {ids: ["a", "b"]}) { nodes { id } } }', 1 + 2),
    "a filter by more ids than a page has": (
        "{ customers(first: 5, filter: {ids: [" + '"a"' * 9 + "]}) { nodes { id } } }",
        1 + 5,
    ),
    "another filter": ('{ customers(filter: {email: "a"}) { nodes { id } } }', 1 + 20),
    "the dearest type": (
        """{ node(id: "1") { id ... on Customer { addresses { id } }
          ... on Document { customer { addresses { id } documents { id } } } } }""",
        1 + 1 + 3 + 3,
    ),
    "merged fields": (
        """{ customer(id: "1") { ...A ...B } } fragment A on Customer { addresses { id } }
          fragment B on Customer { addresses { id city } documents { id } }""",
        1 + 3 + 3,
    ),
    "fields that are not merged": ('{ a: customer(id: "1") { id } b: customer(id: "1") { id } }', 2),
    "a fragment in a fragment": (
        """{ customer(id: "1") { ...A } } fragment A on Customer { ...B }
          fragment B on Node { ... on Customer { addresses { id } } }""",
        1 + 3,
    ),
    "a mutation": ('mutation { deleteCustomer(id: "1") { deletedId } }', 10),
    "two mutations": (
        'mutation { deleteCustomer(id: "1") { deletedId } deleteAddress(id: "2") { deletedId userErrors { code } } }',
        10 + 10 + 3,
    ),
    "an event": ('subscription { bulkImportProgress(id: "1") { errors(first: 5) { nodes { row } } } }', 1 + 1 + 5),
    "introspection": ("{ __schema { types { fields { name } } } }", 3),
    "skipped for good": ('{ customer(id: "1") { addresses @skip(if: true) { id } } }', 1 + 3),
}


@pytest.mark.parametrize(("document", "expected"), COSTS.values(), ids=COSTS)
def test_costs(document: str, expected: int) -> None:
    assert expected == cost(document)


SIZED = "query($n: Int) { customers(first: $n) { nodes { id } } }"
DEFAULT = "query($n: Int = 7) { customers(first: $n) { nodes { id } } }"
ERRORS = 'query($n: Int) { bulkImport(id: "1") { errors(first: $n) { nodes { row } } } }'
IDS = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
FILTERED = "query($f: CustomerFilter) { customers(filter: $f) { nodes { id } } }"
FILTERED_IDS = "query($ids: [ID!]) { customers(filter: {ids: $ids}) { nodes { id } } }"
NODE = """query($n: Int!) {
  node(id: 1) { ... on Customer { history(first: $n) { nodes { id } } } ... on Document { customer { id } } }
}"""


@pytest.mark.parametrize(
    ("document", "variables", "expected"),
    [
        (SIZED, {"n": 50}, 1 + 50),
        (SIZED, {"n": 50.0}, 1 + 50),
        (SIZED, {"n": None}, 1 + 20),
        (SIZED, {}, 1 + 20),
        (SIZED, {"n": "many"}, 1 + 20),
        (DEFAULT, {}, 1 + 7),
        (DEFAULT, {"n": None}, 1 + 20),
        (DEFAULT, {"n": 9}, 1 + 9),
        (ERRORS, {}, 1 + 1 + 50),
        (ERRORS, {"n": 2}, 1 + 1 + 2),
        (IDS, {"ids": ["a"] * 30}, 30),
        (IDS, {"ids": "a"}, 1),
        (IDS, {}, 0),
        (FILTERED, {"f": {"ids": ["a", "b"]}}, 1 + 2),
        (FILTERED, {"f": {"email": "a"}}, 1 + 20),
        (FILTERED, {"f": {"search": "ada"}}, 1 + 50 + 20),
        (FILTERED, {"f": {"search": "ada", "tags": ["vip"]}}, 1 + 50 + 50 + 20),
        (FILTERED, {"f": None}, 1 + 20),
        (FILTERED, {"f": "nonsense"}, 1 + 20),
        (FILTERED_IDS, {"ids": ["a", "b", "c"]}, 1 + 3),
        (FILTERED_IDS, {}, 1 + 20),
        (NODE, {"n": 40}, 1 + 1 + 40),
    ],
)
def test_costs_with_variables(document: str, variables: dict[str, Any], expected: int) -> None:
    assert expected == cost(document, variables)


BAD_SIZES = [1_000_000, 101, 0, -1, -1_000_000, 2**40]


@pytest.mark.parametrize("size", BAD_SIZES)
@pytest.mark.parametrize("argument", ["first", "last"])
def test_a_size_that_no_page_has_is_refused_as_literal_and_as_variable(size: int, argument: str) -> None:
    words = f"{argument} has to be between 1 and 100; it is {size}"
    tree = parse(f"{{ customers({argument}: {size}) {{ totalCount }} }}")
    (operation,) = tree.definitions
    assert isinstance(operation, OperationDefinitionNode)
    literal = compiled(SCHEMA, tree, operation)

    for _ in range(2):
        with pytest.raises(BadInput, match=words):
            literal.of({})
    with pytest.raises(BadInput, match=words):
        cost(f"query($n: Int) {{ customers({argument}: $n) {{ totalCount }} }}", {"n": size})


@pytest.mark.parametrize("hidden", ["@skip(if: true)", "@include(if: false)"])
async def test_it_is_refused_before_anything_is_executed(hidden: str) -> None:
    document = f"query($n: Int) {{ viewer {{ kind }} customers(first: $n) {hidden} {{ nodes {{ id }} }} }}"

    result = await run(document, {"n": 1_000_000}, principal=OPERATOR)

    assert [("BAD_USER_INPUT", "first has to be between 1 and 100; it is 1000000. Page on with cursors.")] == errors(result)
    assert result.data is None


@pytest.mark.parametrize("by", ["nodes { %s }", "edges { cursor node { %s } }"])
def test_a_page_of_a_hundred_customers_with_addresses_and_documents_is_affordable(by: str) -> None:
    assert cost(PAGE % (100, by % INSIDE + " pageInfo { hasNextPage }")) <= MAX_COST


DEEP = "customers(first: 100) { nodes { documents { customer { documents { customer { documents { id } } } } } } }"


@pytest.mark.parametrize("condition", ["", "@include(if: $yes)", "@skip(if: $yes)"])
async def test_what_is_too_dear_is_refused_with_the_figures_whatever_is_left_out(condition: str) -> None:
    declared = "query($yes: Boolean = false)" if condition else "query"
    document = f"{declared} {{ {DEEP.replace(') {', f') {condition} {{', 1)} }}"

    result = await run(document, principal=CUSTOMER)

    (error,) = result.errors or []
    extensions = error.extensions or {}
    assert ("QUERY_TOO_COMPLEX", 1 + 100 * (1 + 3 * (2 + 100 * (2 + 100))), MAX_COST) == (
        extensions["code"],
        extensions["cost"],
        extensions["maximumCost"],
    )
    assert "3,060,701 points" in error.message
    assert result.extensions in ({}, None)


DEAR = """query($n: Int!) {
  customers(first: 99) { nodes { history(first: 7) { nodes { id } } } }
  addresses(first: $n) { nodes { id } }
  viewer { kind }
}"""


async def test_the_limit_is_met_exactly() -> None:
    """
    1 + 99 x 9 for the customers, 1 + 100 for the addresses, 1 for the viewer, and 6 more.
    """
    more = DEAR.replace("kind", "kind customer { id addresses { id } }")
    edge = more.replace("addresses { id } }", "addresses { id } onboarding { complete } }")
    assert (994, 998, 999) == (cost(DEAR, {"n": 100}), cost(more, {"n": 100}), cost(edge, {"n": 100}))

    exactly = edge.replace("complete }", "complete } defaultAddress(kind: BILLING) { id }")
    assert "QUERY_TOO_COMPLEX" not in codes(await run(exactly, {"n": 100}))
    beyond = exactly.replace("defaultAddress", "other: defaultAddress(kind: SHIPPING) { id } defaultAddress")
    assert ["QUERY_TOO_COMPLEX"] == codes(await run(beyond, {"n": 100}))


async def test_the_cost_stands_in_the_answer_of_whatever_is_executed() -> None:
    schema = build_schema()
    schema.quotas = Quotas(1000, 50, clock=lambda: 0.0)

    result = await run("{ viewer { kind } }", principal=OPERATOR, schema=schema)

    throttle = {"maximumAvailable": 1000, "currentlyAvailable": 999, "restoreRate": 50}
    assert {"cost": {"requestedQueryCost": 1, "throttleStatus": throttle}} == result.extensions


@pytest.mark.parametrize("document", ["{ nothing }", "{", "{ a a a a a a a a a a a }"])
async def test_what_is_refused_earlier_has_no_cost(document: str) -> None:
    assert not (await run(document)).extensions


async def test_a_known_document_costs_what_its_variables_make_of_it() -> None:
    schema = build_schema(OperationRules(seller_points=1000, seller_points_per_second=1))
    schema.quotas = Quotas(100_000, 1, clock=lambda: 0.0)

    for size in (1, 100, 7):
        result = await run(SIZED, {"n": size}, schema=schema)
        assert 1 + size == (result.extensions or {})["cost"]["requestedQueryCost"]


async def test_the_cost_is_answered_over_http(execute: Api) -> None:
    answer = await execute.http.post("/graphql", json={"query": SIZED, "variables": {"n": 30}}, headers=execute.headers())

    assert 31 == answer.json()["extensions"]["cost"]["requestedQueryCost"]


async def test_a_size_that_no_page_has_is_refused_over_http(execute: Api) -> None:
    answer = await execute(SIZED, {"n": 1_000_000})

    assert ["BAD_USER_INPUT"] == [error["extensions"]["code"] for error in answer["errors"]]
    assert answer.get("data") is None
