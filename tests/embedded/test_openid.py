"""The identity provider of development keeps to the standard, as far as the service can tell and a stranger can try."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from embedded.identities import ensure_key_file
from embedded.openid import CLIENT_ID, CLIENT_SECRET, OPERATORS, OpenId
from rest.openid_provider import OpenIdProvider, ProviderRegistration
from tests.embedded.conftest import running

CONSOLE = "http://console.test"
CALLBACK = f"{CONSOLE}/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "client_id": CLIENT_ID,
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "state": "s",
    "nonce": "n",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
EXCHANGE = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
CLIENT = (CLIENT_ID, CLIENT_SECRET)


@pytest_asyncio.fixture(name="issuer", scope="module")
async def _issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    folder: Path = tmp_path_factory.mktemp("openid")
    provider = OpenId(folder / "log", ensure_key_file(folder / "key.json"), CALLBACK)
    async with running(provider) as one:
        yield provider.issuer(one.port)


@pytest_asyncio.fixture(name="http")
async def _http(issuer: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=issuer) as client:
        yield client


async def code(http: httpx.AsyncClient) -> str:
    """Return a code for Ada."""
    back = await http.get("/authorize", params={**ASKED, "operator": "ada"})
    return parse_qs(urlsplit(back.headers["location"]).query)["code"][0]


@pytest.mark.parametrize(("operator", "seller"), OPERATORS.items())
async def test_service_believes_who_has_signed_in(issuer: str, operator: str, seller: str) -> None:
    """
    By the code that signs operators in everywhere: discovery, PKCE, state, nonce, signature.
    """
    registration = ProviderRegistration(
        discovery_url=f"{issuer}/.well-known/openid-configuration", client_id=CLIENT_ID, client_secret=CLIENT_SECRET
    )
    async with httpx.AsyncClient() as outside:
        provider = OpenIdProvider(registration, outside)

        async def login(request: Request) -> Response:
            return await provider.redirect(request, CALLBACK)

        async def callback(request: Request) -> Response:
            claims = await provider.claims(request)
            return JSONResponse({name: claims[name] for name in ("iss", "sub", "seller_id")})

        session = [Middleware(SessionMiddleware, secret_key="made up")]
        app = Starlette(routes=[Route("/login", login), Route("/callback", callback)], middleware=session)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=CONSOLE) as browser:
            asked = (await browser.get("/login")).headers["location"]
            choice = await outside.get(asked)
            back = await outside.get(f"{asked}&operator={operator}")
            found = (await browser.get(back.headers["location"])).json()

    assert f"{operator.capitalize()}, operator of {seller}" in choice.text
    assert {"iss": issuer, "sub": operator, "seller_id": seller} == found


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "http://evil.test/callback"},
        {"client_id": "other"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
    ],
)
async def test_nobody_is_sent_anywhere_for_a_request_that_is_not_the_consoles(
    http: httpx.AsyncClient, change: dict[str, str]
) -> None:
    answer = await http.get("/authorize", params={**ASKED, "operator": "ada", **change})

    assert (400, False) == (answer.status_code, "location" in answer.headers)


async def test_what_is_asked_becomes_no_part_of_the_page(http: httpx.AsyncClient) -> None:
    page = await http.get("/authorize", params={**ASKED, "state": '"><script>alert(1)</script>', "operator": "<b>"})

    assert (200, False, False) == (page.status_code, "<script>" in page.text, "<b>" in page.text)


async def test_code_is_good_once(http: httpx.AsyncClient) -> None:
    exchange = {**EXCHANGE, "code": await code(http)}

    first, second = [await http.post("/token", data=exchange, auth=CLIENT) for _ in range(2)]

    assert (200, 400) == (first.status_code, second.status_code)
    assert {"error": "invalid_grant"} == second.json()


@pytest.mark.parametrize("change", [{"code_verifier": "w" * 43}, {"redirect_uri": "http://evil.test/"}, {"code": "guessed"}])
async def test_code_is_good_for_who_asked_for_it(http: httpx.AsyncClient, change: dict[str, str]) -> None:
    answer = await http.post("/token", data={**EXCHANGE, "code": await code(http), **change}, auth=CLIENT)

    assert (400, {"error": "invalid_grant"}) == (answer.status_code, answer.json())


@pytest.mark.parametrize("auth", [(CLIENT_ID, ""), (CLIENT_ID, "wrong"), ("other", CLIENT_SECRET)])
async def test_code_is_exchanged_by_the_console_only(http: httpx.AsyncClient, auth: tuple[str, str]) -> None:
    answer = await http.post("/token", data={**EXCHANGE, "code": await code(http)}, auth=auth)

    assert (401, {"error": "invalid_client"}) == (answer.status_code, answer.json())


async def test_published_key_has_no_private_part(http: httpx.AsyncClient) -> None:
    (key,) = (await http.get("/jwks")).json()["keys"]

    assert "d" not in key
    assert "private" not in json.dumps(key)
