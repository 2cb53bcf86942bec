"""What one customer of a seller holds alone, and what the refusal of a second one says."""

from datetime import timedelta
from typing import Any

import pytest

from core.drafts import AddressDraft, DocumentDraft
from core.tenancy import Tenant
from core.vocabulary import AddressKind, CustomerEventType, DocumentType
from models.address import Address
from repositories.errors import KeyTaken
from repositories.unit_of_work import Repositories, UnitOfWork
from tests.repositories.records import MAKER, START, made, store

HELD_ALONE = pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "ada@example.com"}, "email"),
        ({"phone": "+442079460958"}, "phone"),
        ({"external_id": "7"}, "external_id"),
        ({"documents": (DocumentDraft(type=DocumentType.PASSPORT, number="X1234567"),)}, "document_keys"),
    ],
    ids=["email", "phone", "external id", "document number"],
)


@HELD_ALONE
async def test_a_second_holder_is_refused_and_the_field_is_named(
    mine: Repositories, seller: str, fields: dict[str, Any], field: str
) -> None:
    first, second = made(seller, **fields).customer, made(seller, **fields).customer
    await mine.customers.insert(first)

    with pytest.raises(KeyTaken) as one:
        await mine.customers.insert(second)
    with pytest.raises(KeyTaken) as many:
        await mine.customers.insert_many([made(seller).customer, second])

    assert (field, field) == (one.value.field, many.value.field)
    assert await mine.customers.get(second.id) is None
    assert first == await mine.customers.get(first.id)


@HELD_ALONE
async def test_a_change_cannot_take_what_another_holds(
    mine: Repositories, seller: str, fields: dict[str, Any], field: str
) -> None:
    holder, other = made(seller, **fields).customer, made(seller).customer
    await mine.customers.insert_many([holder, other])
    stolen = {field: getattr(holder, field)}

    with pytest.raises(KeyTaken) as one:
        await mine.customers.change(other, START, stolen)
    with pytest.raises(KeyTaken) as many:
        await mine.customers.change_many([(other, START, stolen)])

    assert (field, field) == (one.value.field, many.value.field)
    assert other == await mine.customers.get(other.id)


@HELD_ALONE
async def test_another_seller_may_hold_the_same(mine: Repositories, seller: str, fields: dict[str, Any], field: str) -> None:
    neighbour = f"{seller}-2"
    await mine.customers.insert(made(seller, **fields).customer)

    theirs = await Repositories(Tenant(neighbour)).customers.insert(made(neighbour, **fields).customer)

    assert getattr(theirs, field)


@HELD_ALONE
async def test_the_deleted_hold_nothing(mine: Repositories, seller: str, fields: dict[str, Any], field: str) -> None:
    first, second, third = (made(seller, **fields).customer for _ in range(3))
    await mine.customers.insert(first)
    gone = await mine.customers.change(first, START, {"live": False, "deleted_at": START})

    await mine.customers.insert(second)

    assert gone is None or not gone.live
    with pytest.raises(KeyTaken):
        await mine.customers.insert(third)


async def test_those_without_identifiers_do_not_meet(mine: Repositories, seller: str) -> None:
    nameless = [made(seller).customer for _ in range(3)]

    await mine.customers.insert_many(nameless)

    assert 3 == len(await mine.customers.get_many([one.id for one in nameless]))


async def test_an_identifier_that_is_given_up_is_free(mine: Repositories, seller: str) -> None:
    first = await mine.customers.insert(made(seller, email="ada@example.com").customer)
    await mine.customers.change(first, START, {"email": None})

    second = await mine.customers.insert(made(seller, email="ada@example.com").customer)

    found = await mine.customers.find("email", ["ada@example.com"])
    assert found is not None
    assert second.id == found.id


async def test_the_same_record_twice_is_refused_by_its_id(mine: Repositories, seller: str) -> None:
    one = made(seller).customer
    await mine.customers.insert(one)

    with pytest.raises(KeyTaken) as refusal:
        await mine.customers.insert(one)

    assert "_id" == refusal.value.field


async def test_one_version_of_a_customer_has_one_event(mine: Repositories, seller: str) -> None:
    one = made(seller).customer
    await mine.customers.insert(one)
    first, second = (MAKER.event(one, CustomerEventType.UPDATED, actor="a", changed=()) for _ in range(2))
    await mine.events.append([first])

    with pytest.raises(KeyTaken) as refusal:
        await mine.events.append([second])

    assert "version" == refusal.value.field


async def test_one_live_default_per_kind(mine: Repositories, seller: str) -> None:
    home = AddressDraft(kind=AddressKind.SHIPPING, line1="1 Main Street", country_code="US")
    records = made(seller, addresses=(home, home))
    await store(mine, [records])

    def default() -> Address:
        return MAKER.new_address(home, seller_id=seller, customer_id=records.customer.id, at=START, is_default=True)

    with pytest.raises(KeyTaken) as refusal:
        await mine.addresses.insert(default())
    await mine.addresses.demote_default(seller, records.customer.id, AddressKind.SHIPPING, START)
    await mine.addresses.insert(default())

    assert "kind" == refusal.value.field
    assert [False, False, True] == [one.is_default for one in await mine.addresses.of_customer(seller, records.customer.id)]


async def test_a_key_that_is_taken_inside_a_transaction_undoes_it(units: UnitOfWork, mine: Repositories, seller: str) -> None:
    await mine.customers.insert(made(seller, phone="+442079460958").customer)
    before, late = made(seller, email="ada@example.com"), made(seller, phone="+442079460958")

    async def body(work: Repositories) -> None:
        await store(work, [before])
        await store(work, [late])

    with pytest.raises(KeyTaken) as refusal:
        await units.run(Tenant(seller), body)

    assert "phone" == refusal.value.field
    assert await mine.customers.find("email", ["ada@example.com"]) is None


async def test_a_stale_version_changes_nothing(mine: Repositories, seller: str) -> None:
    read = await mine.customers.insert(made(seller).customer)
    at = START + timedelta(hours=1)
    faster = await mine.customers.change(read, at, {"last_name": "King"})

    slower = await mine.customers.change(read, at, {"last_name": "Byron"})
    many = await mine.customers.change_many([(read, at, {"last_name": "Byron"})])

    assert faster is not None
    assert (2, "King", at) == (faster.version, faster.last_name, faster.updated_at)
    assert (None, 0) == (slower, many)
    assert faster == await mine.customers.get(read.id)
