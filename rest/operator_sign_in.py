"""Signing operators in: to their identity provider and back, into a session of ours that lives in a cookie.

    GET  /auth/operator/login     to the provider
    GET  /auth/operator/callback  and back: begins the session, sets the cookie, goes on to the console
    POST /auth/operator/token     an access token for the console, and the next cookie
    POST /auth/operator/logout    ends the session

The refresh token never meets the console's scripts: it is in a cookie that only these paths receive. The access token never
meets a cookie: the console keeps it in memory and asks for another when it is reloaded.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from auth.claim_mapping import ClaimMapping, UnfitClaims
from auth.principal import Principal, Scope
from core.device import Device, device_of
from core.errors import Forbidden, Refused, ServiceError, Unauthenticated, Unavailable
from core.vocabulary import PrincipalKind
from rest.openid_provider import OpenIdProvider
from services.session import SessionTokens

PATH = "/auth/operator"

_SIGN_IN_SECONDS = 600  # for a person with a password manager, a second factor and a telephone call
_METHOD = re.compile(r"[a-z0-9]{1,16}")
_MOST_METHODS = 8
_NO_STORE = {"cache-control": "no-store"}
# The address of the callback holds the code: the console's requests must not carry it on.
_BACK = {**_NO_STORE, "referrer-policy": "no-referrer"}
_STATUS = {Unauthenticated: HTTPStatus.UNAUTHORIZED, Forbidden: HTTPStatus.FORBIDDEN, Refused: HTTPStatus.UNAUTHORIZED}


class Sessions(Protocol):
    """Begins sessions, keeps them alive and ends them."""

    async def start(
        self,
        *,
        kind: PrincipalKind,
        subject: str,
        seller_id: str,
        scopes: frozenset[Scope],
        device: Device,
        methods: tuple[str, ...],
    ) -> SessionTokens:
        """Begin a session."""

    async def refresh(self, refresh_token: str, device: Device) -> SessionTokens:
        """Exchange a refresh token; raises `Refused` for one that does not hold."""

    async def end(self, refresh_token: str) -> None:
        """End the session of a refresh token, when there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Where the service and its console are, and how their cookies are kept.

    `public_url` is how browsers reach the service: it decides what the provider is told to send them back to, which Origin is
    our own, and whether cookies are for https only. `allowed_origins` are those of a console on another host; it has to be on
    the same site, or browsers keep the cookie back. `secret` signs what is remembered until the callback.
    """

    public_url: str
    allowed_origins: Sequence[str]
    after_sign_in: str
    session_seconds: int
    secret: str = field(repr=False)

    @property
    def secure(self) -> bool:
        """Whether browsers come by https."""
        return self.public_url.startswith("https://")

    @property
    def base(self) -> str:
        """The address of these routes."""
        return self.public_url.rstrip("/") + PATH

    @property
    def path(self) -> str:
        """The path of these routes as browsers see it: a proxy may have put something in front."""
        return urlsplit(self.base).path

    @property
    def origins(self) -> frozenset[str]:
        """Whose scripts may ask for tokens: our own pages, and those of the origins that were named. A ``*`` names nobody."""
        own = urlsplit(self.public_url)
        port = "" if own.port in {None, 443 if self.secure else 80} else f":{own.port}"
        host = f"[{own.hostname}]" if ":" in (own.hostname or "") else own.hostname
        return frozenset({f"{own.scheme}://{host}{port}", *self.allowed_origins}) - {"*", "null"}

    def cookie(self, name: str) -> str:
        """Return a cookie's name with the prefix that keeps others on the domain from setting it without https.

        ``__Host-`` would say more, but wants the path ``/``: then every call to the API would carry the refresh token.
        """
        return f"__Secure-{name}" if self.secure else name


class OperatorSignIn:
    """The handlers of the routes; see `operator_sign_in`."""

    def __init__(self, provider: OpenIdProvider, mapping: ClaimMapping, sessions: Sessions, console: Console) -> None:
        self._provider = provider
        self._mapping = mapping
        self._sessions = sessions
        self._console = console
        self._cookie = console.cookie("operator_session")

    async def login(self, request: Request) -> Response:
        """Send the browser to the provider."""
        try:
            answer = await self._provider.redirect(request, f"{self._console.base}/callback")
        except Unavailable as error:
            return _page(error)
        answer.headers.update(_NO_STORE)
        return answer

    async def callback(self, request: Request) -> Response:
        """Begin a session for whom the provider names, and go on to the console."""
        try:
            claims = await self._provider.claims(request)
            principal = self._operator(claims)
            tokens = await self._sessions.start(
                kind=principal.kind,
                subject=principal.subject,
                seller_id=str(principal.seller_id),
                scopes=principal.scopes,
                device=_device(request),
                methods=_methods(claims.get("amr")),
            )
        except (Unauthenticated, Forbidden, Unavailable) as error:
            return _page(error)
        # Always this page, whatever the request says: there is nothing to smuggle another address into.
        answer = RedirectResponse(self._console.after_sign_in, HTTPStatus.SEE_OTHER, headers=_BACK)
        self._set_cookie(answer, tokens.refresh_token, self._console.session_seconds)
        return answer

    async def token(self, request: Request) -> Response:
        """Return an access token, and the next refresh token in the cookie."""
        if not self._from_our_scripts(request):
            return _json_error(Forbidden(_FOREIGN))
        refresh_token = request.cookies.get(self._cookie)
        if not refresh_token:
            return _json_error(Unauthenticated("Nobody is signed in. Sign in first."))
        try:
            tokens = await self._sessions.refresh(refresh_token, _device(request))
        except Refused:
            answer = _json_error(Unauthenticated("The session is over. Sign in again."))
            self._set_cookie(answer, "", 0)
            return answer
        except Unavailable as error:
            return _json_error(error)
        answer = JSONResponse(
            {
                "accessToken": tokens.access_token,
                "tokenType": "Bearer",
                "expiresIn": tokens.expires_in,
                "sessionId": tokens.session_id,
            },
            headers=_NO_STORE,
        )
        self._set_cookie(answer, tokens.refresh_token, self._console.session_seconds)
        return answer

    async def logout(self, request: Request) -> Response:
        """End the session and forget the cookie. Whoever is not signed in is signed out."""
        if not self._from_our_scripts(request):
            return _json_error(Forbidden(_FOREIGN))
        refresh_token = request.cookies.get(self._cookie)
        try:
            if refresh_token:
                await self._sessions.end(refresh_token)
        except Unavailable as error:
            # The cookie stays: the session is still alive, and the next attempt needs it.
            return _json_error(error)
        answer = Response(status_code=HTTPStatus.NO_CONTENT, headers=_NO_STORE)
        self._set_cookie(answer, "", 0)
        return answer

    def _operator(self, claims: Any) -> Principal:
        try:
            principal = self._mapping.principal(claims)
        except UnfitClaims as error:
            raise Forbidden(f"You are known to your company, and not yet set up here: {error}. Ask whoever runs it.") from error
        if not principal.scopes:
            raise Forbidden("You are known to your company, and have no role that allows anything here. Ask whoever runs it.")
        return principal

    def _from_our_scripts(self, request: Request) -> bool:
        """Say whether a page of ours has made this request.

        The Origin is what browsers say themselves. The other header no form can send, and no script of another origin may.
        """
        origins = request.headers.getlist("origin")
        return len(origins) == 1 and origins[0] in self._console.origins and bool(request.headers.get("x-requested-with"))

    def _set_cookie(self, answer: Response, value: str, seconds: int) -> None:
        answer.set_cookie(
            self._cookie,
            value,
            max_age=seconds,
            path=self._console.path,
            secure=self._console.secure,
            httponly=True,
            samesite="strict",
        )


_FOREIGN = "Only pages of this service may do this: send the headers Origin and X-Requested-With."


def operator_sign_in(provider: OpenIdProvider, mapping: ClaimMapping, sessions: Sessions, console: Console) -> Mount:
    """Return the routes under ``/auth/operator``, to be added to an application's."""
    handlers = OperatorSignIn(provider, mapping, sessions, console)
    # Not Strict, as the other cookie is: the browser comes back from another site, and has to bring this one.
    remembers = Middleware(
        SessionMiddleware,
        secret_key=console.secret,
        session_cookie=console.cookie("operator_sign_in"),
        max_age=_SIGN_IN_SECONDS,
        path=console.path,
        same_site="lax",
        https_only=console.secure,
    )
    cors = Middleware(
        CORSMiddleware,
        allow_origins=sorted(console.origins),
        allow_methods=["POST"],
        allow_headers=["x-requested-with"],
        allow_credentials=True,
    )
    return Mount(
        PATH,
        routes=[
            Route("/login", handlers.login, methods=["GET"], middleware=[remembers]),
            Route("/callback", handlers.callback, methods=["GET"], middleware=[remembers]),
            Route("/token", handlers.token, methods=["POST"]),
            Route("/logout", handlers.logout, methods=["POST"]),
        ],
        middleware=[cors],
        name="operator-sign-in",
    )


def _device(request: Request) -> Device:
    return device_of(None if request.client is None else request.client.host, request.headers.get("user-agent"))


def _methods(amr: object) -> tuple[str, ...]:
    """Return how the provider says that the person has proved who it is, as far as these are words of RFC 8176's kind."""
    words = [word for word in amr if isinstance(word, str)] if isinstance(amr, list) else []
    return tuple(word for word in words if _METHOD.fullmatch(word))[:_MOST_METHODS]


def _page(error: ServiceError) -> Response:
    """Return what a person sees in the browser; without anything from the request or the provider in it."""
    return PlainTextResponse(str(error), _status(error), headers=_BACK)


def _json_error(error: ServiceError) -> Response:
    return JSONResponse({"code": error.code, "message": str(error)}, _status(error), headers=_NO_STORE)


def _status(error: ServiceError) -> HTTPStatus:
    return _STATUS.get(type(error), HTTPStatus.SERVICE_UNAVAILABLE)
