"""Loaders: order, gaps, one query for many keys, and the wall between sellers."""

import asyncio
from collections.abc import Collection

from core.ids import IdKind, new_id
from core.tenancy import EverySeller, Tenant
from core.vocabulary import AddressKind
from loaders.batch import MAX_BATCH, by_key
from loaders.registry import Loaders
from repositories.customer import CustomerRepository
from repositories.unit_of_work import Repositories
from tests.unit_mongomock.records import HOME, MAKER, START, store


async def test_values_come_in_the_order_of_their_keys_with_none_for_gaps() -> None:
    ada, bob = await store("acme", "ada"), await store("acme", "bob")
    loader = Loaders(Tenant("acme")).customer_by_id
    keys = [bob.id, new_id(IdKind.CUSTOMER), ada.id, "no id at all", bob.id, ""]

    found = await loader.load_many(keys)

    assert ["bob", None, "ada", None, "bob", None] == [one and one.first_name for one in found]


async def test_fifty_customers_with_addresses_and_documents_cost_three_finds(finds: list[str]) -> None:
    customers = [await store("acme", f"n{number}") for number in range(50)]
    loaders = Loaders(Tenant("acme"))
    owners = [("acme", customer.id) for customer in customers]
    finds.clear()

    found, addresses, documents = await asyncio.gather(
        loaders.customer_by_id.load_many([customer.id for customer in customers]),
        loaders.addresses_by_customer.load_many(owners),
        loaders.documents_by_customer.load_many(owners),
    )

    assert ["customers", "addresses", "documents"] == finds
    unread = CustomerRepository.UNREAD
    assert [one.model_dump(exclude=set(unread)) for one in customers] == [one and one.model_dump() for one in found]
    assert [2] * 50 == [len(group or ()) for group in addresses]
    assert [1] * 50 == [len(group or ()) for group in documents]


async def test_what_belongs_to_a_customer_comes_oldest_first_and_nothing_is_a_list_too() -> None:
    ada, bob = await store("acme", "ada", documents=0), await store("acme", "bob", addresses=0)
    loaders = Loaders(Tenant("acme"))

    addresses = await loaders.addresses_by_customer.load_many([("acme", ada.id), ("acme", bob.id), ("acme", "cus_none")])
    documents = await loaders.documents_by_customer.load_many([("acme", ada.id), ("acme", bob.id)])

    assert [[AddressKind.SHIPPING, AddressKind.BILLING], [], []] == [[one.kind for one in group or ()] for group in addresses]
    assert [0, 1] == [len(group or ()) for group in documents]
    assert None not in addresses


async def test_a_loader_never_shows_another_sellers_records() -> None:
    eve = await store("other", "eve")
    loaders = Loaders(Tenant("acme"))

    assert await loaders.customer_by_id.load(eve.id) is None
    # By the owner's true name, and by that of the seller who asks.
    for owner in (("other", eve.id), ("acme", eve.id)):
        assert [] == await loaders.addresses_by_customer.load(owner)
        assert [] == await loaders.documents_by_customer.load(owner)


async def test_a_customer_loads_itself_and_nobody_else() -> None:
    ada, bob = await store("acme", "ada"), await store("acme", "bob")
    loaders = Loaders(Tenant("acme", ada.id))

    found = await loaders.customer_by_id.load_many([ada.id, bob.id])
    addresses = await loaders.addresses_by_customer.load_many([("acme", ada.id), ("acme", bob.id)])

    assert ["ada", None] == [one and one.first_name for one in found]
    assert [2, 0] == [len(group or ()) for group in addresses]


async def test_a_service_loads_for_several_sellers_at_once(finds: list[str]) -> None:
    ada, eve = await store("acme", "ada"), await store("other", "eve", addresses=1)
    loaders = Loaders(EverySeller("test"))
    finds.clear()

    found = await loaders.addresses_by_customer.load_many([("other", eve.id), ("acme", ada.id), ("acme", eve.id)])

    assert [["other"], ["acme", "acme"], []] == [[one.seller_id for one in group or ()] for group in found]
    assert ["addresses"] == finds


async def test_what_names_one_sellers_customer_and_another_seller_belongs_to_nobody() -> None:
    """
    Such a record is a mistake; shown to a service that loads for both sellers at once, it would be a leak.
    """
    ada, eve = await store("acme", "ada", addresses=0), await store("other", "eve", addresses=1)
    stray = MAKER.new_address(HOME, seller_id="other", customer_id=ada.id, at=START, is_default=False)
    await Repositories(EverySeller("test")).addresses.insert(stray)

    found = await Loaders(EverySeller("test")).addresses_by_customer.load_many([("acme", ada.id), ("other", eve.id)])

    assert [0, 1] == [len(group or ()) for group in found]
    assert [eve.id] == [one.customer_id for one in found[1] or ()]


async def test_the_deleted_are_not_loaded() -> None:
    ada = await store("acme", "ada")
    repositories = Repositories(Tenant("acme"))
    await repositories.addresses.delete_of_customer("acme", ada.id, START)
    await repositories.customers.change(ada, START, {"live": False, "deleted_at": START})
    loaders = Loaders(Tenant("acme"))

    assert await loaders.customer_by_id.load(ada.id) is None
    assert [] == await loaders.addresses_by_customer.load(("acme", ada.id))


async def test_two_operations_share_nothing() -> None:
    """
    What one has loaded must not be old news to the next.
    """
    ada = await store("acme", "ada")
    before = await Loaders(Tenant("acme")).customer_by_id.load(ada.id)
    await Repositories(Tenant("acme")).customers.change(ada, START, {"first_name": "Ada Augusta"})

    after = await Loaders(Tenant("acme")).customer_by_id.load(ada.id)

    assert ["ada", "Ada Augusta"] == [one and one.first_name for one in (before, after)]


async def test_a_batch_is_bounded_and_a_repeated_key_is_asked_for_once() -> None:
    asked: list[int] = []

    async def fetch(keys: Collection[int]) -> dict[int, str]:
        asked.append(len(keys))
        return {key: str(key) for key in keys}

    found = await by_key(fetch).load_many([*range(MAX_BATCH + 1), 0, 1, 2])

    assert [MAX_BATCH, 1] == asked
    assert [*map(str, range(MAX_BATCH + 1)), "0", "1", "2"] == found


async def test_only_the_fields_that_are_needed_are_read() -> None:
    ada = await store("acme", "ada")
    loaders = Loaders(Tenant("acme"))

    customer = await loaders.customers(frozenset({"email"})).load(ada.id)
    addresses = await loaders.addresses_of(frozenset({"city"})).load(("acme", ada.id))

    assert {"_id": ada.id, "seller_id": "acme", "email": ada.email} == customer
    assert customer is not None
    assert {"id": ada.id, "seller_id": "acme", "email": ada.email} == vars(customer.record)
    assert addresses
    assert {"id", "seller_id", "customer_id", "kind", "is_default", "city"} == vars(addresses[0].record).keys()
    assert AddressKind.SHIPPING is addresses[0].record.kind


async def test_loads_of_different_fields_do_not_share_a_query(finds: list[str]) -> None:
    ada = await store("acme", "ada")
    loaders = Loaders(Tenant("acme"))
    finds.clear()

    some, all_ = await asyncio.gather(loaders.customers(frozenset({"email"})).load(ada.id), loaders.customer_by_id.load(ada.id))

    assert ["customers", "customers"] == finds
    assert some is not None
    assert all_ is not None
    assert some["email"] == all_.email
    assert not hasattr(some, "first_name")
