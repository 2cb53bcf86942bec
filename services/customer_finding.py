"""Finding many customers at once, by whatever identifies each, for services that have only that."""

from collections.abc import Mapping, Sequence

from auth.principal import Principal, Scope
from core.filters import CustomerKey, CustomerKeyKind
from core.tenancy import Tenant
from models.customer import Customer
from repositories.unit_of_work import Repositories
from services.customer_lookup import CustomerLookup
from services.records import RecordMaker
from services.seller import SellerPolicies
from services.succession import survivors_of

_IDS, _EXTERNAL_ID = "_id", "external_id"


class CustomerFinding:
    """Answers for a verified caller, with one query however many are asked for."""

    def __init__(self, records: RecordMaker, policies: SellerPolicies) -> None:
        self._lookup = CustomerLookup(records, policies)

    async def find_all(self, viewer: Principal, keys: Sequence[CustomerKey], seller_id: str | None) -> list[Customer | None]:
        """Return the customer of each key, in their order; None where the seller has none.

        In the place of one that was merged away, by its id or the seller's reference, stands who goes on: three more queries.

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
        await self._add_survivors(found, wanted, Repositories(tenant))
        return [next((found[field, one] for one in values if (field, one) in found), None) for field, values in asked]

    @staticmethod
    async def _add_survivors(
        found: dict[tuple[str, str], Customer], wanted: Mapping[str, Sequence[str]], work: Repositories
    ) -> None:
        """Add who goes on in the place of customers that were merged away, by their ids and the seller's references."""
        ids = {one: one for one in wanted.get(_IDS, ()) if (_IDS, one) not in found}
        references = [one for one in wanted.get(_EXTERNAL_ID, ()) if (_EXTERNAL_ID, one) not in found]
        had = await work.retired.with_external_ids(references) if references else {}
        survivors = await survivors_of(work, {*ids, *had.values()}) if ids or had else {}
        for field, olds in ((_IDS, ids), (_EXTERNAL_ID, had)):
            found.update({(field, value): survivors[old] for value, old in olds.items() if old in survivors})

    def _stored(self, tenant: Tenant, key: CustomerKey) -> tuple[str, list[str]]:
        return (_IDS, [key.value]) if key.kind is CustomerKeyKind.ID else self._lookup.stored_key(tenant, key)


def _held(customer: Customer, field: str) -> Sequence[str]:
    value = customer.id if field == _IDS else getattr(customer, field)
    if isinstance(value, list):
        return value
    return () if value is None else (value,)
