"""What other programs look up: the public keys, and where to get a token."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import KeySet

from auth.keys import generate_key_set, load_key_set
from auth.principal import Scope
from core.clock import SystemClock
from rest.well_known import JWKS_PATH, METADATA_PATH, TOKEN_PATH, Authority, well_known_router
from tests.api import BASE, Tokens


async def test_the_key_set_is_public_and_may_be_kept_for_ten_minutes(http: httpx.AsyncClient) -> None:
    answer = await http.get(JWKS_PATH)

    assert 200 == answer.status_code
    assert "public, max-age=600" == answer.headers["cache-control"]
    assert "application/jwk-set+json" == answer.headers["content-type"]
    (key,) = answer.json()["keys"]
    assert {"kty", "crv", "x", "y", "kid", "use", "alg"} == set(key)


async def test_anybody_can_check_our_tokens_with_it(http: httpx.AsyncClient, tokens: Tokens) -> None:
    keys = KeySet.import_key_set((await http.get(JWKS_PATH)).json())

    assert "oms" == jwt.decode(tokens.service(), keys, algorithms=["ES256"]).claims["sub"]


async def metadata_of(issuer: str, public_url: str | None, host: str = "here.test") -> httpx.Response:
    app = FastAPI()
    keys = load_key_set(generate_key_set())
    app.include_router(well_known_router(Authority(issuer, public_url, lambda: keys.public(SystemClock().now()))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as http:
        return await http.get(METADATA_PATH, headers={"host": host})


@pytest.mark.parametrize(
    ("issuer", "public_url", "base"),
    [
        ("customer-service", None, "http://here.test"),
        ("https://id.example.com", None, "https://id.example.com"),
        ("https://id.example.com/", None, "https://id.example.com"),
        ("https://id.example.com", "https://api.example.com/cs/", "https://api.example.com/cs"),
        ("customer-service", "https://api.example.com", "https://api.example.com"),
    ],
)
async def test_the_metadata_lead_to_the_endpoints(issuer: str, public_url: str | None, base: str) -> None:
    answer = await metadata_of(issuer, public_url)

    expected: dict[str, Any] = {
        "issuer": issuer,
        "token_endpoint": f"{base}{TOKEN_PATH}",
        "jwks_uri": f"{base}{JWKS_PATH}",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": sorted(scope.value for scope in Scope),
        "response_types_supported": [],
    }
    assert expected == answer.json()


async def test_addresses_from_the_callers_own_host_header_are_not_cached() -> None:
    """
    Else one caller could tell a cache where all others send their secrets.
    """
    guessed = await metadata_of("customer-service", None, host="evil.test")
    known = await metadata_of("https://id.example.com", None, host="evil.test")

    assert "no-store" == guessed.headers["cache-control"]
    assert "public, max-age=600" == known.headers["cache-control"]
    assert "evil" not in known.text


@pytest.mark.parametrize("host", ["", "[", "[::1", "a b", "a/b?c", "a:b", "a@b", "\x7f", "a:99999999"], ids=repr)
async def test_a_strange_host_header_breaks_nothing(host: str) -> None:
    assert 200 == (await metadata_of("customer-service", None, host=host)).status_code
