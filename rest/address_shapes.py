"""Addresses, as callers of REST see and send them."""

from pydantic import Field

from core.drafts import AddressDraft
from core.vocabulary import AddressKind
from models import address as models
from rest.shape import Moment, Shape, StrictBool
from services.address import draft_of
from services.rules.postal import formatted_lines


class Address(Shape):
    """A postal address of a customer."""

    id: str = Field(description="Opaque, `adr_…`.", examples=["adr_01j9zs3w8ye2tvd6m8x1p7r5q4"])
    customer_id: str = Field(description="The customer it belongs to.", examples=["cus_01j9zs3w8xf4bt6s9h2m5n7p8q"])
    kind: AddressKind = Field(description="What it is for.")
    is_default: bool = Field(description="Whether it is the one to use. Exactly one per customer and kind is.")
    label: str | None = Field(description="What the customer calls it.", examples=["Home"])
    recipient: str | None = Field(description="Who receives there, when not the customer.")
    company: str | None = Field(description="The company at this address.")
    line1: str = Field(description="Street and number.", examples=["1600 Pennsylvania Avenue NW"])
    line2: str | None = Field(description="What street and number leave open: floor, building, district.")
    city: str | None = Field(description="Town or city.", examples=["Washington"])
    region: str | None = Field(description="State, province or the like.", examples=["DC"])
    postal_code: str | None = Field(description="As the country's post writes it.", examples=["20500"])
    country_code: str = Field(description="ISO 3166-1 alpha-2, in capitals.", examples=["US"])
    phone: str | None = Field(description="A number to call on delivery, E.164.")
    formatted: list[str] = Field(description="The address as it is written on a parcel, line by line.")
    version: int = Field(description="Grows by one with every change; the ETag of the address.", examples=[1])
    created_at: Moment = Field(description="When it was stored.")
    updated_at: Moment = Field(description="When it last changed.")

    @classmethod
    def from_model(cls, record: models.Address) -> "Address":
        """Return a stored address as callers see it."""
        stored = {name: getattr(record, name) for name in cls.model_fields if name != "formatted"}
        return cls(**stored, formatted=formatted_lines(draft_of(record)))


class AddressInput(Shape):
    """A new address, checked by the postal rules of its country."""

    kind: AddressKind = Field(description="What it is for.")
    is_default: StrictBool | None = Field(
        None, description="Whether it becomes the default of its kind. The first of a kind always does."
    )
    label: str | None = Field(None, description="What the customer calls it.")
    recipient: str | None = Field(None, description="Who receives there, when not the customer.")
    company: str | None = Field(None, description="The company at this address.")
    line1: str = Field(description="Street and number.", examples=["1600 Pennsylvania Avenue NW"])
    line2: str | None = Field(None, description="Floor, building, district.")
    city: str | None = Field(None, description="Town or city; most countries require one.", examples=["Washington"])
    region: str | None = Field(
        None, description="State or province, by name or code; some countries require one.", examples=["DC"]
    )
    postal_code: str | None = Field(None, description="Postal code in the country's format.", examples=["20500"])
    country_code: str = Field(description="ISO 3166-1 alpha-2.", examples=["US"])
    phone: str | None = Field(None, description="Any spelling; without calling code, a number of this country.")

    def to_draft(self) -> AddressDraft:
        """Return what the caller wants stored."""
        return AddressDraft(**{name: getattr(self, name) for name in AddressInput.model_fields})


class NewAddress(AddressInput):
    """A new address, and whose it is."""

    customer_id: str = Field(description="The id of the customer, `cus_…`.", examples=["cus_01j9zs3w8xf4bt6s9h2m5n7p8q"])


class AddressPatch(Shape):
    """A change of an address: an absent member stays as it is, null clears it."""

    kind: AddressKind | None = Field(None, description="What it is for; cannot be cleared.")
    is_default: StrictBool | None = Field(None, description="True makes it the default of its kind.")
    label: str | None = Field(None, description="What the customer calls it.", examples=["Warehouse 2"])
    recipient: str | None = Field(None, description="Who receives there, when not the customer.")
    company: str | None = Field(None, description="The company at this address.")
    line1: str | None = Field(None, description="Street and number; cannot be cleared.")
    line2: str | None = Field(None, description="Floor, building, district.")
    city: str | None = Field(None, description="Town or city.")
    region: str | None = Field(None, description="State or province, by name or code.")
    postal_code: str | None = Field(None, description="Postal code in the country's format.")
    country_code: str | None = Field(None, description="ISO 3166-1 alpha-2; cannot be cleared.")
    phone: str | None = Field(None, description="Any spelling.")
