"""How a service says who it is."""

import time
from dataclasses import dataclass, field

EARLY_SECONDS = 60.0
"""How long before its end a token is renewed."""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The id and the secret of a service, for the client-credentials grant of OAuth 2.0 (RFC 6749, 4.4)."""

    client_id: str
    client_secret: str = field(repr=False)


class KeptToken:
    """A token, for as long as it holds."""

    def __init__(self, token: str | None = None) -> None:
        self._token = token
        self._until = float("inf") if token is not None else float("-inf")

    def current(self) -> str | None:
        """Return the token, or None when there is none, or not for much longer."""
        return self._token if time.monotonic() < self._until else None

    def keep(self, token: str, lifetime: float) -> None:
        """Keep *token*, which holds for *lifetime* seconds."""
        self._token = token
        self._until = time.monotonic() + max(lifetime - EARLY_SECONDS, lifetime / 2)

    def forget(self, token: str) -> None:
        """Forget *token*, which the service does not accept any more, unless there is a newer one already."""
        if self._token == token:
            self._until = float("-inf")
