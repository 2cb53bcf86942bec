"""Who may ask for the schema itself: everybody on a development machine, elsewhere operators and services."""

from auth.principal import Principal
from core.errors import Forbidden, ServiceError, Unauthenticated
from core.vocabulary import PrincipalKind

_STAFF = frozenset({PrincipalKind.OPERATOR, PrincipalKind.SERVICE})
_CLOSED = "The schema is told to operators and services only: __schema, __type and _service need the token of one."


def is_open(principal: Principal | None, *, to_everybody: bool) -> bool:
    """Say whether this caller may ask for the schema, and be told what it may have meant."""
    return to_everybody or (principal is not None and principal.kind in _STAFF)


def refusal(principal: Principal | None) -> ServiceError:
    """Return what to tell a caller that may not: to sign in, or that it is somebody else."""
    return Unauthenticated(_CLOSED) if principal is None else Forbidden(_CLOSED)
