"""What processes know of sellers: from the tenant service, from services that tell us, and through outages of either."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from app.container import Container
from core.errors import Unavailable
from core.seller import NOTHING_SAID, SellerRules
from services import seller_book
from services.seller_book import ASK_AGAIN_SECONDS, FRESH_SECONDS, SellerBook, TenantSource
from tests.clocks import MovableClock

EMIRATES, GERMANY = SellerRules(default_country="AE"), SellerRules(default_country="DE")


class Tenants:
    """A tenant service that says what it is told to."""

    def __init__(self) -> None:
        self.rules: SellerRules | Exception | None = EMIRATES
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def rules_of(self, seller_id: str) -> SellerRules | None:
        self.asked.append(seller_id)
        await self.may_answer.wait()
        if isinstance(self.rules, Exception):
            raise self.rules
        return self.rules


@pytest.fixture(name="tenants")
def _tenants(container: Container) -> Tenants:
    return Tenants()


@pytest.fixture(name="clock")
def _clock() -> MovableClock:
    return MovableClock()


@asynccontextmanager
async def opened(clock: MovableClock, source: TenantSource | None) -> AsyncIterator[SellerBook]:
    """A book that looks only when it is told to."""
    book = SellerBook(clock, source)
    await book.look()
    yield book
    await book.close()


async def settled(book: SellerBook) -> None:
    while book._asking:
        await asyncio.sleep(0)
        await asyncio.gather(*book._asking.values())


async def test_the_first_call_for_a_seller_waits_for_what_it_has_configured(
    clock: MovableClock, tenants: Tenants, seller: str
) -> None:
    async with opened(clock, tenants) as book:
        assert NOTHING_SAID == book.known(seller)
        await asyncio.gather(*(book.learn(seller) for _ in range(20)))

        assert EMIRATES == book.known(seller)
        assert [seller] == tenants.asked


async def test_an_old_answer_serves_while_a_new_one_is_fetched(clock: MovableClock, tenants: Tenants, seller: str) -> None:
    async with opened(clock, tenants) as book:
        await book.learn(seller)
        clock.ahead += timedelta(seconds=FRESH_SECONDS + 1)
        tenants.rules = GERMANY
        tenants.may_answer.clear()

        await book.learn(seller)
        assert EMIRATES == book.known(seller)
        tenants.may_answer.set()
        await settled(book)

        assert GERMANY == book.known(seller)
        await book.learn(seller)
        assert 2 == len(tenants.asked)


@pytest.mark.parametrize(
    "failure", [Unavailable("gone"), SellerRules(default_country="XX"), ValueError("a fault of ours")], ids=repr
)
async def test_an_outage_is_survived_by_what_was_known(
    clock: MovableClock, tenants: Tenants, seller: str, failure: Exception | SellerRules
) -> None:
    async with opened(clock, tenants) as book:
        await book.learn(seller)
        tenants.rules = failure
        clock.ahead += timedelta(days=30)
        await book.learn(seller)
        await settled(book)

        assert EMIRATES == book.known(seller)
        for _ in range(10):
            await book.learn(seller)
        assert 2 == len(tenants.asked)
        clock.ahead += timedelta(seconds=ASK_AGAIN_SECONDS + 1)
        tenants.rules = GERMANY
        await book.learn(seller)
        await settled(book)
        assert GERMANY == book.known(seller)


async def test_a_seller_that_was_never_known_is_served_all_the_same(clock: MovableClock, tenants: Tenants, seller: str) -> None:
    tenants.rules = Unavailable("gone")
    async with opened(clock, tenants) as book:
        await book.learn(seller)
        await book.learn(seller)

        assert NOTHING_SAID == book.known(seller)
        assert 1 == len(tenants.asked)


async def test_what_was_told_outlives_the_process(clock: MovableClock, tenants: Tenants, seller: str) -> None:
    async with opened(clock, tenants) as book:
        await book.learn(seller)
    tenants.rules = Unavailable("gone")

    async with opened(clock, tenants) as another:
        assert EMIRATES == another.known(seller)
        await another.learn(seller)
        assert 1 == len(tenants.asked)


async def test_a_caller_who_hangs_up_takes_the_answer_from_nobody(clock: MovableClock, tenants: Tenants, seller: str) -> None:
    tenants.may_answer.clear()
    async with opened(clock, tenants) as book:
        first = asyncio.create_task(book.learn(seller))
        second = asyncio.create_task(book.learn(seller))
        await asyncio.sleep(0)
        first.cancel()
        tenants.may_answer.set()
        await second

        assert EMIRATES == book.known(seller)


async def test_other_processes_know_soon(clock: MovableClock, container: Container, seller: str) -> None:
    async with opened(clock, None) as here, opened(clock, None) as there:
        await here.say(seller, EMIRATES)
        assert EMIRATES == here.known(seller)
        assert NOTHING_SAID == there.known(seller)
        await there.look()

        assert EMIRATES == there.known(seller)


async def test_what_the_tenant_service_tells_goes_before_what_we_were_told(
    clock: MovableClock, tenants: Tenants, seller: str
) -> None:
    own = SellerRules(default_country="GB", email=False)
    async with opened(clock, tenants) as book:
        assert own == await book.say(seller, own)
        await book.learn(seller)

        assert SellerRules(default_country="AE", email=False) == book.known(seller)
        assert own == book.own(seller)
        tenants.rules = None
        clock.ahead += timedelta(seconds=FRESH_SECONDS + 1)
        await book.learn(seller)
        await settled(book)
        assert own == book.known(seller)


async def test_it_goes_on_looking_after_an_outage(
    monkeypatch: pytest.MonkeyPatch, clock: MovableClock, container: Container, seller: str
) -> None:
    monkeypatch.setattr(seller_book, "LOOK_SECONDS", 0.01)
    async with opened(clock, None) as book:
        real, failures = book._records.since, [Unavailable("gone"), ValueError("odd")]

        async def since(moment: object) -> object:
            if failures:
                raise failures.pop(0)
            return await real(moment)  # type: ignore[arg-type]

        monkeypatch.setattr(book._records, "since", since)
        following = asyncio.create_task(book.follow())
        async with opened(clock, None) as elsewhere:
            await elsewhere.say(seller, EMIRATES)
        async with asyncio.timeout(10):
            while book.known(seller) != EMIRATES:  # noqa: ASYNC110  it has no event for it
                await asyncio.sleep(0.01)
        following.cancel()
