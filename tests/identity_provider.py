"""A small OpenID provider on 127.0.0.1, for tests: it keeps to the standard until a test tells it not to."""

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import uvicorn
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

CLIENT_ID = "console"
CLIENT_SECRET = "not so secret, and long enough for HS256"

SigningKey = ECKey | RSAKey | OKPKey

_ALGORITHMS = jws.JWSRegistry.algorithms


def segment(content: bytes | dict[str, Any]) -> str:
    """Return one part of a token."""
    written = content if isinstance(content, bytes) else orjson.dumps(content)
    return base64.urlsafe_b64encode(written).rstrip(b"=").decode()


def signed(header: bytes | dict[str, Any], claims: bytes | dict[str, Any], key: SigningKey, algorithm: str = "ES256") -> str:
    """Return a token with a sound signature over whatever stands in it; no library objects to it."""
    content = f"{segment(header)}.{segment(claims)}"
    return f"{content}.{segment(_ALGORITHMS[algorithm].sign(content.encode(), key))}"


def published(*keys: SigningKey) -> dict[str, Any]:
    """Return the JWK Set with the public halves of *keys*."""
    return {"keys": [{**key.as_dict(private=False), "use": "sig"} for key in keys]}


class IdentityProvider:
    """The provider. Whatever a test sets here holds from the next request on."""

    def __init__(self) -> None:
        self.url = ""
        self.key = ECKey.generate_key("P-256", auto_kid=True)
        self.signs_with: SigningKey | None = None
        self.claims: dict[str, Any] = {"sub": "ada", "seller_id": "acme", "roles": ["support"], "amr": ["pwd", "otp"]}
        self.id_token: Callable[[dict[str, Any]], str] = self._id_token
        self.jwks: Callable[[], Response] = lambda: JSONResponse(published(self.key))
        self.discovery: dict[str, Any] = {}
        self.token: Callable[[], Response] | None = None
        self.hanging = asyncio.Event()
        self.jwks_calls = 0
        self.asked: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}

    @property
    def discovery_url(self) -> str:
        """Where it describes itself."""
        return f"{self.url}/.well-known/openid-configuration"

    def hang(self) -> Response:
        """Answer with a body that never ends, until the test does."""

        async def body() -> AsyncIterator[bytes]:
            yield b"{"
            await self.hanging.wait()

        return StreamingResponse(body(), media_type="application/json")

    def drip(self) -> Response:
        """Answer with a byte now and then, until the test is over."""

        async def body() -> AsyncIterator[bytes]:
            while not self.hanging.is_set():
                yield b" "
                await asyncio.sleep(0.05)

        return StreamingResponse(body(), media_type="application/json")

    def app(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/jwks", self._jwks),
            ]
        )

    async def _discovery(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256", "none"],
                **self.discovery,
            }
        )

    async def _jwks(self, request: Request) -> Response:
        self.jwks_calls += 1
        return self.jwks()

    async def _authorize(self, request: Request) -> Response:
        self.asked = dict(request.query_params)
        code = secrets.token_urlsafe(8)
        self.codes[code] = self.asked
        return RedirectResponse(f"{self.asked['redirect_uri']}?code={code}&state={self.asked['state']}", 302)

    async def _token(self, request: Request) -> Response:
        if self.token is not None:
            return self.token()
        sent = await request.form()
        secret = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        # As the standard has it: a code works once, for who asked for it, with the verifier of its challenge.
        asked = self.codes.pop(str(sent.get("code")), None)
        challenge = segment(hashlib.sha256(str(sent.get("code_verifier")).encode()).digest())
        if (
            asked is None
            or request.headers.get("authorization") != f"Basic {secret}"
            or asked.get("code_challenge_method") != "S256"
            or asked.get("code_challenge") != challenge
            or asked["redirect_uri"] != sent.get("redirect_uri")
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked.get("nonce"), **self.claims}
        return JSONResponse({"access_token": "theirs", "token_type": "Bearer", "id_token": self.id_token(claims)})

    def _id_token(self, claims: dict[str, Any]) -> str:
        key = self.signs_with or self.key
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, key, algorithms=["ES256"])


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve *app* on a free port of 127.0.0.1, and hand out its address."""
    config = uvicorn.Config(
        app, port=0, lifespan="off", http="httptools", ws="none", log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    # Signals stay with pytest.
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        # At once: answers that hang are what some tests are about.
        server.should_exit = server.force_exit = True
        await task


@asynccontextmanager
async def open_identity_provider() -> AsyncIterator[IdentityProvider]:
    """Serve a provider of the test's own."""
    provider = IdentityProvider()
    async with serving(provider.app()) as url:
        provider.url = url
        try:
            yield provider
        finally:
            provider.hanging.set()
