"""Merging: two records of one person become one, all or nothing, and nobody's identifier moves in silence."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

import pytest

from app.container import Container
from auth.principal import OPERATOR_SCOPES, Principal, Scope
from core.errors import Refused
from core.ids import IdKind, new_id
from core.tenancy import Reach
from core.vocabulary import PrincipalKind
from models.customer import Customer
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_merge import CustomerMerging
from tests.api import Api, Json, Tokens, codes, fresh, some_email
from tests.graphql.lists import BY
from tests.graphql.operations import (
    ADDRESS,
    BERLIN,
    COMPLETE,
    CREATE,
    CREATE_ADDRESS,
    CREATE_DOCUMENT,
    DELETE,
    DOCUMENT,
    ERRORS,
    LONDON,
    PDF,
    PROFILE,
    UPDATE,
    announced,
    create,
    events,
    fetch,
    payload,
    read,
    send,
)
from tests.graphql.test_session import signed_in, until_refused
from tests.outbox import Outbox

MERGE = f"""mutation($into: ID!, $from: ID!) {{ mergeCustomers(into: $into, from: $from) {{
  customer {{ {PROFILE} addresses {{ {ADDRESS} }} documents {{ {DOCUMENT} }} }} {ERRORS} }} }}"""

T = TypeVar("T")


async def merge(execute: Api, into: Json, gone: Json, as_: str = "") -> Json:
    """Merge two customers; return the payload."""
    return await payload(execute, MERGE, {"into": into["id"], "from": gone["id"]}, as_=as_)


async def merged(execute: Api, into: Json, gone: Json) -> Json:
    """Merge two customers, which has to go well; return the one that is left."""
    done = await merge(execute, into, gone)
    assert [] == done["userErrors"]
    customer: Json = done["customer"]
    assert customer == {**await read(execute, into["id"]), "documents": customer["documents"]}
    return customer


# ------------------------------------------------------------------------- the profile


async def test_survivor_keeps_what_it_has(execute: Api) -> None:
    own = {
        "externalId": "I-1",
        "phone": "+4930901820",
        "firstName": "Ada",
        "lastName": "King",
        "company": "Engines Ltd",
        "dateOfBirth": "1990-12-10",
        "locale": "en-GB",
        "status": "PENDING",
    }
    into = await create(execute, **own)
    other = {
        "externalId": "F-1",
        "phone": "+4930901821",
        "firstName": "Augusta",
        "lastName": "Byron",
        "company": "Poems Ltd",
        "dateOfBirth": "1991-01-01",
        "locale": "it-IT",
        "kind": "BUSINESS",
    }
    gone = await create(execute, **other)

    left = await merged(execute, into, gone)

    same = into.keys() - {"version", "updatedAt", "addresses", "documents"}
    assert {name: into[name] for name in same} == {name: left[name] for name in same}
    assert 2 == left["version"]


async def test_survivor_takes_what_it_lacks(execute: Api, container: Container) -> None:
    into = await create(execute, email=None, externalId="I-1", tags=["vip"], attributes=[{"key": "size", "value": "M"}])
    gone = await create(
        execute,
        email=some_email(),
        phone="+4930901820",
        firstName="Ada",
        lastName="King",
        company="Engines Ltd",
        dateOfBirth="1990-12-10",
        locale="en-GB",
        tags=["new", "vip"],
        attributes=[{"key": "size", "value": "L"}, {"key": "colour", "value": "red"}],
        kind="INDIVIDUAL",
    )
    await container.mongo.database["customers"].update_one({"_id": gone["id"]}, {"$set": {"email_verified": True}})

    left = await merged(execute, into, gone)

    lent = ("email", "phone", "firstName", "lastName", "fullName", "company", "dateOfBirth", "locale")
    assert {name: gone[name] for name in lent} == {name: left[name] for name in lent}
    assert ("I-1", True, False) == (left["externalId"], left["emailVerified"], left["phoneVerified"])
    assert ["vip", "new"] == left["tags"]
    assert [{"key": "size", "value": "M"}, {"key": "colour", "value": "red"}] == left["attributes"]
    found = await execute.data('{ customers(filter: { search: "king" }) { nodes { id } } }')
    assert [{"id": into["id"]}] == found["customers"]["nodes"]
    assert into["id"] == (await execute.data(BY, {"key": {"email": gone["email"]}}))["customerBy"]["id"]
    (event,) = [one for one in await events(execute, into["id"]) if one["type"] == "UPDATED"]
    changed = ["email", "phone", "firstName", "lastName", "company", "dateOfBirth", "locale", "tags", "attributes"]
    assert changed == event["changed"]


async def test_identifier_that_both_have_differently_is_free_and_nobody_elses(execute: Api) -> None:
    into, gone = await create(execute), await create(execute, externalId="F-1")
    both_have = gone["email"]

    left = await merged(execute, into, gone)

    assert (into["email"], "F-1") == (left["email"], left["externalId"])
    assert {"customerBy": None} == await execute.data(BY, {"key": {"email": both_have}})
    assert [] == (await payload(execute, CREATE, {"input": {"email": both_have}}))["userErrors"]


async def test_the_one_that_went_is_gone_and_its_id_leads_to_who_is_left(
    execute: Api, tokens: Tokens, outbox: Outbox, seller: str, container: Container
) -> None:
    into, gone = await create(execute), await create(execute)
    token = (await signed_in(execute, outbox, seller, gone["email"]))["tokens"]["accessToken"]

    await merged(execute, into, gone)

    reads = "query($id: ID!) { customer(id: $id) { id } node(id: $id) { id } customers(filter: {ids: [$id]}) { totalCount } }"
    answer = await execute.data(reads, {"id": gone["id"]})
    assert {"customer": {"id": into["id"]}, "node": None, "customers": {"totalCount": 0}} == answer
    assert [("MERGED", ["id"])] == codes(await payload(execute, DELETE, {"id": gone["id"]}))
    await until_refused(execute.http, token)
    assert into["id"] == (await container.mongo.database["customers"].find_one({"_id": gone["id"]}) or {})["merged_into"]


# --------------------------------------------------------------- addresses and documents


async def test_addresses_move_and_one_default_of_each_kind_is_left(execute: Api) -> None:
    into = await create(execute, addresses=[BERLIN, {**BERLIN, "line1": "Torstraße 2"}])
    gone = await create(execute, addresses=[{**BERLIN, "line1": "Torstraße 3"}, LONDON, {**LONDON, "line1": "13 Square"}])

    left = await merged(execute, into, gone)

    by_id = {address["id"]: address for address in left["addresses"]}
    kept, moved = [address["id"] for address in into["addresses"]], [address["id"] for address in gone["addresses"]]
    assert {*kept, *moved} == by_id.keys()
    assert {into["id"]} == {address["customerId"] for address in left["addresses"]}
    assert [True, False, False, True, False] == [by_id[id_]["isDefault"] for id_ in (*kept, *moved)]
    assert [1, 1, 2, 2, 2] == [by_id[id_]["version"] for id_ in (*kept, *moved)]
    assert ["UPDATED", ["addresses"]] == [(await events(execute, into["id"]))[-1][name] for name in ("type", "changed")]


async def test_documents_move_with_their_numbers_and_files(execute: Api, tokens: Tokens, seller: str) -> None:
    into = await create(execute, documents=[{"type": "PASSPORT", "number": "C01X00T47"}])
    gone = await create(execute)
    fields = {"type": "PASSPORT", "number": "C01X00T48", "file": announced()}
    filed = await payload(execute, CREATE_DOCUMENT, {"customer": gone["id"], "input": fields})
    await send(filed["upload"], PDF)
    completed = (await payload(execute, COMPLETE, {"id": filed["document"]["id"]}))["document"]

    left = await merged(execute, into, gone)

    moved = next(one for one in left["documents"] if one["id"] == completed["id"])
    assert into["id"] == moved["customerId"]
    assert completed["version"] < moved["version"]
    assert PDF == (await fetch(moved["file"]["downloadUrl"])).content
    full = tokens.operator(seller, [*OPERATOR_SCOPES, Scope.DOCUMENTS_READ_FULL])
    answer = await execute.data("query($id: ID!) { document(id: $id) { number } }", {"id": moved["id"]}, as_=full)
    assert "C01X00T48" == answer["document"]["number"]
    for number in ("C01X00T47", "C01X00T48"):
        assert into["id"] == (await execute.data(BY, {"key": {"documentNumber": number}}))["customerBy"]["id"]
    assert ["documents"] == (await events(execute, into["id"]))[-1]["changed"]


async def test_documents_move_with_their_scope_only(execute: Api, tokens: Tokens, seller: str) -> None:
    too_little = tokens.operator(seller, OPERATOR_SCOPES - {Scope.DOCUMENTS_WRITE})
    into, bare = await create(execute), await create(execute)
    gone = await create(execute, documents=[{"type": "PASSPORT"}])

    refused = await execute(MERGE, {"into": into["id"], "from": gone["id"]}, as_=too_little)
    allowed = await merge(execute, into, bare, as_=too_little)

    assert ["FORBIDDEN"] == [error["extensions"]["code"] for error in refused["errors"]]
    assert "documents:write" in refused["errors"][0]["message"]
    assert gone == {**await read(execute, gone["id"]), "documents": gone["documents"]}
    assert [] == allowed["userErrors"]


# --------------------------------------------------------------------------- refusals


async def test_nobody_is_merged_into_itself(execute: Api) -> None:
    one = await create(execute)

    assert [("INVALID", ["from"])] == codes(await merge(execute, one, one))
    assert one == await read(execute, one["id"])


async def test_who_is_not_there_is_not_found_under_its_own_argument(execute: Api, tokens: Tokens, seller: str) -> None:
    """
    Another seller's, a deleted and an unknown one are the same; and so they are for a service that sees both sellers.
    """
    mine = await create(execute)
    other = tokens.operator(fresh("seller"))
    theirs, deleted = await create(execute, as_=other), await create(execute)
    await payload(execute, DELETE, {"id": deleted["id"]})

    for nobody in (theirs, deleted, {"id": new_id(IdKind.CUSTOMER)}, {"id": "' OR 1=1"}):
        assert [("NOT_FOUND", ["from"])] == codes(await merge(execute, mine, nobody))
        assert [("NOT_FOUND", ["into"])] == codes(await merge(execute, nobody, mine))
    assert [("NOT_FOUND", ["into"]), ("NOT_FOUND", ["from"])] == codes(await merge(execute, theirs, deleted))
    assert [("NOT_FOUND", ["from"])] == codes(await merge(execute, mine, theirs, as_=tokens.service()))
    assert mine == await read(execute, mine["id"])
    assert (
        theirs["version"]
        == (await execute.data("query($id: ID!) { customer(id: $id) { version } }", theirs, as_=other))["customer"]["version"]
    )


async def stock(container: Container, into: Json, gone: Json, what: str, many: int) -> None:
    """Give both of two customers *many* of something, past the API's own limits for one call."""
    database = container.mongo.database
    for one in (into, gone):
        if what in {"tags", "attributes"}:
            own: list[Any] = [f"{one['id']}-{n}" for n in range(many)]
            if what == "attributes":
                own = [{"key": key, "value": "x"} for key in own]
            await database["customers"].update_one({"_id": one["id"]}, {"$set": {what: own}})
            continue
        pattern = await database[what].find_one({"customer_id": one["id"]})
        assert pattern is not None
        kind = IdKind.ADDRESS if what == "addresses" else IdKind.DOCUMENT
        await database[what].insert_many(
            [
                {**pattern, "_id": new_id(kind), **({"is_default": False} if what == "addresses" else {})}
                for _ in range(many - 1)
            ]
        )


@pytest.mark.parametrize(("what", "fits"), [("tags", 125), ("attributes", 50), ("addresses", 50), ("documents", 50)], ids=str)
async def test_more_than_a_customer_may_have_is_refused_and_nothing_changes(
    execute: Api, container: Container, what: str, fits: int
) -> None:
    given: Json = {"addresses": [BERLIN], "documents": [{"type": "PASSPORT"}]}
    pairs = [(await create(execute, **given), await create(execute, **given)) for _ in range(2)]
    for (into, gone), many in zip(pairs, (fits, fits + 1), strict=True):
        await stock(container, into, gone, what, many)
    (fitting, too_large) = pairs
    before = [await read(execute, one["id"]) for one in too_large]

    assert [] == codes(await merge(execute, *fitting))
    assert [("TOO_MANY", ["from", what])] == codes(await merge(execute, *too_large))

    after = [await read(execute, one["id"]) for one in too_large]
    assert [one["version"] for one in before] == [one["version"] for one in after]
    assert [len(one["addresses"]) for one in before] == [len(one["addresses"]) for one in after]


# ----------------------------------------------------------------------------- events


async def test_both_tell_what_happened_and_who_is_left(execute: Api, container: Container, seller: str) -> None:
    into, gone = await create(execute), await create(execute)

    await merged(execute, into, gone)

    stored = await container.mongo.database["customer_events"].find({"seller_id": seller, "version": 2}).to_list()
    found = {one["customer_id"]: one for one in stored}
    assert ("DELETED", ["mergedInto"], into["id"]) == (
        found[gone["id"]]["type"],
        found[gone["id"]]["changed"],
        found[gone["id"]]["data"]["mergedInto"],
    )
    assert ("UPDATED", [], None) == (
        found[into["id"]]["type"],
        found[into["id"]]["changed"],
        found[into["id"]]["data"].get("mergedInto"),
    )
    assert {"operator:ada"} == {one["actor"] for one in stored}


# ----------------------------------------------------------------------- at the same time


class WithoutTurns(UnitOfWork):
    """As if every call came to a process of its own: only the database keeps them apart."""

    async def run(
        self, tenant: Reach, body: Callable[[Repositories], Awaitable[T]], *, turn: str | Collection[str] | None = None
    ) -> T:
        """Run *body* without waiting for a turn."""
        return await super().run(tenant, body)


@pytest.mark.parametrize("units", [UnitOfWork, WithoutTurns])
async def test_of_merges_that_cross_one_wins(execute: Api, container: Container, seller: str, units: type[UnitOfWork]) -> None:
    """
    With nothing to take over on either side: even then the two have to meet somewhere.
    """
    merging = CustomerMerging(units(container.mongo.database.client), container.rules.records, container.rules.clock)
    viewer = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id=seller)
    for _ in range(3):
        one, two = (await create(execute))["id"], (await create(execute))["id"]

        outcomes = await asyncio.gather(
            *(merging.merge(viewer, *pair) for pair in [(one, two), (two, one)] * 5), return_exceptions=True
        )

        (winner,) = [outcome for outcome in outcomes if isinstance(outcome, Customer)]
        losers = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
        assert 9 == len(losers)
        assert {"MERGED"} == {loser.problems[0].code.value for loser in losers}
        found = await execute.data(
            "query($ids: [ID!]) { customers(filter: {ids: $ids}) { nodes { id } } }", {"ids": [one, two]}
        )
        assert [{"id": winner.id}] == found["customers"]["nodes"]


async def test_nothing_is_lost_when_both_change_meanwhile(execute: Api) -> None:
    into, gone = await create(execute, addresses=[BERLIN]), await create(execute, addresses=[BERLIN])

    outcomes = await asyncio.gather(
        *(payload(execute, CREATE_ADDRESS, {"customer": gone["id"], "input": BERLIN}) for _ in range(4)),
        merge(execute, into, gone),
        *(payload(execute, CREATE_ADDRESS, {"customer": gone["id"], "input": BERLIN}) for _ in range(4)),
        *(payload(execute, UPDATE, {"id": into["id"], "patch": {"firstName": f"Ada {n}"}}) for n in range(4)),
    )

    added = [one["address"] for one in outcomes if one.get("address")]
    refused = [codes(one) for one in outcomes if one["userErrors"]]
    left = await read(execute, into["id"])
    assert [[("MERGED", ["customerId"])]] * len(refused) == refused
    assert 2 + len(added) == len(left["addresses"])
    assert 1 == sum(address["isDefault"] for address in left["addresses"])
    assert list(range(1, left["version"] + 1)) == [one["version"] for one in await events(execute, into["id"])]
    assert 6 == left["version"]


async def test_a_chain_of_merges_ends_in_one(execute: Api) -> None:
    first, second, third = [await create(execute, addresses=[BERLIN]) for _ in range(3)]

    await merged(execute, second, first)
    left = await merged(execute, third, second)

    assert 3 == len(left["addresses"])
    assert {third["id"]} == {address["customerId"] for address in left["addresses"]}
    assert 1 == sum(address["isDefault"] for address in left["addresses"])
