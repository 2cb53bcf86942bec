"""What the schema says of itself: described everywhere, named alike everywhere, and committed as it is served."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    build_schema,
    get_introspection_query,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    print_schema,
    validate_schema,
)

from app.graphql.schema import DuplicateField, root
from app.graphql.schema import build_schema as build_served
from resolvers.node import NodeQuery
from schema.sdl import client_sdl, subgraph_sdl
from tests.api import Api
from tests.graphql.catalogue import SCHEMA
from tests.house import ROOT

CLIENTS = build_schema(client_sdl(build_served()))
INPUTS = ("Input", "Fields", "Patch", "Key", "Filter", "Range", "Mapping")


def ours(schema: GraphQLSchema = SCHEMA) -> list[GraphQLNamedType]:
    """Return the types that are neither GraphQL's own nor about the schema."""
    return [one for one in schema.type_map.values() if not is_introspection_type(one) and not is_specified_scalar_type(one)]


def parts(type_: GraphQLNamedType | GraphQLDirective) -> Iterator[tuple[str, str | None]]:
    """Yield every name in a type or a directive with its description."""
    yield type_.name, type_.description
    if isinstance(type_, GraphQLDirective):
        yield from ((f"{type_.name}({key})", argument.description) for key, argument in type_.args.items())
    elif isinstance(type_, GraphQLEnumType):
        yield from ((f"{type_.name}.{name}", value.description) for name, value in type_.values.items())
    elif isinstance(type_, GraphQLInputObjectType):
        yield from ((f"{type_.name}.{name}", field.description) for name, field in type_.fields.items())
    elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in type_.fields.items():
            yield f"{type_.name}.{name}", field.description
            yield from ((f"{type_.name}.{name}({key})", argument.description) for key, argument in field.args.items())


DESCRIBED = {name: text for type_ in ours() for name, text in parts(type_)}


# ------------------------------------------------------------------------- descriptions


def test_everything_has_a_description() -> None:
    """
    What gateways use and the directives too.
    """
    directives = {name: text for directive in SCHEMA.directives for name, text in parts(directive)}

    assert [] == [name for name, text in {**DESCRIBED, **directives}.items() if not text]
    assert len(DESCRIBED) > 400
    assert {"Query._entities", "Query._entities(representations)", "_Any", "_Entity", "_Service.sdl"} < DESCRIBED.keys()
    assert {"include(if)", "deprecated(reason)"} < directives.keys()


def test_descriptions_are_sentences() -> None:
    """
    A capital, a figure or a quoted name in front, a full stop behind, and no blanks too many.
    """
    assert {} == {name: text for name, text in DESCRIBED.items() if text and not re.fullmatch(r'[A-Z0-9`"].*[^.\s]\.', text)}
    assert {} == {name: text for name, text in DESCRIBED.items() if text and "  " in text}


def test_no_description_is_only_its_name() -> None:
    """
    But for values of enums: there is no more to say of a passport.
    """
    values = {f"{one.name}.{value}" for one in ours() if isinstance(one, GraphQLEnumType) for value in one.values}

    assert {} == {
        name: text for name, text in DESCRIBED.items() if text and name not in values and words(text) <= words(own(name))
    }


def words(text: str) -> set[str]:
    """Return the words that say something."""
    return set(re.findall(r"[a-z0-9]+", text.lower())) - {"the", "a", "an", "of", "its", "this", "s", "is", "or", "and"}


def own(name: str) -> str:
    """Return the last part of a name as words: ``date Of Birth`` for ``Customer.dateOfBirth``."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r" \1", re.split(r"[.(]", name.rstrip(")"))[-1])


# -------------------------------------------------------------------------------- names


def test_names_are_written_alike() -> None:
    wrong = []
    for type_ in ours(CLIENTS):
        if not re.fullmatch("[A-Z][A-Za-z0-9]*", type_.name):
            wrong.append(type_.name)
        elif isinstance(type_, GraphQLEnumType):
            wrong += [f"{type_.name}.{name}" for name in type_.values if not re.fullmatch("[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", name)]
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            names = [*type_.fields, *(key for field in type_.fields.values() for key in getattr(field, "args", {}))]
            wrong += [f"{type_.name}.{name}" for name in names if not re.fullmatch("[a-z][A-Za-z0-9]*", name)]

    assert [] == wrong


def test_inputs_and_payloads_are_told_by_their_names() -> None:
    inputs = {one.name for one in ours(CLIENTS) if isinstance(one, GraphQLInputObjectType)}
    objects = {one.name for one in ours(CLIENTS) if isinstance(one, GraphQLObjectType)}

    assert set() == {name for name in inputs if not name.endswith(INPUTS)}
    assert set() == {name for name in objects if name.endswith(INPUTS)}


def test_mutation_answers_with_a_payload_that_lists_what_was_wrong() -> None:
    mutations = CLIENTS.mutation_type
    assert mutations is not None
    payloads = set()

    for name, field in mutations.fields.items():
        payload = get_named_type(field.type)
        assert isinstance(field.type, GraphQLNonNull), name
        assert isinstance(payload, GraphQLObjectType), name
        assert payload.name.endswith("Payload"), name
        assert "[UserError!]!" == str(payload.fields["userErrors"].type), name
        payloads.add(payload.name)

    assert payloads == {one.name for one in ours(CLIENTS) if one.name.endswith("Payload")}


def test_two_features_cannot_claim_one_field() -> None:
    class Rival(NodeQuery):
        pass

    with pytest.raises(DuplicateField, match="NodeQuery and Rival both define node"):
        root("Query", "Everything that can be read.", NodeQuery, Rival)


# ----------------------------------------------------------------------- as it is served


@pytest.mark.parametrize(("name", "printed"), [("schema.graphql", client_sdl), ("subgraph.graphql", subgraph_sdl)])
def test_committed_schema_is_the_one_that_is_served(name: str, printed: object) -> None:
    assert callable(printed)
    assert printed(build_served()) == (ROOT / "schema" / name).read_text(encoding="utf-8"), "Run: make schema"


def test_schema_is_written_alike_by_every_process() -> None:
    """
    Whatever order Python's sets have in it.
    """
    code = "from app.cli.schema import *; s = build_schema(); print(client_sdl(s), subgraph_sdl(s))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    }

    assert 1 == len(texts)


def test_schema_for_clients_needs_nothing_that_graphql_does_not_have() -> None:
    """
    Code generators, Relay's compiler and linters read the file with directives and types of GraphQL's own alone.
    """
    text = client_sdl(build_served())

    assert [] == validate_schema(CLIENTS)
    assert {"deprecated", "include", "oneOf", "skip", "specifiedBy"} == {directive.name for directive in CLIENTS.directives}
    assert [] == [name for name in CLIENTS.type_map if name.startswith(("_", "link__")) and not name.startswith("__")]
    assert "directive @" not in text
    assert "input CustomerKey @oneOf {" in text


async def test_introspection_tells_what_is_committed(execute: Api) -> None:
    """
    And what gateways use; no directives of theirs.
    """
    told = build_client_schema(
        await execute.data(get_introspection_query(input_value_deprecation=True, specified_by_url=True, one_of=True))  # type: ignore[arg-type]  # a TypedDict
    )

    assert {"_Any", "_Entity", "_Service"} == told.type_map.keys() - CLIENTS.type_map.keys()
    query = told.query_type
    assert query is not None
    for name in ("_entities", "_service"):
        query.fields.pop(name)
    shared = {name: one for name, one in sorted(told.type_map.items()) if name in CLIENTS.type_map}
    told.type_map = shared
    assert print_schema(told) == print_schema(CLIENTS)


@pytest.mark.parametrize(
    ("document", "directive"),
    [
        ("{ viewer { ... @defer { kind } } }", "defer"),
        ("{ customers { nodes @stream(initialCount: 1) { id } } }", "stream"),
        ('{ viewer { ...Who @defer(label: "who", if: false) } } fragment Who on Viewer { kind }', "defer"),
    ],
)
async def test_answers_come_in_one_piece(execute: Api, document: str, directive: str) -> None:
    (error,) = (await execute(document))["errors"]

    assert ("BAD_USER_INPUT", f"Unknown directive '@{directive}'.") == (error["extensions"]["code"], error["message"])
