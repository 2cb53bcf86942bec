"""The loaders of one operation. Nothing survives it, so nothing is ever stale and nothing crosses to another caller."""

from core.tenancy import Reach
from loaders.batch import by_key
from repositories.unit_of_work import Repositories


class Loaders:
    """All loaders of one operation, inside one tenant.

    Owners are pairs of seller id and customer id: the tenant is part of every key.
    """

    def __init__(self, tenant: Reach) -> None:
        repositories = Repositories(tenant)
        self.customer_by_id = by_key(repositories.customers.get_many)
        self.address_by_id = by_key(repositories.addresses.get_many)
        self.document_by_id = by_key(repositories.documents.get_many)
        self.addresses_by_customer = by_key(repositories.addresses.of_customers)
        self.history_pages = by_key(repositories.events.histories)
        self.documents_by_customer = by_key(repositories.documents.of_customers)
