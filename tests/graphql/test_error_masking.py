"""Errors: a code and a request id always, nothing of the inside ever, and one short line in the log."""

import enum
from collections.abc import AsyncIterator
from typing import Any

import pytest
import strawberry
import structlog
from structlog.testing import capture_logs

from app.graphql.execution import Schema
from app.graphql.screened import MAX_ERRORS
from core.errors import Forbidden, RateLimited, TimedOut, Unavailable
from schema.context import Info
from tests.graphql.alone import CLOSED, CUSTOMER, codes, context, errors, run

CANARY = "canary-7f3a@example.com"


@strawberry.enum
class Colour(enum.Enum):
    RED = "red"


@strawberry.type
class Item:
    @strawberry.field
    def broken(self) -> str:
        raise RuntimeError("password=hunter2 at mongodb://10.0.0.1")

    @strawberry.field
    def fine(self) -> str:
        return "fine"


def broken(kind: str) -> Any:
    match kind:
        case "raise":
            raise RuntimeError("password=hunter2 at mongodb://10.0.0.1")
        case "null" | "scalar":
            return None if kind == "null" else object()
        case "forbidden":
            raise Forbidden("This needs another token.")
        case "limited":
            raise RateLimited(17)
        case "late":
            raise TimedOut("This took longer.")
        case "away":
            raise Unavailable("Try again.")
        case _:
            return "purple"


@strawberry.type
class Query:
    @strawberry.field
    def item(self) -> Item:
        return Item()

    @strawberry.field
    def items(self) -> list[Item | None]:
        return [Item() for _ in range(50)]

    @strawberry.field
    def text(self, info: Info, kind: str) -> str:
        return broken(kind)  # type: ignore[no-any-return]

    @strawberry.field
    def number(self, kind: str) -> int:
        return broken(kind)  # type: ignore[no-any-return]

    @strawberry.field
    def colour(self, kind: str) -> Colour:
        return broken(kind)  # type: ignore[no-any-return]

    @strawberry.field
    def colours(self, kind: str) -> list[Colour]:
        return broken(kind)  # type: ignore[no-any-return]

    @strawberry.field
    def sized(self, size: int = 5) -> int:
        return size


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def items(self) -> AsyncIterator[Item]:
        yield Item()
        raise RuntimeError("password=hunter2")


FAULTY = Schema(query=Query, subscription=Subscription)

OURS = {
    "an exception": '{ text(kind: "raise") }',
    "null where none may be": '{ text(kind: "null") }',
    "what is no number": '{ number(kind: "purple") }',
    "what is not in an enum": '{ colour(kind: "purple") }',
    "what is no list": '{ colours(kind: "scalar") }',
    "deep inside": "{ item { broken } }",
}


@pytest.mark.parametrize("document", OURS.values(), ids=OURS)
async def test_a_fault_of_ours_tells_nothing_and_can_be_found_in_the_log(document: str) -> None:
    with capture_logs() as log:
        result = await run(document, schema=FAULTY)

    (error,) = result.errors or []
    extensions = error.extensions or {}
    assert ("INTERNAL", "r-1") == (extensions["code"], extensions["requestId"])
    shown = str(error.formatted)
    for inside in ("hunter2", "10.0.0.1", "Traceback", "purple", "non-nullable", "Colour", "object at"):
        assert inside not in shown
    (line,) = log
    assert (extensions["errorId"], "internal error", "r-1") == (line["errorId"], line["event"], line["requestId"])


@pytest.mark.parametrize(
    ("kind", "code", "more"),
    [
        ("forbidden", "FORBIDDEN", {}),
        ("limited", "RATE_LIMITED", {"retryAfter": 17}),
        ("late", "TIMEOUT", {}),
        ("away", "UNAVAILABLE", {}),
    ],
)
async def test_a_refusal_of_ours_keeps_its_words(kind: str, code: str, more: dict[str, Any]) -> None:
    result = await run(f'{{ text(kind: "{kind}") }}', schema=FAULTY)

    (error,) = result.errors or []
    assert {"code": code, "requestId": "r-1", **more} == error.extensions
    assert ["text"] == error.path


CALLERS = {
    "syntax": ("{", {}),
    "unknown field": ("{ nothing }", {}),
    "literal": ('{ sized(size: "x") }', {}),
    "variable": ("query($a: Int!) { sized(size: $a) }", {"a": "x"}),
    "variable missing": ("query($a: Int!) { sized(size: $a) }", {}),
    "null for a default": ("query($a: Int = 3) { sized(size: $a) }", {"a": None}),
    "null for a condition": ("query($a: Boolean = true) { sized @skip(if: $a) }", {"a": None}),
}


@pytest.mark.parametrize(("document", "variables"), CALLERS.values(), ids=CALLERS)
async def test_what_callers_do_wrong_is_said_to_them(document: str, variables: dict[str, Any]) -> None:
    result = await run(document, variables, schema=FAULTY)

    assert ["BAD_USER_INPUT"] == codes(result)
    assert "Something went wrong on our side" not in errors(result)[0][1]


async def test_a_fault_in_each_item_of_a_list_is_one_fault_in_the_log() -> None:
    with capture_logs() as log:
        result = await run("{ items { broken } }", schema=FAULTY)

    assert 50 == len(result.errors or ())
    (line,) = log
    assert {line["errorId"]} == {(error.extensions or {})["errorId"] for error in result.errors or ()}


async def test_the_events_of_a_stream_are_masked_too() -> None:
    stream: Any = await FAULTY.stream("subscription { items { broken } }", context_value=context())
    results = [result async for result in stream]

    assert [["INTERNAL"], ["INTERNAL"]] == [codes(result) for result in results]
    assert "hunter2" not in str([error.formatted for result in results for error in result.errors])


# ---------------------------------------------------------------------------- the log


REFUSED = {
    "five hundred fields that are none": "{ me { " + "nothing " * 480 + "} }",
    "a literal": f'{{ customers(first: "{CANARY}") {{ totalCount }} }}',
    "a long literal": f'{{ customers(first: "{CANARY * 400}") {{ totalCount }} }}',
    "syntax": f'{{ customer(id: "{CANARY}"',
    "a size": "{ customers(first: 1000000) { totalCount } }",
    "too much": "{ " + "a " * 400 + "}",
    "introspection": "{ __schema { queryType { name } } }",
    "a long alias": f"{{ {'a' * 9000}: nothing }}",
    "a field that is refused": f"{{ {'a' * 9000}: viewer {{ kind }} }}",
    "many fields that are refused": "{ " + " ".join(f"a{n}: viewer {{ kind }}" for n in range(9)) + " }",
}


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED)
async def test_a_request_that_is_refused_leaves_one_short_line_without_what_it_says(document: str) -> None:
    with capture_logs() as log:
        result = await run(document, schema=CLOSED)

    assert result.errors
    (line,) = log
    assert "info" == line["log_level"]
    assert len(structlog.processors.JSONRenderer()(None, "", dict(line))) < 2048
    assert "canary" not in str(line)
    assert sum(line["codes"].values()) == len(result.errors)


async def test_values_of_variables_are_never_logged() -> None:
    document = "query($f: CustomerFilter) { customers(filter: $f) { totalCount } }"

    with capture_logs() as log:
        result = await run(document, {"f": {"email": {"x": CANARY}, "kind": CANARY}}, schema=CLOSED, principal=CUSTOMER)

    assert {"BAD_USER_INPUT"} == set(codes(result))
    assert CANARY not in str(log)


@pytest.mark.parametrize("name", ["a\nadmin logged in", "\x1b[31mred", "x" * 5000, CANARY])
async def test_a_name_that_is_none_is_not_logged(name: str) -> None:
    result: Any = None
    with capture_logs() as log:
        async for result in await CLOSED.stream("query A { nothing }", context_value=context(), operation_name=name):
            assert result.errors

    assert ["BAD_USER_INPUT"] == codes(result)
    (line,) = log
    assert "(no name)" == line["operation"]


async def test_a_name_that_is_one_is_logged() -> None:
    with capture_logs() as log:
        await run("query Page { nothing }", operation_name="Page", schema=CLOSED)

    assert "Page" == log[0]["operation"]


async def test_validation_gives_up_after_twenty_errors() -> None:
    result = await run("{ me { " + " ".join(f"nothing{n}" for n in range(480)) + "} }", schema=CLOSED, principal=CUSTOMER)

    assert MAX_ERRORS + 1 == len(result.errors or ())
    assert "Too many validation errors" in errors(result)[-1][1]


async def test_fields_that_are_repeated_beyond_the_budget_of_validation_are_too_much() -> None:
    ((code, message),) = errors(await run("{ me { " + "nothing " * 480 + "} }", schema=CLOSED))

    assert "QUERY_TOO_COMPLEX" == code
    assert "Select each field once" in message
