"""What a document may look like: each limit at its edge, through fragments and operations, in linear time."""

from collections.abc import Callable
from itertools import chain

import pytest
from graphql import get_introspection_query, parse
from graphql.validation.rules import overlapping_fields_can_be_merged as overlapping
from hypothesis import given, settings
from hypothesis import strategies as st

from app.graphql.document_guard import (
    MAX_ALIASES,
    MAX_CHARACTERS,
    MAX_COMMENTS,
    MAX_DEPTH,
    MAX_DIRECTIVES,
    MAX_FIELDS,
    MAX_INTROSPECTION_DEPTH,
    MAX_ROOT_FIELDS,
    MAX_SPREADS,
    MAX_TOKENS,
    examine,
)
from tests.effort import effort
from tests.graphql.alone import codes, errors, run

LIMITS = {
    "depth": (MAX_DEPTH, 10),
    "root fields": (MAX_ROOT_FIELDS, 10),
    "aliases": (MAX_ALIASES, 15),
    "directives": (MAX_DIRECTIVES, 50),
    "fields": (MAX_FIELDS, 500),
    "tokens": (MAX_TOKENS, 1000),
    "comments": (MAX_COMMENTS, 20),
    "characters": (MAX_CHARACTERS, 15_000),
}


def too_much(document: str) -> str | None:
    return examine(parse(document)).too_much


def nested(levels: int) -> str:
    return "{ a " * levels + "}" * levels


def fragment_chain(levels: int) -> str:
    """Each fragment is one field deeper than the one before."""
    links = "".join(f"fragment F{n} on T {{ a {{ ...F{n + 1} }} }} " for n in range(levels - 1))
    return f"{{ ...F0 }} {links} fragment F{levels - 1} on T {{ a }}"


def below(count: int, selection: str = "b", field: str = "a") -> str:
    return f"{{ {field} {{ {' '.join([selection] * count)} }} }}"


def aliases(count: int) -> str:
    return "{ x { " + " ".join(f"a{n}: b" for n in range(count)) + " } }"


def in_fragments(selection: str, times: int, rest: str = "") -> str:
    """A fragment with five of something, spread so many times, and the rest beside it."""
    five = " ".join([selection] * 5)
    return f"{{ x {{ {'...F ' * times} {rest} }} }} fragment F on T {{ {five} }}"


def introspection(levels: int) -> str:
    return "{ __schema " + "{ a " * (levels - 1) + "}" * (levels - 1) + "}"


AT_THE_EDGE: dict[str, tuple[Callable[[int], str], int, str]] = {
    "depth": (nested, MAX_DEPTH, "levels of fields"),
    "depth through fragments": (fragment_chain, MAX_DEPTH, "levels of fields"),
    "depth through inline fragments": (lambda n: "{ a ... { b " * n + "} }" * n, MAX_DEPTH, "levels of fields"),
    "introspection": (introspection, MAX_INTROSPECTION_DEPTH, "levels of introspection"),
    "introspection in a fragment": (
        lambda n: "{ ...F } fragment F on Query " + introspection(n),
        MAX_INTROSPECTION_DEPTH,
        "levels of introspection",
    ),
    "introspection through a fragment": (
        lambda n: "{ __schema { ...F } } fragment F on T " + nested(n - 1),
        MAX_INTROSPECTION_DEPTH,
        "levels of introspection",
    ),
    "aliases": (aliases, MAX_ALIASES, "aliases"),
    "aliases in a fragment": (
        lambda n: in_fragments("a: b", n // 5, "c: d " * (n % 5)),
        MAX_ALIASES,
        "aliases",
    ),
    "aliases in two operations": (
        lambda n: f"query A {aliases(8)} query B {aliases(n - 8)}",
        MAX_ALIASES,
        "aliases",
    ),
    "aliases in a fragment that nobody uses": (
        lambda n: f"{{ a }} fragment F on T {aliases(n)}",
        MAX_ALIASES,
        "aliases",
    ),
    "aliases in fragments of one name": (
        lambda n: f"{{ ...F }} fragment F on T {aliases(n)} fragment F on T {{ a }}",
        MAX_ALIASES,
        "aliases",
    ),
    "root fields": (lambda n: "{" + "a " * n + "}", MAX_ROOT_FIELDS, "root fields"),
    "root fields in fragments": (
        lambda n: f"{{ ...F ...F ... {{ ...F }} {'a ' * (n - 9)} }} fragment F on Query {{ a b c }}",
        MAX_ROOT_FIELDS,
        "root fields",
    ),
    "root fields in two operations": (
        lambda n: f"query A {{ {'a ' * 6} }} query B {{ {'a ' * (n - 6)} }}",
        MAX_ROOT_FIELDS,
        "root fields",
    ),
    "directives": (lambda n: below(n, "b @skip(if: true)"), MAX_DIRECTIVES, "directives"),
    "directives on one field": (lambda n: f"{{ a {'@a ' * n} }}", MAX_DIRECTIVES, "directives"),
    "directives everywhere": (
        lambda n: (
            f"query A($b: Int @a) @a {{ x {{ a @a ... @a {{ b }} ...F @a ...F @a {'b @a ' * (n - 14)} }} }} "
            "fragment F on T @a { a @a b @a c @a }"
        ),
        MAX_DIRECTIVES,
        "directives",
    ),
    "fields": (lambda n: below(n - 1), MAX_FIELDS, "fields"),
    "fields in a fragment": (lambda n: in_fragments("b", (n - 1) // 5, "c " * ((n - 1) % 5)), MAX_FIELDS, "fields"),
    "spreads": (lambda n: below(n, "...F") + " fragment F on T { }", MAX_SPREADS, "fragment spreads"),
}


@pytest.mark.parametrize(("document", "limit", "noun"), AT_THE_EDGE.values(), ids=AT_THE_EDGE)
def test_a_document_at_the_limit_passes_and_one_more_does_not(document: Callable[[int], str], limit: int, noun: str) -> None:
    assert too_much(document(limit)) is None

    refused = too_much(document(limit + 1))
    assert refused is not None
    assert f"{limit + 1} {noun}; at most {limit} are allowed" in refused
    assert "Ask in several requests" in refused


@pytest.mark.parametrize(("limit", "documented"), LIMITS.values(), ids=LIMITS)
def test_the_limits_are_those_of_the_documentation(limit: int, documented: int) -> None:
    assert documented == limit


def test_validation_has_a_budget() -> None:
    assert overlapping.MAX_COMPLEXITY_BUDGET <= 20_000


# ---------------------------------------------------------------------------- what the parser counts


async def test_tokens() -> None:
    """
    Both documents have ten root fields and as many arguments as make the sum.
    """

    def document(tokens: int) -> str:
        rest = tokens - 4  # { a ( … ) } without what is between the parentheses
        return "{ a(" + "b:1 " * (rest // 3) + "," * 9 + ")" + "@c" * ((rest % 3) // 2) + " }" + " " * (rest % 3)

    assert "QUERY_TOO_COMPLEX" not in codes(await run(document(MAX_TOKENS - 2)))
    assert ["QUERY_TOO_COMPLEX"] == codes(await run(document(MAX_TOKENS + 2)))


@pytest.mark.parametrize(
    ("document", "limit", "noun"),
    [
        (lambda n: "{ __typename " + "#\n" * n + "}", MAX_COMMENTS, "comments"),
        (lambda n: "{ __typename }" + " " * (n - 14), MAX_CHARACTERS, "characters"),
        (lambda n: "{ __typename " + "@skip(if:false)" + " " * (n - 30) + "}", MAX_CHARACTERS, "characters"),
    ],
    ids=["comments", "characters", "characters inside"],
)
async def test_what_the_parser_counts(document: Callable[[int], str], limit: int, noun: str) -> None:
    assert not (await run(document(limit))).errors

    ((code, message),) = errors(await run(document(limit + 2)))
    assert "QUERY_TOO_COMPLEX" == code
    assert f"more than {limit:,} {noun}" in message
    assert "Syntax Error" not in message


@pytest.mark.parametrize("document", ["{a(b:" + "[" * 900 + "}", "{" + "a{" * 990], ids=["lists", "fields"])
async def test_nesting_that_no_parser_follows_is_refused(document: str) -> None:
    (code,) = codes(await run(document))

    assert code in {"QUERY_TOO_COMPLEX", "BAD_USER_INPUT"}


# ---------------------------------------------------------------------------- which operation


SEVERAL = "query A { __typename } query B { b: __typename }"


async def test_one_of_several_operations_has_to_be_named() -> None:
    ((code, message),) = errors(await run(SEVERAL))

    assert "BAD_USER_INPUT" == code
    assert "operationName" in message
    assert {"b": "Query"} == (await run(SEVERAL, operation_name="B")).data


async def test_what_is_too_much_in_one_operation_refuses_the_others_too() -> None:
    document = f"query A {{ __typename }} query B {nested(MAX_DEPTH + 1)}"

    assert ["QUERY_TOO_COMPLEX"] == codes(await run(document, operation_name="A"))


# ---------------------------------------------------------------------------- clients


ALL_OPTIONS = get_introspection_query(
    descriptions=True,
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
)


@pytest.mark.parametrize("document", [get_introspection_query(), ALL_OPTIONS], ids=["default", "all options"])
async def test_the_introspection_query_of_every_tool_passes(document: str) -> None:
    result = await run(document)

    assert result.errors is None
    assert "Customer" in {type_["name"] for type_ in (result.data or {})["__schema"]["types"]}


async def test_circular_introspection_is_refused() -> None:
    deep = "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"

    (message,) = [message for _, message in errors(await run(deep))]

    assert "Maximum introspection depth exceeded" == message


# ---------------------------------------------------------------------------- hostile documents


def bomb(size: int, innermost: str) -> str:
    """Fragments that each spread the next one twice: walked spread by spread, thirty of them take minutes."""
    doubling = " ".join(f"fragment F{n} on T {{ ...F{n + 1} ...F{n + 1} }}" for n in range(size))
    return f"{{ ...F0 }} {doubling} fragment F{size} on T {{ {innermost} }}"


@pytest.mark.parametrize("innermost", ["a: b", "", "...F0", "...Nowhere", "a { ...F1 }"])
@pytest.mark.parametrize("size", [30, 100, 1000])
def test_fragment_bombs_are_counted_in_linear_time(size: int, innermost: str) -> None:
    """
    Walked spread by spread, the smallest of them would be a billion calls.
    """
    document = parse(bomb(size, innermost))
    with effort() as spent:
        found = examine(document)

    assert spent.calls < 200 * size
    assert found.too_much is not None
    assert "1,000,000 or more" in found.too_much


HARMLESS = {
    "circular": "{ ...F } fragment F on Query { ...G } fragment G on Query { __typename ...F }",
    "circular alone": "{ ...F } fragment F on Query { ...F }",
    "circular and unused": "{ __typename } fragment F on Query { ...G } fragment G on Query { ...F }",
    "unknown": "{ ...Nowhere }",
    "unused": "{ __typename } fragment F on Query { __typename }",
    "twice": "{ ...F } fragment F on Query { __typename } fragment F on Query { __typename }",
    "empty": "{ viewer { } }",
    "empty root": "{ }",
    "unknown type": "{ ...F } fragment F on Nothing { a } ",
    "unknown operation": "subscription { a } ",
    "no operation": "fragment F on Query { __typename }",
    "types": "type A { b: Int }",
}


@pytest.mark.parametrize("document", HARMLESS.values(), ids=HARMLESS)
async def test_what_is_only_wrong_is_left_to_validation(document: str) -> None:
    assert examine(parse(document)).too_much is None


@pytest.mark.parametrize("name", ["circular", "circular alone", "unknown", "unused", "twice", "unknown type"])
async def test_fragments_that_are_wrong_get_a_clean_validation_error(name: str) -> None:
    result = await run(HARMLESS[name])

    assert {"BAD_USER_INPUT"} == set(codes(result))
    assert all("Fragment" in message or "fragment" in message or "type" in message for _, message in errors(result))


NAMES = st.sampled_from(["a", "b", "__schema", "customers", "F", "G"])
SELECTIONS = st.recursive(
    st.one_of(NAMES, NAMES.map("x: {}".format), st.sampled_from(["F", "G", "H"]).map("...{}".format)),
    lambda inner: st.one_of(
        st.tuples(NAMES, st.lists(inner, max_size=4)).map(lambda pair: f"{pair[0]} {{ {' '.join(pair[1])} }}"),
        st.lists(inner, max_size=4).map(lambda some: f"... {{ {' '.join(some)} }}"),
    ),
    max_leaves=30,
)
DOCUMENTS = st.tuples(SELECTIONS, SELECTIONS, SELECTIONS).map(
    lambda parts: f"{{ {parts[0]} }} fragment F on Query {{ {parts[1]} }} fragment G on Query {{ {parts[2]} }}"
)


@settings(max_examples=100, deadline=None)
@given(document=DOCUMENTS)
def test_nothing_that_can_be_parsed_makes_the_guard_raise(document: str) -> None:
    found = examine(parse(document))

    assert found.tells_schema == ("__schema" in document)


def test_fields_are_counted_wherever_a_fragment_is_used() -> None:
    spread = " ".join(chain.from_iterable([["...F"] * 50]))
    document = f"{{ x {{ {spread} }} }} fragment F on T {{ {'a ' * 10} }}"

    refused = too_much(document)

    assert refused is not None
    assert refused.startswith("This document has 501 fields")
