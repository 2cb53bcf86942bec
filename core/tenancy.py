"""The wall between sellers: no repository works without one of these.

Reach = Tenant        one seller, or one customer of it: what nearly everybody gets
| EverySeller   no wall at all, which has to be asked for by this name and leaves a line in the audit log
"""

from dataclasses import dataclass


class NoTenant(Exception):
    """Somebody would have touched data without saying whose. A mistake in the program, never in a request."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose data a call may touch. Part of every query, every loader and every cache key.

    Made from a verified principal (`auth.principal`), or from a record that was found inside a tenant. Always one seller's;
    with a customer it is narrowed to that one customer. There is no value that means "all".

    Raises:
        NoTenant: without a seller, or with an empty customer.
    """

    seller_id: str
    customer_id: str | None = None

    def __post_init__(self) -> None:
        if not _is_name(self.seller_id):
            raise NoTenant("A tenant is one seller's: give its id. What spans all sellers is called EverySeller.")
        if self.customer_id is not None and not _is_name(self.customer_id):
            raise NoTenant("A tenant that is narrowed to a customer needs the customer's id.")

    def filter(self, *, customer_field: str) -> dict[str, str]:
        """Return the conditions that keep a query inside; *customer_field* names the customer in that collection."""
        if self.customer_id is None:
            return {"seller_id": self.seller_id}
        return {"seller_id": self.seller_id, customer_field: self.customer_id}

    def spans(self, seller_id: str) -> bool:
        """Say whether everything of a seller lies inside."""
        return self.customer_id is None and seller_id == self.seller_id


@dataclass(frozen=True, slots=True)
class EverySeller:
    """No wall: for service callers that look things up by id, and for the import worker's own bookkeeping.

    *actor* says who reaches across, as the audit log names it (``service:oms``). Each use is *audited*, but for bookkeeping
    that no caller asked for.
    """

    actor: str
    audited: bool = True

    def __post_init__(self) -> None:
        if not _is_name(self.actor):
            raise NoTenant("Say who reaches across all sellers.")

    def filter(self, *, customer_field: str) -> dict[str, str]:  # noqa: ARG002  the signature of Tenant.filter
        """Return no conditions."""
        return {}

    def spans(self, seller_id: str) -> bool:
        """Say that everything of every seller lies inside."""
        return bool(seller_id)


Reach = Tenant | EverySeller
"""What a caller may touch at most."""


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)
