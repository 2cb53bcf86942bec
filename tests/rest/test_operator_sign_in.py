"""Operators sign in: the whole way to a provider and back, and everything that can be wrong on it."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from itsdangerous import TimestampSigner
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from auth.claim_mapping import ClaimMapping
from auth.principal import OPERATOR_SCOPES, Principal, Scope
from core.device import Device
from core.errors import ErrorCode, Refused, Unavailable
from core.vocabulary import PrincipalKind
from infra.remote_json import open_client
from rest.openid_provider import OpenIdProvider, ProviderRegistration
from rest.operator_sign_in import Console, operator_sign_in
from services.session import SessionTokens
from tests.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    IdentityProvider,
    open_identity_provider,
    published,
    segment,
    signed,
)

SERVICE = "https://service.test"
COOKIE = "__Secure-operator_session"
STATE_COOKIE = "__Secure-operator_sign_in"
OURS = {"origin": SERVICE, "x-requested-with": "fetch"}
CONSOLE = Console(
    public_url=SERVICE,
    allowed_origins=["https://console.service.test", "*", "null"],
    after_sign_in="/console",
    session_seconds=3600,
    secret="secret",
)
NOBODY = "The sign-in did not work out, or took too long. Begin again."


@dataclass
class SessionsDouble:
    """Sessions in memory, which behave as the service promises."""

    started: list[tuple[Principal, Device, tuple[str, ...]]] = field(default_factory=list)
    good: dict[str, Principal] = field(default_factory=dict)
    down: bool = False

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
        """Begin one."""
        self._require_up()
        principal = Principal(kind=kind, subject=subject, scopes=scopes, seller_id=seller_id)
        self.started.append((principal, device, methods))
        return self._made(principal)

    async def refresh(self, refresh_token: str, device: Device) -> SessionTokens:
        """Exchange a token that is good once."""
        self._require_up()
        principal = self.good.pop(refresh_token, None)
        if principal is None:
            raise Refused.because(ErrorCode.INVALID, "The refresh token is not valid, or no longer. Sign in again.")
        return self._made(principal)

    async def end(self, refresh_token: str) -> None:
        """End one."""
        self._require_up()
        self.good.pop(refresh_token, None)

    def _made(self, principal: Principal) -> SessionTokens:
        token = f"refresh-{len(self.good)}-{time.monotonic_ns()}"
        self.good[token] = principal
        return SessionTokens(
            access_token="access", refresh_token=token, expires_in=600, session_id="ses_1", principal=principal
        )

    def _require_up(self) -> None:
        if self.down:
            raise Unavailable("The database does not answer.")


@pytest_asyncio.fixture(name="provider")
async def _provider() -> AsyncIterator[IdentityProvider]:
    async with open_identity_provider() as provider:
        yield provider


@pytest.fixture(name="sessions")
def _sessions() -> SessionsDouble:
    return SessionsDouble()


def registration_at(provider: IdentityProvider) -> ProviderRegistration:
    return ProviderRegistration(
        discovery_url=provider.discovery_url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, scopes=("openid", "email")
    )


def mapping_of(provider: IdentityProvider) -> ClaimMapping:
    return ClaimMapping(
        issuer=provider.url,
        kind=PrincipalKind.OPERATOR,
        scope="roles",
        granted=frozenset(Scope),
        roles={"support": frozenset({Scope.CUSTOMERS_READ})},
        own_words=False,
    )


def browser_at(app: Starlette, base: str = SERVICE) -> httpx.AsyncClient:
    """Return a client that reaches the service inside this process and everybody else by the network."""
    inside = httpx.ASGITransport(app=app, client=("203.0.113.7", 1))
    return httpx.AsyncClient(
        mounts={"all://service.test": inside},
        base_url=base,
        headers={"user-agent": "Firefox"},
        follow_redirects=True,
        verify=False,  # nothing here has TLS, and certificates take a while to read
    )


@pytest_asyncio.fixture(name="http")
async def _http(provider: IdentityProvider, sessions: SessionsDouble) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in front of a service with this sign-in."""
    async with open_client() as client:
        mount = operator_sign_in(OpenIdProvider(registration_at(provider), client), mapping_of(provider), sessions, CONSOLE)
        async with browser_at(Starlette(routes=[mount, Route("/console", _console)])) as http:
            yield http


async def _console(request: Request) -> Response:
    return JSONResponse({"cookies": sorted(request.cookies)})


async def to_the_callback(http: httpx.AsyncClient) -> str:
    """Go to the provider and back, and stop in front of the callback. Returns its address."""
    login = await http.get("/auth/operator/login", follow_redirects=False)
    back = await http.get(login.headers["location"], follow_redirects=False)
    return back.headers["location"]


def cookies_set(answer: httpx.Response) -> dict[str, list[str]]:
    """Return the attributes of each cookie that *answer* sets, in small letters and without the value."""
    parts = [header.split("; ") for header in answer.headers.get_list("set-cookie")]
    return {part[0].partition("=")[0]: sorted(attribute.lower() for attribute in part[1:]) for part in parts}


# ------------------------------------------------------------------------------------ the good way


async def test_an_operator_signs_in_and_arrives_at_the_console(
    http: httpx.AsyncClient, provider: IdentityProvider, sessions: SessionsDouble
) -> None:
    arrived = await http.get("/auth/operator/login")

    assert (200, f"{SERVICE}/console") == (arrived.status_code, str(arrived.url))
    ((principal, device, methods),) = sessions.started
    assert principal == Principal(
        kind=PrincipalKind.OPERATOR,
        subject=f"{provider.url}|ada",
        scopes=frozenset({Scope.CUSTOMERS_READ}),
        seller_id="acme",
    )
    assert Device("203.0.113.7", "Firefox") == device
    assert ("pwd", "otp") == methods


async def test_the_provider_is_asked_with_state_nonce_and_pkce(http: httpx.AsyncClient, provider: IdentityProvider) -> None:
    login = await http.get("/auth/operator/login", follow_redirects=False)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(login.headers["location"]).query).items()}

    assert {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{SERVICE}/auth/operator/callback",
        "scope": "openid email",
        "code_challenge_method": "S256",
    }.items() <= asked.items()
    assert 43 == len(asked["code_challenge"])
    assert all(len(asked[name]) >= 20 for name in ("state", "nonce"))
    assert "no-store" == login.headers["cache-control"]


async def test_every_sign_in_has_secrets_of_its_own(http: httpx.AsyncClient, provider: IdentityProvider) -> None:
    for _ in range(2):
        await http.get("/auth/operator/login")
    first, second = (
        provider.asked,
        parse_qs(urlsplit((await http.get("/auth/operator/login", follow_redirects=False)).headers["location"]).query),
    )

    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name][0]


async def test_the_refresh_token_is_in_a_cookie_that_scripts_and_other_sites_never_meet(http: httpx.AsyncClient) -> None:
    callback = await http.get(await to_the_callback(http), follow_redirects=False)

    assert (303, "/console") == (callback.status_code, callback.headers["location"])
    assert ["httponly", "max-age=3600", "path=/auth/operator", "samesite=strict", "secure"] == cookies_set(callback)[COOKIE]
    assert ("no-store", "no-referrer") == (callback.headers["cache-control"], callback.headers["referrer-policy"])


async def test_what_is_remembered_until_the_callback_is_sent_back_by_browsers_and_soon_forgotten(
    http: httpx.AsyncClient,
) -> None:
    login = await http.get("/auth/operator/login", follow_redirects=False)

    assert ["httponly", "max-age=600", "path=/auth/operator", "samesite=lax", "secure"] == cookies_set(login)[STATE_COOKIE]


async def test_the_console_itself_receives_no_cookie(http: httpx.AsyncClient) -> None:
    assert {"cookies": []} == (await http.get("/auth/operator/login")).json()


async def test_without_https_cookies_have_plain_names(provider: IdentityProvider, sessions: SessionsDouble) -> None:
    async with open_client() as client:
        console = replace(CONSOLE, public_url="http://service.test/shop/")
        mount = operator_sign_in(OpenIdProvider(registration_at(provider), client), mapping_of(provider), sessions, console)
        async with browser_at(Starlette(routes=[mount]), "http://service.test") as http:
            login = await http.get("/auth/operator/login", follow_redirects=False)

    assert {"operator_sign_in": ["httponly", "max-age=600", "path=/shop/auth/operator", "samesite=lax"]} == cookies_set(login)
    assert "redirect_uri=http%3A%2F%2Fservice.test%2Fshop%2Fauth%2Foperator%2Fcallback" in login.headers["location"]


async def test_the_console_gets_access_tokens_for_its_cookie(http: httpx.AsyncClient, sessions: SessionsDouble) -> None:
    await http.get("/auth/operator/login")
    before = set(sessions.good)
    answer = await http.post("/auth/operator/token", headers=OURS)

    assert {"accessToken": "access", "tokenType": "Bearer", "expiresIn": 600, "sessionId": "ses_1"} == answer.json()
    assert "no-store" == answer.headers["cache-control"]
    assert ["httponly", "max-age=3600", "path=/auth/operator", "samesite=strict", "secure"] == cookies_set(answer)[COOKIE]
    assert {http.cookies[COOKIE]} == set(sessions.good) != before
    assert 200 == (await http.post("/auth/operator/token", headers=OURS)).status_code


async def test_signing_out_ends_the_session_and_forgets_the_cookie(http: httpx.AsyncClient, sessions: SessionsDouble) -> None:
    await http.get("/auth/operator/login")
    answer = await http.post("/auth/operator/logout", headers=OURS)

    assert (204, {}) == (answer.status_code, sessions.good)
    assert ["httponly", "max-age=0", "path=/auth/operator", "samesite=strict", "secure"] == cookies_set(answer)[COOKIE]
    assert 401 == (await http.post("/auth/operator/token", headers=OURS)).status_code
    assert 204 == (await http.post("/auth/operator/logout", headers=OURS)).status_code


# ------------------------------------------------------------------------------ what is wrong on it


async def refused(http: httpx.AsyncClient, sessions: SessionsDouble, callback: str, status: int = 401) -> str:
    """Open the callback, and see that nobody is signed in. Returns the page."""
    answer = await http.get(callback, follow_redirects=False)

    assert status == answer.status_code
    assert [] == sessions.started
    assert COOKIE not in cookies_set(answer)
    assert "text/plain; charset=utf-8" == answer.headers["content-type"]
    return answer.text


async def test_another_state_is_refused(http: httpx.AsyncClient, sessions: SessionsDouble) -> None:
    callback = await to_the_callback(http)

    assert NOBODY == await refused(http, sessions, callback.replace("state=", "state=x"))


async def test_a_callback_in_another_browser_is_refused(http: httpx.AsyncClient, sessions: SessionsDouble) -> None:
    """
    Else whoever signs in could make a victim work in their account.
    """
    callback = await to_the_callback(http)
    http.cookies.clear()

    assert NOBODY == await refused(http, sessions, callback)


@pytest.mark.parametrize("guess", ["", "secre", "console"])
async def test_what_is_remembered_cannot_be_written_by_others(
    http: httpx.AsyncClient, sessions: SessionsDouble, guess: str
) -> None:
    callback = await to_the_callback(http)
    content = TimestampSigner(CONSOLE.secret).unsign(http.cookies[STATE_COOKIE])
    http.cookies.clear()
    http.cookies.set(STATE_COOKIE, TimestampSigner(guess).sign(content).decode(), domain="service.test")

    assert NOBODY == await refused(http, sessions, callback)


async def test_a_callback_works_once(http: httpx.AsyncClient, sessions: SessionsDouble) -> None:
    callback = await to_the_callback(http)
    assert 303 == (await http.get(callback, follow_redirects=False)).status_code
    sessions.started.clear()

    assert NOBODY == await refused(http, sessions, callback)


async def test_a_code_works_once_even_for_who_has_kept_the_cookie(http: httpx.AsyncClient, sessions: SessionsDouble) -> None:
    callback = await to_the_callback(http)
    kept = http.cookies[STATE_COOKIE]
    assert 303 == (await http.get(callback, follow_redirects=False)).status_code
    sessions.started.clear()
    http.cookies.set(STATE_COOKIE, kept, domain="service.test")

    assert NOBODY == await refused(http, sessions, callback)


async def test_the_code_of_somebody_else_is_refused(
    http: httpx.AsyncClient, provider: IdentityProvider, sessions: SessionsDouble
) -> None:
    """
    PKCE: a code is good only together with what stayed in the browser that asked for it.
    """
    stolen = parse_qs(urlsplit(await to_the_callback(http)).query)["code"][0]
    http.cookies.clear()
    own = await to_the_callback(http)
    code = parse_qs(urlsplit(own).query)["code"][0]

    assert NOBODY == await refused(http, sessions, own.replace(f"code={code}", f"code={stolen}"))


async def test_a_person_who_says_no_is_not_signed_in_and_nothing_is_repeated(
    http: httpx.AsyncClient, sessions: SessionsDouble
) -> None:
    await to_the_callback(http)
    callback = "/auth/operator/callback?error=access_denied&error_description=<script>canary</script>&state=x"

    assert NOBODY == await refused(http, sessions, callback)


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?code=x&state=x", "?code=x&state=x&state=y"])
async def test_a_callback_that_nobody_began_is_refused(http: httpx.AsyncClient, sessions: SessionsDouble, query: str) -> None:
    assert NOBODY == await refused(http, sessions, f"/auth/operator/callback{query}")


STRANGER = ECKey.generate_key("P-256", auto_kid=True)
Forgery = Callable[[IdentityProvider, dict[str, Any]], str]


def with_claims(**changes: Any) -> Forgery:
    """Return what makes an ID token that is sound but for some claims; None leaves a claim out."""

    def forge(provider: IdentityProvider, claims: dict[str, Any]) -> str:
        changed = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": provider.key.kid}, changed, provider.key, algorithms=["ES256"])

    return forge


FORGED: dict[str, Forgery] = {
    "another nonce": with_claims(nonce="replayed"),
    "no nonce": with_claims(nonce=None),
    "another audience": with_claims(aud="another-client"),
    "another audience, and we as the authorised party": with_claims(aud="another-client", azp=CLIENT_ID),
    "no audience": with_claims(aud=None),
    "another authorised party": with_claims(aud=[CLIENT_ID, "b"], azp="b"),
    "another issuer": with_claims(iss="https://evil.example.com"),
    "no issuer": with_claims(iss=None),
    "expired": with_claims(exp=int(time.time()) - 60),
    "never expires": with_claims(exp=None),
    "made in the future": with_claims(iat=int(time.time()) + 3600),
    "nobody": with_claims(sub=None),
    "the hash of another access token": with_claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "a stranger's key": lambda provider, claims: signed({"alg": "ES256", "kid": provider.key.kid}, claims, STRANGER),
    "a stranger's key by name": lambda _, claims: signed({"alg": "ES256", "kid": STRANGER.kid}, claims, STRANGER),
    "a stranger's key in the header": lambda _, claims: signed(
        {"alg": "ES256", "kid": STRANGER.kid, "jwk": STRANGER.as_dict(private=False)}, claims, STRANGER
    ),
    "alg none": lambda provider, claims: f"{segment({'alg': 'none', 'kid': provider.key.kid})}.{segment(claims)}.",
    "alg HS256 with the client's secret": lambda _, claims: jwt.encode(
        {"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET), algorithms=["HS256"]
    ),
    "no token": lambda _, __: "token",
    "signature of zeros": lambda provider, claims: (
        f"{segment({'alg': 'ES256', 'kid': provider.key.kid})}.{segment(claims)}.{segment(bytes(64))}"
    ),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
async def test_an_id_token_that_does_not_hold_signs_nobody_in(
    http: httpx.AsyncClient, provider: IdentityProvider, sessions: SessionsDouble, forge: Forgery
) -> None:
    provider.id_token = lambda claims: forge(provider, claims)

    assert NOBODY == await refused(http, sessions, await to_the_callback(http))


async def test_the_forgeries_differ_from_a_good_id_token_in_one_thing_only(
    http: httpx.AsyncClient, provider: IdentityProvider, sessions: SessionsDouble
) -> None:
    provider.id_token = lambda claims: with_claims(aud=[CLIENT_ID], azp=CLIENT_ID)(provider, claims)

    assert 303 == (await http.get(await to_the_callback(http), follow_redirects=False)).status_code


@pytest.mark.parametrize("claimed", [["HS256"], ["none"], ["HS256", "none", "ES256"]], ids=str)
async def test_the_provider_does_not_choose_the_algorithms(
    http: httpx.AsyncClient, provider: IdentityProvider, sessions: SessionsDouble, claimed: list[str]
) -> None:
    """
    With the shared secret published as a key, Authlib alone would believe a token that anybody with the secret can write.
    """
    secret = OctKey.import_key("published by mistake, 32 letters", {"kid": "shared"})
    provider.discovery = {"id_token_signing_alg_values_supported": claimed}
    provider.jwks = lambda: JSONResponse({"keys": [*published(provider.key)["keys"], secret.as_dict(private=True)]})
    provider.id_token = lambda claims: jwt.encode({"alg": "HS256", "kid": "shared"}, claims, secret, algorithms=["HS256"])

    assert NOBODY == await refused(http, sessions, await to_the_callback(http))


@pytest.mark.parametrize(
    ("claims", "names"),
    [
        ({"seller_id": None}, "seller_id"),
        ({"seller_id": ["acme"]}, "seller_id"),
        ({"seller_id": ""}, "seller_id"),
        ({"roles": {"support": True}}, "roles"),
        ({"sub": "ada\nadmin"}, "sub"),
    ],
    ids=["no seller", "several sellers", "a nameless seller", "roles of another shape", "a name of two lines"],
)
async def test_an_operator_whom_the_claims_do_not_describe_is_told_what_is_missing(
    http: httpx.AsyncClient, provider: IdentityProvider, sessions: SessionsDouble, claims: dict[str, Any], names: str
) -> None:
    provider.claims |= claims

    assert names in await refused(http, sessions, await to_the_callback(http), 403)


@pytest.mark.parametrize("roles", [[], ["customers:read", "erasure"], ["Support"]], ids=str)
async def test_an_operator_without_a_role_of_ours_is_not_signed_in(
    http: httpx.AsyncClient, provider: IdentityProvider, sessions: SessionsDouble, roles: list[str]
) -> None:
    """
    Words that happen to be scopes of ours are roles like any other: they were not meant for us.
    """
    provider.claims["roles"] = roles

    assert "no role that allows anything here" in await refused(http, sessions, await to_the_callback(http), 403)


# -------------------------------------------------------------------------------- where to afterwards


@pytest.mark.parametrize("name", ["next", "redirect", "redirect_uri", "return_to", "after_sign_in"])
async def test_nobody_but_the_settings_says_where_to_go_afterwards(http: httpx.AsyncClient, name: str) -> None:
    login = await http.get(f"/auth/operator/login?{name}=https://evil.example.com", follow_redirects=False)
    assert "evil" not in login.headers["location"]
    back = await http.get(login.headers["location"], follow_redirects=False)
    callback = await http.get(f"{back.headers['location']}&{name}=https://evil.example.com", follow_redirects=False)

    assert "/console" == callback.headers["location"]


async def test_the_host_of_the_request_does_not_say_where_the_provider_sends_people(http: httpx.AsyncClient) -> None:
    headers = {"host": "evil.example.com", "x-forwarded-host": "evil.example.com", "x-forwarded-proto": "http"}
    login = await http.get("/auth/operator/login", headers=headers, follow_redirects=False)

    assert "redirect_uri=https%3A%2F%2Fservice.test%2Fauth" in login.headers["location"]


# --------------------------------------------------------------------------------- requests of others

FOREIGN: dict[str, dict[str, str]] = {
    "no origin": {"x-requested-with": "fetch"},
    "a foreign origin": {**OURS, "origin": "https://evil.example.com"},
    "an origin that begins like ours": {**OURS, "origin": f"{SERVICE}.evil.example.com"},
    "our host without TLS": {**OURS, "origin": "http://service.test"},
    "our host on another port": {**OURS, "origin": f"{SERVICE}:8443"},
    "a sandboxed page": {**OURS, "origin": "null"},
    "a star": {**OURS, "origin": "*"},
    "an empty origin": {**OURS, "origin": ""},
    "a form": {"origin": SERVICE},
    "an empty header": {**OURS, "x-requested-with": ""},
}


@pytest.mark.parametrize("route", ["token", "logout"])
@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_pages_of_others_get_no_token_and_sign_nobody_out(
    http: httpx.AsyncClient, sessions: SessionsDouble, route: str, headers: dict[str, str]
) -> None:
    await http.get("/auth/operator/login")
    before = dict(sessions.good)
    answer = await http.post(f"/auth/operator/{route}", headers=headers)

    assert (403, "FORBIDDEN") == (answer.status_code, answer.json()["code"])
    assert before == sessions.good
    assert {} == cookies_set(answer)


async def test_a_second_origin_does_not_help(http: httpx.AsyncClient, sessions: SessionsDouble) -> None:
    await http.get("/auth/operator/login")
    headers = [("origin", "https://evil.example.com"), ("origin", SERVICE), ("x-requested-with", "fetch")]

    assert 403 == (await http.post("/auth/operator/token", headers=headers)).status_code


@pytest.mark.parametrize("route", ["token", "logout"])
async def test_a_link_does_nothing(http: httpx.AsyncClient, route: str) -> None:
    assert 405 == (await http.get(f"/auth/operator/{route}", headers=OURS)).status_code


async def test_a_console_on_another_host_of_the_site_may_ask(http: httpx.AsyncClient) -> None:
    console = "https://console.service.test"
    preflight = {
        "origin": console,
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-requested-with",
    }
    allowed = await http.options("/auth/operator/token", headers=preflight)
    await http.get("/auth/operator/login")
    answer = await http.post("/auth/operator/token", headers={**OURS, "origin": console})

    assert 200 == allowed.status_code == answer.status_code
    for each in (allowed, answer):
        assert (console, "true") == (
            each.headers["access-control-allow-origin"],
            each.headers["access-control-allow-credentials"],
        )


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null"])
async def test_scripts_of_others_may_not_even_ask(http: httpx.AsyncClient, origin: str) -> None:
    """
    The star of a development configuration names nobody where cookies are concerned.
    """
    preflight = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-requested-with",
    }
    answer = await http.options("/auth/operator/token", headers=preflight)

    assert 400 == answer.status_code
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("https://Service.test:443/x/", "https://service.test"),
        ("https://service.test:8443", "https://service.test:8443"),
        ("http://127.0.0.1:8084", "http://127.0.0.1:8084"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_our_own_origin_is_written_as_browsers_write_it(public_url: str, origin: str) -> None:
    assert frozenset({origin}) == replace(CONSOLE, public_url=public_url, allowed_origins=[]).origins


# ------------------------------------------------------------------------------------- when it is over


async def test_who_is_not_signed_in_is_told_to(http: httpx.AsyncClient) -> None:
    answer = await http.post("/auth/operator/token", headers=OURS)

    assert (401, "UNAUTHENTICATED") == (answer.status_code, answer.json()["code"])
    assert "no-store" == answer.headers["cache-control"]


async def test_a_session_that_is_over_takes_its_cookie_along(http: httpx.AsyncClient, sessions: SessionsDouble) -> None:
    await http.get("/auth/operator/login")
    sessions.good.clear()
    answer = await http.post("/auth/operator/token", headers=OURS)

    assert (401, "UNAUTHENTICATED") == (answer.status_code, answer.json()["code"])
    assert "max-age=0" in cookies_set(answer)[COOKIE]


@pytest.mark.parametrize("route", ["token", "logout"])
async def test_an_outage_of_ours_costs_nobody_the_cookie(http: httpx.AsyncClient, sessions: SessionsDouble, route: str) -> None:
    await http.get("/auth/operator/login")
    sessions.down = True
    answer = await http.post(f"/auth/operator/{route}", headers=OURS)

    assert (503, "UNAVAILABLE", {}) == (answer.status_code, answer.json()["code"], cookies_set(answer))


async def test_an_outage_of_ours_during_sign_in_is_said(http: httpx.AsyncClient, sessions: SessionsDouble) -> None:
    sessions.down = True

    assert "database" in await refused(http, sessions, await to_the_callback(http), 503)


# -------------------------------------------------------------------------- a provider that misbehaves

DISCOVERIES: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example.com"},
    "no issuer": {"issuer": None},
    "no token endpoint": {"token_endpoint": None},
    "keys from a file": {"jwks_uri": "file:///etc/passwd"},
    "an address that is none": {"authorization_endpoint": ["https://a"]},
}


@pytest.mark.parametrize("discovery", DISCOVERIES.values(), ids=DISCOVERIES)
async def test_a_description_that_cannot_be_trusted_is_not_used(
    http: httpx.AsyncClient, provider: IdentityProvider, discovery: dict[str, Any]
) -> None:
    provider.discovery = discovery

    assert 503 == (await http.get("/auth/operator/login", follow_redirects=False)).status_code


async def test_what_else_a_description_holds_configures_nothing(http: httpx.AsyncClient, provider: IdentityProvider) -> None:
    """
    Authlib alone hands all of it to its HTTP client: a proxy, a base address, no TLS.
    """
    provider.discovery = {"proxy": "http://127.0.0.1:1", "verify": False, "scope": "openid everything", "base_url": "http://x"}

    assert 303 == (await http.get(await to_the_callback(http), follow_redirects=False)).status_code
    assert "openid email" == provider.asked["scope"]


async def test_a_provider_that_wants_the_secret_in_the_body_gets_it_there(
    http: httpx.AsyncClient, provider: IdentityProvider
) -> None:
    provider.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    # The test's provider wants it in the header, whatever it says.
    assert 401 == (await http.get(await to_the_callback(http), follow_redirects=False)).status_code


def sent_at_once(content: Any) -> Callable[[], Response]:
    return lambda: JSONResponse(content)


NONSENSE: dict[str, Callable[[], Response]] = {
    "status 500": lambda: PlainTextResponse("no", 500),
    "garbage": lambda: PlainTextResponse("<html>"),
    "a list": sent_at_once([]),
    "no ID token": sent_at_once({"access_token": "theirs", "token_type": "Bearer"}),
    "claims instead of an ID token": sent_at_once(
        {
            "access_token": "theirs",
            "token_type": "Bearer",
            "userinfo": {"sub": "ada", "seller_id": "acme", "roles": ["support"]},
        }
    ),
    "nothing": lambda: Response(b""),
}


@pytest.mark.parametrize("token", NONSENSE.values(), ids=NONSENSE)
async def test_a_provider_that_talks_nonsense_signs_nobody_in(
    http: httpx.AsyncClient, provider: IdentityProvider, sessions: SessionsDouble, token: Callable[[], Response]
) -> None:
    provider.token = token

    await refused(http, sessions, await to_the_callback(http), 503)


@pytest.mark.parametrize("content", [None, [], {}, {"keys": 5}, {"keys": [5]}, {"keys": [{"kty": "EC"}]}], ids=str)
async def test_keys_that_are_none_sign_nobody_in(
    http: httpx.AsyncClient, provider: IdentityProvider, sessions: SessionsDouble, content: Any
) -> None:
    provider.jwks = sent_at_once(content)
    answer = await http.get(await to_the_callback(http), follow_redirects=False)

    assert answer.status_code in {401, 503}
    assert [] == sessions.started


async def test_a_provider_that_does_not_answer_is_said_to_be_down(sessions: SessionsDouble) -> None:
    registration = ProviderRegistration(
        discovery_url="http://127.0.0.1:1/.well-known/openid-configuration", client_id="a", client_secret="canary"
    )
    mapping = ClaimMapping(issuer="a", kind=PrincipalKind.OPERATOR, granted=OPERATOR_SCOPES)
    async with open_client() as client:
        mount = operator_sign_in(OpenIdProvider(registration, client), mapping, sessions, CONSOLE)
        async with browser_at(Starlette(routes=[mount])) as http:
            answers = [await http.get(f"/auth/operator/{route}") for route in ("login", "callback")]

    assert [503, 503] == [answer.status_code for answer in answers]
    assert "canary" not in repr(registration)


async def test_a_key_that_the_provider_has_changed_is_fetched(
    http: httpx.AsyncClient, provider: IdentityProvider, sessions: SessionsDouble
) -> None:
    await http.get("/auth/operator/login")
    provider.key = ECKey.generate_key("P-256", auto_kid=True)
    await http.get("/auth/operator/login")

    assert 2 == len(sessions.started) == provider.jwks_calls


async def test_a_key_that_the_provider_has_withdrawn_is_soon_worth_nothing(
    http: httpx.AsyncClient, provider: IdentityProvider, sessions: SessionsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Authlib alone keeps keys until it meets a name that it does not know.
    """
    await http.get("/auth/operator/login")
    sessions.started.clear()
    monkeypatch.setattr("rest.openid_provider._FRESH_SECONDS", 0.0)
    provider.jwks = lambda: JSONResponse(published(STRANGER))

    assert NOBODY == await refused(http, sessions, await to_the_callback(http))


async def test_two_keys_of_the_provider_are_told_apart_by_name(http: httpx.AsyncClient, provider: IdentityProvider) -> None:
    provider.jwks = lambda: JSONResponse(published(STRANGER, provider.key))

    assert 303 == (await http.get(await to_the_callback(http), follow_redirects=False)).status_code
