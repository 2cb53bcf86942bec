"""The identity provider that operators sign in with: OpenID Connect, by Authlib's client for Starlette."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import httpx2
import structlog
from authlib.integrations.starlette_client import OAuth, OAuthError
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from core.errors import Unauthenticated, Unavailable
from infra.remote_json import Unreadable, fetch_json

_log = structlog.get_logger("operator-sign-in")

_FRESH_SECONDS = 600.0
"""How long what the provider says of itself, and its keys, are kept: a key that it withdraws is not good for longer."""

_TIMEOUTS = (2.0, 5.0, 5.0, 2.0)  # to connect, to read, to write, and to wait for a connection
_LEEWAY_SECONDS = 30
_WELL_KNOWN = "/.well-known/"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_NAME = "operators"

_REFUSAL = "The sign-in did not work out, or took too long. Begin again."
_OUTAGE = "Your company's sign-in does not answer at present. Try again later."


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRegistration:
    """How the service is known to the provider, and what is accepted from it.

    `issuer` is the ``iss`` of its tokens; None means the address that `discovery_url` begins with, as the standard wants it.
    """

    discovery_url: str
    client_id: str
    client_secret: str = field(repr=False)
    issuer: str | None = None
    scopes: tuple[str, ...] = ("openid",)
    algorithms: tuple[str, ...] = ("ES256", "RS256")

    @property
    def expected_issuer(self) -> str:
        """What has to be the ``iss`` of its tokens."""
        return self.issuer or self.discovery_url.partition(_WELL_KNOWN)[0]


class OpenIdProvider:
    """Sends browsers to the provider and understands what they bring back.

    Between the two, state, nonce and PKCE verifier are in the session of Starlette's SessionMiddleware.
    """

    def __init__(self, registration: ProviderRegistration, http: httpx.AsyncClient) -> None:
        self._registration = registration
        self._http = http
        # Authlib opens a client per step, and each would read all certificates again: 35 ms in which nobody else is served.
        self._tls = httpx.create_ssl_context()
        self._client: Any = None
        self._made_at = 0.0

    async def redirect(self, request: Request, callback: str) -> Response:
        """Return the redirect to the provider, which sends the browser back to *callback*.

        Raises:
            Unavailable: the provider does not answer, or describes itself in a way that must not be trusted.
        """
        client = await self._fresh_client()
        answer: Response = await client.authorize_redirect(request, callback)
        return answer

    async def claims(self, request: Request) -> Mapping[str, Any]:
        """Return the claims of the ID token that the browser's code was exchanged for.

        Its signature, issuer, audience, nonce and times have been checked.

        Raises:
            Unauthenticated: with one message for every defect, and for a person who said no.
            Unavailable: the provider does not answer, or talks nonsense.
        """
        client = await self._fresh_client()
        # New for every call: Authlib takes things out of it.
        expected = {name: {"essential": True} for name in ("iss", "sub", "aud", "exp", "iat", "nonce")}
        expected["iss"]["value"] = self._registration.expected_issuer  # type: ignore[assignment]
        # Authlib leaves the audience to us.
        expected["aud"]["value"] = self._registration.client_id  # type: ignore[assignment]
        try:
            token = await client.authorize_access_token(request, claims_options=expected, leeway=_LEEWAY_SECONDS)
            # Authlib goes on without an ID token, and "userinfo" would then be whatever the provider's answer calls so.
            if "id_token" not in token:
                raise Unavailable(_OUTAGE)
            return dict(token["userinfo"])
        except (OAuthError, JoseError) as error:
            _log.info("an operator's sign-in was refused", reason=type(error).__name__)
            raise Unauthenticated(_REFUSAL) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            # What it sends as tokens and keys may have any shape, and Authlib takes it as it comes.
            _log.warning("the identity provider cannot be understood", reason=type(error).__name__)
            raise Unavailable(_OUTAGE) from error

    async def _fresh_client(self) -> Any:
        if self._client is None or time.monotonic() - self._made_at >= _FRESH_SECONDS:
            self._client = self._make_client(await self._discover())
            self._made_at = time.monotonic()
        return self._client

    async def _discover(self) -> Mapping[str, Any]:
        try:
            found = await fetch_json(self._http, self._registration.discovery_url)
        except Unreadable as error:
            _log.warning("the identity provider cannot be discovered", reason=str(error))
            raise Unavailable(_OUTAGE) from error
        reason = self._why_not(found)
        if reason is not None or not isinstance(found, dict):
            _log.error("the identity provider's description cannot be trusted", reason=reason)
            raise Unavailable(_OUTAGE)
        return found

    def _why_not(self, found: object) -> str | None:
        if not isinstance(found, dict):
            return "it is no object"
        if found.get("issuer") != self._registration.expected_issuer:
            return f"its issuer is not {self._registration.expected_issuer}; if it is right, set security.operatorSignIn.issuer"
        secure = self._registration.discovery_url.startswith("https://")
        allowed = ("https://",) if secure else ("https://", "http://")
        for name in _ENDPOINTS:
            address = found.get(name)
            if not isinstance(address, str) or not address.startswith(allowed):
                return f"its {name} is missing, or less safe than the description itself"
        return None

    def _make_client(self, found: Mapping[str, Any]) -> Any:
        methods = found.get("token_endpoint_auth_methods_supported")
        only_post = isinstance(methods, list) and "client_secret_post" in methods and "client_secret_basic" not in methods
        registration = self._registration
        # Not by Authlib's own discovery: it would hand everything the document holds to its HTTP client as options, and let
        # the document choose the algorithms.
        return OAuth().register(
            _NAME,
            client_id=registration.client_id,
            client_secret=registration.client_secret,
            client_kwargs={
                "scope": " ".join(registration.scopes),
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_post" if only_post else "client_secret_basic",
                "timeout": _TIMEOUTS,
                "follow_redirects": False,
                "verify": self._tls,
            },
            issuer=registration.expected_issuer,
            id_token_signing_alg_values_supported=list(registration.algorithms),
            **{name: found[name] for name in _ENDPOINTS},
        )
