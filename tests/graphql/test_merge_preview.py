"""What a merge would do is told beforehand, and is what it does."""

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.container import Container
from auth.principal import OPERATOR_SCOPES, Scope
from core.ids import IdKind, new_id
from core.merging import MergeBlockCode
from tests.api import Api, Json, Tokens, codes, fresh, some_email
from tests.graphql.merging import HOLD, merge, merged, preview, still
from tests.graphql.operations import BERLIN, DELETE, LONDON, UPDATE, create, payload, read
from tests.graphql.test_erase_later import LATER
from tests.graphql.test_merge import stock

LENT = ("externalId", "email", "phone", "firstName", "lastName", "company", "dateOfBirth", "locale")


def text(*values: str) -> st.SearchStrategy[str | None]:
    """Return one of two values or nothing, so that the two customers agree, differ, and lack."""
    return st.sampled_from([None, *values])


CUSTOMERS: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {
        "firstName": text("Ada", "Augusta"),
        "lastName": text("King", "Byron"),
        "company": text("Engines Ltd", "Poems Ltd"),
        "dateOfBirth": text("1990-12-10", "1991-01-01"),
        "locale": text("en-GB", "it-IT"),
        "kind": st.sampled_from(["INDIVIDUAL", "BUSINESS"]),
        "status": st.sampled_from(["ACTIVE", "PENDING"]),
        "tags": st.lists(st.sampled_from(["vip", "new", "old"]), unique=True),
        "attributes": st.lists(
            st.fixed_dictionaries({"key": st.sampled_from(["size", "colour"]), "value": st.sampled_from(["M", "L"])}),
            unique_by=lambda one: one["key"],
        ),
        # One default for each kind at most: more are refused.
        "addresses": st.lists(
            st.sampled_from([BERLIN, LONDON, {**BERLIN, "line1": "Torstraße 2", "isDefault": True}]),
            max_size=3,
            unique_by=lambda one: one["line1"],
        ),
        "documents": st.lists(st.sampled_from([{"type": "PASSPORT"}, {"type": "UTILITY_BILL"}]), max_size=2),
    }
)
OWN: st.SearchStrategy[set[str]] = st.sets(st.sampled_from(["email", "phone", "externalId"]), min_size=1)


async def made(execute: Api, drawn: Json, own: set[str], number: int) -> Json:
    """Create a customer from what was drawn, with identifiers of its own."""
    identifiers = {"email": some_email(), "phone": f"+4930901{number:05}", "externalId": fresh("x")}
    mine = {name: value if name in own else None for name, value in identifiers.items()}
    return await create(execute, **{**drawn, **mine})


def expected(into: Json, told: Json) -> Json:
    """Return the customer that is left, by what the preview told."""
    left = {**still(into), **{one["field"]: one["value"] for one in told["takesOver"]}}
    names = " ".join(part for part in (left["firstName"], left["lastName"]) if part)
    left["fullName"] = names or left["company"] or left["email"] or left["phone"] or left["externalId"]
    for contact in ("email", "phone"):
        if contact in {one["field"] for one in told["takesOver"]}:
            left[f"{contact}Verified"] = told["from"][f"{contact}Verified"]
    left["tags"] = [*into["tags"], *told["tags"]]
    left["attributes"] = [*into["attributes"], *told["attributes"]]
    moved = [{**one["address"], "customerId": into["id"], "isDefault": one["staysDefault"]} for one in told["addresses"]]
    came = [{**one, "customerId": into["id"]} for one in told["documents"]]
    return still({**left, "addresses": [*into["addresses"], *moved], "documents": [*into["documents"], *came]})


NUMBERS = itertools.count(82_000)


@settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(CUSTOMERS, CUSTOMERS, OWN, OWN)
async def test_merge_does_what_its_preview_says(execute: Api, one: Json, two: Json, mine: set[str], theirs: set[str]) -> None:
    """
    Whatever the two have: each value, address, document, tag and attribute that moves was told, and each that is given up.
    """
    into, gone = await made(execute, one, mine, next(NUMBERS)), await made(execute, two, theirs, next(NUMBERS))
    told = await preview(execute, into, gone)

    left = await merged(execute, into, gone)

    assert (True, [], into, gone) == (told["possible"], told["blocks"], told["into"], told["from"])
    assert expected(into, told) == still(left)
    given_up = {(each["field"], each["key"]): (each["kept"], each["givenUp"]) for each in told["conflicts"]}
    for field in (*LENT, "kind", "status"):
        differs = bool(into[field] and gone[field] and into[field] != gone[field])
        assert ((into[field], gone[field]) if differs else None) == given_up.pop((field, None), None)
    theirs_by_key = {pair["key"]: pair["value"] for pair in gone["attributes"]}
    differing = {pair["key"]: pair["value"] for pair in into["attributes"]}
    assert {
        ("attributes", key): (value, theirs_by_key[key])
        for key, value in differing.items()
        if theirs_by_key.get(key, value) != value
    } == given_up


async def test_it_changes_nothing(execute: Api, container: Container, seller: str) -> None:
    into, gone = await create(execute, addresses=[BERLIN]), await create(execute, addresses=[BERLIN], tags=["vip"])

    await preview(execute, into, gone)

    assert (into, gone) == (await read(execute, into["id"]), await read(execute, gone["id"]))
    assert 2 == await container.mongo.database["customer_events"].count_documents({"seller_id": seller})


# ------------------------------------------------------------------------------ what blocks


async def blocks(execute: Api, into: Json, gone: Json, as_: str = "") -> list[tuple[str, list[str]]]:
    """Return the codes and arguments of what blocks a merge."""
    told = await preview(execute, into, gone, as_=as_)
    assert told["possible"] is not bool(told["blocks"])
    return [(one["code"], one["field"]) for one in told["blocks"]]


async def test_everything_that_blocks_is_told_as_the_merge_refuses_it(
    execute: Api, container: Container, tokens: Tokens
) -> None:
    """
    Each code there is, and the refusal of the merge that goes with it.
    """
    one, two, third = await create(execute), await create(execute), await create(execute)
    theirs = await create(execute, as_=tokens.operator(fresh("seller")))
    planned = await create(execute)
    await payload(execute, LATER, {"id": planned["id"], "days": 7})
    held = await create(execute)
    assert [] == (await payload(execute, HOLD, {"id": held["id"]}))["userErrors"]
    await merged(execute, one, third)
    crowds = {}
    for what, many in (("tags", 126), ("attributes", 51), ("addresses", 51), ("documents", 51)):
        given: Json = {"addresses": [BERLIN], "documents": [{"type": "PASSPORT"}]}
        crowds[what] = (await create(execute, **given), await create(execute, **given))
        await stock(container, *crowds[what], what, many)
    nobody = {"id": new_id(IdKind.CUSTOMER)}
    cases: list[tuple[tuple[Json, Json], list[tuple[str, list[str]]], list[str]]] = [
        ((one, one), [("SAME_CUSTOMER", ["from"])], ["INVALID"]),
        ((one, nobody), [("NOT_FOUND", ["from"])], ["NOT_FOUND"]),
        ((theirs, two), [("NOT_FOUND", ["into"])], ["NOT_FOUND"]),
        ((third, nobody), [("ALREADY_MERGED", ["into"]), ("NOT_FOUND", ["from"])], ["MERGED", "NOT_FOUND"]),
        ((planned, two), [("ERASURE_PLANNED", ["into"])], ["STATE"]),
        ((two, planned), [("ERASURE_PLANNED", ["from"])], ["STATE"]),
        ((two, held), [("ON_LEGAL_HOLD", ["from"])], ["LEGAL_HOLD"]),
        *((pair, [(f"TOO_MANY_{what.upper()}", ["from", what])], ["TOO_MANY"]) for what, pair in crowds.items()),
    ]

    for (into, gone), told, refused in cases:
        assert told == await blocks(execute, into, gone)
        assert list(zip(refused, [path for _, path in told], strict=True)) == codes(await merge(execute, into, gone))

    assert [] == await blocks(execute, held, two)
    assert set(MergeBlockCode) == {code for _, told, _ in cases for code, _ in told}


async def test_customers_of_different_sellers_are_not_found_by_who_sees_both(execute: Api, tokens: Tokens) -> None:
    mine, theirs = await create(execute), await create(execute, as_=tokens.operator(fresh("seller")))

    told = await preview(execute, mine, theirs, as_=tokens.service())

    assert (mine["id"], None) == (told["into"]["id"], told["from"])
    assert [("NOT_FOUND", ["from"])] == [(one["code"], one["field"]) for one in told["blocks"]]


async def test_documents_are_told_with_their_scope_only(execute: Api, tokens: Tokens, seller: str) -> None:
    into, gone = await create(execute), await create(execute, documents=[{"type": "PASSPORT", "number": "C01X00T47"}])
    ask = "query($i: ID!, $f: ID!) { mergePreview(into: $i, from: $f) { possible documents { number } } }"
    ids = {"i": into["id"], "f": gone["id"]}

    refused = await execute(ask, ids, as_=tokens.operator(seller, OPERATOR_SCOPES - {Scope.DOCUMENTS_READ}))

    assert ["FORBIDDEN"] == [error["extensions"]["code"] for error in refused["errors"]]
    assert [{"number": "••••0T47"}] == (await execute.data(ask, ids))["mergePreview"]["documents"]


# ------------------------------------------------------------------- between preview and merge


@pytest.mark.parametrize(("which", "argument"), [("into", "expectedIntoVersion"), ("from", "expectedFromVersion")])
async def test_a_merge_that_was_seen_otherwise_is_refused(execute: Api, which: str, argument: str) -> None:
    pair = {"into": await create(execute), "from": await create(execute)}
    told = await preview(execute, pair["into"], pair["from"])
    versions: Any = {"intoVersion": told["into"]["version"], "fromVersion": told["from"]["version"]}
    await payload(execute, UPDATE, {"id": pair[which]["id"], "patch": {"firstName": "Eve"}})

    refused = await merge(execute, pair["into"], pair["from"], **versions)

    assert [("CONFLICT", [argument])] == codes(refused)
    assert 2 == refused["userErrors"][0]["currentVersion"]
    versions["intoVersion" if which == "into" else "fromVersion"] = 2
    assert [] == codes(await merge(execute, pair["into"], pair["from"], **versions))


async def test_who_is_gone_is_told_before_any_version(execute: Api) -> None:
    into, gone = await create(execute), await create(execute)
    await payload(execute, DELETE, {"id": gone["id"]})

    assert [("NOT_FOUND", ["from"])] == codes(await merge(execute, into, gone, intoVersion=7, fromVersion=7))
