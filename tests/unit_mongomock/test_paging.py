"""Pages of a repository are pieces of one sorted list, from whichever end they are read."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.filters import CustomerFilter, CustomerSort
from core.paging import Page, PageRequest, Position
from core.tenancy import Tenant
from models.customer import Customer, sort_value
from repositories.customer import CustomerRepository
from tests.mock_mongo import mock_mongo
from tests.unit_mongomock.records import START, store

KEYS = {
    CustomerSort.CREATED_AT_ASC: "created_at",
    CustomerSort.CREATED_AT_DESC: "created_at",
    CustomerSort.UPDATED_AT_ASC: "updated_at",
    CustomerSort.UPDATED_AT_DESC: "updated_at",
    CustomerSort.NAME_ASC: "sort_name",
    CustomerSort.NAME_DESC: "sort_name",
}
CUSTOMERS = CustomerRepository(Tenant("acme"))
# Few names and few moments, so that ids have to break ties; the marks try to mean something inside a query.
PEOPLE = st.lists(st.tuples(st.sampled_from(["ada", "bob", "Bob", "éva", "$where", "a.b"]), st.integers(0, 3)), max_size=9)
ROUNDS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def place(sort: CustomerSort, customer: Customer) -> Position:
    return Position(sort_value(sort, customer), customer.id)


async def read(sort: CustomerSort, size: int, *, backward: bool, chosen: CustomerFilter | None = None) -> list[Page[Customer]]:
    """Read a whole list page by page."""
    pages: list[Page[Customer]] = []
    after = before = None
    while not pages or (pages[-1].has_previous if backward else pages[-1].has_next):
        request = PageRequest(size=size, backward=backward, after=after, before=before)
        rows = await CUSTOMERS.list(chosen or CustomerFilter(), sort, request, document_keys=None)
        pages.append(rows.of(lambda row: row.record))
        assert len(pages) < 20, "the list never ends"
        if backward and pages[-1].items:
            before = place(sort, pages[-1].items[0])
        elif pages[-1].items:
            after = place(sort, pages[-1].items[-1])
    return pages


@ROUNDS
@given(PEOPLE, st.sampled_from(CustomerSort), st.integers(1, 4))
async def test_pages_forward_and_backward_are_the_sorted_list(
    people: list[tuple[str, int]], sort: CustomerSort, size: int
) -> None:
    async with mock_mongo():
        stored = [await store("acme", name, minute=minute, addresses=0, documents=0) for name, minute in people]
        await store("other", "eve", addresses=0, documents=0)
        expected = [
            customer.id
            for customer in sorted(
                stored, key=lambda one: (getattr(one, KEYS[sort]), one.id), reverse=sort.value.endswith("_DESC")
            )
        ]

        forward = await read(sort, size, backward=False)
        backward = await read(sort, size, backward=True)

    assert expected == [one.id for page in forward for one in page.items]
    assert expected == [one.id for page in reversed(backward) for one in page.items]
    # A full page is followed by an empty one never, and every page but the last one read is full.
    assert {size} >= {len(page.items) for page in [*forward[:-1], *backward[:-1]]}
    assert [False] + [True] * (len(forward) - 1) == [page.has_previous for page in forward]
    assert [False] + [True] * (len(backward) - 1) == [page.has_next for page in backward]


async def test_between_two_places() -> None:
    first, *middle, last = [await store("acme", name, minute=minute) for minute, name in enumerate("abcde")]
    sort = CustomerSort.CREATED_AT_ASC
    between = PageRequest(size=2, backward=True, after=place(sort, first), before=place(sort, last))

    page = await CUSTOMERS.list(CustomerFilter(), sort, between, document_keys=None)

    assert [one.id for one in middle[1:]] == [one.id for one in page.items]
    assert (page.has_previous, page.has_next) == (True, True)


async def test_a_place_whose_record_is_gone_still_is_a_place() -> None:
    first, second, third = [await store("acme", name, minute=minute) for minute, name in enumerate("abc")]
    await CUSTOMERS.change(second, START, {"live": False, "deleted_at": START})
    after_second = PageRequest(size=5, backward=False, after=place(CustomerSort.CREATED_AT_ASC, second), before=None)

    page = await CUSTOMERS.list(CustomerFilter(), CustomerSort.CREATED_AT_ASC, after_second, document_keys=None)

    assert [third.id] == [one.id for one in page.items]
    assert first.created_at + timedelta(minutes=2) == page.items[0]["created_at"]


async def test_filters_and_places_hold_together() -> None:
    """
    Both are conditions on several fields: neither may push the other out.
    """
    for minute in range(6):
        await store("acme", f"ada{minute}" if minute % 2 else f"bob{minute}", minute=minute)

    pages = await read(CustomerSort.NAME_DESC, 1, backward=False, chosen=CustomerFilter(search="ada acme"))

    assert ["ada5", "ada3", "ada1"] == [one.first_name for page in pages for one in page.items]
