"""Finding many customers at once, by whatever identifies each, for services that have only that."""

from collections.abc import Sequence

from auth.principal import Principal, Scope
from core.filters import CustomerKey, CustomerKeyKind
from core.tenancy import Tenant
from models.customer import Customer
from repositories.unit_of_work import Repositories
from services.customer_lookup import CustomerLookup
from services.records import RecordMaker
from services.seller import SellerPolicies

_IDS = "_id"


class CustomerFinding:
    """Answers for a verified caller, with one query however many are asked for."""

    def __init__(self, records: RecordMaker, policies: SellerPolicies) -> None:
        self._lookup = CustomerLookup(records, policies)

    async def find_all(self, viewer: Principal, keys: Sequence[CustomerKey], seller_id: str | None) -> list[Customer | None]:
        """Return the customer of each key, in their order; None where the seller has none.

        Raises:
            Forbidden: without the scope ``customers:read``, or ``documents:read`` to ask by a document's number.
        """
        viewer.require(Scope.CUSTOMERS_READ)
        if any(key.kind is CustomerKeyKind.DOCUMENT_NUMBER for key in keys):
            viewer.require(Scope.DOCUMENTS_READ)
        tenant = viewer.reach_of(seller_id)
        asked = [self._stored(tenant, key) for key in keys]
        wanted: dict[str, list[str]] = {}
        for field, values in asked:
            wanted.setdefault(field, []).extend(values)
        holders = await Repositories(tenant).customers.holders(wanted)
        found = {(field, value): holder for holder in holders for field in wanted for value in _held(holder, field)}
        return [next((found[field, one] for one in values if (field, one) in found), None) for field, values in asked]

    def _stored(self, tenant: Tenant, key: CustomerKey) -> tuple[str, list[str]]:
        return (_IDS, [key.value]) if key.kind is CustomerKeyKind.ID else self._lookup.stored_key(tenant, key)


def _held(customer: Customer, field: str) -> Sequence[str]:
    value = customer.id if field == _IDS else getattr(customer, field)
    if isinstance(value, list):
        return value
    return () if value is None else (value,)
