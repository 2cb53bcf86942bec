"""The loaders of one operation. Nothing survives it, so nothing is ever stale and nothing crosses to another caller."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any
from weakref import WeakValueDictionary

from core.history import Kept
from core.ids import IdKind, is_id
from core.paging import Page
from core.tenancy import Reach
from events.history import Entry
from loaders.batch import Fetch, Lane, Loader, by_key
from loaders.records import OwnedRecords, Records
from models.address import Address
from models.consent import Consent
from models.customer import Customer
from models.data_export import DataExport
from models.document import Document
from models.row import Row
from models.stored import Fields
from models.whole_customer import Parts, Whole
from repositories.address import AddressRepository
from repositories.consent import ConsentRepository
from repositories.customer import CustomerRepository
from repositories.customer_event import CustomerEventRepository
from repositories.data_export import DataExportRepository
from repositories.document import DocumentRepository
from repositories.history import HistoryPage, HistoryRepository
from repositories.merge import RetiredCustomers
from repositories.unit_of_work import audit
from repositories.whole_customer import WholeCustomers

Owner = tuple[str, str]
"""A seller's id and a customer's: the tenant is part of every key."""

_NAMES_CUSTOMER, _NAMES_ADDRESS, _NAMES_DOCUMENT = (
    partial(is_id, kind) for kind in (IdKind.CUSTOMER, IdKind.ADDRESS, IdKind.DOCUMENT)
)


class Lanes:
    """The lanes that the operations of a process share: for each query one per tenant, as long as anybody is in it.

    Sellers do not share a query. The wall between them stays what it is everywhere else, a condition of the query itself,
    and a batch that fails or is slow is one seller's.
    """

    def __init__(self) -> None:
        self._lanes: WeakValueDictionary[tuple[str, Fields | Parts, Reach], Lane[Any, Any]] = WeakValueDictionary()

    def of(
        self, query: str, tenant: Reach, fetch: Callable[[], Fetch[Any, Any]], fields: Fields | Parts = None
    ) -> Lane[Any, Any]:
        """Return the lane of the query that is called so and reads *fields*, inside *tenant*.

        *fetch* makes what it is asked by, when nobody asks it at present.
        """
        lane = self._lanes.get((query, fields, tenant))
        if lane is None:
            lane = self._lanes[query, fields, tenant] = Lane(fetch(), query)
        return lane


class Loaders:
    """All loaders of one operation, inside one tenant; it shares queries with other operations by way of *lanes*."""

    def __init__(self, tenant: Reach, lanes: Lanes | None = None) -> None:
        audit(tenant)
        self._tenant = tenant
        self._lanes = lanes or Lanes()
        self._made: dict[tuple[str, Fields | Parts], Loader[Any, Any]] = {}

    def customers(self, fields: Fields) -> Loader[str, Row[Customer]]:
        """Customers by id, with these *fields* or, but for `CustomerRepository.UNREAD`, with all."""
        return self._with("customers", fields, lambda tenant: CustomerRepository(tenant).read_many, _NAMES_CUSTOMER)

    def addresses(self, fields: Fields) -> Loader[str, Row[Address]]:
        """Addresses by id, with these *fields* or with all."""
        return self._with("addresses", fields, lambda tenant: AddressRepository(tenant).read_many, _NAMES_ADDRESS)

    def documents(self, fields: Fields) -> Loader[str, Row[Document]]:
        """Documents by id, with these *fields* or with all."""
        return self._with("documents", fields, lambda tenant: DocumentRepository(tenant).read_many, _NAMES_DOCUMENT)

    def addresses_of(self, fields: Fields) -> Loader[Owner, list[Row[Address]]]:
        """The addresses of a customer, oldest first, with these *fields* or with all."""
        return self._with("addresses of customers", fields, lambda tenant: AddressRepository(tenant).rows_of_customers)

    def documents_of(self, fields: Fields) -> Loader[Owner, list[Row[Document]]]:
        """The documents of a customer, oldest first, with these *fields* or with all."""
        return self._with("documents of customers", fields, lambda tenant: DocumentRepository(tenant).rows_of_customers)

    def whole(self, parts: Parts) -> Loader[str, Whole]:
        """Customers by id, with what belongs to them, in an operation inside of one seller."""
        return self._with("whole customers", parts, lambda tenant: WholeCustomers(tenant).read_many, _NAMES_CUSTOMER)

    def consents_of(self, fields: Fields) -> Loader[Owner, list[Row[Consent]]]:
        """The ledger of a customer's consents, in the order of its ids, with these *fields* or with all."""
        return self._with("consents of customers", fields, lambda tenant: ConsentRepository(tenant).rows_of_customers)

    def data_exports_of(self, fields: Fields) -> Loader[Owner, list[Row[DataExport]]]:
        """The exports of everything about a customer, oldest first, with these *fields* or with all."""
        return self._with("exports of customers", fields, lambda tenant: DataExportRepository(tenant).rows_of_customers)

    @cached_property
    def customer_by_id(self) -> Records[str, Customer]:
        """Customers by id, as records."""
        return Records(self.customers(None))

    @cached_property
    def addresses_by_customer(self) -> OwnedRecords[Owner, Address]:
        """The addresses of a customer, oldest first, as records."""
        return OwnedRecords(self.addresses_of(None))

    @cached_property
    def documents_by_customer(self) -> OwnedRecords[Owner, Document]:
        """The documents of a customer, oldest first, as records."""
        return OwnedRecords(self.documents_of(None))

    @cached_property
    def merged_into(self) -> Loader[Owner, list[str]]:
        """The ids of those who were merged into a customer, the nearest first."""
        return by_key(RetiredCustomers(self._tenant).merged_into)

    @cached_property
    def history_pages(self) -> Loader[HistoryPage, Page[Entry]]:
        """Pages of customers' histories. Each has queries of its own, so that there is nothing to share."""
        return by_key(HistoryRepository(self._tenant).pages)

    @cached_property
    def kept_of_events(self) -> Loader[str, Kept]:
        """What is kept of events besides that they happened, by their ids."""
        return by_key(CustomerEventRepository(self._tenant).kept)

    def _with(
        self,
        query: str,
        fields: Fields | Parts,
        ask: Callable[[Reach], Callable[..., Any]],
        possible: Callable[[Any], bool] | None = None,
    ) -> Loader[Any, Any]:
        """Return the loader of a query, asked as *ask* says when somebody asks it for the first time."""
        loader = self._made.get((query, fields))
        if loader is None:
            lane = self._lanes.of(query, self._tenant, lambda: partial(ask(self._tenant), fields=fields), fields)
            loader = self._made[query, fields] = Loader(lane, possible)
        return loader
