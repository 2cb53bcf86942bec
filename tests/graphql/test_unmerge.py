"""Undoing a merge: both are as they were, but for what changed since, and nobody's identifier moves in silence."""

import asyncio
from typing import Any

import bson
import pytest

from app.container import Container
from auth.principal import OPERATOR_SCOPES, Principal, Scope
from core.errors import Refused
from core.ids import IdKind, new_id
from core.vocabulary import PrincipalKind
from repositories.unit_of_work import UnitOfWork
from services.customer_merge import CustomerMerging
from services.customer_unmerge import CustomerUnmerging, Unmerged
from tests.api import Api, Json, Tokens, codes, fresh, some_email
from tests.clocks import MovableClock
from tests.graphql.lists import LIST
from tests.graphql.merging import HOLD, UNMERGE, merged, still, unmerge, unmerged
from tests.graphql.operations import (
    BERLIN,
    COMPLETE,
    CREATE_ADDRESS,
    CREATE_DOCUMENT,
    DELETE,
    DELETE_ADDRESS,
    DELETE_DOCUMENT,
    ERRORS,
    LONDON,
    PDF,
    SET_DEFAULT,
    UPDATE,
    UPDATE_ADDRESS,
    UPSERT,
    announced,
    create,
    events,
    fetch,
    payload,
    read,
    send,
)
from tests.graphql.test_merge import WithoutTurns

ERASE = f"mutation($id: ID!, $days: Int! = 0) {{ eraseCustomer(id: $id, graceDays: $days) {{ deletedId {ERRORS} }} }}"


def full(number: int) -> Json:
    """Return somebody who has everything that a customer can have."""
    return {
        "externalId": f"F-{number}",
        "email": some_email(),
        "phone": f"+493090182{number}",
        "firstName": "Ada",
        "lastName": "King",
        "company": "Engines Ltd",
        "dateOfBirth": "1990-12-10",
        "locale": "en-GB",
        "tags": ["new", "vip"],
        "attributes": [{"key": "size", "value": "L"}, {"key": "colour", "value": "red"}],
        "addresses": [{**BERLIN, "line1": "Torstraße 3"}, LONDON, {**LONDON, "line1": "13 Square"}],
        "documents": [{"type": "PASSPORT", "number": "C01X00T48"}, {"type": "UTILITY_BILL"}],
    }


@pytest.mark.parametrize(
    "own",
    [
        {"externalId": "I-1", "email": None},
        {"tags": ["vip", "own"], "attributes": [{"key": "size", "value": "M"}], "addresses": [BERLIN]},
        {**full(7), "documents": [{"type": "PASSPORT", "number": "C01X00T47"}]},
    ],
    ids=["somebody who lacks everything", "somebody who has some of it", "somebody who has it all"],
)
async def test_both_are_as_they_were(execute: Api, own: Json) -> None:
    into, gone = await create(execute, **own), await create(execute, **full(0))
    await merged(execute, into, gone)

    back, left = await unmerged(execute, gone)

    assert still(gone) == still(back)
    assert still(into) == still(left)
    for search in (gone["email"], gone["phone"], "king"):
        found = await execute.data(LIST, {"filter": {"search": search}})
        assert gone["id"] in [node["id"] for node in found["customers"]["nodes"]]


async def test_documents_go_back_with_numbers_and_files(
    execute: Api, tokens: Tokens, seller: str, container: Container
) -> None:
    """
    The number is under the key of whoever has it: it still opens once the other one is erased.
    """
    into, gone = await create(execute), await create(execute)
    fields = {"type": "PASSPORT", "number": "C01X00T48", "file": announced()}
    filed = await payload(execute, CREATE_DOCUMENT, {"customer": gone["id"], "input": fields})
    await merged(execute, into, gone)
    # The file arrives while the survivor has the document: it lies in the survivor's folder, or in the old one.
    await send(filed["upload"], PDF)
    completed = (await payload(execute, COMPLETE, {"id": filed["document"]["id"]}))["document"]

    back, left = await unmerged(execute, gone)
    await payload(execute, ERASE, {"id": into["id"]})

    assert ([completed["id"]], []) == ([one["id"] for one in back["documents"]], left["documents"])
    all_of_it = tokens.operator(seller, [*OPERATOR_SCOPES, Scope.DOCUMENTS_READ_FULL])
    answer = await execute.data(
        "query($id: ID!) { document(id: $id) { number file { downloadUrl } customer { id } } }",
        {"id": completed["id"]},
        as_=all_of_it,
    )
    assert ("C01X00T48", gone["id"]) == (answer["document"]["number"], answer["document"]["customer"]["id"])
    assert PDF == (await fetch(answer["document"]["file"]["downloadUrl"])).content
    found = await execute.data('{ customerBy(key: {documentNumber: "C01X00T48"}) { id } }')
    assert gone["id"] == found["customerBy"]["id"]


async def test_what_was_changed_by_hand_stays_with_the_survivor(execute: Api, container: Container) -> None:
    into, gone = await create(execute, externalId="I-1", email=None), await create(execute, **full(0))
    await merged(execute, into, gone)
    patch = {
        "email": some_email(),
        "lastName": "Byron",
        "tags": ["vip", "mine"],
        "attributes": [{"key": "colour", "value": "blue"}, {"key": "size", "value": "L"}],
    }
    changed = (await payload(execute, UPDATE, {"id": into["id"], "patch": patch}))["customer"]
    await container.mongo.database["customers"].update_one({"_id": into["id"]}, {"$set": {"phone_verified": True}})

    back, left = await unmerged(execute, gone)

    assert {**still(gone), "phoneVerified": True} == still(back)
    assert (changed["email"], "Byron", None, None) == (left["email"], left["lastName"], left["firstName"], left["phone"])
    assert ["mine"] == left["tags"]
    assert [{"key": "colour", "value": "blue"}] == left["attributes"]
    assert ("Byron", False) == (left["fullName"], left["phoneVerified"])


async def test_addresses_that_came_and_went_meanwhile(execute: Api) -> None:
    """
    Each of the two has one default of each kind of which it has any.
    """
    into = await create(execute)
    gone = await create(execute, addresses=[BERLIN, {**BERLIN, "line1": "Torstraße 2"}, LONDON, {**LONDON, "line1": "13"}])
    came = [address["id"] for address in gone["addresses"]]
    await merged(execute, into, gone)
    added = [
        (await payload(execute, CREATE_ADDRESS, {"customer": into["id"], "input": where}))["address"]["id"]
        for where in ({**BERLIN, "line1": "Torstraße 9"}, {**LONDON, "line1": "14"}, {**LONDON, "line1": "15"})
    ]
    await payload(execute, SET_DEFAULT, {"id": added[2]})
    await payload(execute, UPDATE_ADDRESS, {"id": came[1], "patch": {"label": "Home"}})
    await payload(execute, UPDATE_ADDRESS, {"id": came[3], "patch": {"kind": "SHIPPING"}})
    await payload(execute, DELETE_ADDRESS, {"id": came[0]})

    back, left = await unmerged(execute, gone)

    assert [(came[1], "SHIPPING", True, "Home"), (came[2], "BILLING", True, None), (came[3], "SHIPPING", False, None)] == [
        (one["id"], one["kind"], one["isDefault"], one["label"]) for one in back["addresses"]
    ]
    assert [(added[0], True), (added[1], False), (added[2], True)] == [
        (one["id"], one["isDefault"]) for one in left["addresses"]
    ]


async def test_what_was_deleted_meanwhile_is_erased_with_whom_it_came_from(execute: Api, container: Container) -> None:
    word = fresh("canary")
    into = await create(execute)
    gone = await create(execute, addresses=[{**BERLIN, "label": word}], documents=[{"type": "PASSPORT", "number": "C01X00T48"}])
    await merged(execute, into, gone)
    await payload(execute, DELETE_ADDRESS, {"id": gone["addresses"][0]["id"]})
    await payload(execute, DELETE_DOCUMENT, {"id": gone["documents"][0]["id"]})

    back, _ = await unmerged(execute, gone)
    await payload(execute, ERASE, {"id": gone["id"]})

    assert ([], []) == (back["addresses"], back["documents"])
    for name in ("addresses", "documents"):
        assert None is await container.mongo.database[name].find_one({"_id": gone[name][0]["id"]})


# ------------------------------------------------------------------------------ refusals


async def test_an_identifier_that_is_somebody_elses_by_now_is_told_and_nothing_changes(execute: Api) -> None:
    into = await create(execute)
    gone = await create(execute, **full(0))
    await payload(execute, UPDATE, {"id": into["id"], "patch": {"externalId": "I-1", "phone": "+4930901829"}})
    left = await merged(execute, into, gone)
    taken = {name: gone[name] for name in ("email", "externalId", "phone")}
    others = [await create(execute, **{"email": None, name: value}) for name, value in taken.items()]

    refused = await unmerge(execute, gone)

    assert [("TAKEN", ["id", "email"]), ("TAKEN", ["id", "phone"]), ("TAKEN", ["id", "externalId"])] == codes(refused)
    assert still(left) == still(await read(execute, into["id"]))
    for other in others:
        await payload(execute, DELETE, {"id": other["id"]})
    back, _ = await unmerged(execute, gone)
    assert still(gone) == still(back)


async def test_a_number_that_is_filed_again_is_told(execute: Api) -> None:
    into, gone = await create(execute), await create(execute, documents=[{"type": "PASSPORT", "number": "C01X00T48"}])
    left = await merged(execute, into, gone)
    again = {"type": "NATIONAL_ID", "issuingCountry": "GB", "number": "C01X00T48"}
    filed = await payload(execute, CREATE_DOCUMENT, {"customer": into["id"], "input": again})

    refused = await unmerge(execute, gone)

    assert [("TAKEN", ["id", "documentNumber"])] == codes(refused)
    await payload(execute, DELETE_DOCUMENT, {"id": filed["document"]["id"]})
    back, left = await unmerged(execute, gone)
    assert (gone["documents"][0]["id"], []) == (back["documents"][0]["id"], left["documents"])


async def test_survivor_that_would_be_nobody_is_told(execute: Api) -> None:
    into, gone = await create(execute, externalId="I-1", email=None), await create(execute)
    await merged(execute, into, gone)
    patched = await payload(execute, UPDATE, {"id": into["id"], "patch": {"externalId": None}})
    assert [] == patched["userErrors"]

    assert [("REQUIRED", ["id"])] == codes(await unmerge(execute, gone))
    assert gone["email"] == (await read(execute, into["id"]))["email"]


async def test_who_was_not_merged_is_left_as_it_is_and_twice_changes_nothing(execute: Api) -> None:
    into, gone = await create(execute), await create(execute)
    never = await unmerge(execute, into)
    await merged(execute, into, gone)
    back, left = await unmerged(execute, gone)

    again = await unmerge(execute, gone)

    assert (into, None, []) == (never["customer"], never["survivor"], never["userErrors"])
    assert (back, None, []) == (again["customer"], again["survivor"], again["userErrors"])
    assert left == await read(execute, into["id"])


async def test_who_is_not_there_is_not_found(execute: Api, tokens: Tokens) -> None:
    other = tokens.operator(fresh("seller"))
    theirs, into, deleted = await create(execute, as_=other), await create(execute, as_=other), await create(execute)
    done = await payload(
        execute,
        "mutation($i: ID!, $f: ID!) { mergeCustomers(into: $i, from: $f) { userErrors { code } } }",
        {"i": into["id"], "f": theirs["id"]},
        as_=other,
    )
    assert [] == done["userErrors"]
    await payload(execute, DELETE, {"id": deleted["id"]})

    for nobody in (theirs, deleted, {"id": new_id(IdKind.CUSTOMER)}, {"id": "' OR 1=1"}):
        assert [("NOT_FOUND", ["id"])] == codes(await unmerge(execute, nobody))


async def test_only_for_thirty_days(execute: Api, container: Container, seller: str) -> None:
    into, gone = await create(execute), await create(execute)
    await merged(execute, into, gone)
    clock = MovableClock()
    late = CustomerUnmerging(container.units, container.rules.records, clock)

    clock.advance(days=30, seconds=1)
    with pytest.raises(Refused, match="30 days") as refused:
        await late.unmerge(operator(seller), gone["id"])
    clock.advance(days=-1)
    done = await late.unmerge(operator(seller), gone["id"])

    assert ["STATE"] == [problem.code.value for problem in refused.value.problems]
    assert (gone["id"], True) == (done.customer.id, done.customer.live)


async def test_merges_are_undone_in_the_other_order(execute: Api) -> None:
    first, second, third = [await create(execute, addresses=[BERLIN]) for _ in range(3)]
    await merged(execute, second, first)
    await merged(execute, third, second)

    refused = await unmerge(execute, first)
    back, left = await unmerged(execute, second)
    earliest, _ = await unmerged(execute, first)

    assert [("STATE", ["id"])] == codes(refused)
    assert third["id"] in refused["userErrors"][0]["message"]
    assert (2, 1) == (len(back["addresses"]), len(left["addresses"]))
    assert still(first) == still(earliest)


async def test_two_that_were_merged_into_one_come_back_in_any_order(execute: Api) -> None:
    into, one, two = (
        await create(execute),
        await create(execute, **full(1)),
        await create(execute, **full(2) | {"documents": []}),
    )
    await merged(execute, into, one)
    await merged(execute, into, two)

    back, _ = await unmerged(execute, one)
    too, left = await unmerged(execute, two)

    assert (still(one), still(two), still(into)) == (still(back), still(too), still(left))


@pytest.mark.parametrize("how", [DELETE, ERASE], ids=["deleted", "erased"])
async def test_with_a_survivor_that_is_gone_nothing_can_be_undone(execute: Api, how: str) -> None:
    into, gone = await create(execute), await create(execute)
    await merged(execute, into, gone)
    await payload(execute, how, {"id": into["id"]})

    expected = ("STATE", ["id"]) if how is DELETE else ("NOT_FOUND", ["id"])
    assert [expected] == codes(await unmerge(execute, gone))


async def test_who_is_to_be_erased_with_the_survivor_does_not_escape(execute: Api) -> None:
    into, gone = await create(execute), await create(execute)
    await merged(execute, into, gone)
    await payload(execute, ERASE, {"id": into["id"], "days": 3})

    refused = await unmerge(execute, gone)

    assert [("STATE", ["id"])] == codes(refused)
    assert "cancelErasure" in refused["userErrors"][0]["message"]


async def test_nothing_is_taken_from_who_is_on_legal_hold(execute: Api) -> None:
    into, gone = await create(execute), await create(execute, addresses=[BERLIN])
    await merged(execute, into, gone)
    await payload(execute, HOLD, {"id": into["id"]})

    assert [("LEGAL_HOLD", ["id"])] == codes(await unmerge(execute, gone))
    assert 1 == len((await read(execute, into["id"]))["addresses"])


async def test_documents_go_back_with_their_scope_only(execute: Api, tokens: Tokens, seller: str) -> None:
    into, gone = await create(execute), await create(execute, documents=[{"type": "PASSPORT"}])
    await merged(execute, into, gone)
    too_little = tokens.operator(seller, OPERATOR_SCOPES - {Scope.DOCUMENTS_WRITE})

    refused = await execute(UNMERGE, {"id": gone["id"]}, as_=too_little)

    assert ["FORBIDDEN"] == [error["extensions"]["code"] for error in refused["errors"]]
    assert "documents:write" in refused["errors"][0]["message"]


# -------------------------------------------------------------------------- what it leaves


async def test_both_tell_and_a_copy_ends_as_it_is(execute: Api, container: Container, seller: str) -> None:
    into, gone = await create(execute, email=None, externalId="I-1"), await create(execute, addresses=[BERLIN])
    await merged(execute, into, gone)

    back, left = await unmerged(execute, gone)

    stored = await container.mongo.database["customer_events"].find({"seller_id": seller}).sort("version", 1).to_list()
    last = {one["customer_id"]: one for one in stored}
    assert ["UPDATED", ["mergedInto"], 3] == [last[gone["id"]][name] for name in ("type", "changed", "version")]
    assert "mergedInto" not in last[gone["id"]]["data"]
    assert ("UPDATED", ["email", "addresses"], 3) == tuple(last[into["id"]][name] for name in ("type", "changed", "version"))
    assert (3, 3) == (back["version"], left["version"])
    assert ["CREATED", "DELETED", "UPDATED"] == [one["type"] for one in await events(execute, gone["id"])]


@pytest.mark.parametrize("whom", ["into", "from"])
async def test_an_erasure_takes_along_what_was_kept_to_undo_it(execute: Api, container: Container, whom: str) -> None:
    word = fresh("canary").replace("-", "")
    into, gone = (
        await create(execute),
        await create(execute, **{**full(0), "tags": [word], "attributes": [{"key": word, "value": word}]}),
    )
    await merged(execute, into, gone)
    kept = await container.mongo.database["merges"].find_one({"_id": gone["id"]})
    assert kept is not None

    await payload(execute, ERASE, {"id": into["id"] if whom == "into" else gone["id"]})

    assert word.encode() not in bson.encode(kept)
    assert None is await container.mongo.database["merges"].find_one({"_id": gone["id"]})
    assert [("NOT_FOUND", ["id"])] == codes(await unmerge(execute, gone))


async def test_nothing_is_kept_of_a_merge_that_was_undone_and_it_can_be_done_again(execute: Api, container: Container) -> None:
    into, gone = await create(execute), await create(execute, **full(0))
    await merged(execute, into, gone)
    await unmerged(execute, gone)
    assert None is await container.mongo.database["merges"].find_one({"_id": gone["id"]})

    await merged(execute, gone, into)
    back, left = await unmerged(execute, into)

    assert (still(into), still(gone)) == (still(back), still(left))


# ----------------------------------------------------------------------- at the same time


def operator(seller: str) -> Principal:
    return Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id=seller)


@pytest.mark.parametrize("units", [UnitOfWork, WithoutTurns])
async def test_of_many_that_undo_it_one_does(execute: Api, container: Container, seller: str, units: type[UnitOfWork]) -> None:
    into, gone = await create(execute), await create(execute, addresses=[BERLIN])
    await merged(execute, into, gone)
    undoing = CustomerUnmerging(units(container.mongo.database.client), container.rules.records, container.rules.clock)

    outcomes = await asyncio.gather(*(undoing.unmerge(operator(seller), gone["id"]) for _ in range(5)))

    assert 1 == sum(outcome.survivor is not None for outcome in outcomes)
    assert {gone["id"]} == {outcome.customer.id for outcome in outcomes}
    assert (3, 3) == ((await read(execute, into["id"]))["version"], (await read(execute, gone["id"]))["version"])


@pytest.mark.parametrize("units", [UnitOfWork, WithoutTurns])
@pytest.mark.parametrize("other", ["update", "erase", "merge"])
async def test_undoing_meets_changes_erasures_and_other_merges(
    execute: Api, container: Container, seller: str, other: str, units: type[UnitOfWork]
) -> None:
    """
    Whoever comes first: either it is undone, and the other one met two customers, or it is not, and the other one met one.
    """
    made = units(container.mongo.database.client), container.rules.records, container.rules.clock
    undoing, merging = CustomerUnmerging(*made), CustomerMerging(*made)
    into, gone, third = await create(execute), await create(execute, addresses=[BERLIN]), await create(execute)
    await merged(execute, into, gone)
    rivals: Json = {
        "update": lambda: payload(execute, UPDATE, {"id": into["id"], "patch": {"firstName": "Eve"}}),
        "erase": lambda: payload(execute, ERASE, {"id": into["id"]}),
        "merge": lambda: merging.merge(operator(seller), third["id"], into["id"]),
    }

    outcomes: Any = await asyncio.gather(undoing.unmerge(operator(seller), gone["id"]), rivals[other](), return_exceptions=True)

    undone, done = outcomes
    assert isinstance(undone, Unmerged | Refused)
    assert not isinstance(done, Exception)
    database = container.mongo.database
    stored = {one["_id"]: one async for one in database["customers"].find({"seller_id": seller})}
    is_back = isinstance(undone, Unmerged)
    assert is_back is stored[gone["id"]]["live"]
    assert is_back is ("merged_into" not in stored[gone["id"]])
    if other == "update":
        assert (True, "Eve") == (is_back, stored[into["id"]]["first_name"])
    if other == "erase":
        assert is_back is ("erased_at" not in stored[gone["id"]])
    owner = gone if is_back else third if other == "merge" else None
    found = await database["addresses"].find_one({"_id": gone["addresses"][0]["id"]})
    assert (None if owner is None else owner["id"]) == (None if found is None else found["customer_id"])


async def test_upsert_by_what_was_given_up_makes_somebody_new_and_then_it_is_taken(execute: Api) -> None:
    into, gone = await create(execute, externalId="I-1"), await create(execute, externalId="F-1")
    await merged(execute, into, gone)

    made = await payload(execute, UPSERT, {"key": {"externalId": "F-1"}, "input": {"firstName": "Eve"}})

    assert True is made["created"]
    assert [("TAKEN", ["id", "externalId"])] == codes(await unmerge(execute, gone))
