"""POST /api/v1/auth/access_token: tokens for programs, by the client-credentials grant of OAuth 2.0 (RFC 6749, 4.4).

A form is that. JSON at the same address is a customer who goes on with a session: see `rest.session`.

Authlib's authorization server decides; it is synchronous, so everything it could ask for is fetched beforehand.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Protocol

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from auth.principal import Scope
from core.device import device_of
from core.errors import RateLimited, Unavailable
from core.request_id import request_id_of
from core.vocabulary import PrincipalKind
from rest.bounded_body import is_json
from rest.token_described import TOKEN_ANSWERS, TOKEN_REQUEST
from rest.token_request import Refusal, TokenRequest, UnknownCaller, read_token_request
from rest.well_known import AUTH_METHODS, GRANT_TYPES, TOKEN_PATH
from services.service_client import KnownClient

Admit = Callable[[str, str], Awaitable[Callable[[], Awaitable[None]]]]
"""Called with the client id and the network of every attempt, before it is checked; raises `RateLimited` to refuse it.

What it returns is awaited when the attempt was a good one.
"""

Refresh = Callable[[Request], Awaitable[Response]]
"""Answers a request in JSON."""

_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
_CHALLENGE = {"www-authenticate": 'Basic realm="customer-service", charset="UTF-8"'}

_DESCRIPTIONS = {
    "invalid_scope": "The client may not have one of these scopes. Leave scope out to get all that it may have.",
    "unsupported_grant_type": "Only grant_type=client_credentials is supported.",
}
"""Our own words: Authlib's repeat what the caller sent, in any alphabet."""

# Authlib refuses addresses without TLS. Ours ends at the load balancer, which this process cannot see.
_BEHIND_THE_BALANCER = f"https://customer-service.invalid{TOKEN_PATH}"


class Clients(Protocol):
    """Knows the programs that may ask."""

    async def known(self, client_id: str) -> KnownClient:
        """Return what is known of a client; of an unknown one, that no secret is right."""


class Issue(Protocol):
    """Signs a token, as `auth.tokens.TokenIssuer.issue` does."""

    def __call__(
        self,
        *,
        kind: PrincipalKind,
        subject: str,
        scopes: frozenset[Scope],
        lifetime: timedelta,
        seller_id: str | None,
        client_id: str,
    ) -> str:
        """Return the token."""


def token_router(
    clients: Clients, issue: Issue, *, lifetime: timedelta, admit: Admit, refresh: Refresh | None = None
) -> APIRouter:
    """Return the token endpoint. *lifetime* is that of the tokens; *admit* limits attempts; *refresh* answers JSON."""
    router = APIRouter(tags=["auth"])

    @router.post(
        TOKEN_PATH,
        summary="Get an access token",
        operation_id="getAccessToken",
        openapi_extra=TOKEN_REQUEST,
        responses=TOKEN_ANSWERS,
        response_class=JSONResponse,
    )
    async def access_token(request: Request) -> Response:
        """Return an access token: for a program by its id and secret, for a customer by the refresh token of a session.

        A form is a request of OAuth 2.0 with the grant `client_credentials`, and is answered as RFC 6749 has it; the id and
        the secret may also stand in it. JSON with a `refreshToken` goes on with a session that began with a one-time code: a
        refresh token is good once. A second use within ten seconds gives the same answer, a later one ends the session.
        """
        if refresh is not None and is_json(request):
            return await refresh(request)
        answer = await to_program(request)
        answer.headers["x-request-id"] = request_id_of(request.headers.get("x-request-id"))
        return answer

    async def to_program(request: Request) -> JSONResponse:
        try:
            asked = await read_token_request(request)
            forgive = await admit(asked.client_id, _network(request))
            server = _Server(await clients.known(asked.client_id), issue, lifetime)
            answer: JSONResponse = server.create_token_response(asked)
            if answer.status_code == HTTPStatus.OK:
                await forgive()
        except Refusal as refusal:
            return _refused(refusal)
        except RateLimited as error:
            return _later(HTTPStatus.TOO_MANY_REQUESTS, error.retry_after, str(error))
        except Unavailable as error:
            return _later(HTTPStatus.SERVICE_UNAVAILABLE, 1, str(error))
        return answer

    return router


def _network(request: Request) -> str:
    return device_of(None if request.client is None else request.client.host, None).network


class _Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """The one client of a request, in Authlib's terms."""

    def __init__(self, known: KnownClient) -> None:
        self.known = known

    def get_client_id(self) -> str:
        return self.known.id

    def check_client_secret(self, client_secret: str) -> bool:
        return self.known.holds(client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in AUTH_METHODS and endpoint == "token"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in GRANT_TYPES

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return what is granted: what was asked for, or everything; None when one of it is not allowed."""
        allowed = {one.value for one in self.known.scopes}
        wanted = allowed if scope is None else set(scope.split(" ")) - {""}
        return " ".join(sorted(wanted)) if wanted <= allowed else None


class _Request(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """A token request, as Authlib asks for its parts."""

    def __init__(self, asked: TokenRequest, headers: Mapping[str, str]) -> None:
        super().__init__("POST", _BEHIND_THE_BALANCER, headers=headers)
        self.payload = BasicOAuth2Payload(asked.form)

    @property
    def form(self) -> dict[str, str]:
        form: dict[str, str] = self.payload.data
        return form


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    """The client-credentials grant, with no other way to authenticate than those in our metadata."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        # In place of Authlib's own, which writes the token to the log at the level DEBUG.
        token = self.generate_token(scope=self.request.payload.scope, include_refresh_token=False)
        return 200, token, self.TOKEN_RESPONSE_HEADER


class _Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Authlib's authorization server for one request: it knows one client, and nothing is left to await."""

    def __init__(self, known: KnownClient, issue: Issue, lifetime: timedelta) -> None:
        super().__init__()
        self._known = known
        self._issue = issue
        self._lifetime = lifetime
        self.register_grant(_Grant)
        seconds = math.floor(lifetime.total_seconds())
        self.register_token_generator("default", BearerTokenGenerator(self._token, expires_generator=seconds))

    def query_client(self, client_id: str) -> _Client | None:
        return _Client(self._known) if client_id == self._known.id else None

    def create_oauth2_request(self, request: TokenRequest) -> _Request:
        return _Request(request, request.headers())

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody."""

    def handle_error_response(self, request: _Request, error: OAuth2Error) -> JSONResponse:
        del request
        if error.error == "invalid_client":
            return _refused(UnknownCaller())
        return _refused(Refusal(error.error, _DESCRIPTIONS.get(error.error, "The request cannot be answered.")))

    def handle_response(self, status: int, body: Mapping[str, Any], headers: object) -> JSONResponse:
        del headers
        return JSONResponse(body, status, _NO_STORE)

    def _token(self, client: _Client, grant_type: str, user: None, scope: str) -> str:
        del grant_type, user
        known = client.known
        return self._issue(
            kind=PrincipalKind.SERVICE,
            subject=known.id,
            scopes=frozenset(Scope(word) for word in scope.split()),
            lifetime=self._lifetime,
            seller_id=known.seller_id,
            client_id=known.id,
        )


def _refused(refusal: Refusal) -> JSONResponse:
    headers = {**_NO_STORE, **(_CHALLENGE if refusal.status is HTTPStatus.UNAUTHORIZED else {})}
    if refusal.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        headers["connection"] = "close"
    return JSONResponse({"error": refusal.error, "error_description": str(refusal)}, refusal.status, headers)


def _later(status: HTTPStatus, seconds: int, description: str) -> JSONResponse:
    headers = {**_NO_STORE, "retry-after": str(seconds)}
    return JSONResponse({"error": "temporarily_unavailable", "error_description": description}, status, headers)
