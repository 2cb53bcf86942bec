"""Calls that are executed as one are answered as each would be by itself."""

import random
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from graphql import GraphQLSchema, build_schema, parse, validate
from hypothesis import assume, given
from hypothesis import strategies as st

from compiled_graphql.contract import BATCH, CALLS, IN_ROW, READ, RowField
from compiled_graphql.operation import Call, CompiledOperation
from tests.compiled_graphql.test_generated import GENERATED
from tests.compiled_graphql.worlds import WAYS_TOGETHER, Operations, World

SDL = """
type Book { title(upper: Boolean): String! author: Author }
type Author { name: String! }
type Query { book(id: ID!): Book title(id: ID!): String! now: String }
type Mutation { book(id: ID!): Book }
"""


class Library:
    """A schema, and what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.schema: GraphQLSchema = build_schema(SDL)
        types: dict[str, Any] = dict(self.schema.type_map)
        types["Query"].fields["book"].extensions[CALLS] = self._books
        types["Query"].fields["title"].extensions[CALLS] = self._titles
        types["Mutation"].fields["book"].extensions[CALLS] = self._books
        types["Book"].fields["title"].extensions |= {READ: lambda book: book["title"], IN_ROW: RowField("title")}
        types["Book"].fields["author"].extensions[BATCH] = self._authors
        types["Author"].fields["name"].extensions[READ] = lambda author: author["name"]

    async def _books(self, calls: Sequence[dict[str, Any]], _info: Any) -> list[Any]:
        self.asked.append([call["id"] for call in calls])
        return [None if call["id"] == "none" else {"title": f"Book {call['id']}"} for call in calls]

    def _titles(self, calls: Sequence[dict[str, Any]], _info: Any) -> list[Any]:
        return [ValueError("lost") if call["id"] == "lost" else call["id"] for call in calls]

    def _authors(self, books: Sequence[dict[str, str]], _info: Any) -> list[dict[str, str]]:
        self.asked.append([book["title"] for book in books])
        return [{"name": f"Author of {book['title']}"} for book in books]

    def operation(self, text: str) -> CompiledOperation:
        return CompiledOperation(self.schema, parse(text))


@pytest.fixture(name="library")
def _library() -> Library:
    return Library()


def calls(operation: CompiledOperation, *variables: dict[str, Any]) -> list[Call]:
    found = [operation.call(one) for one in variables]
    assert None not in found
    return [one for one in found if one is not None]


BOOK = "query($id: ID!) { book(id: $id) { title author { name } } }"


async def test_calls_with_other_arguments_are_asked_for_at_once_and_answered_each(library: Library) -> None:
    operation = library.operation(BOOK)

    found = await operation.execute_together(calls(operation, {"id": "1"}, {"id": "none"}, {"id": "2"}))

    assert [
        {"book": {"title": "Book 1", "author": {"name": "Author of Book 1"}}},
        {"book": None},
        {"book": {"title": "Book 2", "author": {"name": "Author of Book 2"}}},
    ] == found
    assert [["1", "none", "2"], ["Book 1", "Book 2"]] == library.asked


async def test_with_an_error_in_one_call_none_is_answered_together(library: Library) -> None:
    operation = library.operation("query($id: ID!) { title(id: $id) }")

    assert [{"title": "1"}, {"title": "2"}] == await operation.execute_together(calls(operation, {"id": "1"}, {"id": "2"}))
    assert await operation.execute_together(calls(operation, {"id": "1"}, {"id": "lost"})) is None


def test_calls_are_alike_when_all_that_differs_are_arguments_of_root_fields(library: Library) -> None:
    operation = library.operation(
        "query($id: ID!, $upper: Boolean, $deep: Boolean = false) {"
        " book(id: $id) { title(upper: $upper) author @include(if: $deep) { name } } }"
    )

    one, other, upper, deep = calls(operation, {"id": "1"}, {"id": "2"}, {"id": "1", "upper": True}, {"id": "1", "deep": True})

    assert one.alike == other.alike
    assert 3 == len({one.alike, upper.alike, deep.alike})


def test_an_argument_inside_of_a_fragment_is_one_that_calls_share(library: Library) -> None:
    operation = library.operation("query($id: ID!) { ...All } fragment All on Query { book(id: $id) { title } }")

    one, same, other = calls(operation, {"id": "1"}, {"id": "1"}, {"id": "2"})

    assert one.alike == same.alike
    assert one.alike != other.alike


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        pytest.param("{ now }", {}, id="a field with a resolver"),
        pytest.param("mutation($id: ID!) { book(id: $id) { title } }", {"id": "1"}, id="a mutation"),
        pytest.param(BOOK, {}, id="a variable that is missing"),
        pytest.param(BOOK, {"id": 1.5}, id="a variable that does not fit"),
    ],
)
def test_what_needs_an_execution_of_its_own_is_no_call(library: Library, text: str, variables: dict[str, Any]) -> None:
    assert library.operation(text).call(variables) is None


@GENERATED
@given(st.randoms(use_true_random=False), st.randoms(use_true_random=False))
async def test_whatever_is_executed_together_is_answered_as_it_is_alone(chance: random.Random, chosen: random.Random) -> None:
    world = World(chance, tasks=False, ways=WAYS_TOGETHER)
    schema = world.schema(batches=True)
    generator = Operations(chosen, schema)
    document, variables = parse(generator.document()), generator.variables()
    assume(not validate(schema, document))
    operation = CompiledOperation(schema, document)
    choices = [variables, *({**variables, "x": x} for x in (0, 1, None)), variables]
    pairs = [(one, call) for one in choices if (call := operation.call(one)) is not None]
    assume(pairs)
    alike = [(one, call) for one, call in pairs if call.alike == pairs[0][1].alike]

    together = await operation.execute_together([call for _, call in alike])
    alone = [await operation.execute(variable_values=one) for one, _ in alike]

    if together is None:
        assert any(one.errors for one in alone)
    else:
        assert orjson.dumps([one.formatted for one in alone]) == orjson.dumps([{"data": data} for data in together])
