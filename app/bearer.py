"""From an Authorization header to a principal."""

from datetime import datetime

from auth.principal import Principal
from auth.tokens import TokenVerifier
from core.errors import Unauthenticated

_SCHEME = "bearer "


class BearerReader:
    """Reads ``Bearer`` credentials, as RFC 6750 writes them."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    def principal(self, authorization: str | None) -> Principal | None:
        """Return who calls; None for a call without credentials.

        Raises:
            Unauthenticated: for credentials that do not hold.
        """
        found = self.principal_until(authorization)
        return None if found is None else found[0]

    def principal_until(self, authorization: str | None) -> tuple[Principal, datetime] | None:
        """Return who calls and until when the credentials hold; None for a call without any.

        Raises:
            Unauthenticated: for credentials that do not hold.
        """
        if not authorization:
            return None
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated("Send the access token as: Authorization: Bearer ….")
        return self._verifier.verify(authorization[len(_SCHEME) :].strip())
