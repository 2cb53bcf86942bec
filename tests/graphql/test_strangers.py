"""Ids that name nothing, and what somebody else has: null or NOT_FOUND, and never a difference between the two.

The fields come from the schema: whatever takes an id is called with the ids of others, or these tests fail.
"""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from app.container import Container
from core.ids import IdKind, new_id
from core.tenancy import Tenant
from core.vocabulary import PrincipalKind
from models.session import Session
from repositories.unit_of_work import Repositories
from tests.api import Api, Tokens, codes, fresh
from tests.graphql.callers import Callers
from tests.graphql.catalogue import ARGUMENTS, HOW_TO_ADD, ROOT_FIELDS, filled, id_arguments, ids_given
from tests.graphql.operations import (
    BERLIN,
    CREATE,
    CREATE_IMPORT,
    UNKNOWN_IDS,
    announced,
    create,
    payload,
)

# What deletes comes last, so that there is something to find for the others; what erases finds the deleted ones too.
TAKING_IDS = sorted(
    (name for name in ROOT_FIELDS if id_arguments(name)),
    key=lambda name: ("erase" in name, "delete" in name, "Mutation" in name, name),
)
READS = [name for name in TAKING_IDS if name.startswith("Query.") and ROOT_FIELDS[name].args.keys() & {"id", "key"}]
CHANGES = [name for name in TAKING_IDS if name.startswith("Mutation.")]
PLACES = {"cus": "customers", "adr": "addresses", "doc": "documents", "imp": "bulk_imports", "ses": "sessions"}

OPERATOR, CUSTOMER, BOUND = "an operator", "a customer", "a service of one seller"


@pytest.mark.parametrize("name", TAKING_IDS)
def test_every_argument_that_takes_an_id_is_tried(name: str) -> None:
    assert id_arguments(name) == ids_given(name), HOW_TO_ADD


def test_there_are_fields_to_try() -> None:
    assert {"Query.node", "Query.customers", "Mutation.updateCustomer", "Subscription.bulkImportProgress"} < set(TAKING_IDS)


@pytest_asyncio.fixture(name="callers")
async def _callers(execute: Api, tokens: Tokens, served: str, seller: str) -> Callers:
    customer = await create(execute)
    return Callers(execute, tokens, served, seller, customer["id"])


async def belongings(execute: Api, seller: str, as_: str = "") -> dict[str, str]:
    """Return the ids of something of each kind that a seller has, by kind."""
    customer = await create(execute, as_=as_, addresses=[BERLIN], documents=[{"type": "PASSPORT", "file": announced()}])
    made = await payload(execute, CREATE_IMPORT, {"input": {"fileName": "theirs.csv"}}, as_=as_)
    now = datetime.now(UTC)
    session = Session(
        id=new_id(IdKind.SESSION),
        seller_id=seller,
        kind=PrincipalKind.CUSTOMER,
        subject=customer["id"],
        scopes=[],
        last_seen_at=now,
        idle_until=now + timedelta(days=1),
        expires_at=now + timedelta(days=1),
        digest=b"none",
        created_at=now,
        updated_at=now,
    )
    await Repositories(Tenant(seller)).sessions.insert(session)
    return {
        "cus": customer["id"],
        "adr": customer["addresses"][0]["id"],
        "doc": customer["documents"][0]["id"],
        "imp": made["bulkImport"]["id"],
        "ses": session.id,
    }


async def differences(callers: Callers, token: str | None, theirs: dict[str, str]) -> list[str]:
    """Call everything that takes ids with *theirs* and with random ones; return where the answers are not the same bytes."""
    random = {kind.value: new_id(kind) for kind in IdKind}
    found = []
    for name in TAKING_IDS:
        for arguments in ARGUMENTS[name]:
            answers = [
                without(json.dumps(await callers.call(name, filled(arguments, ids), token)), ids) for ids in (theirs, random)
            ]
            if answers[0] != answers[1]:
                found.append(f"{name} {arguments}: {answers[0]} is not {answers[1]}")
            if "INTERNAL" in answers[0]:
                found.append(f"{name} {arguments}: {answers[0]}")
    return found


def without(text: str, ids: dict[str, str]) -> str:
    """Return *text* with a sign in the place of each id."""
    for kind, id_ in ids.items():
        text = text.replace(id_, f"<{kind}>")
    return text


@pytest.mark.parametrize("who", [OPERATOR, CUSTOMER, BOUND])
async def test_what_another_seller_has_answers_as_an_unknown_id_does(
    callers: Callers, container: Container, tokens: Tokens, who: str
) -> None:
    """
    Every query, mutation and subscription, also where something else is wrong with the call; and nothing has changed.
    """
    other = fresh("seller")
    theirs = await belongings(callers.execute, other, tokens.operator(other))
    before = await stored(container, theirs)
    kind = {OPERATOR: PrincipalKind.OPERATOR, CUSTOMER: PrincipalKind.CUSTOMER, BOUND: PrincipalKind.SERVICE}[who]

    assert [] == await differences(callers, callers.token(kind, bound=True), theirs)
    assert before == await stored(container, theirs)


async def test_what_another_customer_has_answers_as_an_unknown_id_does(callers: Callers, container: Container) -> None:
    """
    Of the same seller.
    """
    theirs = await belongings(callers.execute, callers.seller)
    before = await stored(container, theirs)

    assert [] == await differences(callers, callers.token(PrincipalKind.CUSTOMER), theirs)
    assert before == await stored(container, theirs)


async def test_the_walk_would_see_a_difference(callers: Callers) -> None:
    """
    With ids of the caller's own seller, a field answers differently than for a random id.
    """
    mine = await belongings(callers.execute, callers.seller)

    found = {one.split(" ")[0] for one in await differences(callers, callers.token(PrincipalKind.OPERATOR), mine)}

    # Sessions are a person's own, what belonged to the customer has gone with it, only the erased have a receipt, and operators
    # see no exports.
    alike = {"Mutation.revokeSession", "Mutation.deleteDocument", "Query.erasureReceipt", "Query.customerDataExport"}
    assert set(TAKING_IDS) - alike == found


async def stored(container: Container, ids: dict[str, str]) -> dict[str, Any]:
    """Return what is stored under *ids*."""
    database = container.mongo.database
    found = await asyncio.gather(*(database[PLACES[kind]].find_one({"_id": id_}) for kind, id_ in ids.items()))
    assert None not in found
    return dict(zip(ids, found, strict=True))


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("id_", UNKNOWN_IDS, ids=lambda id_: repr(id_[:12]))
async def test_id_that_names_nothing_reads_null(callers: Callers, name: str, id_: str) -> None:
    arguments = filled(ARGUMENTS[name][0], dict.fromkeys(PLACES, id_))

    assert {"data": {name.split(".")[1]: None}} == await callers.call(name, arguments, callers.token(PrincipalKind.OPERATOR))


@pytest.mark.parametrize("name", CHANGES)
async def test_id_that_names_nothing_changes_nothing(callers: Callers, name: str) -> None:
    operator = callers.token(PrincipalKind.OPERATOR)

    for arguments in ARGUMENTS[name]:
        for id_ in UNKNOWN_IDS:
            answer = await callers.call(name, filled(arguments, dict.fromkeys(PLACES, id_)), operator)
            (outcome,) = answer["data"].values()
            paths = [["into"], ["from"]] if "into" in arguments else [["key", "id"] if "key" in arguments else ["id"]]
            if "customerId" in arguments:
                paths = [["customerId"]]
            assert [("NOT_FOUND", path) for path in paths] == codes(outcome), (arguments, id_)


@pytest.mark.parametrize("who", [OPERATOR, CUSTOMER, BOUND])
async def test_another_sellers_name_is_as_good_as_any(callers: Callers, who: str) -> None:
    """
    Whether a seller exists is not told either.
    """
    kind = {OPERATOR: PrincipalKind.OPERATOR, CUSTOMER: PrincipalKind.CUSTOMER, BOUND: PrincipalKind.SERVICE}[who]
    token = callers.token(kind, bound=True)
    other = replace(callers, seller=fresh("seller"))
    await create(callers.execute, as_=other.tokens.operator(other.seller))
    nobody = replace(callers, seller=fresh("seller"))

    for name in (name for name, field in ROOT_FIELDS.items() if "sellerId" in field.args and name != "Mutation.requestOtp"):
        arguments = filled(ARGUMENTS[name][0], {kind.value: new_id(kind) for kind in IdKind})
        one, another = [await someone.call(name, arguments, token, spanning=True) for someone in (other, nobody)]
        assert one == another, name
        assert {"FORBIDDEN"} == {error["extensions"]["code"] for error in one["errors"]}, name


async def test_taken_tells_nothing_about_other_sellers(execute: Api, tokens: Tokens) -> None:
    theirs = await create(execute, as_=tokens.operator(fresh("seller")), externalId="A-1")

    found = await execute.data(
        'query($email: String) { customerExists(email: $email, externalId: "A-1") { customerId } }', {"email": theirs["email"]}
    )
    made = await payload(execute, CREATE, {"input": {"email": theirs["email"], "externalId": "A-1"}})

    assert {"customerExists": []} == found
    assert [] == made["userErrors"]
