"""What a compiled operation promises beside the same answers: batches, cancellation, shapes, and when it declines."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, parse

from compiled_graphql.contract import BATCH, CLASSES, READ, Unsupported
from compiled_graphql.operation import MAX_SHAPES, CompiledOperation
from compiled_graphql.survey import MAX_DEPTH
from tests.leftovers import left_since, ours

SDL = """
type Book { title: String! author: Author pages: Int! reviews: [String!] }
type Author { name: String! books: [Book!]! }
type Query { book: Book books(first: Int = 3): [Book!] author: Author! slow: String now: String! }
type Mutation { first: String! second: String! third: String }
type Subscription { book: Book }
"""


def library() -> GraphQLSchema:
    schema = build_schema(SDL)
    assert schema.query_type is not None
    schema.query_type.fields["book"].resolve = lambda *_: {"title": "Emma"}
    schema.query_type.fields["books"].resolve = lambda _source, _info, first: [
        {"title": f"Book {number}"} for number in range(first)
    ]
    return schema


def type_of(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


async def answer(schema: GraphQLSchema, text: str, **variables: Any) -> dict[str, Any]:
    result = await CompiledOperation(schema, parse(text)).execute(variable_values=variables)
    return dict(result.formatted)


def messages(answer: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    return [(error["message"], error["path"]) for error in answer["errors"]]


# ---------------------------------------------------------------------------- batches


async def test_a_batch_function_is_called_once_for_all_objects_of_a_level() -> None:
    schema = library()
    calls: list[list[str]] = []

    async def authors(books: Sequence[dict[str, str]], _info: Any) -> list[dict[str, str]]:
        calls.append([book["title"] for book in books])
        return [{"name": f"Author of {book['title']}"} for book in books]

    type_of(schema, "Book").fields["author"].extensions[BATCH] = authors

    found = await answer(schema, "{ books { author { name } } book { author { name } } }")

    assert sorted([["Book 0", "Book 1", "Book 2"], ["Emma"]]) == sorted(calls)
    assert {"author": {"name": "Author of Book 2"}} == found["data"]["books"][2]


async def test_an_exception_in_a_batch_is_the_error_of_its_source_only() -> None:
    schema = library()
    type_of(schema, "Book").fields["author"].extensions[BATCH] = lambda books, _info: [
        ValueError("lost"),
        *({"name": "Jane"} for _ in books[1:]),
    ]

    found = await answer(schema, "{ books(first: 2) { author { name } } }")

    assert [{"author": None}, {"author": {"name": "Jane"}}] == found["data"]["books"]
    assert [("lost", ["books", 0, "author"])] == messages(found)


async def test_a_batch_that_raises_is_the_error_of_each_source() -> None:
    schema = library()

    async def authors(_books: Sequence[Any], _info: Any) -> list[Any]:
        raise ValueError("all lost")

    type_of(schema, "Book").fields["author"].extensions[BATCH] = authors

    found = await answer(schema, "{ books(first: 2) { author { name } } }")

    assert [("all lost", ["books", 0, "author"]), ("all lost", ["books", 1, "author"])] == messages(found)


@pytest.mark.parametrize("returned", [[], [1, 2, 3], None, 7])
async def test_a_batch_of_another_length_is_an_error_that_says_what_to_do(returned: Any) -> None:
    schema = library()
    type_of(schema, "Book").fields["author"].extensions[BATCH] = lambda _books, _info: returned

    ((message, path),) = messages(await answer(schema, "{ books(first: 1) { author { name } } }"))

    assert "The batch function of Book.author has to return a sequence of 1 values, one for each source." == message
    assert ["books", 0, "author"] == path


async def test_what_is_declared_to_be_read_is_read_without_its_resolver() -> None:
    schema = library()
    title = type_of(schema, "Book").fields["title"]
    title.resolve = lambda *_: pytest.fail("called")
    title.extensions[READ] = lambda book: book["title"].upper()

    assert {"book": {"title": "EMMA"}} == (await answer(schema, "{ book { title } }"))["data"]


async def test_nobody_asks_about_the_type_of_declared_classes() -> None:
    schema = library()
    book = type_of(schema, "Book")
    book.extensions[CLASSES] = (dict,)
    book.is_type_of = lambda *_: pytest.fail("asked")

    assert {"book": {"title": "Emma"}} == (await answer(schema, "{ book { title } }"))["data"]


# ---------------------------------------------------------------------------- waiting and failing


async def test_fields_of_a_query_wait_at_the_same_time() -> None:
    schema = library()
    both = asyncio.Barrier(2)

    async def meet(*_: Any) -> dict[str, str]:
        await both.wait()
        return {"title": "met"}

    assert schema.query_type is not None
    schema.query_type.fields["book"].resolve = meet

    async with asyncio.timeout(5):
        found = await answer(schema, "{ one: book { title } two: book { title } }")

    assert {"one": {"title": "met"}, "two": {"title": "met"}} == found["data"]


async def test_fields_of_a_mutation_run_one_after_the_other_until_one_fails_for_all() -> None:
    schema = library()
    done: list[str] = []

    async def first(*_: Any) -> str:
        await asyncio.sleep(0)
        done.append("first")
        return "first"

    def second(*_: Any) -> str:
        done.append("second")
        raise ValueError("no second")

    mutation = type_of(schema, "Mutation")
    mutation.fields["first"].resolve = first
    mutation.fields["second"].resolve = second
    mutation.fields["third"].resolve = lambda *_: done.append("third")

    found = await answer(schema, "mutation { first second third }")

    assert (None, [("no second", ["second"])]) == (found["data"], messages(found))
    assert ["first", "second"] == done


async def test_what_waits_in_vain_is_cancelled_and_the_answer_does_not_wait_for_it() -> None:
    schema = library()
    ended: list[str] = []

    async def slow(*_: Any) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return "slow"

    async def now(*_: Any) -> str:
        await asyncio.sleep(0)
        raise ValueError("now")

    assert schema.query_type is not None
    schema.query_type.fields["slow"].resolve = slow
    schema.query_type.fields["now"].resolve = now
    before = ours()

    async with asyncio.timeout(5):
        found = await answer(schema, "{ slow now }")

    assert (None, [("now", ["now"])]) == (found["data"], messages(found))
    assert ["cancelled"] == ended
    assert [] == await left_since(before)


async def test_a_failing_field_leaves_alone_what_is_not_made_null_by_it() -> None:
    schema = library()

    async def author(*_: Any) -> dict[str, str]:
        await asyncio.sleep(0)
        raise ValueError("lost")

    async def slow(*_: Any) -> str:
        for _turn in range(10):
            await asyncio.sleep(0)
        return "slow"

    assert schema.query_type is not None
    schema.query_type.fields["slow"].resolve = slow
    type_of(schema, "Book").fields["author"].resolve = author

    found = await answer(schema, "{ slow book { author { name } } }")

    assert {"slow": "slow", "book": {"author": None}} == found["data"]


async def test_one_of_many_that_fails_takes_its_list_along_and_the_others_waits() -> None:
    schema = library()
    ended: list[str] = []

    async def pages(book: dict[str, str], *_: Any) -> int:
        if book["title"] == "Book 1":
            await asyncio.sleep(0)
            raise ValueError("torn")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append(book["title"])
            raise
        return 1

    type_of(schema, "Book").fields["pages"].resolve = pages

    async with asyncio.timeout(5):
        found = await answer(schema, "{ books { pages } }")

    assert ({"books": None}, [("torn", ["books", 1, "pages"])]) == (found["data"], messages(found))
    assert ["Book 0", "Book 2"] == sorted(ended)


async def test_a_cancelled_execution_ends_everything_it_began() -> None:
    schema = library()
    ended: list[str] = []

    async def slow(*_: Any) -> str:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("slow")
        return ""

    assert schema.query_type is not None
    schema.query_type.fields["slow"].resolve = slow
    execution = asyncio.create_task(answer(schema, "{ a: slow b: slow }"))
    await asyncio.sleep(0.01)

    execution.cancel()
    with pytest.raises(asyncio.CancelledError):
        await execution

    assert ["slow", "slow"] == ended


class TooMany(Exception):
    """The watch has seen enough."""


class Counting:
    def __init__(self, most: int) -> None:
        self.left = most

    def count(self, objects: int) -> None:
        self.left -= objects
        if self.left < 0:
            raise TooMany

    def look(self) -> None:
        """Nothing but objects is counted here."""


async def test_a_watch_counts_objects_and_what_it_raises_ends_the_execution() -> None:
    operation = CompiledOperation(library(), parse("{ books(first: 3) { title } book { title } }"))

    assert (await operation.execute(watch=Counting(4))).errors is None
    with pytest.raises(TooMany):
        await operation.execute(watch=Counting(3))


# ---------------------------------------------------------------------------- shapes


async def test_directives_are_looked_at_with_every_call() -> None:
    operation = CompiledOperation(
        library(), parse("query($with: Boolean!) { a: __typename b: __typename @include(if: $with) }")
    )

    async def keys(**variables: Any) -> list[str]:
        return list((await operation.execute(variable_values=variables)).data or {})

    assert [["a", "b"], ["a"], ["a", "b"]] == [await keys(**{"with": one}) for one in (True, False, True)]


async def test_only_so_many_shapes_of_an_operation_are_kept() -> None:
    names = [f"v{number}" for number in range(6)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: __typename @include(if: ${name})" for name in names)
    operation = CompiledOperation(library(), parse(f"query({declared}) {{ {fields} }}"))

    for number in range(2 ** len(names)):
        values = {name: bool(number >> bit & 1) for bit, name in enumerate(names)}
        assert [name for name in names if values[name]] == list((await operation.execute(variable_values=values)).data or {})

    assert MAX_SHAPES == len(operation._shapes)


async def test_what_is_kept_holds_no_values_but_those_of_directives() -> None:
    operation = CompiledOperation(
        library(), parse("query($first: Int, $with: Boolean!) { books(first: $first) { title @include(if: $with) } }")
    )

    found = await operation.execute(variable_values={"first": 1, "with": True})
    again = await operation.execute(variable_values={"first": 2, "with": True})

    assert [1, 2] == [len((one.data or {})["books"]) for one in (found, again)]
    (shape,) = operation._shapes
    assert (True,) == shape


async def test_variables_that_do_not_fit_are_refused_as_the_reference_executor_refuses_them() -> None:
    operation = CompiledOperation(library(), parse("query($first: Int!) { books(first: $first) { title } }"))

    result = await operation.execute(variable_values={"first": "many"})

    assert result.data is None
    assert ["Variable '$first' has invalid value: Int cannot represent non-integer value: 'many'"] == [
        error.message for error in result.errors or ()
    ]


DECLINED = {
    "introspection": "{ __schema { queryType { name } } }",
    "subscription": "subscription { book { title } }",
    "directive": "{ book { ... @defer { title } } }",
    "operation": "query A { __typename } query B { __typename }",
    "fragment": "{ ...Missing }",
    "depth": f"{{ author {{ {'books { author { ' * (MAX_DEPTH // 2)} name {'} } ' * (MAX_DEPTH // 2)} }} }}",
}


@pytest.mark.parametrize("reason", DECLINED)
def test_what_it_does_not_support_it_declines_before_anything_runs(reason: str) -> None:
    with pytest.raises(Unsupported) as declined:
        CompiledOperation(library(), parse(DECLINED[reason]))

    assert reason == declined.value.reason
