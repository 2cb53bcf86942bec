"""POST /api/v1/auth/access_token: who gets a token for a program, and that nothing else ever happens."""

import base64
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import httpx2
import pytest
import pytest_asyncio
from authlib.integrations.httpx_client import AsyncOAuth2Client
from fastapi import FastAPI

from app.container import Container
from app.keys import token_issuer, token_verifier
from app.settings import Settings
from auth.limits import Limit
from auth.principal import SERVICE_SCOPES, Scope
from core.clock import SystemClock
from core.errors import RateLimited, Unavailable
from core.vocabulary import PrincipalKind
from rest.token import Admit, token_router
from rest.well_known import METADATA_PATH, TOKEN_PATH
from services.service_client import KnownClient, NewSecret
from tests.api import BASE, fresh

GRANT = {"grant_type": "client_credentials"}
FORM = "application/x-www-form-urlencoded"
VIEWER = "{ viewer { kind subject scopes } }"


@pytest_asyncio.fixture(name="client")
async def _client(container: Container) -> NewSecret:
    """A client that may act for every seller."""
    return await container.clients.create("oms")


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def in_form(client: NewSecret) -> dict[str, str]:
    return {"client_id": client.client.id, "client_secret": client.secret}


def refused(answer: httpx.Response, status: int, error: str) -> None:
    """Check the shape that every refusal has."""
    body = answer.json()
    assert (status, error) == (answer.status_code, body["error"]), body
    assert {"error", "error_description"} == set(body)
    assert all(letter.isascii() and letter.isprintable() and letter not in '"\\' for letter in body["error_description"])
    assert "no-store" == answer.headers["cache-control"]
    assert (status == 401) == ("www-authenticate" in answer.headers)
    assert answer.headers.get("www-authenticate", "Basic ").startswith("Basic ")


@pytest.mark.parametrize("way", ["basic", "form", "both ids"])
async def test_a_client_gets_a_token_for_itself(
    http: httpx.AsyncClient, client: NewSecret, settings: Settings, way: str
) -> None:
    id_ = client.client.id
    headers = {} if way == "form" else basic(id_, client.secret)
    body = {"basic": GRANT, "form": GRANT | in_form(client), "both ids": GRANT | {"client_id": id_}}[way]

    answer = await http.post(TOKEN_PATH, data=body, headers=headers)

    assert 200 == answer.status_code
    assert ("no-store", "no-cache") == (answer.headers["cache-control"], answer.headers["pragma"])
    said = answer.json()
    assert {"access_token", "token_type", "expires_in", "scope"} == set(said)
    assert ("Bearer", 600) == (said["token_type"], said["expires_in"])
    found = token_verifier(settings, SystemClock()).verify(said["access_token"])
    assert (PrincipalKind.SERVICE, id_, None) == (found.principal.kind, found.principal.subject, found.principal.seller_id)
    assert SERVICE_SCOPES == found.principal.scopes == {Scope(word) for word in said["scope"].split()}
    assert timedelta(minutes=10) == found.lifetime


async def test_authlibs_own_client_gets_a_token_and_calls_graphql(
    app: FastAPI, http: httpx.AsyncClient, client: NewSecret
) -> None:
    """
    What the metadata promises is enough for a client that has never heard of us.
    """
    metadata = (await http.get(METADATA_PATH)).json()
    transport = httpx2.ASGITransport(app=app)
    async with AsyncOAuth2Client(
        client.client.id, client.secret, scope="customers:read imports:read", base_url=BASE, transport=transport
    ) as oauth:
        await oauth.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
        answer = await oauth.post("/graphql", json={"query": VIEWER})

    expected = {"kind": "SERVICE", "subject": client.client.id, "scopes": ["customers:read", "imports:read"]}
    assert {"viewer": expected} == answer.json()["data"]


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        (None, {"customers:read", "imports:read"}),
        ("", {"customers:read", "imports:read"}),
        ("customers:read", {"customers:read"}),
        ("imports:read  customers:read", {"customers:read", "imports:read"}),
    ],
)
async def test_a_client_gets_what_it_asks_for_of_what_it_may_have(
    http: httpx.AsyncClient, container: Container, settings: Settings, scope: str | None, granted: set[str]
) -> None:
    made = await container.clients.create("oms", scopes=[Scope.CUSTOMERS_READ, Scope.IMPORTS_READ])

    body = GRANT | in_form(made) | ({} if scope is None else {"scope": scope})
    said = (await http.post(TOKEN_PATH, data=body)).json()

    assert granted == set(said["scope"].split())
    assert granted == {
        one.value for one in token_verifier(settings, SystemClock()).verify(said["access_token"]).principal.scopes
    }


@pytest.mark.parametrize(
    "scope",
    ["customers:write", "customers:read customers:write", "admin", "*", "CUSTOMERS:READ", "customers:read\timports:read"],
)
async def test_a_scope_too_many_is_refused_as_a_whole(http: httpx.AsyncClient, container: Container, scope: str) -> None:
    made = await container.clients.create("oms", scopes=[Scope.CUSTOMERS_READ, Scope.IMPORTS_READ])

    refused(await http.post(TOKEN_PATH, data=GRANT | in_form(made) | {"scope": scope}), 400, "invalid_scope")


async def test_a_client_of_one_seller_reaches_no_other(
    http: httpx.AsyncClient, container: Container, settings: Settings
) -> None:
    seller = fresh("seller")
    made = await container.clients.create("oms", seller_id=seller)

    token = (await http.post(TOKEN_PATH, data=GRANT | in_form(made))).json()["access_token"]

    assert seller == token_verifier(settings, SystemClock()).verify(token).principal.seller_id


Wrong = Callable[[NewSecret], dict[str, str]]


@pytest.mark.parametrize("way", ["basic", "form"])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda client: {"client_id": client.client.id, "client_secret": "wrong"},
        lambda client: {"client_id": client.client.id, "client_secret": client.secret[:-1]},
        lambda client: {"client_id": client.client.id, "client_secret": client.secret + "="},
        lambda client: {"client_id": client.client.id, "client_secret": client.client.secrets[0]},
        lambda client: {"client_id": client.client.id.upper(), "client_secret": client.secret},
        lambda client: {"client_id": "cli_000000000000000000000000", "client_secret": client.secret},
        lambda client: {"client_id": "oms", "client_secret": client.secret},
        lambda client: {"client_id": "x" * 300, "client_secret": client.secret},
        lambda client: {"client_id": "\x00", "client_secret": "\x00"},
        lambda client: {"client_id": "ключ", "client_secret": "пароль"},
    ],
    ids=["wrong", "cut", "longer", "its digest", "upper case", "unknown", "its name", "long id", "NUL", "Cyrillic"],
)
async def test_wrong_credentials_are_all_refused_alike(
    http: httpx.AsyncClient, client: NewSecret, wrong: Wrong, way: str
) -> None:
    credentials = wrong(client)
    headers = basic(*credentials.values()) if way == "basic" else {}

    answer = await http.post(TOKEN_PATH, data=GRANT if headers else GRANT | credentials, headers=headers)

    refused(answer, 401, "invalid_client")
    assert "The client id or the secret is wrong, or the client is disabled." == answer.json()["error_description"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic Y2xp",  # no colon
        "Basic Og==",  # empty id and secret
        "Basic Y2xpOg==",  # no secret
        "Basic /zr/",  # not UTF-8
        "Basic JWZmOmE=",  # not UTF-8 once percent-decoded
        "Basic a b c",
        b"Basic \xff\xfe",
        "Bearer abc",
        "Digest username=a",
        "basic",
    ],
    ids=repr,
)
async def test_a_header_that_names_nobody_is_refused(http: httpx.AsyncClient, header: str | bytes) -> None:
    headers = [(b"authorization", header.encode() if isinstance(header, str) else header)]

    refused(await http.post(TOKEN_PATH, data=GRANT, headers=headers), 401, "invalid_client")


async def test_no_credentials_are_refused(http: httpx.AsyncClient) -> None:
    refused(await http.post(TOKEN_PATH, data=GRANT), 401, "invalid_client")


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({"grant_type": 'é"\n'}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, 400, "invalid_request"),
        ({"scope": ["customers:read", "customers:write"]}, 400, "invalid_request"),
        ({f"p{number}": "" for number in range(20)}, 400, "invalid_request"),
    ],
    ids=["password", "refresh", "not ASCII", "empty", "grant twice", "scope twice", "many fields"],
)
async def test_other_requests_of_a_known_client_are_refused(
    http: httpx.AsyncClient, client: NewSecret, changes: dict[str, Any], status: int, error: str
) -> None:
    refused(await http.post(TOKEN_PATH, data=GRANT | in_form(client) | changes), status, error)


@pytest.mark.parametrize("extra", [{"client_secret": "x"}, {"client_id": "another"}], ids=["two secrets", "two ids"])
async def test_two_ways_to_authenticate_are_one_too_many(
    http: httpx.AsyncClient, client: NewSecret, extra: dict[str, str]
) -> None:
    headers = basic(client.client.id, client.secret)

    refused(await http.post(TOKEN_PATH, data=GRANT | extra, headers=headers), 400, "invalid_request")


async def test_two_headers_are_one_too_many(http: httpx.AsyncClient, client: NewSecret) -> None:
    headers = [*basic(client.client.id, client.secret).items()] * 2

    refused(await http.post(TOKEN_PATH, data=GRANT, headers=headers), 400, "invalid_request")


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"content-type": "application/ld+json"}, 415),
        (b"grant_type=client_credentials", {}, 415),
        (b"grant_type=client_credentials", {"content-type": "multipart/form-data; boundary=x"}, 415),
        (b"grant_type=client_credentials", {"content-type": f"{FORM}; charset=utf-16"}, 415),
        (b"\x1f\x8b", {"content-type": FORM, "content-encoding": "gzip"}, 415),
        (b"a" * 1_000_000, {"content-type": FORM}, 413),
        (b"a" * 8193, {"content-type": FORM}, 413),
        (b"\xff\xfe", {"content-type": FORM}, 400),
        (b"a=%ff", {"content-type": FORM}, 400),
        (b"&".join([b"a"] * 21), {"content-type": FORM}, 400),
        (b"\x00=\x00&\x00=", {"content-type": FORM}, 400),
    ],
    ids=[
        "LD", "no type", "multipart", "UTF-16", "compressed", "megabyte", "a byte too long", "not UTF-8", "not UTF-8 decoded",
        "many fields", "NULs",
    ],
)  # fmt: skip
async def test_whatever_arrives_is_refused_in_the_same_shape(
    http: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    refused(await http.post(TOKEN_PATH, content=content, headers=headers), status, "invalid_request")


@pytest.mark.parametrize("content", [b"", b"=", b"&&&", b"%", b"a", b"grant_type", b"=" * 8192], ids=repr)
async def test_a_form_without_credentials_is_nobodys(http: httpx.AsyncClient, content: bytes) -> None:
    refused(await http.post(TOKEN_PATH, content=content, headers={"content-type": FORM}), 401, "invalid_client")


async def test_a_body_that_does_not_say_its_length_is_cut_off(http: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b"a" * 1024

    refused(await http.post(TOKEN_PATH, content=endless(), headers={"content-type": FORM}), 413, "invalid_request")
    assert sent < 12


async def test_a_charset_of_utf8_is_welcome(http: httpx.AsyncClient, client: NewSecret) -> None:
    content = urlencode(GRANT | in_form(client))

    answer = await http.post(TOKEN_PATH, content=content, headers={"content-type": f'{FORM}; charset="UTF-8"'})

    assert 200 == answer.status_code


async def test_a_disabled_client_is_unknown_and_its_tokens_are_void(
    http: httpx.AsyncClient, container: Container, client: NewSecret
) -> None:
    token = (await http.post(TOKEN_PATH, data=GRANT | in_form(client))).json()["access_token"]
    call = {"json": {"query": VIEWER}, "headers": {"authorization": f"Bearer {token}"}}
    assert 200 == (await http.post("/graphql", **call)).status_code  # type: ignore[arg-type]

    await container.clients.disable(client.client.id)
    await container.revocations.look()

    refused(await http.post(TOKEN_PATH, data=GRANT | in_form(client)), 401, "invalid_client")
    assert 401 == (await http.post("/graphql", **call)).status_code  # type: ignore[arg-type]


async def test_neither_secret_nor_token_is_logged(
    http: httpx.AsyncClient, client: NewSecret, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Authlib's own grant writes the token at the level DEBUG.
    """
    with caplog.at_level(logging.DEBUG):
        token = (await http.post(TOKEN_PATH, data=GRANT | in_form(client))).json()["access_token"]

    assert client.secret not in caplog.text
    assert token not in caplog.text


class OneClient:
    """Knows one client, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[str] = []

    async def known(self, client_id: str) -> KnownClient:
        self.asked.append(client_id)
        if self.error is not None:
            raise self.error
        return KnownClient(client_id, (), frozenset())


async def admit_everybody(client_id: str, network: str) -> Callable[[], Awaitable[None]]:
    """Count nothing."""

    async def forgive() -> None: ...

    return forgive


@asynccontextmanager
async def endpoint(settings: Settings, clients: OneClient, admit: Admit = admit_everybody) -> AsyncIterator[httpx.AsyncClient]:
    issue = token_issuer(settings, SystemClock()).issue
    app = FastAPI()
    app.include_router(token_router(clients, issue, lifetime=timedelta(minutes=10), admit=admit))
    transport = httpx.ASGITransport(app=app, client=("2001:db8::7", 1))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


async def test_who_is_not_admitted_is_told_when_to_come_back_and_nothing_is_checked(settings: Settings) -> None:
    attempts = []

    async def admit(client_id: str, network: str) -> Callable[[], Awaitable[None]]:
        attempts.append((client_id, network))
        raise RateLimited(17)

    clients = OneClient()
    async with endpoint(settings, clients, admit) as http:
        answer = await http.post(TOKEN_PATH, data=GRANT, headers=basic("cli_1", "guess"))

    refused(answer, 429, "temporarily_unavailable")
    assert "17" == answer.headers["retry-after"]
    assert [("cli_1", "2001:db8::/64")] == attempts
    assert [] == clients.asked


async def test_a_database_that_does_not_answer_is_said(settings: Settings) -> None:
    async with endpoint(settings, OneClient(Unavailable("The database did not answer in time. Try again."))) as http:
        answer = await http.post(TOKEN_PATH, data=GRANT, headers=basic("cli_1", "guess"))

    refused(answer, 503, "temporarily_unavailable")
    assert "1" == answer.headers["retry-after"]


async def test_an_unknown_client_is_compared_with_as_much_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def compare(_given: str, known: str) -> bool:
        compared.append(known)
        return True

    monkeypatch.setattr("services.service_client.hmac.compare_digest", compare)

    for digests in ((), ("a" * 64,), ("a" * 64, "b" * 64)):
        KnownClient("cli_1", digests, frozenset()).holds("guess")

    assert 6 == len(compared)


async def test_wrong_secrets_are_counted_and_right_ones_are_not(
    container: Container, http: httpx.AsyncClient, client: NewSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.throttling.FAILURES_PER_CLIENT", (Limit(2, timedelta(hours=1)),))

    async def attempt(secret: str) -> int:
        answer = await http.post(TOKEN_PATH, data=GRANT, headers=basic(client.client.id, secret))
        return answer.status_code

    outcomes = [await attempt(secret) for secret in [*[client.secret] * 5, "guess", client.secret, "guess", client.secret]]

    assert [200] * 5 + [401, 200, 401, 429] == outcomes
