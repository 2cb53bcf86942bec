"""The programs that may ask for tokens: made, shown, given new secrets and disabled by whoever operates the service."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from auth.principal import SELLER_ID_RULE, SERVICE_SCOPES, Scope, is_seller_id
from core.clock import Clock
from core.errors import BadInput, NotFound
from core.ids import CLIENT_PREFIX
from models.service_client import ServiceClient
from repositories import revocation, service_client

_LONGEST_NAME = 100
_SECRET_BYTES = 32
_COMPARED = 2
"""Digests compared for every attempt: as many as a client may have, whether it has them or not, or there is no client."""

_NOBODY = "0" * 64
"""A digest that no secret has, as far as anybody will find out."""


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A client and its newest secret, which nobody can be told again."""

    client: ServiceClient
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KnownClient:
    """What is known of the client that an attempt names; for an unknown one as well, so that its refusal takes as long."""

    id: str
    digests: tuple[str, ...] = field(repr=False)
    scopes: frozenset[Scope]
    seller_id: str | None = None

    def holds(self, secret: str) -> bool:
        """Say whether *secret* is one of the client's, in the same time for every answer."""
        given = digest_of(secret)
        padded = (*self.digests, *(_NOBODY for _ in range(_COMPARED)))[:_COMPARED]
        # Gathered first: `any` over the comparisons themselves would stop at the one that is right.
        found = [hmac.compare_digest(given, known) for known in padded]
        return any(found)


class ServiceClients:
    """The rules for service clients. *token_lifetime* is how long their access tokens hold."""

    def __init__(self, clock: Clock, *, token_lifetime: timedelta) -> None:
        self._clock = clock
        self._token_lifetime = token_lifetime

    async def create(self, name: str, *, scopes: Iterable[Scope] | None = None, seller_id: str | None = None) -> NewSecret:
        """Make a client that may do what *scopes* say (by default `SERVICE_SCOPES`) for one seller, or for all.

        Raises:
            BadInput: the name is empty, too long or not printable, or the seller's id is none.
        """
        name = name.strip()
        if not name.isprintable() or not 1 <= len(name) <= _LONGEST_NAME:
            raise BadInput(f"A client's name has 1 to {_LONGEST_NAME} printable characters.")
        allowed = frozenset(SERVICE_SCOPES if scopes is None else scopes)
        if seller_id is not None and not is_seller_id(seller_id):
            raise BadInput(SELLER_ID_RULE)
        secret = _new_secret()
        client = ServiceClient(
            id=f"{CLIENT_PREFIX}{secrets.token_hex(12)}",
            name=name,
            secrets=[digest_of(secret)],
            scopes=sorted(scope.value for scope in allowed),
            seller_id=seller_id,
            created_at=self._clock.now(),
        )
        await service_client.insert(client)
        return NewSecret(client, secret)

    async def every(self) -> list[ServiceClient]:
        """Return all clients, disabled ones too."""
        return await service_client.every()

    async def new_secret(self, client_id: str) -> NewSecret:
        """Give a client another secret. The one before it still holds; one older than that does not.

        Raises:
            NotFound: there is no such client, or it is disabled.
        """
        secret = _new_secret()
        client = await service_client.add_secret(client_id, digest_of(secret))
        if client is None:
            raise _unknown()
        return NewSecret(client, secret)

    async def disable(self, client_id: str) -> ServiceClient:
        """Let a client get no more tokens, and take back those that it has.

        Raises:
            NotFound: there is no such client.
        """
        now = self._clock.now()
        client = await service_client.disable(client_id, now)
        if client is None:
            raise _unknown()
        # Its tokens name it as their subject (rest/token.py). The minute more is for clocks that differ.
        await revocation.revoke([client_id], now, now + self._token_lifetime + timedelta(minutes=1))
        return client

    async def known(self, client_id: str) -> KnownClient:
        """Return what is known of a client that wants a token; of an unknown or disabled one, that no secret is right.

        Raises:
            Unavailable: the database does not answer.
        """
        found = await service_client.get(client_id)
        if found is None or found.disabled_at is not None:
            return KnownClient(client_id, (), frozenset())
        known = {scope.value for scope in Scope}
        # A scope that a later version took away allows nothing.
        scopes = frozenset(Scope(word) for word in found.scopes if word in known)
        return KnownClient(found.id, tuple(found.secrets), scopes, found.seller_id)


def digest_of(secret: str) -> str:
    """Return what is stored of a secret. Without salt and stretching: nobody guesses 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _new_secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def _unknown() -> NotFound:
    return NotFound("There is no such client, or it is disabled. Look at: customer-service clients list")
