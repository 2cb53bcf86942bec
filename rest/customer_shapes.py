"""Customers, as callers of REST see and send them."""

from datetime import date
from typing import Any

from pydantic import Field

from core.drafts import AttributeDraft, CustomerDraft
from core.errors import BadInput
from core.filters import CustomerKey as Key
from core.filters import CustomerKeyKind
from core.vocabulary import CustomerKind, CustomerStatus
from models import customer as models
from rest.address_shapes import Address, AddressInput
from rest.document_shapes import Document, DocumentInput, DocumentUpload
from rest.page import Listed
from rest.shape import Day, Moment, Shape, given


class Attribute(Shape):
    """One of the seller's own key/value pairs."""

    key: str = Field(description="The key, unique within the customer.", examples=["loyalty"])
    value: str = Field(description="What the seller keeps under the key, at most 4,000 characters.", examples=["gold"])


class Customer(Shape):
    """A customer of one seller, with its addresses and documents."""

    id: str = Field(description="Opaque, `cus_…`.", examples=["cus_01j9zs3w8xf4bt6s9h2m5n7p8q"])
    seller_id: str = Field(description="The seller whose customer it is.", examples=["demo"])
    external_id: str | None = Field(description="The seller's own reference; unique per seller.", examples=["walk-1"])
    kind: CustomerKind = Field(description="A person or an organisation.")
    status: CustomerStatus = Field(description="Where it stands with the seller.")
    email: str | None = Field(description="Normalised (lower case); unique per seller.", examples=["grace@example.com"])
    email_verified: bool = Field(description="Whether the customer has shown that the e-mail address is its own.")
    phone: str | None = Field(description="E.164; unique per seller.", examples=["+12027075000"])
    phone_verified: bool = Field(description="Whether the customer has shown that the phone number is its own.")
    first_name: str | None = Field(description="Given name or names.", examples=["Grace"])
    last_name: str | None = Field(description="Family name or names.", examples=["Hopper"])
    full_name: str = Field(description="First and last name, else the company, else e-mail, phone or external id.")
    company: str | None = Field(description="The company's name.")
    date_of_birth: date | None = Field(description="When the person was born.", examples=["1986-12-09"])
    locale: str | None = Field(description="Preferred language and region, BCP 47.", examples=["en-US"])
    tags: list[str] = Field(description="The seller's own labels.", examples=[["vip"]])
    attributes: list[Attribute] = Field(description="The seller's own key/value pairs.")
    version: int = Field(
        description="Grows by one with every change, also of its addresses and documents; the ETag of the customer.",
        examples=[1],
    )
    created_at: Moment = Field(description="When it came into existence.")
    updated_at: Moment = Field(description="When it, an address or a document of it last changed.")
    erasure_due_at: Moment | None = Field(description="When it is going to be erased, if that was asked for.")
    addresses: list[Address] | None = Field(
        description="Its addresses, oldest first; null when your token lacks `customers:read`."
    )
    documents: list[Document] | None = Field(
        description="Its documents, oldest first; null when your token lacks `documents:read`."
    )


class CreatedCustomer(Customer):
    """A customer that has just been created, and where the files of its documents are to be sent."""

    document_uploads: list[DocumentUpload] = Field(
        description="Where to send the files of its documents, when some were announced."
    )


class Customers(Listed[Customer]):
    """One page of customers."""

    total_count: int | None = Field(description="How many customers meet the filter on all pages; null unless asked for.")


class CustomerInput(Shape):
    """A new customer. At least one of externalId, email and phone is needed."""

    external_id: str | None = Field(None, description="The seller's own reference.", examples=["walk-1"])
    kind: CustomerKind | None = Field(
        None, description="BUSINESS when absent and there is a company without a name, else INDIVIDUAL."
    )
    email: str | None = Field(None, description="E-mail address.", examples=["Grace@Example.com"])
    phone: str | None = Field(
        None,
        description="Any spelling; without calling code, a number of the first address's country, else the seller's.",
        examples=["+1 202 707 5000"],
    )
    first_name: str | None = Field(None, description="Given name or names.", examples=["Grace"])
    last_name: str | None = Field(None, description="Family name or names.", examples=["Hopper"])
    company: str | None = Field(None, description="The company's name.")
    date_of_birth: Day | None = Field(None, description="When the person was born.", examples=["1986-12-09"])
    locale: str | None = Field(None, description="Preferred language and region, BCP 47.", examples=["en-US"])
    tags: list[str] | None = Field(None, description="Labels, at most 250.", examples=[["vip"]])
    attributes: list[Attribute] | None = Field(None, description="Own key/value pairs, at most 100.")
    status: CustomerStatus | None = Field(None, description="ACTIVE when absent.")
    addresses: list[AddressInput] | None = Field(None, description="Addresses, at most 20.")
    documents: list[DocumentInput] | None = Field(None, description="Documents, at most 20.")

    def to_draft(self) -> CustomerDraft:
        """Return what the caller wants stored."""
        plain = {name: getattr(self, name) for name in CustomerInput.model_fields if name not in _LISTS}
        return CustomerDraft(
            **plain,
            tags=tuple(self.tags or ()),
            attributes=_attributes(self.attributes),
            addresses=tuple(address.to_draft() for address in self.addresses or ()),
            documents=tuple(document.to_draft() for document in self.documents or ()),
        )


_LISTS = frozenset({"tags", "attributes", "addresses", "documents"})


class CustomerPatch(Shape):
    """A change of a customer: an absent member stays as it is, null clears it."""

    external_id: str | None = Field(None, description="The seller's own reference.")
    kind: CustomerKind | None = Field(None, description="A person or an organisation; cannot be cleared.")
    email: str | None = Field(None, description="E-mail address; a new one is not verified.")
    phone: str | None = Field(None, description="Phone number; a new one is not verified.")
    first_name: str | None = Field(None, description="Given name or names.")
    last_name: str | None = Field(None, description="Family name or names.", examples=["Murray Hopper"])
    company: str | None = Field(None, description="The company's name.")
    date_of_birth: Day | None = Field(None, description="When the person was born.")
    locale: str | None = Field(None, description="Preferred language and region, BCP 47.")
    tags: list[str] | None = Field(None, description="All labels; the list replaces the old one.")
    attributes: list[Attribute] | None = Field(None, description="All key/value pairs; the list replaces the old one.")
    status: CustomerStatus | None = Field(None, description="Where it stands; cannot be cleared.")

    def to_values(self) -> dict[str, Any]:
        """Return the given members by stored name; None clears one."""
        values = given(self)
        if "tags" in values:
            values["tags"] = tuple(self.tags or ())
        if "attributes" in values:
            values["attributes"] = _attributes(self.attributes)
        return values


class CustomerKey(Shape):
    """Exactly one identifier of a customer."""

    id: str | None = Field(None, description="Our id.")
    email: str | None = Field(None, description="The e-mail address, in any spelling.")
    phone: str | None = Field(None, description="The phone number, in any spelling.")
    external_id: str | None = Field(None, description="The seller's own reference.", examples=["walk-1"])
    document_number: str | None = Field(None, description="The number of a document, in any spelling.")

    def to_key(self) -> Key:
        """Return the identifier that was given.

        Raises:
            BadInput: none was given, or several.
        """
        values = {
            CustomerKeyKind.ID: self.id,
            CustomerKeyKind.EMAIL: self.email,
            CustomerKeyKind.PHONE: self.phone,
            CustomerKeyKind.EXTERNAL_ID: self.external_id,
            CustomerKeyKind.DOCUMENT_NUMBER: self.document_number,
        }
        found = [Key(kind, value) for kind, value in values.items() if value is not None]
        if len(found) != 1:
            raise BadInput("Give exactly one identifier in key: id, email, phone, externalId or documentNumber.")
        return found[0]


class CustomerUpsert(Shape):
    """A customer that is to be changed, or created where there is none with this identifier."""

    key: CustomerKey = Field(description="By what the customer is looked for.")
    input: CustomerInput = Field(
        description="The customer. Members that are absent or null stay as they are; addresses and documents are stored only "
        "with a new customer."
    )


def plain_values(record: models.Customer) -> dict[str, Any]:
    """Return what a stored customer shows by itself, without what hangs from it."""
    values = {name: getattr(record, name) for name in Customer.model_fields if name not in {"addresses", "documents"}}
    born = record.date_of_birth
    return {
        **values,
        "date_of_birth": None if born is None else date.fromisoformat(born),
        "attributes": [Attribute(key=one.key, value=one.value) for one in record.attributes],
    }


def _attributes(pairs: list[Attribute] | None) -> tuple[AttributeDraft, ...]:
    return tuple(AttributeDraft(key=pair.key, value=pair.value) for pair in pairs or ())
