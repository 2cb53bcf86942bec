"""The sign-in of operators, as the settings have it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.routing import Mount

from app.identity_sections import OperatorSignInSettings
from app.settings import InvalidSettings, Settings
from app.verifiers import granted_by
from auth.claim_mapping import ClaimMapping
from auth.principal import OPERATOR_SCOPES, Scope
from core.sealing import Sealer
from core.vocabulary import PrincipalKind
from infra.remote_json import open_client
from rest.openid_provider import OpenIdProvider, ProviderRegistration
from rest.operator_sign_in import Console, Sessions, operator_sign_in


@asynccontextmanager
async def open_operator_sign_in(settings: Settings, sealer: Sealer, sessions: Sessions) -> AsyncIterator[list[Mount]]:
    """Hand out the routes to add to the application: none where the settings name no provider.

    Raises:
        InvalidSettings: it is not said where browsers reach the service, or something would travel without TLS in production.
    """
    configured = settings.security.operator_sign_in
    if configured is None:
        yield []
        return
    public_url = _checked(settings, configured)
    console = Console(
        public_url=public_url,
        allowed_origins=settings.server.allowed_origins,
        after_sign_in=configured.after_sign_in,
        session_seconds=int(settings.security.session_lifetime.total_seconds()),
        secret=sealer.mac("operator-sign-in-cookie").hex(),
    )
    registration = ProviderRegistration(
        discovery_url=configured.discovery_url,
        issuer=configured.issuer,
        client_id=configured.client_id,
        client_secret=configured.client_secret.get_secret_value(),
        scopes=tuple(configured.request),
        algorithms=tuple(configured.algorithms),
    )
    mapping = ClaimMapping(
        # The same mark as for the provider's access tokens: the same person is the same, however it comes in.
        issuer=registration.expected_issuer,
        kind=PrincipalKind.OPERATOR,
        subject=configured.claims.subject,
        seller=configured.claims.seller,
        scope=configured.claims.scope,
        seller_id=configured.seller_id,
        roles=granted_by(configured.roles),
        granted=frozenset(Scope),
        everybody=frozenset() if configured.roles else OPERATOR_SCOPES,
        # A company's role that happens to be called "erasure" was not meant for us.
        own_words=False,
    )
    async with open_client() as http:
        yield [operator_sign_in(OpenIdProvider(registration, http), mapping, sessions, console)]


def _checked(settings: Settings, configured: OperatorSignInSettings) -> str:
    public_url = settings.server.public_url
    if public_url is None:
        raise InvalidSettings("server.publicUrl: operators' browsers have to be sent back: say where they reach the service")
    if settings.environment == "production":
        for key, address in (
            ("server.publicUrl", public_url),
            ("security.operatorSignIn.discoveryUrl", configured.discovery_url),
        ):
            if not address.startswith("https://"):
                message = f"{key}: whoever sits in between could sign in as an operator: use https"
                raise InvalidSettings(message)
    return public_url
