"""POST /api/v1/pusher/auth: whose pages may subscribe to what."""

import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from app.bearer import BearerReader
from app.container import Container
from app.keys import token_verifier
from app.pusher_auth import open_pusher_auth
from app.sections import PusherSettings
from app.settings import Settings
from app.verifiers import Verifiers
from auth.principal import Scope
from core.clock import SystemClock
from core.ids import IdKind, new_id
from tests.api import BASE, Api, Tokens, fresh
from tests.graphql.imports import csv, upload
from tests.pusher_server import APP_ID, KEY, SECRET

PATH = "/api/v1/pusher/auth"
SOCKET = "1234.5678"
PAGES = "https://shop.example.com"
ORDERED = [Scope.CUSTOMERS_READ, Scope.IMPORTS_READ]


@pytest_asyncio.fixture(name="pages")
async def _pages(container: Container, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An application that has Pusher, on the tests' own database."""
    on = settings.model_copy(
        update={
            "pusher": PusherSettings.model_validate({"app_id": APP_ID, "key": KEY, "secret": SECRET}),
            "server": settings.server.model_copy(update={"allowed_origins": [PAGES]}),
        }
    )
    bearer = BearerReader(Verifiers(token_verifier(settings, SystemClock())), container.revocations, container.activity)
    app = FastAPI()
    async with open_pusher_auth(on, bearer) as routes:
        app.include_router(routes)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as client:
            yield client


async def ask(pages: httpx.AsyncClient, channel: str, token: str | None, **more: Any) -> httpx.Response:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return await pages.post(PATH, data={"socket_id": SOCKET, "channel_name": channel}, headers=headers | more)


def let_in(answer: httpx.Response, channel: str) -> None:
    """Check that a page may subscribe, with the signature that Pusher documents."""
    signature = hmac.new(SECRET.encode(), f"{SOCKET}:{channel}".encode(), hashlib.sha256).hexdigest()
    assert (200, {"auth": f"{KEY}:{signature}"}) == (answer.status_code, answer.json())
    assert "no-store" == answer.headers["cache-control"]


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Check that a page gets a reason and no signature."""
    body = answer.json()
    assert (status, code, status) == (answer.status_code, body["code"], body["status"]), body
    assert "application/problem+json" == answer.headers["content-type"]
    assert KEY not in answer.text
    assert (401 == status) == ("www-authenticate" in answer.headers)


async def test_staff_follow_their_own_seller(pages: httpx.AsyncClient, tokens: Tokens, seller: str) -> None:
    let_in(await ask(pages, f"private-seller-{seller}", tokens.operator(seller)), f"private-seller-{seller}")


async def test_services_that_may_act_for_every_seller_follow_any(pages: httpx.AsyncClient, tokens: Tokens, seller: str) -> None:
    let_in(await ask(pages, f"private-seller-{seller}", tokens.service()), f"private-seller-{seller}")


async def test_another_sellers_channel_is_refused(pages: httpx.AsyncClient, tokens: Tokens, seller: str) -> None:
    refused(await ask(pages, f"private-seller-{fresh('seller')}", tokens.operator(seller)), 403, "FORBIDDEN")


async def test_customers_follow_nobody(pages: httpx.AsyncClient, tokens: Tokens, seller: str) -> None:
    """
    A seller's channel tells of all its customers.
    """
    token = tokens.customer(new_id(IdKind.CUSTOMER), seller)

    refused(await ask(pages, f"private-seller-{seller}", token), 403, "FORBIDDEN")


@pytest.mark.parametrize("missing", ORDERED)
async def test_a_sellers_channel_takes_both_scopes(
    pages: httpx.AsyncClient, tokens: Tokens, seller: str, missing: Scope
) -> None:
    channel = f"private-seller-{seller}"

    let_in(await ask(pages, channel, tokens.operator(seller, ORDERED)), channel)
    refused(await ask(pages, channel, tokens.operator(seller, set(ORDERED) - {missing})), 403, "FORBIDDEN")


async def test_an_import_is_followed_by_its_sellers_staff_alone(
    pages: httpx.AsyncClient, tokens: Tokens, seller: str, execute: Api
) -> None:
    """
    Another seller's, and one that never was, are refused in the same words.
    """
    channel = f"private-import-{await upload(execute, csv(1))}"
    nowhere = f"private-import-{new_id(IdKind.BULK_IMPORT)}"
    stranger = tokens.operator(fresh("seller"))

    let_in(await ask(pages, channel, tokens.operator(seller, [Scope.IMPORTS_READ])), channel)
    let_in(await ask(pages, channel, tokens.service()), channel)
    strange, unknown = await ask(pages, channel, stranger), await ask(pages, nowhere, stranger)
    refused(strange, 403, "FORBIDDEN")
    refused(await ask(pages, channel, tokens.operator(seller, [Scope.CUSTOMERS_READ])), 403, "FORBIDDEN")
    assert strange.content == unknown.content


@pytest.mark.parametrize(
    "channel",
    ["private-seller-", "private-", "private-other-{}", "presence-seller-{}", "seller-{}", "private-encrypted-seller-{}",
     "private-import-{}", "private-import-imp_1", "private-seller-{}.", "private-seller-{};x"],
)  # fmt: skip
async def test_there_are_no_other_channels(pages: httpx.AsyncClient, tokens: Tokens, seller: str, channel: str) -> None:
    refused(await ask(pages, channel.format(seller), tokens.operator(seller)), 403, "FORBIDDEN")


async def test_nobody_is_asked_for_a_token(pages: httpx.AsyncClient, seller: str) -> None:
    refused(await ask(pages, f"private-seller-{seller}", None), 401, "UNAUTHENTICATED")
    refused(await ask(pages, f"private-seller-{seller}", "made.up.token"), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"socket_id=1234.5678",
        b"channel_name=private-seller-demo",
        b"socket_id=1234&channel_name=private-seller-demo",
        b"socket_id=1234.5678%3Aprivate-seller-demo&channel_name=x",
        b"socket_id=1234.5678&socket_id=1.1&channel_name=private-seller-demo",
        b"socket_id=1234.5678&channel_name=private-seller-demo%3Aextra",
        b"socket_id=1234.5678&channel_name=" + b"x" * 201,
        b"socket_id=%FF.1&channel_name=\xff",
        b"&".join(b"a%d=1" % number for number in range(21)),
    ],
)
async def test_a_form_that_names_no_socket_and_channel_is_refused(
    pages: httpx.AsyncClient, tokens: Tokens, seller: str, form: bytes
) -> None:
    """
    Nothing is ever signed but one socket and one channel: a colon would smuggle something else into the signature.
    """
    headers = {"authorization": f"Bearer {tokens.operator(seller)}", "content-type": "application/x-www-form-urlencoded"}

    refused(await pages.post(PATH, content=form, headers=headers), 400, "BAD_USER_INPUT")


async def test_only_small_forms_are_read(pages: httpx.AsyncClient, tokens: Tokens, seller: str) -> None:
    headers = {"authorization": f"Bearer {tokens.operator(seller)}"}
    form = {**headers, "content-type": "application/x-www-form-urlencoded"}

    refused(await pages.post(PATH, json={"socket_id": SOCKET}, headers=headers), 415, "BAD_USER_INPUT")
    refused(await pages.post(PATH, content=b"x" * 5000, headers=form), 413, "BAD_USER_INPUT")


async def test_pages_of_allowed_origins_may_ask_and_others_not(pages: httpx.AsyncClient) -> None:
    wanted = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}

    ours = await pages.options(PATH, headers={"origin": PAGES, **wanted})
    theirs = await pages.options(PATH, headers={"origin": "https://elsewhere.example", **wanted})

    assert (200, PAGES) == (ours.status_code, ours.headers["access-control-allow-origin"])
    assert "access-control-allow-origin" not in theirs.headers


async def test_where_pusher_is_off_there_is_nothing_to_ask(http: httpx.AsyncClient, tokens: Tokens, seller: str) -> None:
    answer = await http.post(PATH, headers={"authorization": f"Bearer {tokens.operator(seller)}"})

    assert 404 == answer.status_code
