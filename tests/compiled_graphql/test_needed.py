"""What an operation reads of the objects of a type, as its resolvers are told."""

from typing import Any

from graphql import GraphQLResolveInfo, GraphQLSchema, build_schema, execute, parse

from compiled_graphql.contract import NEEDS
from compiled_graphql.needed import needed_of
from compiled_graphql.operation import CompiledOperation

SDL = """
interface Thing { name: String }
type Book implements Thing { name: String pages: Int author: Person rating(of: Int): Int }
type Person implements Thing { name: String born: Int }
type Query { book: Book things: [Thing] }
"""


def schema(told: dict[str, frozenset[str] | None]) -> GraphQLSchema:
    """Return a schema whose root resolvers tell what is read of books and of persons."""
    made = build_schema(SDL)
    for type_, field, needs in (
        ("Book", "name", "title"),
        ("Book", "pages", "pages"),
        ("Book", "author", "author_id"),
        ("Person", "name", "name"),
        ("Person", "born", "born"),
    ):
        made.type_map[type_].fields[field].extensions[NEEDS] = frozenset([needs])  # type: ignore[attr-defined]

    def tell(_source: Any, info: GraphQLResolveInfo[Any]) -> None:
        told.update({type_: needed_of(info.field_nodes, type_) for type_ in ("Book", "Person")})

    for field in made.query_type.fields.values() if made.query_type else ():
        field.resolve = tell
    return made


async def needed(document: str, **variables: object) -> dict[str, frozenset[str] | None]:
    """Return what the resolvers of an operation are told."""
    told: dict[str, frozenset[str] | None] = {}
    await CompiledOperation(schema(told), parse(document)).execute(variable_values=variables)
    return told


async def test_what_is_selected_anywhere_is_needed() -> None:
    found = await needed("{ a: book { __typename name author { born } } b: book { ...More } } fragment More on Book { pages }")

    assert {"Book": frozenset({"title", "author_id", "pages"}), "Person": frozenset({"born"})} == found


async def test_what_is_left_out_is_not_needed() -> None:
    document = "query ($all: Boolean!) { book { name pages @include(if: $all) } }"

    assert frozenset({"title"}) == (await needed(document, all=False))["Book"]
    assert frozenset({"title", "pages"}) == (await needed(document, all=True))["Book"]


async def test_each_type_of_an_interface_needs_its_own() -> None:
    found = await needed("{ things { name ... on Person { born } } }")

    assert {"Book": frozenset({"title"}), "Person": frozenset({"name", "born"})} == found


async def test_everything_is_needed_for_a_field_that_says_nothing() -> None:
    assert None is (await needed("{ book { name rating(of: 5) } }"))["Book"]


async def test_nothing_is_known_of_an_operation_that_is_not_compiled() -> None:
    told: dict[str, frozenset[str] | None] = {}
    execute(schema(told), parse("{ book { name } }"))

    assert {"Book": None, "Person": None} == told
