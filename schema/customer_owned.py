"""What belongs to customers: loaded for many at once, and shown as rows where an operation takes rows."""

from collections.abc import Sequence
from typing import Protocol

import strawberry

from auth.principal import Scope
from compiled_graphql.contract import Promised
from core.ids import IdKind, is_id
from models.address import Address as StoredAddress
from models.document import Document as StoredDocument
from models.row import Row
from schema.address import Address
from schema.batching import needed, selected_below
from schema.context import Info
from schema.document import Document
from schema.enums import AddressKind, DocumentStatus, DocumentType
from schema.rows import all_shown, shown


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
        return [all_shown([one for one in some or () if kind is None or one["kind"] == kind], info) for some in found]

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
        return [
            all_shown(
                [
                    one
                    for one in some or ()
                    if (type is None or one["type"] == type) and (status is None or one["status"] == status)
                ],
                info,
            )
            for some in found
        ]

    return Promised(loader.load_many([one.owner for one in customers]), chosen)


def merged_from(customers: Sequence[Owner], info: Info) -> Promised[list[list[strawberry.ID]]]:
    """Return the ids of those who were merged into customers."""
    info.context.may_read_customers()
    asked = info.context.loaders.merged_into.load_many([one.owner for one in customers])
    return Promised(asked, lambda found: [list(some or ()) for some in found])


def begin_owned(info: Info, customer_id: str) -> None:
    """Ask for what is selected of a customer's addresses and documents together with the customer: whose they are is known.

    Only inside one seller. Nothing is told of them before there is a customer, and leave to read them.
    """
    viewer, loaders, selected = info.context.viewer, info.context.loaders, selected_below(info, "Customer")
    if viewer.seller_id is None or not is_id(IdKind.CUSTOMER, customer_id):
        return
    owner = (viewer.seller_id, customer_id)
    if "addresses" in selected or "defaultAddress" in selected:
        loaders.addresses_of(_of_its_own(info, "Address")).begin([owner])
    if "documents" in selected and Scope.DOCUMENTS_READ in viewer.scopes:
        loaders.documents_of(_of_its_own(info, "Document")).begin([owner])
