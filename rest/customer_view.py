"""Customers with what hangs from them, as far as a caller may see it: one query for the addresses of all, one for documents."""

from collections.abc import Iterator, Sequence
from typing import Any

from auth.principal import Principal, Scope
from core.vocabulary import ScanVerdict
from models.customer import Customer as StoredCustomer
from models.document import Document as StoredDocument
from rest.address_shapes import Address
from rest.customer_shapes import Customer, plain_values
from rest.document_shapes import Document
from rest.facade import Facade


async def shown(facade: Facade, viewer: Principal, records: Sequence[StoredCustomer]) -> list[Customer]:
    """Return stored customers as *viewer* sees them."""
    return [Customer(**values) for values in await values_of(facade, viewer, records)]


async def values_of(facade: Facade, viewer: Principal, records: Sequence[StoredCustomer]) -> list[dict[str, Any]]:
    """Return the members of what *viewer* sees of stored customers.

    What a program may not read is null, not an error: one that only writes learns ids and versions all the same.
    """
    loaders = facade.loaders(viewer)
    owners = [(record.seller_id, record.id) for record in records]
    values = [{**plain_values(record), "addresses": None, "documents": None} for record in records]
    if Scope.CUSTOMERS_READ in viewer.scopes:
        for one, addresses in zip(values, await loaders.addresses_by_customer.load_many(owners), strict=True):
            one["addresses"] = [Address.from_model(address) for address in addresses or ()]
    if Scope.DOCUMENTS_READ in viewer.scopes:
        of_each = [documents or [] for documents in await loaders.documents_by_customer.load_many(owners)]
        numbers: Iterator[str | Exception | None] = iter(
            await facade.services.documents.numbers(viewer, [one for documents in of_each for one in documents])
        )
        for one, documents in zip(values, of_each, strict=True):
            one["documents"] = [
                Document.from_model(document, _opened(next(numbers)), _verdict(facade, document)) for document in documents
            ]
    return values


def _verdict(facade: Facade, document: StoredDocument) -> ScanVerdict | None:
    return None if document.file is None else facade.services.documents.verdict_of(document.file)


def _opened(number: str | Exception | None) -> str | None:
    if isinstance(number, Exception):
        raise number
    return number
