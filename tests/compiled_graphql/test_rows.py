"""Rows in place of objects, and batches that were asked for already, give the answers that objects and coroutines give."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLEnumType, GraphQLSchema, build_schema, execute, parse

from compiled_graphql.contract import BATCH, IN_ROW, ROWS, TAKES_ROWS, Promised, RowField, RowType
from compiled_graphql.needed import is_compiled
from compiled_graphql.operation import CompiledOperation


class Kind(Enum):
    NOVEL = 1
    POEM = 2


@dataclass
class Book:
    title: str | None
    kind: Kind | None
    pages: int | None
    tags: list[str] | None
    loud: str | None = None


class BookRow(dict[str, Any]):
    """A book as it is stored."""


MADE: list[BookRow] = []


def made(row: BookRow) -> Book:
    MADE.append(row)
    kind = Kind[row["kind"]] if "kind" in row else None
    return Book(row["title"], kind, row.get("pages", 1), row.get("tags"), str(row["title"]).upper())


ASKED: list[asyncio.Future[Any]] = []


def library(rows: Sequence[BookRow | None], *, answers: dict[str, Any] | None = None) -> GraphQLSchema:
    """Return a schema over some books; *answers* are what the futures behind ``left`` and ``right`` become, if they do."""
    schema = build_schema("""
      enum Kind { NOVEL POEM }
      interface Thing { title: String! }
      type Book implements Thing { title: String! kind: Kind pages: Int tags: [String!] loud: String
                                   left: String right: String must: String! }
      type Query { books: [Book] things: [Thing] one(at: Int! = 0, kind: Kind): Book }
    """)
    fields = schema.type_map["Book"].fields  # type: ignore[attr-defined]  # an object type
    kinds = schema.type_map["Kind"]
    assert isinstance(kinds, GraphQLEnumType)
    for name, value in kinds.values.items():
        value.value = Kind[name]

    def shown(info: Any) -> list[Any]:
        return [row if row is None or is_compiled(info.field_nodes) else made(row) for row in rows]

    assert schema.query_type is not None
    schema.query_type.fields["books"].resolve = lambda _source, info: shown(info)
    schema.query_type.fields["things"].resolve = lambda _source, info: shown(info)
    schema.query_type.fields["one"].resolve = lambda _source, info, at, kind=None: shown(info)[at]
    schema.type_map["Book"].extensions[ROWS] = RowType(BookRow, made)
    schema.type_map["Book"].is_type_of = lambda value, _info: isinstance(value, Book)  # type: ignore[attr-defined]
    fields["title"].extensions[IN_ROW] = RowField("title")
    fields["kind"].extensions[IN_ROW] = RowField("kind", None, Kind.__getitem__)
    fields["pages"].extensions[IN_ROW] = RowField("pages", 1)
    fields["tags"].extensions[IN_ROW] = RowField("tags")

    def settle(future: asyncio.Future[Any], value: object) -> None:
        if isinstance(value, Exception) and not future.cancelled():
            future.set_exception(value)
        elif value is not None and not future.cancelled():
            future.set_result(value)

    def promised(name: str) -> Any:
        def many(books: Sequence[Any], _info: Any) -> Promised[list[Any]]:
            future = asyncio.get_running_loop().create_future()
            ASKED.append(future)
            asyncio.get_running_loop().call_soon(settle, future, (answers or {}).get(name))
            return Promised(future, lambda found: [f"{found} {type(book).__name__}" for book in books])

        return many

    for name in ("left", "right", "must"):
        fields[name].extensions[BATCH] = promised(name)
        fields[name].extensions[TAKES_ROWS] = True
    kinds.__dict__.pop("_value_lookup", None)
    return schema


async def compiled(schema: GraphQLSchema, text: str, variables: Any = None) -> dict[str, Any]:
    operation = CompiledOperation(schema, parse(text))
    first = await operation.execute(variable_values=variables)
    again = await operation.execute(variable_values=variables)
    assert first.formatted == again.formatted
    return dict(again.formatted)


async def reference(schema: GraphQLSchema, text: str, variables: Any = None) -> dict[str, Any]:
    result: Any = execute(schema, parse(text), variable_values=variables)
    found: ExecutionResult = await result if asyncio.iscoroutine(result) else result
    return dict(found.formatted)


ALL = "{ __typename title kind pages tags again: title kin: kind }"
SOUND = BookRow(title="Emma", kind="NOVEL", pages=300, tags=["a", "b"])
ODD = [
    BookRow(title=None),
    BookRow(title=7, pages=2**31),
    BookRow(title="x", pages="7", tags="no list"),
    BookRow(title="x", pages=True, tags=[1, None]),
    BookRow(title=["x"], kind="NOVEL"),
    BookRow(title="x", tags=[]),
    BookRow(title="x", tags=None, pages=None),
]


@pytest.mark.parametrize("count", [1, 3, 100], ids=["one", "a few", "many"])
@pytest.mark.parametrize("odd", [None, *ODD], ids=str)
async def test_rows_are_answered_as_objects_are(odd: BookRow | None, count: int) -> None:
    schema = library([SOUND] * count + ([odd, SOUND] if odd is not None else [None]))
    text = f"{{ books {ALL} things {{ __typename title ... on Book {{ pages }} }} }}"

    assert await reference(schema, text) == await compiled(schema, text)


async def test_no_object_is_made_of_rows_of_which_all_is_read() -> None:
    MADE.clear()

    answer = await compiled(library([SOUND, None]), f"{{ books {ALL} }}")

    assert [] == MADE
    assert "Emma" == answer["data"]["books"][0]["title"]


async def test_fields_that_say_nothing_of_rows_are_asked_of_objects_that_are_made_once() -> None:
    MADE.clear()
    schema = library([SOUND, SOUND])
    operation = CompiledOperation(schema, parse("{ books { loud title shout: loud } }"))

    result = await operation.execute()

    assert {"books": [{"loud": "EMMA", "title": "Emma", "shout": "EMMA"}] * 2} == result.data
    assert 2 == len(MADE)


async def test_what_was_promised_is_waited_for_together_and_given_rows() -> None:
    schema = library([SOUND], answers={"left": "l", "right": "r", "must": "m"})

    answer = await compiled(schema, "{ books { left right must title } }")

    assert {"books": [{"left": "l BookRow", "right": "r BookRow", "must": "m BookRow", "title": "Emma"}]} == answer["data"]


async def test_one_that_fails_is_null_and_the_others_are_there() -> None:
    schema = library([SOUND], answers={"left": KeyError("lost"), "right": "r"})

    answer = await compiled(schema, "{ books { left right } }")

    assert {"books": [{"left": None, "right": "r BookRow"}]} == answer["data"]
    assert [["books", 0, "left"]] == [error["path"] for error in answer["errors"]]


async def test_what_is_pointless_is_waited_for_no_longer() -> None:
    """
    ``must`` makes null of its book; ``left`` never comes.
    """
    ASKED.clear()
    schema = library([SOUND], answers={"must": KeyError("lost")})

    result = await asyncio.wait_for(CompiledOperation(schema, parse("{ books { left must } }")).execute(), 30)

    assert {"books": [None]} == result.data
    assert [["books", 0, "must"]] == [error.path for error in result.errors or ()]
    assert [True, False] == [future.cancelled() for future in ASKED]


async def test_nothing_is_left_waiting_when_an_execution_is_cancelled() -> None:
    ASKED.clear()
    task = asyncio.create_task(CompiledOperation(library([SOUND]), parse("{ books { left right } }")).execute())
    while len(ASKED) < 2:  # noqa: ASYNC110  nobody tells
        await asyncio.sleep(0)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert [True, True] == [future.cancelled() for future in ASKED]


VARIABLES: list[Any] = [
    {},
    {"at": 0},
    {"at": 1, "kind": "POEM"},
    {"at": None},
    {"at": "0"},
    {"at": 2**31},
    {"at": True},
    {"at": 0.0},
    {"at": 0, "kind": None},
    {"at": 0, "kind": "LETTER"},
    {"at": 0, "kind": 1},
    {"at": 0, "kind": ["NOVEL"]},
    {"at": 0, "more": 1},
]


@pytest.mark.parametrize(
    "declared", ["$at: Int!, $kind: Kind", "$at: Int = 1, $kind: Kind = POEM", "$at: Int! = 0, $kind: Kind"]
)
@pytest.mark.parametrize("variables", VARIABLES, ids=str)
async def test_variables_and_arguments_are_what_graphql_core_makes_of_them(declared: str, variables: Any) -> None:
    schema = library([SOUND, BookRow(title="x")])
    assert schema.query_type is not None
    given: list[Any] = []

    def note(_source: Any, _info: Any, **arguments: Any) -> None:
        given.append(arguments)

    schema.query_type.fields["one"].resolve = note
    text = (
        f"query({declared}) {{ a: one(at: $at, kind: $kind) {{ title }} b: one(kind: $kind) {{ title }} c: one {{ title }} }}"
    )

    assert await reference(schema, text, variables) == await compiled(schema, text, variables)
    # The reference once, the compiled operation twice: for the first time, and when it is known.
    calls = len(given) // 3
    assert given[:calls] == given[calls : 2 * calls] == given[2 * calls :]
