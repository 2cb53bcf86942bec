"""Addresses, as clients see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from core.drafts import AddressDraft
from core.filters import AddressFilter as Conditions
from models import address as models
from models.row import Row
from schema.batching import alone, batched
from schema.context import Info
from schema.enums import AddressKind
from schema.node import Node, presents
from schema.rows import owners_of
from schema.user_error import UserError
from services.address import draft_of
from services.rules.postal import formatted_lines

if TYPE_CHECKING:
    from schema.customer import Customer


async def _customer(addresses: "Sequence[Address | Row[models.Address]]", info: Info) -> list["Customer | Exception"]:
    return await owners_of(addresses, info)


@presents(models.Address)
@strawberry.federation.type(keys=["id"], description="A postal address of a customer. Needs `customers:read`.")
class Address(Node):
    record: strawberry.Private[models.Address]
    customer_id: strawberry.ID = strawberry.field(description="The customer it belongs to.")
    kind: AddressKind = strawberry.field(description="What it is for.")
    is_default: bool = strawberry.field(
        description="Whether it is the one to use. Exactly one per customer and kind is, whenever there is any."
    )
    label: str | None = strawberry.field(description='What the customer calls it: "Home", "Warehouse 2".')
    recipient: str | None = strawberry.field(description="Who receives there, when not the customer.")
    company: str | None = strawberry.field(description="The company at this address.")
    line1: str = strawberry.field(description="Street and number.")
    line2: str | None = strawberry.field(description="What street and number leave open: floor, building, district.")
    city: str | None = strawberry.field(description="Town or city.")
    region: str | None = strawberry.field(description="State, province or the like, as the country's post writes it.")
    postal_code: str | None = strawberry.field(description="As the country's post writes it; in some countries there is none.")
    country_code: str = strawberry.field(description="ISO 3166-1 alpha-2, in capitals.")
    phone: str | None = strawberry.field(description="A number to call on delivery, E.164.")
    version: int = strawberry.field(description="Grows by one with every change; see `expectedVersion`.")
    created_at: datetime = strawberry.field(description="When it was stored.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @strawberry.field(
        description="The customer it belongs to. Needs `customers:read`.", metadata=batched(_customer, "customer_id", rows=True)
    )
    async def customer(self, info: Info) -> Annotated["Customer", strawberry.lazy("schema.customer")]:
        """Return the owner."""
        return await alone(_customer, self, info)

    @strawberry.field(description="The lines to print on a parcel, in the country's own order.")
    def formatted(self) -> list[str]:
        """Return the postal lines."""
        return formatted_lines(draft_of(self.record))


@strawberry.input(description="A new address. API calls are checked by the postal rules of its country.")
class AddressFields:
    kind: AddressKind = strawberry.field(description="What it is for.")
    is_default: bool | None = strawberry.field(
        default=None, description="Whether it becomes the default of its kind. The first of a kind always does."
    )
    label: str | None = strawberry.field(default=None, description='What the customer calls it: "Home", "Warehouse 2".')
    recipient: str | None = strawberry.field(default=None, description="Who receives there, when not the customer.")
    company: str | None = strawberry.field(default=None, description="The company at this address.")
    line1: str = strawberry.field(description="Street and number.")
    line2: str | None = strawberry.field(default=None, description="Floor, building, district.")
    city: str | None = strawberry.field(default=None, description="Town or city; most countries require one.")
    region: str | None = strawberry.field(
        default=None, description="State or province, by name or code; some countries require one."
    )
    postal_code: str | None = strawberry.field(default=None, description="Postal code in the country's format.")
    country_code: str = strawberry.field(description="ISO 3166-1 alpha-2.")
    phone: str | None = strawberry.field(
        default=None, description="Any spelling; without calling code, a number of this country."
    )

    def to_draft(self) -> AddressDraft:
        """Return what the caller wants stored."""
        return AddressDraft(
            kind=self.kind,
            is_default=self.is_default,
            label=self.label,
            recipient=self.recipient,
            company=self.company,
            line1=self.line1,
            line2=self.line2,
            city=self.city,
            region=self.region,
            postal_code=self.postal_code,
            country_code=self.country_code,
            phone=self.phone,
        )


@strawberry.input(description="A change of an address: an absent field stays as it is, null clears it.")
class AddressPatch:
    kind: strawberry.Maybe[AddressKind | None] = strawberry.field(description="What it is for.")
    is_default: strawberry.Maybe[bool | None] = strawberry.field(description="True makes it the default of its kind.")
    label: strawberry.Maybe[str | None] = strawberry.field(description="What the customer calls it.")
    recipient: strawberry.Maybe[str | None] = strawberry.field(description="Who receives there, when not the customer.")
    company: strawberry.Maybe[str | None] = strawberry.field(description="The company at this address.")
    line1: strawberry.Maybe[str | None] = strawberry.field(description="Street and number; cannot be cleared.")
    line2: strawberry.Maybe[str | None] = strawberry.field(description="Floor, building, district.")
    city: strawberry.Maybe[str | None] = strawberry.field(description="Town or city.")
    region: strawberry.Maybe[str | None] = strawberry.field(description="State or province, by name or code.")
    postal_code: strawberry.Maybe[str | None] = strawberry.field(description="Postal code in the country's format.")
    country_code: strawberry.Maybe[str | None] = strawberry.field(description="ISO 3166-1 alpha-2; cannot be cleared.")
    phone: strawberry.Maybe[str | None] = strawberry.field(description="Any spelling.")


@strawberry.input(description="Conditions on addresses, all of which have to hold.")
class AddressFilter:
    customer_id: strawberry.ID | None = strawberry.field(default=None, description="Addresses of this customer only.")
    kind: AddressKind | None = strawberry.field(default=None, description="Addresses for this purpose only.")
    country_code: str | None = strawberry.field(default=None, description="In this country, ISO 3166-1 alpha-2.")
    postal_code: str | None = strawberry.field(default=None, description="With exactly this postal code.")
    is_default: bool | None = strawberry.field(default=None, description="Defaults only, or all others.")

    def to_conditions(self) -> Conditions:
        """Return the conditions as the service takes them."""
        return Conditions(
            customer_id=self.customer_id,
            kind=self.kind,
            country_code=None if self.country_code is None else self.country_code.upper(),
            postal_code=self.postal_code,
            is_default=self.is_default,
        )


@strawberry.type(description="What became of a change of an address.")
class AddressPayload:
    address: Address | None = strawberry.field(description="The address as it is now; null when nothing was changed.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was changed; empty on success.")
