"""Customers with what belongs to them, read with one command: where all of it is wanted, and whose it is is known by then."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from core.ids import IdKind
from core.tenancy import NoTenant, Reach, Tenant
from models.row import Row
from models.stored import Fields
from models.whole_customer import Parts, Whole
from repositories.address import AddressRepository
from repositories.base import OLDEST_FIRST, OwnedRepository
from repositories.customer import CustomerRepository
from repositories.document import DocumentRepository
from repositories.errors import translated
from repositories.find import found_together


class WholeCustomers:
    """Reads customers of one seller with what belongs to them.

    Raises:
        NoTenant: when it is made for all sellers.
    """

    def __init__(self, tenant: Reach) -> None:
        if not isinstance(tenant, Tenant):
            raise NoTenant("Whose the addresses of a customer are has to be known before it is read: name the seller.")
        self._seller_id = tenant.seller_id
        self._customers = CustomerRepository(tenant)
        self._owned: Mapping[str, tuple[IdKind, OwnedRepository[Any]]] = {
            "addresses": (IdKind.ADDRESS, AddressRepository(tenant)),
            "documents": (IdKind.DOCUMENT, DocumentRepository(tenant)),
        }

    async def read_many(self, ids: Collection[str], *, fields: Parts) -> dict[str, Whole]:
        """Return the customers that exist, by id.

        Raises:
            Unavailable: the database did not answer in time.
            ValidationError: one of the customers is none.
        """
        wanted = list(ids)
        queries = [self._customers.asking(IdKind.CUSTOMER, {"_id": {"$in": wanted}}, fields=fields.customers)]
        for name, (kind, repository) in self._owned.items():
            if (some := getattr(fields, name)) is not False:
                queries.append(repository.asking(kind, {"customer_id": {"$in": wanted}}, sort=OLDEST_FIRST, fields=some))
        with translated():
            found = await found_together(queries)
        rows = dict(zip((one.kind for one in queries), found, strict=True))
        addresses, documents = (
            self._belongings(repository, rows.get(kind), wanted, getattr(fields, name))
            for name, (kind, repository) in self._owned.items()
        )
        return {
            one.id: Whole(one, addresses.get(one.owner), documents.get(one.owner))
            for one in self._customers.sound(rows[IdKind.CUSTOMER], fields=fields.customers)
        }

    def _belongings(
        self, repository: OwnedRepository[Any], rows: Sequence[Row[Any]] | None, ids: Sequence[str], fields: Fields
    ) -> Mapping[tuple[str, str], list[Row[Any]]]:
        if rows is None:
            return {}
        try:
            some = repository.sound(rows, fields=fields)
        except ValidationError:
            # Told by whoever asks for them: the customers are none the worse for it.
            return {}
        return repository.by_owner(some, [(self._seller_id, one) for one in ids])
