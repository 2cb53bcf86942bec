"""The sign-in of operators as the settings have it, with real sessions behind it."""

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml
from fastapi import FastAPI
from starlette.applications import Starlette

from app.container import Container
from app.operator_sign_in import open_operator_sign_in
from app.settings import InvalidSettings, Settings, load_settings
from auth.principal import OPERATOR_SCOPES
from core.sealing import Sealer
from tests.api import Api, fresh
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, open_identity_provider

SERVICE = "https://service.test"
OURS = {"origin": SERVICE, "x-requested-with": "fetch"}
MASTER_KEY = base64.b64encode(b"m" * 32).decode()


def loaded(tmp_path: Path, sign_in: dict[str, Any] | None, **others: Any) -> Settings:
    security = {"keyFile": "keys.json", "masterKey": MASTER_KEY} | ({} if sign_in is None else {"operatorSignIn": sign_in})
    path = tmp_path / "config.yaml"
    content = {
        "mongodb": {"uri": "mongodb://localhost"},
        "server": {"publicUrl": SERVICE},
        "security": security,
        "malware": {"scanner": "none"},
        **others,
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_settings(path, {})


SIGN_IN = {
    "discoveryUrl": "https://login.example.com/.well-known/openid-configuration",
    "clientId": CLIENT_ID,
    "clientSecret": CLIENT_SECRET,
}


@pytest_asyncio.fixture(name="provider")
async def _provider() -> AsyncIterator[IdentityProvider]:
    async with open_identity_provider() as provider:
        provider.claims = {"sub": "ada", "seller_id": fresh("seller"), "amr": ["otp"]}
        yield provider


@pytest_asyncio.fixture(name="browser")
async def _browser(container: Container, provider: IdentityProvider, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = loaded(tmp_path, {**SIGN_IN, "discoveryUrl": provider.discovery_url})
    async with open_operator_sign_in(settings, container.rules.sealer, container.services.sessions) as routes:
        inside = httpx.ASGITransport(app=Starlette(routes=routes))
        async with httpx.AsyncClient(mounts={"all://service.test": inside}, base_url=SERVICE, verify=False) as browser:
            await browser.get("/auth/operator/login", follow_redirects=True)
            yield browser


async def test_an_operator_who_has_signed_in_reads_with_the_token_of_its_cookie(
    browser: httpx.AsyncClient, provider: IdentityProvider, execute: Api
) -> None:
    answer = (await browser.post("/auth/operator/token", headers=OURS)).json()
    data = await execute.data("{ viewer { kind subject sellerId scopes } }", as_=answer["accessToken"])

    assert (600, "Bearer") == (answer["expiresIn"], answer["tokenType"])
    assert {
        "kind": "OPERATOR",
        "subject": f"{provider.url}|ada",
        "sellerId": provider.claims["seller_id"],
        "scopes": sorted(scope.value for scope in OPERATOR_SCOPES),
    } == {**data["viewer"], "scopes": sorted(data["viewer"]["scopes"])}


async def test_who_has_signed_out_is_out(browser: httpx.AsyncClient, execute: Api) -> None:
    token = (await browser.post("/auth/operator/token", headers=OURS)).json()["accessToken"]
    cookie = browser.cookies["__Secure-operator_session"]
    assert 204 == (await browser.post("/auth/operator/logout", headers=OURS)).status_code

    assert (
        401 == (await execute.http.post("/graphql", json={"query": "{__typename}"}, headers=execute.headers(token))).status_code
    )
    browser.cookies.set("__Secure-operator_session", cookie, domain="service.test")
    assert 401 == (await browser.post("/auth/operator/token", headers=OURS)).status_code


async def test_what_one_service_remembers_another_does_not_believe(
    container: Container, provider: IdentityProvider, tmp_path: Path
) -> None:
    """
    The key of that cookie comes from the master key.
    """
    settings = loaded(tmp_path, {**SIGN_IN, "discoveryUrl": provider.discovery_url})
    other = Sealer(base64.b64encode(b"o" * 32).decode())
    answers = []
    for sealer in (Sealer(MASTER_KEY), other):
        async with AsyncExitStack() as stack:
            began, ended = [
                Starlette(
                    routes=await stack.enter_async_context(open_operator_sign_in(settings, each, container.services.sessions))
                )
                for each in (Sealer(MASTER_KEY), sealer)
            ]
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=began), base_url=SERVICE) as browser:
                login = await browser.get("/auth/operator/login")
                async with httpx.AsyncClient() as outside:
                    back = await outside.get(login.headers["location"])
                cookies = dict(browser.cookies)
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app=ended), base_url=SERVICE, cookies=cookies
            ) as browser:
                answers.append((await browser.get(back.headers["location"])).status_code)

    assert [303, 401] == answers


async def test_without_a_provider_there_are_no_routes(app: FastAPI, http: httpx.AsyncClient) -> None:
    for route in ("login", "callback"):
        assert 404 == (await http.get(f"/auth/operator/{route}")).status_code
    for route in ("token", "logout"):
        assert 404 == (await http.post(f"/auth/operator/{route}", headers=OURS)).status_code


# --------------------------------------------------------------------------- what is refused at start


async def opened(settings: Settings, container: Container) -> int:
    async with open_operator_sign_in(settings, Sealer(MASTER_KEY), container.services.sessions) as routes:
        return len(routes)


async def test_it_has_to_be_said_where_browsers_reach_the_service(tmp_path: Path, container: Container) -> None:
    assert 1 == await opened(loaded(tmp_path, SIGN_IN), container)
    with pytest.raises(InvalidSettings, match=r"^server\.publicUrl: "):
        await opened(loaded(tmp_path, SIGN_IN, server={}), container)


async def test_nothing_travels_without_tls_in_production(tmp_path: Path, container: Container) -> None:
    plain = {**SIGN_IN, "discoveryUrl": SIGN_IN["discoveryUrl"].replace("https", "http")}

    assert 1 == await opened(loaded(tmp_path, SIGN_IN, environment="production"), container)
    with pytest.raises(InvalidSettings, match=r"^security\.operatorSignIn\.discoveryUrl: "):
        await opened(loaded(tmp_path, plain, environment="production"), container)
    with pytest.raises(InvalidSettings, match=r"server\.publicUrl: "):
        await opened(loaded(tmp_path, SIGN_IN, environment="production", server={"publicUrl": "http://a"}), container)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another host afterwards": ({"afterSignIn": "https://evil.example.com"}, "afterSignIn"),
    "another host without a scheme": ({"afterSignIn": "//evil.example.com"}, "afterSignIn"),
    "another host by a backslash": ({"afterSignIn": "/\\evil.example.com"}, "afterSignIn"),
    "another host behind a tab": ({"afterSignIn": "/\t/evil.example.com"}, "afterSignIn"),
    "a script afterwards": ({"afterSignIn": "javascript:alert(1)"}, "afterSignIn"),
    "a header more": ({"afterSignIn": "/a\r\nset-cookie: a=b"}, "afterSignIn"),
    "nowhere": ({"afterSignIn": ""}, "afterSignIn"),
    "no ID token": ({"request": ["email"]}, "request"),
    "an unknown scope": ({"roles": [{"role": "a", "allows": ["customers:burn"]}]}, "roles.0.allows.0"),
    "a shared secret": ({"algorithms": ["HS256"]}, "algorithms.0"),
    "no description": ({"discoveryUrl": "https://login.example.com"}, "discoveryUrl"),
    "a bar in the issuer": ({"discoveryUrl": "https://a|b/.well-known/openid-configuration"}, "discoveryUrl"),
    "no secret": ({"clientSecret": ""}, "clientSecret"),
}


@pytest.mark.parametrize(("changes", "key"), WRONG.values(), ids=WRONG)
def test_a_sign_in_that_makes_no_sense_is_refused_by_the_name_of_its_key(
    tmp_path: Path, changes: dict[str, Any], key: str
) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        loaded(tmp_path, {**SIGN_IN, **changes})

    (_, line) = str(refusal.value).splitlines()
    assert line.strip().startswith(f"security.operatorSignIn.{key}: ")


@pytest.mark.parametrize("page", ["/", "/console", "/console/?from=sign-in#top", "/./a"])
def test_a_page_of_our_own_is_fine(tmp_path: Path, page: str) -> None:
    found = loaded(tmp_path, {**SIGN_IN, "afterSignIn": page}).security.operator_sign_in

    assert found is not None
    assert page == found.after_sign_in
