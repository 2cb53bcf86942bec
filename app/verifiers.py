"""Whose access tokens are accepted: ours, and those of the issuers in the settings."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from app.identity_sections import RoleGrant, TrustedIssuerSettings
from app.settings import InvalidSettings, Settings
from auth.claim_mapping import ClaimMapping, UnfitClaims
from auth.principal import Scope
from auth.tokens import Credential, TokenVerifier
from auth.trusted_issuer import PublicKey, TrustedIssuer, claimed
from core.clock import Clock
from core.errors import Unauthenticated
from infra.jwks import open_key_sets

_log = structlog.get_logger("verifiers")


class KeyFinder(Protocol):
    """Knows the public keys of one issuer."""

    async def find(self, kid: str | None) -> Sequence[PublicKey]:
        """Return them; raises `Unavailable` while they cannot be read."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """Another issuer: what its tokens are checked for, and with which keys."""

    rules: TrustedIssuer
    keys: KeyFinder


@dataclass(frozen=True, slots=True)
class Verifiers:
    """Checks tokens of ours and of *foreign* issuers, by their names."""

    own: TokenVerifier
    foreign: Mapping[str, Foreign] = field(default_factory=dict)

    async def verify(self, token: str) -> Credential:
        """Return what *token* says.

        Raises:
            Unauthenticated: with one message for every defect, an issuer that nobody has configured included.
            Unavailable: the keys of its issuer cannot be read at present.
        """
        says = claimed(token) if self.foreign else None
        foreign = None if says is None else self.foreign.get(says.issuer)
        if says is None or foreign is None:
            # Ours, or nobody's, or no token at all: all refused in one place.
            return self.own.verify(token)
        keys = await foreign.keys.find(says.kid)
        try:
            return foreign.rules.verify(token, keys)
        except Unauthenticated as refusal:
            # For whoever sets up an issuer: the caller learns nothing.
            _log.info("a token of another issuer was refused", issuer=says.issuer, reason=_reason(refusal))
            raise


@asynccontextmanager
async def open_verifiers(settings: Settings, own: TokenVerifier, clock: Clock) -> AsyncIterator[Verifiers]:
    """Accept the tokens that the settings say.

    Raises:
        InvalidSettings: in production, keys that would be fetched without TLS.
    """
    trusted = settings.security.trusted_issuers
    for number, issuer in enumerate(trusted):
        if settings.environment == "production" and not issuer.jwks_url.startswith("https://"):
            message = f"security.trustedIssuers.{number}.jwksUrl: whoever sits in between could hand us keys: use https"
            raise InvalidSettings(message)
    async with open_key_sets(issuer.jwks_url for issuer in trusted) as keys:
        yield Verifiers(own, {issuer.issuer: Foreign(_rules(issuer, clock), keys[issuer.jwks_url]) for issuer in trusted})


def granted_by(roles: Sequence[RoleGrant]) -> dict[str, frozenset[Scope]]:
    """Return what each role allows; what is said of one role in several places adds up."""
    found: dict[str, frozenset[Scope]] = {}
    for grant in roles:
        found[grant.role] = found.get(grant.role, frozenset()) | frozenset(grant.allows)
    return found


def _rules(issuer: TrustedIssuerSettings, clock: Clock) -> TrustedIssuer:
    mapping = ClaimMapping(
        issuer=issuer.issuer,
        kind=issuer.kind,
        subject=issuer.claims.subject,
        seller=issuer.claims.seller,
        scope=issuer.claims.scope,
        seller_id=issuer.seller_id,
        all_sellers=issuer.all_sellers,
        roles=granted_by(issuer.roles),
        granted=issuer.most,
    )
    return TrustedIssuer(mapping, audience=issuer.audience, algorithms=issuer.algorithms, types=issuer.types, clock=clock)


def _reason(refusal: Unauthenticated) -> str:
    # The words of a library may quote the token, so of its errors the kind only.
    cause = refusal.__cause__
    return str(cause) if isinstance(cause, UnfitClaims) else type(cause).__name__
