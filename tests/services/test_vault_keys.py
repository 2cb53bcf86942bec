"""Keys are made, known everywhere, replaced, and destroyed once nothing needs them; numbers stay found all the time."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from pymongo.asynchronous.database import AsyncDatabase

from core.drafts import CustomerDraft, DocumentDraft
from core.errors import ErrorCode, Refused, Unavailable
from core.sealing import Sealer
from core.tenancy import Tenant
from core.vault import FIRST, Vault
from core.vocabulary import DocumentType, EventPrivacy
from infra.mongo import create_indexes, open_mongo
from models.vault_key import VaultKeyUse
from repositories.errors import KeyTaken
from repositories.migration import Migrations
from repositories.sealed_number import NumberedDocuments
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_keys import opened_numbers
from services.key_book import SETTLE, KeyBook, SettingsMasterKey
from services.records import RecordMaker
from services.vault_chores import VaultChores
from tests.api import fresh
from tests.clocks import MovableClock
from tests.databases import drop
from tests.servers import Servers

SEALER = Sealer("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
ACME = Tenant("acme")


class Process:
    """What one process knows of keys, and what it does about them."""

    def __init__(self, units: UnitOfWork, clock: MovableClock, *masters: Any) -> None:
        self.records = RecordMaker(SEALER, EventPrivacy.MASKED)
        self.vault: Vault = self.records.vault
        self.book = KeyBook(clock, self.vault, masters or [SettingsMasterKey(SEALER)])
        self.chores = VaultChores(units, self.records, clock)
        self._clock = clock
        self._units = units

    async def file(self, number: str, seller_id: str = "acme") -> str:
        """File a passport with a new customer; return the customer's id."""
        draft = CustomerDraft(documents=(DocumentDraft(type=DocumentType.PASSPORT, number=number),))
        made = self.records.new_customer(draft, seller_id=seller_id, at=self._clock.now())

        async def body(work: Repositories) -> None:
            await work.customers.insert(made.customer)
            await work.documents.insert_many(made.documents)
            await work.keys.insert_stored(made.keys)

        await self._units.run(Tenant(seller_id), body)
        return made.customer.id

    async def holder(self, number: str) -> str | None:
        """Return who holds a number, as this process looks it up."""
        found = await Repositories(ACME).customers.find("document_keys", self.records.number_indexes(number, seller_id="acme"))
        return None if found is None else found.id

    async def number(self, customer_id: str) -> Any:
        """Return the number of a customer's only document."""
        work = Repositories(ACME)
        (number,) = await opened_numbers(work, self.records, await work.documents.of_customer("acme", customer_id))
        return number

    async def work_off(self) -> None:
        """Do the chores until there is nothing left to do for the moment."""
        await self.book.look()
        while await self.chores.rewrap() or await self.chores.reindex():
            await self.book.look()


@pytest_asyncio.fixture(name="database")
async def _database(servers: Servers) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    """A database of its own: the chores go over everything."""
    async with open_mongo(servers.mongodb_uri, fresh("vault")) as mongo:
        await create_indexes()
        yield mongo.database
        await drop(mongo.database.client, mongo.database.name)


@pytest.fixture(name="clock")
def _clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(name="one")
def _one(database: AsyncDatabase[dict[str, Any]], clock: MovableClock) -> Process:
    return Process(UnitOfWork(database.client), clock)


@pytest.fixture(name="other")
def _other(database: AsyncDatabase[dict[str, Any]], clock: MovableClock) -> Process:
    return Process(UnitOfWork(database.client), clock)


async def names(database: AsyncDatabase[dict[str, Any]]) -> list[str]:
    return [key["_id"] async for key in database["vault_keys"].find({}).sort("_id", 1)]


async def wraps(database: AsyncDatabase[dict[str, Any]]) -> set[str]:
    return {key["wrapped_with"] async for key in database["customer_keys"].find({})}


# ------------------------------------------------------------------------ wrapping keys


async def test_a_new_wrapping_key_takes_over_once_everybody_knows_it(
    one: Process, other: Process, clock: MovableClock, database: AsyncDatabase[dict[str, Any]]
) -> None:
    before = await one.file("X1111111")
    sealed = await database["documents"].find_one({})

    made = await one.book.add(VaultKeyUse.WRAPPING)
    await one.work_off()
    assert ({FIRST}, FIRST) == (await wraps(database), one.vault.ring.wraps_with)
    clock.advance(seconds=SETTLE.total_seconds())
    await one.work_off()
    await other.book.look()

    assert {made.id} == await wraps(database)
    assert sealed == await database["documents"].find_one({})
    assert ("X1111111", "X1111111") == (await one.number(before), await other.number(before))


async def test_an_old_wrapping_key_is_destroyed_when_it_wraps_nothing_any_more(
    one: Process, clock: MovableClock, database: AsyncDatabase[dict[str, Any]]
) -> None:
    first = await one.book.add(VaultKeyUse.WRAPPING)
    clock.advance(seconds=SETTLE.total_seconds())
    await one.work_off()
    customer = await one.file("X1111111")
    assert {first.id} == await wraps(database)

    second = await one.book.add(VaultKeyUse.WRAPPING)
    clock.advance(seconds=SETTLE.total_seconds())
    await one.work_off()
    assert [first.id, second.id] == await names(database)
    clock.advance(seconds=SETTLE.total_seconds())
    await one.work_off()

    assert [second.id] == await names(database)
    assert "X1111111" == await one.number(customer)


async def test_a_dump_opens_nothing_without_the_master_key(
    one: Process, database: AsyncDatabase[dict[str, Any]], clock: MovableClock
) -> None:
    await one.book.add(VaultKeyUse.WRAPPING)
    thief = KeyBook(clock, Vault(Sealer("b2" * 21 + "b=")), [SettingsMasterKey(Sealer("b2" * 21 + "b="))])

    with pytest.raises(Unavailable, match="another master key"):
        await thief.look()


async def test_a_key_of_a_master_that_the_settings_do_not_name_is_no_guess(one: Process, clock: MovableClock) -> None:
    class Elsewhere(SettingsMasterKey):
        name = "kms:alias/customers"

    away = KeyBook(clock, one.vault, [Elsewhere(SEALER), SettingsMasterKey(SEALER)])
    await away.depend_on_master()
    await away.depend_on_master()

    with pytest.raises(Unavailable, match=r"aws\.kms\.keyId"):
        await one.book.look()
    assert ["kms:alias/customers"] == [key.wrapped_by for key in await away.look()]


# ------------------------------------------------------------------------- blind indexes


async def test_numbers_are_found_and_kept_apart_all_through_a_replacement(
    one: Process, other: Process, clock: MovableClock, database: AsyncDatabase[dict[str, Any]]
) -> None:
    """
    Two processes, of which the second one learns late; every step is looked at with both.
    """
    ada = await one.file("X1111111")
    old = (await database["customers"].find_one({"_id": ada}) or {})["document_keys"]
    made = await one.book.add(VaultKeyUse.INDEX)
    bob = await other.file("X2222222")  # by a process that knows nothing of it yet

    async def check() -> None:
        for process in (one, other):
            assert (ada, bob) == (await process.holder("X1111111"), await process.holder("X2222222"))
            for number in ("X1111111", "X2222222"):
                with pytest.raises(KeyTaken):
                    await process.file(number)

    await check()
    await other.book.look()
    cyd = await other.file("X3333333")
    assert 2 == len((await database["customers"].find_one({"_id": cyd}) or {})["document_keys"])
    await check()
    clock.advance(seconds=SETTLE.total_seconds())
    await one.work_off()
    await check()  # the other one still looks up both
    await other.book.look()
    await check()
    clock.advance(seconds=SETTLE.total_seconds())
    await one.work_off()
    await check()

    held = [key for customer in await database["customers"].find({}).to_list() for key in customer["document_keys"]]
    assert 3 == len(held)
    assert all(key.startswith(f"{made.id}:") for key in held)
    assert old[0] not in str([document async for document in database["documents"].find({})])
    assert [made.id] == await names(database)
    assert cyd == await one.holder("X3333333")


async def test_a_second_replacement_drives_out_the_first_ones_key(
    one: Process, clock: MovableClock, database: AsyncDatabase[dict[str, Any]]
) -> None:
    ada = await one.file("X1111111")
    for _ in range(2):
        made = await one.book.add(VaultKeyUse.INDEX)
        with pytest.raises(Refused) as refused:
            await one.book.add(VaultKeyUse.INDEX)
        assert [ErrorCode.STATE] == [problem.code for problem in refused.value.problems]
        for _ in range(2):
            clock.advance(seconds=SETTLE.total_seconds())
            await one.work_off()

    assert [made.id] == await names(database)
    assert ada == await one.holder("x 111-1111")


async def test_a_number_that_nobody_can_open_keeps_the_old_key_and_no_other_number(
    one: Process, clock: MovableClock, database: AsyncDatabase[dict[str, Any]]
) -> None:
    broken, sound = await one.file("X1111111"), await one.file("X2222222")
    await database["documents"].update_one({"customer_id": broken}, {"$set": {"number_box": b"broken"}})
    made = await one.book.add(VaultKeyUse.INDEX)
    clock.advance(seconds=SETTLE.total_seconds())

    await one.work_off()

    held = (await database["customers"].find_one({"_id": sound}) or {})["document_keys"]
    assert [made.id] == [key.partition(":")[0] for key in held[1:]]
    assert "NEXT" == (await database["vault_keys"].find_one({"_id": made.id}) or {})["state"]
    assert (broken, sound) == (await one.holder("X1111111"), await one.holder("X2222222"))


# ---------------------------------------------------------------- what was sealed before


async def test_what_the_version_before_sealed_is_sealed_anew_beside_it(
    one: Process, clock: MovableClock, database: AsyncDatabase[dict[str, Any]]
) -> None:
    customer = await one.file("X1111111")
    document = await database["documents"].find_one({}) or {}
    legacy = SEALER.seal("X1111111", seller_id="acme", bound_to=document["_id"])
    await database["documents"].update_one({}, {"$set": {"number_sealed": legacy}, "$unset": {"number_box": ""}})
    await database["customer_keys"].delete_many({})
    assert "X1111111" == await one.number(customer)

    await Migrations(clock).apply(one.vault)
    migrated = await database["documents"].find_one({}) or {}
    removed = await NumberedDocuments().drop_old_seals()

    assert legacy == migrated["number_sealed"]
    assert 1 == await database["customer_keys"].count_documents({"_id": customer, "seller_id": "acme"})
    assert (1, False) == (removed, "number_sealed" in (await database["documents"].find_one({}) or {}))
    assert "X1111111" == await one.number(customer)
    assert [] == await Migrations(clock).pending()


def test_a_key_is_known_everywhere_long_before_anything_depends_on_it() -> None:
    assert SETTLE >= timedelta(seconds=10 * 5)
