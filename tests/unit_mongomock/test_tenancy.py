"""No repository without a tenant, and nothing of another seller whatever is asked."""

from typing import Any

import pytest

from core.filters import AddressFilter, CustomerFilter, CustomerSort, DocumentFilter
from core.ids import IdKind, new_id
from core.paging import page_request
from core.tenancy import EverySeller, NoTenant, Tenant
from core.vocabulary import CustomerEventType
from models.customer import Customer
from repositories.address import AddressRepository
from repositories.base import Repository
from repositories.customer import CustomerRepository
from repositories.unit_of_work import Repositories
from tests.unit_mongomock.records import HOME, MAKER, START, store


def _below(one: type[Repository[Any]]) -> set[type[Repository[Any]]]:
    return {one, *(found for child in one.__subclasses__() for found in _below(child))}


# Importing the unit of work imports them all.
ALL: list[type[Any]] = [
    Repositories,
    *sorted((one for one in _below(Repository) if "model" in vars(one)), key=lambda one: one.__name__),
]
FIRST = page_request("any")
ADA = new_id(IdKind.CUSTOMER)


@pytest.mark.parametrize("repository", ALL, ids=lambda one: one.__name__)
def test_no_repository_without_a_tenant(repository: Any) -> None:
    with pytest.raises(TypeError, match="tenant"):
        repository()


@pytest.mark.parametrize(
    "tenant", [None, "", "acme", {"seller_id": "acme"}, Tenant, object()], ids=["None", "''", "str", "dict", "class", "object"]
)
@pytest.mark.parametrize("repository", ALL, ids=lambda one: one.__name__)
def test_no_repository_with_something_else_than_a_tenant(repository: Any, tenant: Any) -> None:
    with pytest.raises(NoTenant, match=r"Principal\.reach\(\)"):
        repository(tenant)


def test_the_list_above_is_not_empty() -> None:
    assert {"AddressRepository", "CustomerRepository", "ImportKeyRepository"} < {one.__name__ for one in ALL}


async def test_another_sellers_id_is_an_id_that_does_not_exist() -> None:
    eve = await store("other", "eve")
    mine = Repositories(Tenant("acme"))
    address = (await Repositories(Tenant("other")).addresses.of_customer("other", eve.id))[0]

    for id_ in (eve.id, new_id(IdKind.CUSTOMER), "no id", ""):
        assert await mine.customers.get(id_) is None
        assert {} == await mine.customers.get_many([id_])
        assert [] == await mine.addresses.of_customer("other", id_)
    assert await mine.addresses.get(address.id) is None
    assert [] == await mine.customers.holders({"email": ["eve@other.example"]})
    assert await mine.customers.find("email", ["eve@other.example"]) is None


async def test_another_sellers_records_cannot_be_changed() -> None:
    eve = await store("other", "eve")
    mine = Repositories(Tenant("acme"))

    changed = await mine.customers.change(eve, START, {"first_name": "mine"})
    await mine.addresses.delete_of_customer("other", eve.id, START)

    assert changed is None
    theirs = Repositories(Tenant("other"))
    assert eve == await theirs.customers.get(eve.id)
    assert 2 == len(await theirs.addresses.of_customer("other", eve.id))


async def test_nothing_is_stored_outside_the_wall() -> None:
    """
    What a tenant could not read afterwards, it does not write either: for a seller, and for a customer.
    """
    eve = await store("other", "eve")
    ada, bob = await store("acme", "ada"), await store("acme", "bob")
    theirs = MAKER.new_address(HOME, seller_id="other", customer_id=eve.id, at=START, is_default=False)
    bobs = MAKER.new_address(HOME, seller_id="acme", customer_id=bob.id, at=START, is_default=False)
    event = MAKER.event(eve, CustomerEventType.CREATED, actor="operator:mallory", changed=())

    for outside in (
        Repositories(Tenant("acme")).addresses.insert(theirs),
        Repositories(Tenant("acme")).addresses.insert_many([bobs, theirs]),
        Repositories(Tenant("acme", ada.id)).addresses.insert(bobs),
        Repositories(Tenant("acme", ada.id)).customers.insert(bob),
        Repositories(Tenant("acme")).events.append([event]),
    ):
        with pytest.raises(NoTenant, match="another tenant"):
            await outside

    assert {2} == {
        len(await Repositories(Tenant(who)).addresses.of_customer(who, id_))
        for who, id_ in (("other", eve.id), ("acme", bob.id))
    }
    everything = Repositories(EverySeller("test"))
    assert [] == (await everything.events.history("other", eve.id, FIRST)).items
    await Repositories(Tenant("acme", bob.id)).addresses.insert(bobs)


async def test_lists_hold_one_sellers_records() -> None:
    ada, eve = await store("acme", "ada"), await store("other", "eve")
    mine = Repositories(Tenant("acme"))
    chosen = CustomerFilter(ids=[ada.id, eve.id])

    customers = await mine.customers.list(chosen, CustomerSort.NAME_ASC, FIRST, document_keys=None)
    addresses = await mine.addresses.list(AddressFilter(), FIRST)
    documents = await mine.documents.list(DocumentFilter(), FIRST)
    of_theirs = await mine.addresses.list(AddressFilter(customer_id=eve.id), FIRST)

    assert [ada.id] == [one.id for one in customers.items]
    assert 1 == await mine.customers.count(chosen, document_keys=None)
    assert {ada.id} == {one.customer_id for one in [*addresses.items, *documents.items]}
    assert [] == of_theirs.items


async def test_a_customer_sees_itself() -> None:
    ada, bob = await store("acme", "ada"), await store("acme", "bob")
    own = Repositories(Tenant("acme", ada.id))

    customers = await own.customers.list(CustomerFilter(), CustomerSort.NAME_ASC, FIRST, document_keys=None)
    addresses = await own.addresses.list(AddressFilter(), FIRST)

    assert [ada.id] == [one.id for one in customers.items]
    assert await own.customers.get(bob.id) is None
    assert [] == await own.addresses.of_customer("acme", bob.id)
    assert {ada.id} == {one.customer_id for one in addresses.items}


@pytest.mark.parametrize(
    "conditions",
    [
        {"seller_id": "other"},
        {"seller_id": {"$in": ["acme", "other"]}},
        {"seller_id": {"$ne": None}},
        {"$and": [{"seller_id": "other"}]},
        {"seller_id": "other", "$and": [{"email": "eve@other.example"}]},
        {"$or": [{"seller_id": "other"}, {"seller_id": "acme"}]},
    ],
    ids=str,
)
async def test_an_explicit_seller_can_only_narrow(conditions: dict[str, Any]) -> None:
    await store("acme", "ada")
    await store("other", "eve")

    found: list[Customer] = await CustomerRepository(Tenant("acme"))._find(conditions)

    assert {"acme"} >= {one.seller_id for one in found}


async def test_an_explicit_customer_can_only_narrow() -> None:
    ada, bob = await store("acme", "ada"), await store("acme", "bob")
    addresses = AddressRepository(Tenant("acme", ada.id))

    assert [] == await addresses._find({"customer_id": bob.id})
    assert {ada.id} == {one.customer_id for one in await addresses._find({"customer_id": {"$in": [ada.id, bob.id]}})}


@pytest.mark.parametrize("value", [{"$ne": None}, {"$gt": ""}])
async def test_an_operator_in_the_place_of_an_id_does_not_reach_beyond_the_seller(value: Any) -> None:
    await store("other", "eve")

    assert await CustomerRepository(Tenant("acme")).get(value) is None
