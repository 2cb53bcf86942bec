"""Who may be the same person is suggested: found among many, with reasons, by callers who may see what is compared."""

import asyncio

import pytest

from app.container import Container
from auth.principal import Scope
from repositories.duplicate import MOST_FOUND
from tests.api import Api, Commands, Json, Tokens, fresh
from tests.graphql.merging import merged
from tests.graphql.operations import BERLIN, DELETE, create, payload

DUPLICATES = """query($id: ID!, $first: Int! = 10) { customer(id: $id) { possibleDuplicates(first: $first) {
  score reasons customer { id fullName addresses { line1 } } } } }"""


async def duplicates(execute: Api, one: Json, **variables: int) -> list[Json]:
    """Return who may be the same person as a customer."""
    found = await execute.data(DUPLICATES, {"id": one["id"], **variables})
    listed: list[Json] = found["customer"]["possibleDuplicates"]
    return listed


PAIRS: dict[str, tuple[Json, Json, list[str]]] = {
    "a slip of the pen at one address": (
        {"firstName": "Jonathan", "lastName": "Smith", "addresses": [BERLIN]},
        {"firstName": "Jonathon", "lastName": "Smyth", "addresses": [{**BERLIN, "line1": "Torstr. 1"}]},
        ["SIMILAR_NAME", "SAME_ADDRESS"],
    ),
    "names swapped": ({"firstName": "Ada", "lastName": "King"}, {"firstName": "King", "lastName": "Ada"}, ["SAME_NAME"]),
    "umlauts": ({"firstName": "Jörg", "lastName": "Müller"}, {"firstName": "Joerg", "lastName": "Mueller"}, ["SAME_NAME"]),
    "another shop's tag": (
        {"email": "rosa.parks+shoes@gmail.com"},
        {"email": "rosaparks@googlemail.com", "firstName": "Rosa"},
        ["SAME_MAILBOX"],
    ),
    "another provider": (
        {"email": "k.johnson@mail.example", "firstName": "Katherine", "lastName": "Johnson"},
        {"email": "k.johnson@post.example", "firstName": "Katherin", "lastName": "Johnson"},
        ["SIMILAR_NAME", "SIMILAR_EMAIL"],
    ),
    "the number of an address, and moved": (
        {"firstName": "Grace", "lastName": "Hopper", "phone": "+493012345678", "dateOfBirth": "1906-12-09"},
        {
            "firstName": "Grace M.",
            "lastName": "Hopper",
            "dateOfBirth": "1906-12-09",
            "addresses": [{**BERLIN, "line1": "Neue Straße 2", "phone": "+493012345678"}],
        },
        ["SIMILAR_NAME", "SAME_PHONE", "SAME_DATE_OF_BIRTH"],
    ),
    "a company": ({"company": "Acme Ltd."}, {"company": "ACME Limited"}, ["SAME_NAME"]),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
async def test_each_finds_the_other_one(execute: Api, pair: tuple[Json, Json, list[str]]) -> None:
    one, other = await create(execute, **pair[0]), await create(execute, **pair[1])

    found, back = await duplicates(execute, one), await duplicates(execute, other)

    assert [(other["id"], pair[2])] == [(each["customer"]["id"], each["reasons"]) for each in found]
    assert [(one["id"], pair[2])] == [(each["customer"]["id"], each["reasons"]) for each in back]
    assert [each["score"] for each in found] == [each["score"] for each in back]
    assert len(other["addresses"]) == len(found[0]["customer"]["addresses"])


async def test_a_family_at_one_address_with_one_phone_is_no_duplicate(execute: Api) -> None:
    home = {**BERLIN, "phone": "+493012345678"}
    family = [
        await create(execute, firstName=name, lastName="King", addresses=[home], email=f"kings+{name}@home.example")
        for name in ("Ada", "Otto", "Eva", "Paul")
    ]

    assert [[]] * 4 == [await duplicates(execute, one) for one in family]


async def test_it_is_found_among_many_with_few_queries(execute: Api, commands: Commands) -> None:
    """
    As many queries for however many there are; what each reads, `tests/repositories/test_plans.py` looks at.
    """
    crowd = [
        {"firstName": f"{first}{number:03}", "lastName": last, "email": f"{first}{number}@{last}.example"}
        for first in ("anna", "zoe")
        for last in ("Muster", "Mustermann")
        for number in range(5)
    ]
    await asyncio.gather(*(create(execute, **one) for one in crowd))
    me = await create(execute, firstName="Maria", lastName="Muster", dateOfBirth="1990-12-10")
    alike = await create(execute, firstName="Maria", lastName="Muster")
    sure = await create(execute, firstName="Mari", lastName="Muster", dateOfBirth="1990-12-10", addresses=[BERLIN])
    commands.forget()

    found = await duplicates(execute, me)

    assert [(sure["id"], 0.61), (alike["id"], 0.5)] == [(one["customer"]["id"], one["score"]) for one in found]
    asked = commands.of_requests("find")
    assert (asked.count("customers"), asked.count("addresses")) == (6, 3)
    assert found[:1] == await duplicates(execute, me, first=1)
    assert MOST_FOUND == 200


async def test_who_is_gone_and_another_sellers_are_not_suggested(execute: Api, tokens: Tokens, seller: str) -> None:
    same = {"firstName": "Ada", "lastName": "King"}
    me, deleted, away = [await create(execute, **same) for _ in range(3)]
    other = tokens.operator(fresh("seller"))
    await create(execute, as_=other, **same)
    await payload(execute, DELETE, {"id": deleted["id"]})
    assert [away["id"]] == [one["customer"]["id"] for one in await duplicates(execute, me)]

    await merged(execute, me, away)

    assert [] == await duplicates(execute, me)
    everywhere = await execute.data(DUPLICATES, {"id": me["id"]}, as_=tokens.service())
    assert [] == everywhere["customer"]["possibleDuplicates"]
    itself = await execute.data(DUPLICATES, {"id": me["id"]}, as_=tokens.customer(me["id"], seller))
    assert [] == itself["customer"]["possibleDuplicates"]


async def test_masked_readers_learn_nothing_of_it(execute: Api, tokens: Tokens, seller: str) -> None:
    me, _ = [await create(execute, firstName="Ada", lastName="King") for _ in range(2)]
    masked = tokens.operator(seller, [Scope.CUSTOMERS_READ_MASKED])

    answer = await execute(DUPLICATES, {"id": me["id"]}, as_=masked)

    assert ["FORBIDDEN"] == [error["extensions"]["code"] for error in answer["errors"]]
    assert "customers:read" in answer["errors"][0]["message"]


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_size_that_no_list_has_is_refused(execute: Api, container: Container, first: int) -> None:
    me = await create(execute)

    assert "BAD_USER_INPUT" == await execute.code(DUPLICATES, {"id": me["id"], "first": first})
