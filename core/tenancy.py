"""The wall between sellers: no repository works without one of these."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose data a call may touch. Part of every query, every loader and every cache key.

    Made from a verified principal only (`auth.principal`). Without a seller it spans all of them, which only service callers
    get; with a customer it is narrowed to that one customer.
    """

    seller_id: str | None
    customer_id: str | None = None

    def filter(self, *, customer_field: str) -> dict[str, str]:
        """Return the conditions that keep a query inside; *customer_field* names the customer in that collection."""
        conditions: dict[str, str] = {}
        if self.seller_id is not None:
            conditions["seller_id"] = self.seller_id
        if self.customer_id is not None:
            conditions[customer_field] = self.customer_id
        return conditions
