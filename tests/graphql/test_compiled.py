"""What operations are answered by their compiled form is what the reference executor answers, byte by byte."""

import asyncio
import os
import random
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    OperationDefinitionNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse,
    print_ast,
    separate_operations,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from app.container import Container
from app.graphql.ready_operations import load_ready_operations
from app.graphql.response import body_of
from app.graphql.schema import build_schema
from auth.principal import SCOPES, Principal, Scope
from compiled_graphql.contract import Unsupported
from core.vocabulary import PrincipalKind
from schema.context import Context
from tests.api import Api, Json
from tests.compiled_graphql.answers import assert_alike
from tests.graphql.operations import BERLIN, LONDON, create
from tests.house import ROOT

EXAMPLES = int(os.environ.get("EQUALITY_EXAMPLES", "150"))
"""How many operations are made up. A night's worth: ``EQUALITY_EXAMPLES=20000``."""

COMPILED = build_schema()
REFERENCE = build_schema()

Seeded = Mapping[str, str]


@pytest.fixture(name="seeded")
async def _seeded(execute: Api) -> Seeded:
    """The ids of a customer with addresses and documents, in the company of others."""
    passport = {"type": "PASSPORT", "number": "P1234567", "issuingCountry": "DE"}
    one = await create(execute, firstName="Ada", tags=["vip"], addresses=[BERLIN, LONDON, BERLIN], documents=[passport])
    for number in range(3):
        await create(execute, lastName=f"Nobody {number}", addresses=[LONDON] * number)
    return {"customer": one["id"], "address": one["addresses"][0]["id"], "document": one["documents"][0]["id"]}


class Both:
    """Executes operations twice, by either executor."""

    def __init__(self, container: Container, seller: str) -> None:
        self._services = container.services
        self._seller = seller

    def principal(self, *scopes: Scope) -> Principal:
        kind = PrincipalKind.OPERATOR
        return Principal(kind, "ada", frozenset(scopes) or SCOPES[kind], self._seller)

    async def __call__(self, text: str, variables: Json, principal: Principal | None = None) -> Json:
        """Return the answer, which is the same for both, byte by byte."""
        reference, compiled = await self.answers(text, variables, principal or self.principal())
        assert orjson.dumps(reference) == orjson.dumps(compiled)
        return compiled

    async def answers(self, text: str, variables: Json, principal: Principal) -> tuple[Json, Json]:
        """Return both answers, without what is made up for each."""
        # Two of three at a time come in company, and are executed together where that is possible.
        times = 3 if operation_of(text).operation.value == "query" else 1
        compiled, *others = await asyncio.gather(*(self._answer(COMPILED, text, variables, principal) for _ in range(times)))
        assert all(orjson.dumps(other) == orjson.dumps(compiled) for other in others)
        with patch("app.graphql.compiled_execution.CompiledOperation", side_effect=Unsupported("test")):
            return await self._answer(REFERENCE, text, variables, principal), compiled

    async def _answer(self, schema: Any, text: str, variables: Json, principal: Principal) -> Json:
        result = await schema.execute(
            text,
            variable_values=variables,
            context_value=Context(self._services, request_id="both", principal=principal),
        )
        body = body_of(result)
        body.pop("extensions", None)
        for error in body.get("errors", ()):
            error["extensions"].pop("errorId", None)
        return body


@pytest.fixture(name="both")
def _both(container: Container, seller: str) -> Both:
    return Both(container, seller)


def fallbacks(reason: str) -> float:
    return REGISTRY.get_sample_value("graphql_fallback_total", {"reason": reason}) or 0


# ---------------------------------------------------------------------------- operations that people wrote

CUSTOMER_ID = "cus_01m82c4ykgergbr9bz5f1r0xgf"


def written() -> Iterator[tuple[str, str]]:
    """Yield the operations of the conformance suite and those of the playground, by name."""
    folder = ROOT / "tests" / "conformance" / "operations"
    texts = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.graphql")))
    for name, document in separate_operations(parse(texts)).items():
        yield name, print_ast(document)
    for operation in load_ready_operations():
        (name,) = separate_operations(parse(operation.query))
        yield f"ready {name}", operation.query


WRITTEN = dict(written())


def operation_of(text: str) -> OperationDefinitionNode:
    (found,) = [one for one in parse(text).definitions if isinstance(one, OperationDefinitionNode)]
    return found


READS = {name: text for name, text in WRITTEN.items() if operation_of(text).operation.value == "query"}
WRITES = {name: text for name, text in WRITTEN.items() if operation_of(text).operation.value == "mutation"}

MAKING = {"CreateCustomer", "UpsertCustomer", "CreateImport"}

VALUES: dict[str, Any] = {
    "filter": {"tags": ["vip"]},
    "key": {"externalId": "none"},
    "addresses": {"kind": "SHIPPING"},
    "documents": {"type": "PASSPORT"},
    "input": {},
    "patch": {},
    "approve": True,
    "channel": "EMAIL",
    "status": "RUNNING",
    "email": "ada@example.com",
}


def variables_for(text: str, seeded: Seeded) -> Json:
    """Return values for an operation's variables, for mutations such as name nothing there is: twice is as once then."""
    reads = operation_of(text).operation.value == "query"
    ids = dict(seeded) if reads else {}
    values: Json = {}
    for definition in operation_of(text).variable_definitions or ():
        name, type_ = definition.variable.name.value, print_ast(definition.type)
        if definition.default_value is not None:
            continue
        if "[ID!]" in type_:
            values[name] = [*seeded.values(), CUSTOMER_ID, "nothing"]
        elif type_.startswith("ID"):
            values[name] = ids.get("customer" if name == "id" else name, CUSTOMER_ID)
        elif name in VALUES:
            values[name] = VALUES[name]
        elif type_.endswith("!"):
            values[name] = 1 if type_ == "Int!" else "text"
    return values


@pytest.mark.parametrize("name", READS)
async def test_every_query_of_the_corpus_is_answered_alike(both: Both, seeded: Seeded, name: str) -> None:
    assert "data" in await both(READS[name], variables_for(READS[name], seeded))


@pytest.mark.parametrize("name", WRITES)
async def test_every_mutation_of_the_corpus_is_refused_alike(both: Both, seeded: Seeded, name: str) -> None:
    """
    Those that would make something new are sent by somebody who may not: ids differ.
    """
    caller = both.principal(Scope.CUSTOMERS_READ) if str(name).split()[-1] in MAKING else both.principal()

    assert await both(WRITES[name], variables_for(WRITES[name], seeded), caller)


# ---------------------------------------------------------------------------- errors, permissions, and what falls back


@pytest.mark.parametrize("scope", [Scope.CUSTOMERS_READ, Scope.DOCUMENTS_READ, Scope.IMPORTS_READ])
async def test_what_a_caller_may_not_read_is_refused_alike(both: Both, seeded: Seeded, scope: Scope) -> None:
    text = """query($customer: ID!, $document: ID!) {
      customer(id: $customer) { id addresses { customer { documents { id } } } defaultAddress(kind: BILLING) { id }
        documents { number } onboarding { done } }
      document(id: $document) { number customer { id } file { size } }
      customers { nodes { id documents { id } addresses { id } defaultAddress(kind: SHIPPING) { city } } } }"""

    reference, compiled = await both.answers(
        text, {"customer": seeded["customer"], "document": seeded["document"]}, both.principal(scope)
    )

    assert "errors" in reference
    assert_alike(reference, compiled)


async def test_entities_are_compiled_too(both: Both, seeded: Seeded) -> None:
    before = fallbacks("test")
    selected = "__typename ... on Customer { email } ... on Address { city }"
    text = f"query($r: [_Any!]!) {{ _entities(representations: $r) {{ {selected} }} }}"
    references = [{"__typename": name.capitalize(), "id": id_} for name, id_ in seeded.items()]

    answer = await both(text, {"r": [*references, {"__typename": "Customer", "id": CUSTOMER_ID}]})

    assert ["Customer", "Address", "Document", None] == [one and one["__typename"] for one in answer["data"]["_entities"]]
    assert before + 1 == fallbacks("test")


@pytest.mark.parametrize("text", ["{ __schema { queryType { name } } }", '{ __type(name: "Node") { name } }'])
async def test_what_cannot_be_compiled_is_executed_all_the_same_and_counted(execute: Api, text: str) -> None:
    before = fallbacks("introspection")

    assert "errors" not in await execute(text)
    assert before + 1 == fallbacks("introspection")


async def test_what_can_be_compiled_is_not_counted(execute: Api, seeded: Seeded) -> None:
    before = sum(one.value for metric in REGISTRY.collect() if metric.name == "graphql_fallback" for one in metric.samples)

    await execute.data("query($id: ID!) { customer(id: $id) { id documents { id } } }", {"id": seeded["customer"]})

    after = sum(one.value for metric in REGISTRY.collect() if metric.name == "graphql_fallback" for one in metric.samples)
    assert before == after


# ---------------------------------------------------------------------------- operations made up

SCHEMA = COMPILED._schema
NOT_ASKED = {"_service", "downloadUrl", "downloadUrlExpiresAt"}
"""The SDL is long, and links are signed anew each second."""


class Generator:
    """Makes up queries on the read side."""

    def __init__(self, choose: random.Random, seeded: Seeded) -> None:
        self._choose = choose
        self._seeded = seeded
        self._keys = 0

    def query(self) -> str:
        assert SCHEMA.query_type is not None
        fields = [self._field(SCHEMA.query_type, 4, set()) for _ in range(self._choose.randrange(1, 3))]
        return f"query($yes: Boolean!, $no: Boolean!) {{ a: __typename @include(if: $yes) @skip(if: $no) {' '.join(fields)} }}"

    def _field(self, parent: GraphQLObjectType, depth: int, taken: set[str] | None = None) -> str:
        """Return a field, under its own name if that is not *taken*; None where types stand side by side, whose names meet."""
        choose = self._choose
        names = [name for name in parent.fields if name not in NOT_ASKED and not name.startswith("__")]
        name = choose.choice(names)
        field = parent.fields[name]
        inner = get_named_type(field.type)
        key = name
        if taken is None or name in taken:
            self._keys += 1
            key = f"k{self._keys}"
        else:
            taken.add(name)
        inside = ""
        if is_composite_type(inner):
            inside = f"{{ {self._inside(inner, depth - 1)} }}"
        key = "" if key == name else f"{key}: "
        return f"{key}{name}{self._arguments(field)}{self._directive()} {inside}"

    def _inside(self, type_: Any, depth: int, *, alone: bool = True) -> str:
        if depth <= 0:
            return "__typename"
        if is_abstract_type(type_):
            possible = SCHEMA.get_possible_types(type_)
            parts = [f"... on {one.name}{self._directive()} {{ {self._inside(one, depth, alone=False)} }}" for one in possible]
            return f"__typename {' '.join(self._choose.sample(parts, self._choose.randrange(len(parts) + 1)))}"
        taken = set[str]() if alone else None
        return " ".join(["__typename", *(self._field(type_, depth, taken) for _ in range(self._choose.randrange(1, 4)))])

    def _directive(self) -> str:
        return self._choose.choice(("", "", "", "", " @include(if: $yes)", " @skip(if: $no)", " @skip(if: $yes)"))

    def _arguments(self, field: GraphQLField) -> str:
        given = {}
        for name, argument in field.args.items():
            required = str(argument.type).endswith("!")
            if required or (name in {"first", "kind", "type", "status", "filter"} and self._choose.random() < 0.3):
                given[name] = self._value(name, str(argument.type))
        return f"({', '.join(f'{name}: {value}' for name, value in given.items())})" if given else ""

    def _value(self, name: str, type_: str) -> str:
        choose = self._choose
        ids = [*self._seeded.values(), CUSTOMER_ID]
        made: dict[str, str] = {
            "ID!": f'"{choose.choice(ids)}"',
            "[ID!]!": "[" + ", ".join(f'"{choose.choice(ids)}"' for _ in range(choose.randrange(4))) + "]",
            "[_Any!]!": "[" + ", ".join(f'{{__typename: "Customer", id: "{choose.choice(ids)}"}}' for _ in range(2)) + "]",
            "Int": str(choose.choice((1, 2, 3))),
            "CustomerKey!": f'{{id: "{choose.choice(ids)}"}}',
        }
        enum = SCHEMA.type_map.get(type_.strip("![]"))
        if isinstance(enum, GraphQLEnumType):
            return str(choose.choice(list(enum.values)))
        return made.get(type_, "null" if name != "filter" else "{}")


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
@given(st.randoms(use_true_random=False), st.booleans(), st.sampled_from(["all", "customers", "documents"]))
async def test_every_query_that_can_be_made_up_is_answered_alike(
    both: Both, seeded: Seeded, choose: random.Random, yes: bool, reach: str
) -> None:
    scopes = {"all": (), "customers": (Scope.CUSTOMERS_READ,), "documents": (Scope.DOCUMENTS_READ,)}[reach]
    text = Generator(choose, seeded).query()

    reference, compiled = await both.answers(text, {"yes": yes, "no": not yes}, both.principal(*scopes))

    # What is too large or too dear is refused before either of them sees it.
    assume("path" in (reference.get("errors") or [{"path": []}])[0])
    assert_alike(reference, compiled)
