"""What a list or a count reads does not depend on how many customers a seller has. Counted by a real planner."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from core.filters import CustomerFilter, CustomerSort, TimeRange
from core.ids import IdKind, derived_id
from core.paging import PageRequest, Position
from core.tenancy import Tenant
from core.vocabulary import CustomerKind, CustomerStatus
from models.customer import SORTED_BY
from repositories import customer
from repositories.base import stored_form
from repositories.unit_of_work import Repositories
from tests.repositories.plans import Asked, Database, Plan, tell_beanie
from tests.repositories.records import START, made

SELLER, SIZE = "grown", 2000
PAGE = PageRequest(size=20, backward=False, after=None, before=None)
RARE = 7
"""Of so many customers everything rare is true."""

Call = Callable[[Repositories], Awaitable[Any]]


def stored(number: int, template: dict[str, Any]) -> dict[str, Any]:
    """Return a customer. What is common is true of each fourth one at least, and has nothing to do with any order."""
    spread, rare = number * 7919 % SIZE, number % (SIZE // RARE) == 0 and number < SIZE // RARE * RARE
    created = START + timedelta(minutes=number)
    name = f"name{spread * 31 % SIZE:05d}"
    return {
        **template,
        "_id": derived_id(IdKind.CUSTOMER, created, SELLER, str(number), ""),
        "status": CustomerStatus.SUSPENDED if rare else CustomerStatus.ACTIVE,
        "kind": CustomerKind.BUSINESS if number // 5 % 4 == 0 else CustomerKind.INDIVIDUAL,
        "tags": ["common", *(["rare"] if rare else [])] if number % 3 else ["other"],
        "search_words": [name, "common" if number % 4 else "seldom", *(["rare"] if rare else [])],
        "sort_name": name,
        "created_at": created,
        "updated_at": START + timedelta(days=2, minutes=spread),
    }


@pytest_asyncio.fixture(name="asked_of_many", scope="session")
async def _asked_of_many(indexed: Database) -> Database:
    """A seller with two thousand customers."""
    await tell_beanie(indexed)
    template = stored_form(made(SELLER).customer)
    await Repositories(Tenant(SELLER)).customers.insert_stored([stored(number, template) for number in range(SIZE)])
    return indexed


@pytest.fixture(name="plans")
def _plans(asked_of_many: Database, database: Database, asked: Asked) -> Callable[[Call], Awaitable[list[Plan]]]:
    async def plans(call: Call) -> list[Plan]:
        asked.forget()
        await call(Repositories(Tenant(SELLER)))
        return await asked.plans(database)

    return plans


def between(start: datetime, minutes: int) -> TimeRange:
    return TimeRange(start=start, end=start + timedelta(minutes=minutes))


COMMON = {
    "all": CustomerFilter(),
    "kind": CustomerFilter(kind=CustomerKind.BUSINESS),
    "status": CustomerFilter(status=[CustomerStatus.ACTIVE]),
    "tag": CustomerFilter(tags=["common"]),
    "word": CustomerFilter(search="common"),
    "created": CustomerFilter(created_at=TimeRange(start=START + timedelta(minutes=200))),
    "updated": CustomerFilter(updated_at=TimeRange(end=START + timedelta(days=2, minutes=1800))),
    "status and tag": CustomerFilter(status=[CustomerStatus.ACTIVE], tags=["common"]),
    "kind and word": CustomerFilter(kind=CustomerKind.INDIVIDUAL, search="common"),
}
SCARCE = {
    "status": CustomerFilter(status=[CustomerStatus.SUSPENDED]),
    "status and kind": CustomerFilter(status=[CustomerStatus.SUSPENDED], kind=CustomerKind.INDIVIDUAL),
    "a status that nobody has": CustomerFilter(status=[CustomerStatus.PENDING]),
    "tag": CustomerFilter(tags=["rare"]),
    "a tag that nobody has": CustomerFilter(tags=["none"]),
    "word": CustomerFilter(search="rare"),
    "two tags": CustomerFilter(tags=["common", "rare"]),
    "two words": CustomerFilter(search="common rare"),
    "tag and word": CustomerFilter(tags=["common"], search="rare"),
    "status and word": CustomerFilter(status=[CustomerStatus.ACTIVE, CustomerStatus.SUSPENDED], search="rare"),
    "created": CustomerFilter(created_at=between(START + timedelta(minutes=900), RARE)),
    "updated": CustomerFilter(updated_at=between(START + timedelta(days=2, minutes=900), RARE)),
}


EMPTY = {
    "a range that ends before it begins": CustomerFilter(created_at=TimeRange(start=START + timedelta(days=1), end=START)),
    "a range without a moment": CustomerFilter(updated_at=TimeRange(start=START, end=START), tags=["common"]),
}


@pytest.mark.parametrize("sort", CustomerSort)
@pytest.mark.parametrize("chosen", COMMON.values(), ids=COMMON)
async def test_a_page_of_what_many_have_reads_a_few_times_what_it_shows(
    plans: Callable[[Call], Awaitable[list[Plan]]],
    chosen: CustomerFilter,
    sort: CustomerSort,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(customer, "FEW", 100)

    *_, plan = await plans(lambda all_: all_.customers.list(chosen, sort, PAGE, document_keys=None))

    assert 21 == plan.returned
    assert 8 * plan.returned >= plan.documents
    assert 0.2 * SIZE >= plan.keys
    assert set() == {"COLLSCAN", "SORT"} & plan.stages


@pytest.mark.parametrize("sort", CustomerSort)
@pytest.mark.parametrize("chosen", SCARCE.values(), ids=SCARCE)
async def test_a_page_of_what_few_have_reads_these(
    plans: Callable[[Call], Awaitable[list[Plan]]], chosen: CustomerFilter, sort: CustomerSort
) -> None:
    """
    Whatever the order: it does not walk through two thousand to find seven.
    """
    *looks, plan = await plans(lambda all_: all_.customers.list(chosen, sort, PAGE, document_keys=None))

    assert RARE >= plan.documents
    assert 4 * RARE >= plan.keys
    assert [] == [look for look in looks if look.documents]


@pytest.mark.parametrize(
    "chosen",
    [*COMMON.values(), *SCARCE.values(), *EMPTY.values()],
    ids=[*COMMON, *(f"few, {name}" for name in SCARCE), *EMPTY],
)
async def test_wherever_it_is_read_the_same_is_found(
    asked_of_many: Database, database: Database, chosen: CustomerFilter
) -> None:
    """
    Every order, against the conditions alone, which are sorted here.
    """
    conditions = {"seller_id": SELLER, **customer._conditions(chosen, None)}
    stored_ones = await database["customers"].find(conditions).to_list()
    for sort in CustomerSort:
        field, descending = SORTED_BY[sort]
        expected = sorted(((one[field], one["_id"]) for one in stored_ones), reverse=descending)

        page = await Repositories(Tenant(SELLER)).customers.list(chosen, sort, PAGE, document_keys=None)

        assert [id_ for _, id_ in expected[:20]] == [row.id for row in page.items]
        assert (len(expected) > 20) is page.has_next
    assert len(stored_ones) == await Repositories(Tenant(SELLER)).customers.count(chosen, document_keys=None)


@pytest.mark.parametrize("backward", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("sort", [CustomerSort.NAME_ASC, CustomerSort.NAME_DESC])
async def test_a_place_among_many_of_one_name_is_found_at_once(
    plans: Callable[[Call], Awaitable[list[Plan]]], database: Database, sort: CustomerSort, *, backward: bool
) -> None:
    """
    A hundred have the same name, and the place is in the midst of them.
    """
    names = {"seller_id": SELLER, "sort_name": "name00000"}
    known = await database["customers"].find({"seller_id": SELLER, "status": "ACTIVE"}).sort("_id", 1).to_list(100)
    await database["customers"].update_many({"_id": {"$in": [one["_id"] for one in known]}}, {"$set": names})
    place = Position("name00000", known[50]["_id"])
    request = PageRequest(20, backward, after=None if backward else place, before=place if backward else None)
    asked = customers_by_name(sort, request)

    (plan,) = await plans(asked)
    page = await asked(Repositories(Tenant(SELLER)))

    onwards = (sort is CustomerSort.NAME_ASC) is not backward
    assert {one["_id"] for one in (known[51:71] if onwards else known[30:50])} == {row.id for row in page.items}
    assert 21 + 12 >= plan.keys
    assert 21 >= plan.documents


def customers_by_name(sort: CustomerSort, request: PageRequest) -> Call:
    return lambda all_: all_.customers.list(CustomerFilter(), sort, request, document_keys=None)


@pytest.mark.parametrize("chosen", [*COMMON.values(), *SCARCE.values()], ids=[*COMMON, *(f"few, {name}" for name in SCARCE)])
async def test_counting_up_to_a_number_reads_about_as_many_keys(
    plans: Callable[[Call], Awaitable[list[Plan]]], chosen: CustomerFilter
) -> None:
    *_, plan = await plans(lambda all_: all_.customers.count(chosen, document_keys=None, at_most=50))

    assert 4 * 50 >= plan.keys


@pytest.mark.parametrize("name", ["all", "kind", "status", "tag", "word", "created", "updated"])
async def test_what_is_counted_by_one_condition_is_read_off_an_index(
    plans: Callable[[Call], Awaitable[list[Plan]]], name: str
) -> None:
    """
    A document takes ten times as long as its key.
    """
    for chosen in (COMMON[name], SCARCE.get(name, COMMON[name])):
        (plan,) = await plans(lambda all_, chosen=chosen: all_.customers.count(chosen, document_keys=None))  # type: ignore[misc]

        assert 0 == plan.documents
