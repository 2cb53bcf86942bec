"""From an Authorization header to a credential."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from auth.principal import Principal
from auth.tokens import Credential
from core.errors import Unauthenticated

_SCHEME = "bearer "


class Verifier(Protocol):
    """Checks an access token; raises `Unauthenticated` for one that does not hold."""

    async def verify(self, token: str) -> Credential:
        """Return what *token* says."""


class Standing(Protocol):
    """Knows what was taken back before its time; raises `Unauthenticated` for that."""

    async def require(self, credential: Credential) -> None:
        """Refuse a credential of a session that was ended, or of a customer that may no longer sign in."""


class Activity(Protocol):
    """Wants to know which sessions are used."""

    def note(self, principal: Principal) -> None:
        """Note that the session of *principal* is used now. Returns at once."""


class Lanes(Protocol):
    """Wants to know whom credentials are of."""

    def learn(self, authorization: str, lane: str) -> None:
        """Remember whom the holder of *authorization* belongs to."""


Learn = Callable[[str], Awaitable[None]]
"""Sees to it that a seller's rules are known before its callers are answered."""


class BearerReader:
    """Reads ``Bearer`` credentials, as RFC 6750 writes them."""

    def __init__(
        self,
        verifier: Verifier,
        standing: Standing,
        activity: Activity,
        learn: Learn | None = None,
        lanes: Lanes | None = None,
    ) -> None:
        self._verifier = verifier
        self._standing = standing
        self._activity = activity
        self._learn = learn
        self._lanes = lanes

    async def credential(self, authorization: str | None) -> Credential | None:
        """Return what the caller's token says; None for a call without credentials.

        Raises:
            Unauthenticated: for credentials that do not hold, or no longer.
        """
        if not authorization:
            return None
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated("Send the access token as: Authorization: Bearer ….")
        credential = await self._verifier.verify(authorization[len(_SCHEME) :].strip())
        await self._standing.require(credential)
        self._activity.note(credential.principal)
        if self._lanes is not None:
            self._lanes.learn(authorization, credential.principal.seller_id or credential.principal.actor)
        if self._learn is not None and credential.principal.seller_id is not None:
            await self._learn(credential.principal.seller_id)
        return credential
