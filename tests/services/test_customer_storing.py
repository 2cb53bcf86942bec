"""Customers of one moment share a transaction, and nothing else: not a refusal, not a conflict, not a caller that goes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from app.container import Container
from core.drafts import AddressDraft, CustomerDraft
from core.errors import Unavailable
from core.ids import IdKind, new_id
from core.paging import page_request
from core.tenancy import NoTenant, Reach, Tenant
from core.vocabulary import AddressKind
from repositories.errors import KeyTaken
from repositories.unit_of_work import Repositories, Undone, UnitOfWork
from services import customer_storing
from services.customer_storing import MAX_UNDER_WAY, CustomerStoring, store_all
from services.new_customers import NewCustomer, new_customer
from services.records import NewDocuments, RecordMaker
from tests.api import Commands, some_email

T = TypeVar("T")
Body = Callable[[Repositories], Awaitable[T]]

ADDRESS = AddressDraft(kind=AddressKind.SHIPPING, line1="1 Main Street", country_code="US")
FIRST = page_request("any")


class AtHand:
    """Transactions that do what a test tells them: each waits until it may go on, and then is done, or fails."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go_on = asyncio.Event()
        self.fails: Exception | None = None

    async def run(self, tenant: Reach, body: Body[T]) -> None:
        await self._transaction("alone")

    async def run_once(self, tenant: Reach, body: Body[T]) -> None:
        await self._transaction("together")

    async def _transaction(self, how: str) -> None:
        self.begun.append(how)
        await self.go_on.wait()
        if self.fails is not None:
            raise self.fails


@pytest.fixture(name="at_hand")
def _at_hand() -> AtHand:
    return AtHand()


@pytest.fixture(name="storing")
def _storing(container: Container) -> CustomerStoring:
    return CustomerStoring(container.units)


def made(maker: RecordMaker, seller: str, email: str | None = None) -> NewCustomer:
    """Return a customer with an address, as it is stored."""
    draft = CustomerDraft(email=email or some_email(), addresses=(ADDRESS,))
    return new_customer(
        maker,
        draft,
        NewDocuments(),
        seller_id=seller,
        at=datetime(2026, 1, 2, tzinfo=UTC),
        customer_id=new_id(IdKind.CUSTOMER),
        actor="operator:ada",
    )


async def whole(seller: str, one: NewCustomer) -> tuple[int, int, int]:
    """Return how often a customer is there, with how many addresses and events."""
    there = Repositories(Tenant(seller))
    return (
        len(await there.customers.get_many([one.id])),
        len(await there.addresses.of_customer(seller, one.id)),
        len((await there.events.history(seller, one.id, FIRST)).items),
    )


@asynccontextmanager
async def held(units: UnitOfWork, seller: str, one: NewCustomer) -> AsyncIterator[None]:
    """Keep a customer stored, and not committed, for as long as the context is open; it is undone at its end."""
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def body(work: Repositories) -> None:
        await store_all(work, [one])
        inside.set()
        await go_on.wait()
        raise Undone

    holding = asyncio.create_task(units.run(Tenant(seller), body))
    await inside.wait()
    yield
    go_on.set()
    with suppress(Undone):
        await holding


async def become(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.001)


async def test_customers_of_one_moment_are_stored_by_one_transaction(
    container: Container, storing: CustomerStoring, seller: str, commands: Commands
) -> None:
    some = [made(container.rules.records, seller) for _ in range(10)]

    await asyncio.gather(*(storing.store(Tenant(seller), one) for one in some))

    assert ["customers", "addresses", "customer_events"] == commands.of_requests("insert")
    assert 1 == len(commands.collections("commitTransaction"))
    assert {(1, 1, 1)} == {await whole(seller, one) for one in some}


async def test_one_that_is_refused_costs_the_others_nothing(
    container: Container, storing: CustomerStoring, seller: str
) -> None:
    """
    Neither does it matter whether somebody else held the address before, or only of two in the same moment one can.
    """
    email, other = some_email(), some_email()
    await storing.store(Tenant(seller), made(container.rules.records, seller, email))
    some = [made(container.rules.records, seller, one) for one in (None, email, other, other, None)]

    outcomes = await asyncio.gather(*(storing.store(Tenant(seller), one) for one in some), return_exceptions=True)

    refused = [number for number, outcome in enumerate(outcomes) if outcome is not None]
    assert [1] == refused[:1]
    assert 2 == len(refused)
    assert refused[1] in {2, 3}
    assert {"email"} == {outcome.field for outcome in outcomes if isinstance(outcome, KeyTaken)}
    assert [(0, 0, 0) if number in refused else (1, 1, 1) for number in range(5)] == [await whole(seller, one) for one in some]


async def test_one_that_cannot_be_stored_at_all_fails_by_itself(
    container: Container, storing: CustomerStoring, seller: str
) -> None:
    some = [made(container.rules.records, seller) for _ in range(3)]
    some[1].customer["seller_id"] = "somebody else"

    outcomes = await asyncio.gather(*(storing.store(Tenant(seller), one) for one in some), return_exceptions=True)

    assert [type(None), NoTenant, type(None)] == [type(outcome) for outcome in outcomes]
    assert [(1, 1, 1), (0, 0, 0), (1, 1, 1)] == [await whole(seller, one) for one in some]


async def test_one_that_meets_a_transaction_under_way_keeps_nobody_waiting(
    container: Container, storing: CustomerStoring, seller: str
) -> None:
    email = some_email()
    some = [made(container.rules.records, seller, one) for one in (None, email, None)]
    async with held(container.units, seller, made(container.rules.records, seller, email)):
        tasks = [asyncio.create_task(storing.store(Tenant(seller), one)) for one in some]

        await asyncio.gather(tasks[0], tasks[2])

        assert not tasks[1].done()
        assert [(1, 1, 1), (0, 0, 0), (1, 1, 1)] == [await whole(seller, one) for one in some]
    await tasks[1]
    assert (1, 1, 1) == await whole(seller, some[1])


@pytest.mark.parametrize("number", [1, 3])
async def test_a_silence_of_the_database_is_told_to_all_and_nobody_is_stored_again(
    container: Container, at_hand: AtHand, seller: str, number: int
) -> None:
    """
    A commit that nobody answered may have happened: a second attempt could only find its own customer there.
    """
    storing = CustomerStoring(at_hand)  # type: ignore[arg-type]  # as much of it as is needed
    at_hand.fails = Unavailable("The database did not answer in time.")
    at_hand.go_on.set()

    outcomes = await asyncio.gather(
        *(storing.store(Tenant(seller), made(container.rules.records, seller)) for _ in range(number)), return_exceptions=True
    )

    assert [at_hand.fails] * number == outcomes
    assert ["alone" if number == 1 else "together"] == at_hand.begun


async def test_who_comes_while_two_are_under_way_goes_with_the_next(
    container: Container, at_hand: AtHand, seller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    But for those who have given up by then; and no other seller's customers wait for these.
    """
    monkeypatch.setattr(customer_storing, "LONGEST_WAIT", 3600)
    storing = CustomerStoring(at_hand)  # type: ignore[arg-type]  # as much of it as is needed

    def create(seller_id: str = seller) -> asyncio.Task[None]:
        return asyncio.create_task(storing.store(Tenant(seller_id), made(container.rules.records, seller_id)))

    tasks = []
    for under_way in range(1, MAX_UNDER_WAY + 1):
        tasks.append(create())
        await become(lambda under_way=under_way: under_way == len(at_hand.begun))  # type: ignore[misc]  # bound at once
    late = [create() for _ in range(4)]
    other = create("another seller")
    await become(lambda: len(at_hand.begun) == MAX_UNDER_WAY + 1)
    late[0].cancel()
    at_hand.go_on.set()
    await asyncio.gather(*tasks, *late[1:], other)

    assert ["alone"] * (MAX_UNDER_WAY + 1) + ["together"] == at_hand.begun
    assert late[0].cancelled()


async def test_nobody_waits_longer_for_those_under_way_than_there_is_hope(
    container: Container, at_hand: AtHand, seller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer_storing, "LONGEST_WAIT", 0.001)
    storing = CustomerStoring(at_hand)  # type: ignore[arg-type]  # as much of it as is needed
    tasks = []
    for number in range(1, MAX_UNDER_WAY + 3):
        tasks.append(asyncio.create_task(storing.store(Tenant(seller), made(container.rules.records, seller))))
        await become(lambda number=number: number == len(at_hand.begun))  # type: ignore[misc]  # bound at once

    at_hand.go_on.set()
    await asyncio.gather(*tasks)

    assert ["alone"] * (MAX_UNDER_WAY + 2) == at_hand.begun


async def test_nothing_is_kept_of_a_seller_when_all_is_stored(container: Container, at_hand: AtHand, seller: str) -> None:
    storing = CustomerStoring(at_hand)  # type: ignore[arg-type]  # as much of it as is needed
    tasks: list[asyncio.Task[Any]] = [
        asyncio.create_task(storing.store(Tenant(seller), made(container.rules.records, seller))) for _ in range(3)
    ]
    await become(lambda: bool(at_hand.begun))
    assert [Tenant(seller)] == list(storing._queues)

    at_hand.go_on.set()
    await asyncio.gather(*tasks)

    await become(lambda: not storing._queues)
