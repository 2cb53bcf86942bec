"""Federation: @apollo/composition composes this subgraph with one that extends its customers, without a hint."""

import pytest

from tests.api import Api, Json
from tests.conformance.node import HERE, script
from tests.graphql.operations import create
from tests.house import ROOT

ORDERS = (HERE / "federation" / "orders.graphql").read_text(encoding="utf-8")

ENTITIES = """query($representations: [_Any!]!) { _entities(representations: $representations) {
  __typename ... on Customer { id fullName } } }"""


async def composed(sdl: str) -> dict[str, list[Json]]:
    """Compose this service's *sdl* with the other subgraph; return what was told, by kind."""
    told: dict[str, list[Json]] = {"error": [], "hint": [], "supergraph": []}
    for line in await script("federation", subgraphs={"customers": sdl, "orders": ORDERS}):
        told[line.pop("what")].append(line)
    return told


@pytest.mark.parametrize("source", ["file", "server"])
async def test_subgraph_composes_with_another_that_extends_customers(execute: Api, source: str) -> None:
    if source == "file":
        sdl = (ROOT / "schema" / "subgraph.graphql").read_text(encoding="utf-8")
    else:
        sdl = (await execute.data("{ _service { sdl } }"))["_service"]["sdl"]

    told = await composed(sdl)

    assert [] == told["error"]
    assert [] == [hint for hint in told["hint"] if hint["level"] in {"ERROR", "WARN"}]
    (supergraph,) = told["supergraph"]
    assert {"fullName", "orders"} <= set(supergraph["customer"])
    assert {"customers", "order"} <= set(supergraph["query"])
    assert not {"_entities", "_service"} & set(supergraph["query"])


async def test_subgraph_without_its_keys_does_not_compose() -> None:
    """
    The test above could not fail if composition took anything.
    """
    sdl = (ROOT / "schema" / "subgraph.graphql").read_text(encoding="utf-8")

    told = await composed(sdl.replace('@key(fields: "id")', ""))

    assert [] == told["supergraph"]
    assert [] != told["error"]


async def test_reference_of_the_other_subgraph_finds_the_customer(execute: Api) -> None:
    """
    What a gateway sends after it has read `order { customer { fullName } }` elsewhere.
    """
    customer = await create(execute, firstName="Ada", lastName="Lovelace")

    found = await execute.data(ENTITIES, {"representations": [{"__typename": "Customer", "id": customer["id"]}]})

    assert [{"__typename": "Customer", "id": customer["id"], "fullName": "Ada Lovelace"}] == found["_entities"]
