"""What order, warehouse and sales-channel services look up: many customers by what they know of them, and where to ship."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from auth.principal import Scope
from core.vocabulary import AddressKind
from rest.address_shapes import Address
from rest.caller import Caller, SellerCaller, only_services
from rest.customer_shapes import Customer, CustomerKey
from rest.customer_view import shown
from rest.documented import answers
from rest.facade import UsedFacade
from rest.route import RestRoute
from rest.shape import Shape
from services.records import unique

MAX_KEYS = 100
MAX_CUSTOMERS = 250

CustomerId = Annotated[str, Field(max_length=64)]

router = APIRouter(
    prefix="/internal/api/v1", route_class=RestRoute, tags=["internal customers"], dependencies=[Depends(only_services)]
)


class CustomerLookup(Shape):
    """Customers to be found, each by one identifier. In the body, because addresses end up in the logs of gateways."""

    keys: list[CustomerKey] = Field(
        min_length=1, max_length=MAX_KEYS, description="By what each is looked for.", examples=[[{"phone": "+12027075000"}]]
    )


class FoundCustomers(Shape):
    """What was found."""

    customers: list[Customer | None] = Field(description="The customer of each key, in their order; null where there is none.")


class DefaultAddressLookup(Shape):
    """Customers whose default address is wanted."""

    customer_ids: list[CustomerId] = Field(
        min_length=1,
        max_length=MAX_CUSTOMERS,
        description="The customers, of one seller or of several.",
        examples=[["cus_01j9zs3w8xf4bt6s9h2m5n7p8q"]],
    )
    kind: AddressKind = Field(AddressKind.SHIPPING, description="What the address is for.")


class DefaultAddress(Shape):
    """Where one customer is reached."""

    customer_id: str = Field(description="The customer.", examples=["cus_01j9zs3w8xf4bt6s9h2m5n7p8q"])
    address: Address | None = Field(
        description="Its default address of the kind; null when it has none, or you can see no such customer."
    )


class DefaultAddresses(Shape):
    """What was found."""

    addresses: list[DefaultAddress] = Field(description="One for each of the ids, in their order.")


@router.post(
    "/sellers/{seller_id}/customer-lookups",  # noqa: FAST003 - the caller is bound to it
    summary="Find customers by identifiers (internal)",
    operation_id="lookUpCustomers",
    responses=answers(200, body=True),
)
async def look_up_customers(facade: UsedFacade, viewer: SellerCaller, body: CustomerLookup) -> FoundCustomers:
    """Find up to 100 customers of a seller in one call: by phone, e-mail address, external id, document number or id.

    Identifiers may be written in any spelling; the id and the external id of a customer that was merged into another one find
    the other one. Needs `customers:read`; by document number `documents:read` too.
    """
    keys = [key.to_key() for key in body.keys]
    found = await facade.services.finding.find_all(viewer, keys, viewer.seller_id)
    # Several keys may name one customer, who is shown once and told each time.
    there = list({record.id: record for record in found if record is not None}.values())
    views = {view.id: view for view in await shown(facade, viewer, there)}
    return FoundCustomers(customers=[None if record is None else views[record.id] for record in found])


@router.post(
    "/default-addresses",
    summary="Get default addresses of many customers (internal)",
    operation_id="getDefaultAddresses",
    responses=answers(200, body=True),
)
async def get_default_addresses(facade: UsedFacade, viewer: Caller, body: DefaultAddressLookup) -> DefaultAddresses:
    """Return where up to 250 customers are reached, with three queries at most, however many they are.

    Of one that was merged into another one, that is where the other one is reached. Needs `customers:read`.
    """
    viewer.require(Scope.CUSTOMERS_READ)
    loaders = facade.loaders(viewer)
    ids = unique(body.customer_ids)
    there = {one.id: one for one in await loaders.customer_by_id.load_many(ids) if one is not None}
    there |= await facade.services.customers.survivors(viewer, [id_ for id_ in ids if id_ not in there])
    customers = list({one.id: one for one in there.values()}.values())
    owned = await loaders.addresses_by_customer.load_many([(one.seller_id, one.id) for one in customers])
    defaults = {
        address.customer_id: Address.from_model(address)
        for addresses in owned
        for address in addresses or ()
        if address.is_default and address.kind is body.kind
    }
    return DefaultAddresses(
        addresses=[
            DefaultAddress(customer_id=id_, address=defaults.get(there[id_].id) if id_ in there else None)
            for id_ in body.customer_ids
        ]
    )
