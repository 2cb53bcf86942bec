"""Who calls, and what they may do. Decided from a verified token; nothing here does I/O."""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.errors import BadInput, Forbidden
from core.tenancy import EverySeller, Reach, Tenant
from core.vocabulary import PrincipalKind


class Scope(StrEnum):
    """One permission, as it stands in a token's ``scope`` claim."""

    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_READ_MASKED = "customers:read_masked"
    CUSTOMERS_WRITE = "customers:write"
    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_READ_FULL = "documents:read_full"
    DOCUMENTS_WRITE = "documents:write"
    DOCUMENTS_REVIEW = "documents:review"
    ERASURE = "erasure"
    IMPORTS_READ = "imports:read"
    IMPORTS_WRITE = "imports:write"
    PRIVACY_EXPORT = "privacy:export"
    LEGAL_HOLD = "legal_hold"


_SELLER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
SELLER_ID_RULE = "A seller's id has 1 to 64 letters, digits, hyphens and underscores."
"""What to tell somebody who gives something else."""

_BY_NAME_ONLY = frozenset({Scope.DOCUMENTS_READ_FULL, Scope.CUSTOMERS_READ_MASKED, Scope.PRIVACY_EXPORT})
"""What no operator and no service has unless a token is made with it: more than usual, or less."""

OPERATOR_SCOPES = frozenset(Scope) - _BY_NAME_ONLY
SERVICE_SCOPES = frozenset(Scope) - _BY_NAME_ONLY
CUSTOMER_SCOPES = frozenset(
    {Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE, Scope.DOCUMENTS_READ, Scope.DOCUMENTS_WRITE, Scope.PRIVACY_EXPORT}
)

SCOPES = {
    PrincipalKind.CUSTOMER: CUSTOMER_SCOPES,
    PrincipalKind.OPERATOR: OPERATOR_SCOPES,
    PrincipalKind.SERVICE: SERVICE_SCOPES,
}
"""What each kind of caller may do unless told otherwise."""


def is_seller_id(text: str) -> bool:
    """Say whether *text* can be a seller's id: 1 to 64 letters, digits, hyphens and underscores."""
    return _SELLER_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller.

    An operator is bound to one seller, a customer to one seller and to itself; a service may act for every seller and names
    the one it means. The session is how the caller came in, and no part of who it is.
    """

    kind: PrincipalKind
    subject: str
    scopes: frozenset[Scope]
    seller_id: str | None = None
    session_id: str | None = field(default=None, compare=False)

    @property
    def actor(self) -> str:
        """How the history names this caller: ``operator:ada``."""
        return f"{self.kind.value.lower()}:{self.subject}"

    @property
    def customer_id(self) -> str | None:
        """The customer this caller is, when it is one."""
        return self.subject if self.kind is PrincipalKind.CUSTOMER else None

    def require(self, scope: Scope) -> None:
        """Refuse a caller without *scope*.

        Raises:
            Forbidden: naming the scope that is missing.
        """
        if scope not in self.scopes:
            message = f"This needs the scope {scope.value}, which your token does not carry."
            raise Forbidden(message)

    @property
    def sees_masked(self) -> bool:
        """Whether this caller may know who customers are, and not how to reach them."""
        return Scope.CUSTOMERS_READ_MASKED in self.scopes and Scope.CUSTOMERS_READ not in self.scopes

    def require_sight(self) -> None:
        """Refuse a caller that may not see customers at all, masked or not.

        Raises:
            Forbidden: naming ``customers:read``.
        """
        if not self.sees_masked:
            self.require(Scope.CUSTOMERS_READ)

    def require_staff(self) -> None:
        """Refuse customers: the operation is for operators and services.

        Raises:
            Forbidden: for a customer's token.
        """
        if self.kind is PrincipalKind.CUSTOMER:
            raise Forbidden("Customers cannot do this; it needs an operator's or a service's token.")

    def reach(self) -> Reach:
        """Return everything this caller may touch, for look-ups by id: every seller's for a service that is bound to none.

        Raises:
            Forbidden: for anybody else who is bound to no seller.
        """
        if self.seller_id is not None:
            return Tenant(self.seller_id, self.customer_id)
        if self.kind is not PrincipalKind.SERVICE:
            raise Forbidden("Your token names no seller. Sign in again.")
        return EverySeller(self.actor)

    def reach_of(self, seller_id: str | None) -> Tenant:
        """Return the tenant of a call that names a seller, or leaves it to the token.

        Raises:
            Forbidden: for another seller than the caller's own.
            BadInput: for a service that names none, or what is no seller's id.
        """
        if self.seller_id is not None:
            if seller_id not in {None, self.seller_id}:
                raise Forbidden("Your token belongs to another seller.")
            return Tenant(self.seller_id, self.customer_id)
        if self.kind is not PrincipalKind.SERVICE:
            raise Forbidden("Your token names no seller. Sign in again.")
        if seller_id is None:
            raise BadInput("Your token spans all sellers: say which one you mean with the argument sellerId.")
        if not is_seller_id(seller_id):
            raise BadInput(SELLER_ID_RULE)
        return Tenant(seller_id)

    def acting_for(self, seller_id: str) -> "Principal":
        """Return this caller, bound to one seller: a service that spans all sees nothing of the others then.

        Raises:
            Forbidden, BadInput: as `reach_of`.
        """
        return replace(self, seller_id=self.reach_of(seller_id).seller_id)
