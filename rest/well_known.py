"""What other programs look up about our tokens: the public keys, and where to get one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from auth.principal import Scope
from rest.documented import ANYBODY

TOKEN_PATH = "/api/v1/auth/access_token"  # noqa: S105
JWKS_PATH = "/.well-known/jwks.json"
METADATA_PATH = "/.well-known/oauth-authorization-server"

AUTH_METHODS = ("client_secret_basic", "client_secret_post")
GRANT_TYPES = ("client_credentials",)

MAX_AGE_SECONDS = 600
"""How long others may keep the keys. `customer-service keys rotate` waits as long before a new key signs."""

_CACHED = {"cache-control": f"public, max-age={MAX_AGE_SECONDS}"}
_NOT_CACHED = {"cache-control": "no-store"}
_WEB = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Authority:
    """Who issues the tokens, and what is public about it.

    `public_url` is where clients reach the service, where that is configured.
    """

    issuer: str
    public_url: str | None
    keys: Callable[[], Mapping[str, Any]]
    scopes: Iterable[Scope] = tuple(Scope)

    def base_url(self) -> str | None:
        """Return the address that paths are appended to; None when only the caller's request can tell."""
        base = self.public_url or (self.issuer if self.issuer.startswith(_WEB) else None)
        return None if base is None else base.rstrip("/")


def well_known_router(authority: Authority) -> APIRouter:
    """Return the routes that need no token: the JWK Set, and the authorization server metadata of RFC 8414."""
    router = APIRouter(tags=["auth"])

    @router.get(
        JWKS_PATH,
        summary="The public keys of our access tokens",
        operation_id="getKeys",
        response_class=Response,
        openapi_extra=ANYBODY,
        responses={200: _told("A JWK Set (RFC 7517).", "application/jwk-set+json", {"keys": []})},
    )
    async def jwks() -> Response:
        """Answer with every key that a token of today or of the next minutes can be signed with."""
        return Response(orjson.dumps(authority.keys()), media_type="application/jwk-set+json", headers=_CACHED)

    @router.get(
        METADATA_PATH,
        summary="Where and how to get a token",
        operation_id="getAuthorizationServer",
        response_class=Response,
        openapi_extra=ANYBODY,
        responses={200: _told("Authorization server metadata.", "application/json", {"token_endpoint": f"…{TOKEN_PATH}"})},
    )
    async def metadata(request: Request) -> Response:
        """Answer with RFC 8414's document. Its issuer is the ``iss`` of our tokens, also where that is no address."""
        known = authority.base_url()
        base = known or str(request.base_url).rstrip("/")
        document = {
            "issuer": authority.issuer,
            "token_endpoint": f"{base}{TOKEN_PATH}",
            "jwks_uri": f"{base}{JWKS_PATH}",
            "grant_types_supported": GRANT_TYPES,
            "token_endpoint_auth_methods_supported": AUTH_METHODS,
            "scopes_supported": sorted(scope.value for scope in authority.scopes),
            "response_types_supported": [],
        }
        # Addresses that the caller's own Host header gave are for that caller only.
        return Response(
            orjson.dumps(document), media_type="application/json", headers=_NOT_CACHED if known is None else _CACHED
        )

    return router


def _told(description: str, media_type: str, example: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the description of the API says of an answer whose shape is another specification's."""
    return {"description": description, "content": {media_type: {"schema": {"type": "object"}, "example": example}}}
