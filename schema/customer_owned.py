"""What belongs to customers: loaded for many at once, and shown as rows where an operation takes rows."""

from collections.abc import Sequence
from typing import Protocol

import strawberry

from auth.principal import Scope
from compiled_graphql.contract import Promised
from models.address import Address as StoredAddress
from models.customer import Customer as StoredCustomer
from models.document import Document as StoredDocument
from models.row import Row
from models.whole_customer import Parts, Whole
from schema.address import Address
from schema.batching import needed, selected_below
from schema.context import Info
from schema.document import Document
from schema.enums import AddressKind, DocumentStatus, DocumentType
from schema.rows import each_shown, shown


class Owner(Protocol):
    """A customer, as an object of the API or as a row."""

    @property
    def owner(self) -> tuple[str, str]:
        """The key of what belongs to it."""


def _of_its_own(info: Info, type_: str) -> frozenset[str] | None:
    """Return what is needed of addresses or documents; where a customer is needed whole, so is what it owns, in one query."""
    return None if needed(info, "Customer") is None else needed(info, type_)


def addresses_of(customers: Sequence[Owner], info: Info, kind: AddressKind | None = None) -> Promised[list[list[Address]]]:
    """Return the addresses of customers, of one *kind* or of all."""
    info.context.may_read_customers()
    loader = info.context.loaders.addresses_of(_of_its_own(info, "Address"))

    def chosen(found: Sequence[list[Row[StoredAddress]] | None]) -> list[list[Address]]:
        return each_shown(
            found if kind is None else [[one for one in some or () if one["kind"] == kind] for some in found], info
        )

    return Promised(loader.load_many([one.owner for one in customers]), chosen)


def default_address_of(customers: Sequence[Owner], info: Info, kind: AddressKind) -> Promised[list[Address | None]]:
    """Return the default address of one *kind* of each customer."""
    info.context.may_read_customers()
    loader = info.context.loaders.addresses_of(_of_its_own(info, "Address"))

    def chosen(found: Sequence[list[Row[StoredAddress]] | None]) -> list[Address | None]:
        return [
            shown(next((one for one in some or () if one["kind"] == kind and one["is_default"]), None), info) for some in found
        ]

    return Promised(loader.load_many([one.owner for one in customers]), chosen)


def documents_of(
    customers: Sequence[Owner], info: Info, type: DocumentType | None = None, status: DocumentStatus | None = None
) -> Promised[list[list[Document]]]:
    """Return the documents of customers, of one *type* or in one *status*, or all."""
    info.context.may_read_documents()
    loader = info.context.loaders.documents_of(_of_its_own(info, "Document"))

    def chosen(found: Sequence[list[Row[StoredDocument]] | None]) -> list[list[Document]]:
        if type is None and status is None:
            return each_shown(found, info)
        return each_shown(
            [
                [
                    one
                    for one in some or ()
                    if (type is None or one["type"] == type) and (status is None or one["status"] == status)
                ]
                for some in found
            ],
            info,
        )

    return Promised(loader.load_many([one.owner for one in customers]), chosen)


def merged_from(customers: Sequence[Owner], info: Info) -> Promised[list[list[strawberry.ID]]]:
    """Return the ids of those who were merged into customers."""
    info.context.may_read_customers()
    asked = info.context.loaders.merged_into.load_many([one.owner for one in customers])
    return Promised(asked, lambda found: [list(some or ()) for some in found])


def customers_with_theirs(info: Info, customer_ids: Sequence[str]) -> Promised[list[Row[StoredCustomer] | None]]:
    """Return customers by id, None for gaps, read together with what is selected of their addresses and documents.

    Only inside one seller, where it is known whose those are. Nothing is told of them before there is a customer, and leave to
    read them: they are kept for whoever asks for them next.
    """
    viewer, loaders, selected = info.context.viewer, info.context.loaders, selected_below(info, "Customer")
    of_customers = needed(info, "Customer")
    addresses, documents = _of_its_own(info, "Address"), _of_its_own(info, "Document")
    parts = Parts(
        of_customers,
        addresses if "addresses" in selected or "defaultAddress" in selected else False,
        documents if "documents" in selected and Scope.DOCUMENTS_READ in viewer.scopes else False,
    )
    if viewer.seller_id is None or parts == Parts(of_customers):
        return Promised(loaders.customers(of_customers).load_many(customer_ids), list)

    def kept(found: Sequence[Whole | None]) -> list[Row[StoredCustomer] | None]:
        there = [one for one in found if one is not None]
        if parts.addresses is not False:
            loaders.addresses_of(addresses).know(
                {one.customer.owner: one.addresses for one in there if one.addresses is not None}
            )
        if parts.documents is not False:
            loaders.documents_of(documents).know(
                {one.customer.owner: one.documents for one in there if one.documents is not None}
            )
        return [one and one.customer for one in found]

    return Promised(loaders.whole(parts).load_many(customer_ids), kept)
