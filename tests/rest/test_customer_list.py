"""Lists of customers over REST: conditions, orders, pages and their links."""

import pytest
import pytest_asyncio

from auth.principal import Scope
from tests.api import Commands, Json, Tokens, some_email
from tests.rest.calls import ADDRESS, Calls, made, problem, reasons


@pytest_asyncio.fixture(name="five")
async def _five(rest: Calls, seller: str) -> list[Json]:
    """Five customers, oldest first."""
    return [
        await made(rest, seller, email=some_email(), firstName=f"Number{number}", externalId=f"n-{number}", addresses=[ADDRESS])
        for number in range(5)
    ]


async def walked(rest: Calls, path: str, relation: str) -> list[str]:
    """Follow the links of one relation, and return the external ids of each page."""
    found = []
    while path:
        answer = await rest.get(path)
        assert 200 == answer.status_code, answer.text
        found.append(" ".join(one["externalId"] for one in answer.json()["nodes"]))
        path = answer.links.get(relation, {}).get("url", "")
    return found


async def test_links_lead_through_all_pages_and_back(rest: Calls, customers: str, five: list[Json]) -> None:
    assert ["n-4 n-3", "n-2 n-1", "n-0"] == await walked(rest, f"{customers}?first=2", "next")
    assert ["n-1 n-0", "n-3 n-2", "n-4"] == await walked(rest, f"{customers}?last=2", "prev")


async def test_links_keep_the_conditions_and_the_order(rest: Calls, customers: str, five: list[Json]) -> None:
    path = f"{customers}?first=1&sort=NAME_ASC&status=ACTIVE&status=PENDING&search=number"

    assert ["n-0", "n-1", "n-2", "n-3", "n-4"] == await walked(rest, path, "next")


async def test_an_address_in_a_link_is_relative(rest: Calls, customers: str, five: list[Json]) -> None:
    answer = await rest.get(customers, params={"first": 1}, headers={"host": "evil.test"})

    assert all(link["url"].startswith(f"{customers}?") for link in answer.links.values())
    assert {"first", "next"} == set(answer.links)


async def test_a_page_has_addresses_and_says_where_it_lies(rest: Calls, customers: str, five: list[Json]) -> None:
    page = (await rest.get(customers, params={"first": 2, "totalCount": "true"})).json()

    assert (5, True, False) == (page["totalCount"], page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"])
    expected = [{name: value for name, value in one.items() if name != "documentUploads"} for one in reversed(five[3:])]
    assert expected == page["nodes"]
    assert (await rest.get(customers)).json()["totalCount"] is None


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"externalId": "n-3"}, ["n-3"]),
        ({"search": "NUMBER2"}, ["n-2"]),
        ({"kind": "BUSINESS"}, []),
        ({"tags": "vip"}, []),
        ({"createdAtTo": "2020-01-01T00:00:00Z"}, []),
        ({"createdAtFrom": "2020-01-01T00:00:00+02:00", "externalId": "n-1"}, ["n-1"]),
        ({"updatedAtFrom": "2020-01-01t00:00:00.5z", "updatedAtTo": "2999-01-01T00:00:00Z", "externalId": "n-1"}, ["n-1"]),
        ({"documentNumber": "P1234567"}, []),
        ({"phone": "+1 202 707 5000"}, []),
    ],
)
async def test_conditions_narrow_the_list(
    rest: Calls, customers: str, five: list[Json], conditions: dict[str, str], expected: list[str]
) -> None:
    answer = await rest.get(customers, params=conditions)

    assert expected == [one["externalId"] for one in answer.json()["nodes"]], answer.text


async def test_customers_are_found_by_ids_and_email(rest: Calls, customers: str, five: list[Json]) -> None:
    by_ids = await rest.get(customers, params={"ids": [five[0]["id"], five[4]["id"]]})
    by_email = await rest.get(customers, params={"email": five[2]["email"].upper()})

    assert ["n-4", "n-0"] == [one["externalId"] for one in by_ids.json()["nodes"]]
    assert ["n-2"] == [one["externalId"] for one in by_email.json()["nodes"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("first=0", "first"),
        ("first=101", "first"),
        ("last=many", "last"),
        ("status=GONE", "status"),
        ("sort=AGE", "sort"),
        ("createdAtFrom=2026-11-22", "createdAtFrom"),
        ("createdAtFrom=2026-11-22T17:30:00", "createdAtFrom"),
        ("createdAtFrom=0001-01-01T00:00:00%2B01:00", "createdAtFrom"),
        ("createdAtTo=1", "createdAtTo"),
        ("totalCount=maybe", "totalCount"),
        ("emial=a@example.com", "emial"),
        ("&".join(["ids=cus_1"] * 101), "ids"),
        ("&".join(["tags=a"] * 251), "tags"),
    ],
)
async def test_a_condition_that_cannot_be_read_is_refused(rest: Calls, customers: str, query: str, field: str) -> None:
    told = problem(await rest.get(f"{customers}?{query}"), 400, "BAD_USER_INPUT")

    assert field == reasons(told)[0][1][0]  # type: ignore[index]


@pytest.mark.parametrize("query", ["first=1&last=1", "after=none", "before=%00", "first=1&after=WzEsMiwzXQ"])
async def test_pages_that_make_no_sense_are_refused(rest: Calls, customers: str, query: str) -> None:
    problem(await rest.get(f"{customers}?{query}"), 400, "BAD_USER_INPUT")


async def test_a_documents_number_is_a_condition_for_those_who_may_see_documents(
    rest: Calls, tokens: Tokens, customers: str, seller: str, ada: Json
) -> None:
    blind = rest.as_(tokens.operator(seller, [Scope.CUSTOMERS_READ]))

    found = await rest.get(customers, params={"documentNumber": "p 1234567"})

    assert [ada["id"]] == [one["id"] for one in found.json()["nodes"]]
    problem(await blind.get(customers, params={"documentNumber": "P1234567"}), 403, "FORBIDDEN")


async def test_a_page_takes_one_query_for_each_kind_of_thing(
    rest: Calls, customers: str, five: list[Json], commands: Commands
) -> None:
    await rest.get(customers)

    assert ["customers", "addresses", "documents"] == commands.of_requests("find", "aggregate")
