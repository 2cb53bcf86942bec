"""This service as a subgraph of Apollo Federation 2: entities by their ids with the walls of `node`, and the subgraph's SDL."""

import asyncio
from typing import Any

import pytest
from graphql import (
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    parse,
    print_ast,
)

from auth.principal import Scope
from core.ids import IdKind, new_id
from core.paging import MAX_PAGE_SIZE
from core.vocabulary import PrincipalKind
from tests.api import Api, Commands, Json, Tokens, fresh
from tests.graphql.operations import BERLIN, DELETE, UNKNOWN_IDS, create, payload
from tests.graphql.test_query_budget import READS
from tests.house import ROOT

ENTITIES = """query($representations: [_Any!]!) { _entities(representations: $representations) { __typename
  ... on Customer { id fullName } ... on Address { id city } ... on Document { id type } } }"""
SUBGRAPH = (ROOT / "schema" / "subgraph.graphql").read_text(encoding="utf-8")


def reference(type_: object, id_: object) -> Json:
    """Return a reference as a gateway writes it."""
    return {"__typename": type_, "id": id_}


async def entities(execute: Api, *representations: Json, as_: str = "") -> list[Json | None]:
    """Return what a gateway gets."""
    found: list[Json | None] = (await execute.data(ENTITIES, {"representations": representations}, as_=as_))["_entities"]
    return found


async def belongings(execute: Api, as_: str = "") -> list[Json]:
    """Return references to a new customer, its address and its document."""
    customer = await create(execute, as_=as_, firstName="Ada", addresses=[BERLIN], documents=[{"type": "PASSPORT"}])
    return [
        reference("Customer", customer["id"]),
        reference("Address", customer["addresses"][0]["id"]),
        reference("Document", customer["documents"][0]["id"]),
    ]


# ------------------------------------------------------------------------------ finding


async def test_entities_come_in_the_order_of_their_references(execute: Api) -> None:
    customer, address, document = await belongings(execute)

    assert [
        {"__typename": "Document", "id": document["id"], "type": "PASSPORT"},
        {"__typename": "Customer", "id": customer["id"], "fullName": "Ada"},
        None,
        {"__typename": "Address", "id": address["id"], "city": "Berlin"},
        {"__typename": "Customer", "id": customer["id"], "fullName": "Ada"},
    ] == await entities(execute, document, customer, reference("Customer", new_id(IdKind.CUSTOMER)), address, customer)


async def test_no_references_are_answered_with_none(execute: Api) -> None:
    assert [] == await entities(execute)


async def test_reference_may_carry_more_and_be_written_in_the_document(execute: Api) -> None:
    customer, *_ = await belongings(execute)

    found = await execute.data(
        """query($id: ID!) { _entities(representations: [{ __typename: "Customer", id: $id, points: [1, { a: null }] }]) {
          ... on Customer { id } } }""",
        {"id": customer["id"]},
    )

    assert [{"id": customer["id"]}] == found["_entities"]


async def test_hundred_customers_with_addresses_and_documents_cost_a_query_of_each(execute: Api, commands: Commands) -> None:
    """
    However many there are of one type, and however they are mixed.
    """
    made = await asyncio.gather(*(belongings(execute) for _ in range(60)))
    wanted = [one[0] for one in made] + [one[1] for one in made[:20]] + [one[2] for one in made[20:40]]
    assert MAX_PAGE_SIZE == len(wanted)
    commands.forget()

    found = await entities(execute, *wanted)

    assert [one["id"] for one in wanted] == [one and one["id"] for one in found]
    assert ["addresses", "customers", "documents"] == sorted(commands.of_requests(*READS))


# ------------------------------------------------------------------------------- walls


async def test_what_another_seller_has_is_null(execute: Api, tokens: Tokens) -> None:
    theirs = await belongings(execute, as_=tokens.operator(fresh("seller")))

    assert [None, None, None] == await entities(execute, *theirs)


async def test_customer_gets_itself_and_nobody_else(execute: Api, tokens: Tokens, seller: str) -> None:
    mine, theirs = await belongings(execute), await belongings(execute)

    found = await entities(execute, *mine, *theirs, as_=tokens.customer(mine[0]["id"], seller))

    assert [one["id"] for one in mine] == [one and one["id"] for one in found[:3]]
    assert [None, None, None] == found[3:]


async def test_service_gets_what_every_seller_has(execute: Api, tokens: Tokens) -> None:
    wanted = [*await belongings(execute), *await belongings(execute, as_=tokens.operator(fresh("seller")))]

    assert [one["id"] for one in wanted] == [
        one and one["id"] for one in await entities(execute, *wanted, as_=tokens.service())
    ]


async def test_deleted_is_null(execute: Api) -> None:
    mine = await belongings(execute)
    await payload(execute, DELETE, {"id": mine[0]["id"]})

    assert [None, None, None] == await entities(execute, *mine)


@pytest.mark.parametrize(
    ("missing", "left"),
    [(Scope.CUSTOMERS_READ, ["Document"]), (Scope.DOCUMENTS_READ, ["Customer", "Address"])],
)
async def test_what_the_scopes_do_not_show_is_null(
    execute: Api, tokens: Tokens, seller: str, missing: Scope, left: list[str]
) -> None:
    mine = await belongings(execute)
    token = tokens.operator(seller, set(Scope) - {missing})

    found = [one["__typename"] for one in await entities(execute, *mine, as_=token) if one is not None]

    assert left == found


@pytest.mark.parametrize("representations", [[], [reference("Customer", "cus_1")], [{}]], ids=str)
async def test_nobody_gets_anything_without_a_token(execute: Api, representations: list[Json]) -> None:
    """
    Not even told what a reference has to look like.
    """
    assert "UNAUTHENTICATED" == await execute.code(ENTITIES, {"representations": representations}, as_=None)


async def test_the_walls_are_those_of_node(execute: Api, tokens: Tokens, seller: str) -> None:
    """
    Whoever asks, and whatever it asks for.
    """
    mine, others = await belongings(execute), await belongings(execute)
    wanted = [*mine, *others, *await belongings(execute, as_=tokens.operator(fresh("seller")))]
    ids = [one["id"] for one in wanted]
    customer = tokens.customer(mine[0]["id"], seller)
    callers = [tokens.operator(seller, {scope}) for scope in Scope] + [customer, tokens.service(), tokens.operator("another")]
    bound = tokens._mint(PrincipalKind.SERVICE, "oms", None, seller_id=seller)

    for token in [*callers, bound]:
        nodes = (await execute.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids}, as_=token))["nodes"]
        found = await entities(execute, *wanted, as_=token)
        assert [one and one["id"] for one in nodes] == [one and one["id"] for one in found]


# -------------------------------------------------------------------------- wrong input


async def test_id_of_another_type_is_null(execute: Api) -> None:
    customer, address, document = await belongings(execute)

    assert [None, None, None, None] == await entities(
        execute,
        reference("Customer", address["id"]),
        reference("Address", document["id"]),
        reference("Document", customer["id"]),
        reference("Customer", new_id(IdKind.SESSION)),
    )


async def test_id_that_names_nothing_is_null_and_costs_no_query(execute: Api, commands: Commands) -> None:
    wanted = [reference(type_, id_) for type_ in ("Customer", "Address", "Document") for id_ in UNKNOWN_IDS]
    commands.forget()

    assert [None] * len(wanted) == await entities(execute, *wanted)
    assert [] == commands.of_requests(*READS)


NO_ID = "Representation 1 has no id. Send the id of the Customer as a string; it is the key."
NO_TYPE = "Representation 1 names no entity of this subgraph. Its __typename is one of Address, Customer, Document."


@pytest.mark.parametrize(
    ("malformed", "problem"),
    [
        ({"__typename": "Customer"}, NO_ID),
        (reference("Customer", None), NO_ID),
        (reference("Customer", 1), NO_ID),
        (reference("Customer", ["cus"]), NO_ID),
        (reference("Customer", {"$ne": None}), NO_ID),
        ({"__typename": "Customer", "email": "ada@example.com"}, NO_ID),
        ({"id": "cus_1"}, NO_TYPE),
        (reference(None, "cus_1"), NO_TYPE),
        (reference(["Customer"], "cus_1"), NO_TYPE),
        (reference({}, "cus_1"), NO_TYPE),
        (reference("Order", "cus_1"), NO_TYPE),
        (reference("customer", "cus_1"), NO_TYPE),
        (reference("Query", "cus_1"), NO_TYPE),
        (reference("BulkImport", "imp_1"), NO_TYPE),
        (reference("CustomerFilter", "cus_1"), NO_TYPE),
        ("Customer", NO_TYPE),
        (7, NO_TYPE),
        (True, NO_TYPE),
        ([reference("Customer", "cus_1")], NO_TYPE),
        ([], NO_TYPE),
    ],
    ids=lambda one: str(one)[:60] if not isinstance(one, str) else "",
)
async def test_what_is_no_reference_is_refused_with_its_place(execute: Api, malformed: Any, problem: str) -> None:
    customer, *_ = await belongings(execute)

    answer = await execute(ENTITIES, {"representations": [customer, malformed]})

    assert [(problem, "BAD_USER_INPUT")] == [(error["message"], error["extensions"]["code"]) for error in answer["errors"]]
    assert answer["data"] is None


@pytest.mark.parametrize("given", [None, [None], "{}"], ids=str)
async def test_list_of_nothing_is_refused(execute: Api, given: Any) -> None:
    assert "BAD_USER_INPUT" == await execute.code(ENTITIES, {"representations": given})


async def test_more_than_a_page_is_refused(execute: Api, commands: Commands) -> None:
    wanted = [reference("Customer", new_id(IdKind.CUSTOMER)) for _ in range(MAX_PAGE_SIZE + 1)]
    commands.forget()

    assert "BAD_USER_INPUT" == await execute.code(ENTITIES, {"representations": wanted})
    assert [] == commands.of_requests(*READS)
    assert [None] * MAX_PAGE_SIZE == await entities(execute, *wanted[:-1])


# ------------------------------------------------------------------------------- schema


async def test_subgraph_tells_its_schema(execute: Api) -> None:
    assert SUBGRAPH == (await execute.data("{ _service { sdl } }", as_=None))["_service"]["sdl"]


def test_subgraph_declares_its_entities() -> None:
    document = parse(SUBGRAPH)
    types = {one.name.value: one for one in document.definitions if isinstance(one, TypeDefinitionNode)}
    (head,) = (one for one in document.definitions if isinstance(one, SchemaDefinitionNode))

    applied = {name: [print_ast(one) for one in type_.directives or ()] for name, type_ in types.items()}
    assert {
        "Address": ['@key(fields: "id")'],
        "Customer": ['@key(fields: "id")'],
        "Document": ['@key(fields: "id")'],
        "PageInfo": ["@shareable"],
        "CustomerKey": ["@oneOf"],
    } == {name: found for name, found in applied.items() if found and not found[0].startswith("@specifiedBy")}
    assert ['@link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])'] == [
        print_ast(one) for one in head.directives or ()
    ]


def test_subgraph_leaves_to_gateways_what_they_add() -> None:
    document = parse(SUBGRAPH)
    names = {one.name.value for one in document.definitions if isinstance(one, TypeDefinitionNode)}
    (query,) = (one for one in document.definitions if isinstance(one, ObjectTypeDefinitionNode) and one.name.value == "Query")

    assert set() == {name for name in names if name.startswith(("_", "link__"))}
    assert {"node", "customer"} < {field.name.value for field in query.fields or ()}
    assert set() == {"_entities", "_service"} & {field.name.value for field in query.fields or ()}


async def test_gateways_find_the_fields_they_need(execute: Api) -> None:
    """
    As the specification of subgraphs has them.
    """
    told = await execute.data(
        """{ query: __type(name: "Query") { fields { name args { name type { ...T } } type { ...T } } }
          entity: __type(name: "_Entity") { kind possibleTypes { name } }
          any: __type(name: "_Any") { kind } service: __type(name: "_Service") { fields { name type { ...T } } } }
        fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }"""
    )

    fields = {field["name"]: field for field in told["query"]["fields"]}
    assert "[_Entity]!" == written(fields["_entities"]["type"])
    assert [("representations", "[_Any!]!")] == [(one["name"], written(one["type"])) for one in fields["_entities"]["args"]]
    assert "_Service!" == written(fields["_service"]["type"])
    assert {"Address", "Customer", "Document"} == {one["name"] for one in told["entity"]["possibleTypes"]}
    assert ("UNION", "SCALAR") == (told["entity"]["kind"], told["any"]["kind"])
    assert [("sdl", "String!")] == [(one["name"], written(one["type"])) for one in told["service"]["fields"]]


def written(type_: Json) -> str:
    """Return a type of introspection as SDL writes it."""
    if type_["kind"] == "NON_NULL":
        return f"{written(type_['ofType'])}!"
    return f"[{written(type_['ofType'])}]" if type_["kind"] == "LIST" else str(type_["name"])
