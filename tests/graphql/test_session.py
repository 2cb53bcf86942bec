"""Sign-in and sessions over the API, as a front end meets them."""

import asyncio
import time

import httpx
import pytest

from app.container import Container
from core.ids import IdKind, new_id
from tests.api import Api, Json, Tokens, codes, some_email
from tests.graphql.imports import finished, start
from tests.graphql.operations import BERLIN, DELETE, UPDATE, create, payload
from tests.outbox import Outbox

REQUEST = """mutation($seller: ID!, $channel: OtpChannel!, $to: String!) {
  requestOtp(sellerId: $seller, channel: $channel, destination: $to) {
    challengeId expiresIn resendAfter userErrors { code message field } } }"""
LOGIN = """mutation($challenge: ID!, $code: String!) { login(challengeId: $challenge, code: $code) {
    tokens { accessToken refreshToken tokenType expiresIn sessionId }
    customer { id emailVerified addresses { city } documents { type } } userErrors { code message field } } }"""
REFRESH = """mutation($token: String!) { refreshTokens(refreshToken: $token) {
    tokens { accessToken refreshToken tokenType expiresIn sessionId } customer { id } userErrors { code message field } } }"""
LOGOUT = "mutation($all: Boolean) { logout(everywhere: $all) { revokedSessionIds userErrors { code } } }"
REVOKE = "mutation($id: ID!) { revokeSession(id: $id) { revokedSessionIds userErrors { code field } } }"
SESSIONS = "{ sessions { id createdAt lastSeenAt expiresAt userAgent ipAddress current } }"
VIEWER = "{ viewer { kind subject sellerId scopes customer { id } } me { id } }"


async def signed_in(execute: Api, outbox: Outbox, seller: str, email: str) -> Json:
    """Sign a customer in; return the payload of ``login``."""
    asked = await payload(execute, REQUEST, {"seller": seller, "channel": "EMAIL", "to": email}, as_=None)
    assert [] == asked["userErrors"]
    code = await outbox.code(asked["challengeId"])
    return await payload(execute, LOGIN, {"challenge": asked["challengeId"], "code": code}, as_=None)


async def until_refused(http: httpx.AsyncClient, token: str) -> None:
    """Call until the token is refused."""
    begun = time.monotonic()
    while time.monotonic() - begun < 20:
        answer = await http.post("/graphql", json={"query": VIEWER}, headers={"authorization": f"Bearer {token}"})
        if answer.status_code == 401:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the token still holds after 20 seconds")


async def test_a_customer_signs_in_and_is_itself(execute: Api, outbox: Outbox, seller: str) -> None:
    me = await create(execute, addresses=[BERLIN], documents=[{"type": "PASSPORT"}])

    entered = await signed_in(execute, outbox, seller, me["email"])

    assert {
        "id": me["id"],
        "emailVerified": True,
        "addresses": [{"city": "Berlin"}],
        "documents": [{"type": "PASSPORT"}],
    } == entered["customer"]
    tokens = entered["tokens"]
    assert ("Bearer", 600) == (tokens["tokenType"], tokens["expiresIn"])
    seen = await execute.data(VIEWER, as_=tokens["accessToken"])
    assert {
        "viewer": {
            "kind": "CUSTOMER",
            "subject": me["id"],
            "sellerId": seller,
            "scopes": ["customers:read", "customers:write", "documents:read", "documents:write", "privacy:export"],
            "customer": {"id": me["id"]},
        },
        "me": {"id": me["id"]},
    } == seen


async def test_the_code_is_sent_once_to_the_customer_and_to_nobody_else(execute: Api, outbox: Outbox, seller: str) -> None:
    me = await create(execute)
    asked = [
        await payload(execute, REQUEST, {"seller": seller, "channel": "EMAIL", "to": to}, as_=None)
        for to in (some_email(), me["email"].upper())
    ]

    await outbox.code(asked[1]["challengeId"])

    (message,) = outbox.messages(asked[1]["challengeId"])
    assert (seller, "EMAIL", me["email"]) == (message["seller_id"], message["channel"], message["destination"])
    assert [] == outbox.messages(asked[0]["challengeId"])
    assert {key: value for key, value in asked[0].items() if key != "challengeId"} == {
        key: value for key, value in asked[1].items() if key != "challengeId"
    }


async def test_tokens_are_refreshed_and_the_session_goes_on(execute: Api, outbox: Outbox, seller: str) -> None:
    me = await create(execute)
    entered = await signed_in(execute, outbox, seller, me["email"])

    on = await payload(execute, REFRESH, {"token": entered["tokens"]["refreshToken"]}, as_=None)

    assert {"id": me["id"]} == on["customer"]
    assert entered["tokens"]["sessionId"] == on["tokens"]["sessionId"]
    (session,) = (await execute.data(SESSIONS, as_=on["tokens"]["accessToken"]))["sessions"]
    assert session["current"]
    assert on["tokens"]["sessionId"] == session["id"]
    assert session["userAgent"].startswith("python-httpx/")


async def test_a_session_is_current_for_its_own_token_only(execute: Api, outbox: Outbox, tokens: Tokens, seller: str) -> None:
    me = await create(execute)
    mine = (await signed_in(execute, outbox, seller, me["email"]))["tokens"]["accessToken"]

    current = [(await execute.data(SESSIONS, as_=one))["sessions"] for one in (mine, tokens.customer(me["id"], seller))]

    assert [[True], [False]] == [[session["current"] for session in sessions] for sessions in current]


async def test_a_bad_refresh_token_is_an_error_to_show(execute: Api) -> None:
    refused = await payload(execute, REFRESH, {"token": "rt_nonsense"}, as_=None)

    assert [("INVALID", ["refreshToken"])] == codes(refused)
    assert refused["tokens"] is refused["customer"] is None


async def test_too_soon_says_how_long_to_wait(execute: Api, seller: str) -> None:
    to = {"seller": seller, "channel": "EMAIL", "to": some_email()}
    await payload(execute, REQUEST, to, as_=None)

    again = await payload(execute, REQUEST, to, as_=None)

    assert [("TOO_MANY_ATTEMPTS", None)] == codes(again)
    assert again["resendAfter"] in {29, 30}
    assert again["challengeId"] is None


async def test_logging_out_holds_everywhere_within_five_seconds(
    execute: Api, http: httpx.AsyncClient, outbox: Outbox, seller: str
) -> None:
    me = await create(execute)
    tokens = (await signed_in(execute, outbox, seller, me["email"]))["tokens"]

    ended = await payload(execute, LOGOUT, {}, as_=tokens["accessToken"])

    assert [tokens["sessionId"]] == ended["revokedSessionIds"]
    await until_refused(http, tokens["accessToken"])
    assert [("INVALID", ["refreshToken"])] == codes(
        await payload(execute, REFRESH, {"token": tokens["refreshToken"]}, as_=None)
    )


@pytest.mark.parametrize("end", ["suspend", "delete"])
@pytest.mark.parametrize("token", ["of a session", "made by hand"])
async def test_a_customer_that_may_no_longer_is_out_within_seconds(
    execute: Api, http: httpx.AsyncClient, outbox: Outbox, tokens: Tokens, seller: str, end: str, token: str
) -> None:
    me = await create(execute)
    if token == "made by hand":
        mine = tokens.customer(me["id"], seller)
        await asyncio.sleep(1.1)  # tokens say the second they were made in
    else:
        mine = (await signed_in(execute, outbox, seller, me["email"]))["tokens"]["accessToken"]
    await execute.data(VIEWER, as_=mine)

    if end == "suspend":
        await execute.data(UPDATE, {"id": me["id"], "patch": {"status": "SUSPENDED"}})
    else:
        await execute.data(DELETE, {"id": me["id"]})

    await until_refused(http, mine)


async def test_a_customer_sees_and_ends_its_own_sessions_only(
    execute: Api, outbox: Outbox, tokens: Tokens, seller: str
) -> None:
    me, other = await create(execute), await create(execute)
    mine = (await signed_in(execute, outbox, seller, me["email"]))["tokens"]
    theirs = (await signed_in(execute, outbox, seller, other["email"]))["tokens"]

    for id_ in (theirs["sessionId"], new_id(IdKind.SESSION)):
        answer = await payload(execute, REVOKE, {"id": id_}, as_=mine["accessToken"])
        assert {"revokedSessionIds": [], "userErrors": [{"code": "NOT_FOUND", "field": ["id"]}]} == answer
        for viewer in (mine["accessToken"], None, tokens.service()):
            query = "query($id: ID!) { node(id: $id) { id } }"
            if viewer is not None:
                assert {"node": None} == await execute.data(query, {"id": id_}, as_=viewer or "")
    own = await execute.data("query($id: ID!) { node(id: $id) { id } }", {"id": mine["sessionId"]}, as_=mine["accessToken"])
    assert {"node": {"id": mine["sessionId"]}} == own
    assert [mine["sessionId"]] == [one["id"] for one in (await execute.data(SESSIONS, as_=mine["accessToken"]))["sessions"]]
    ended = await payload(execute, REVOKE, {"id": mine["sessionId"]}, as_=mine["accessToken"])
    assert [mine["sessionId"]] == ended["revokedSessionIds"]


@pytest.mark.parametrize("operation", [LOGOUT, SESSIONS], ids=["logout", "sessions"])
async def test_what_is_about_your_session_needs_a_token(execute: Api, operation: str) -> None:
    assert "UNAUTHENTICATED" == await execute.code(operation, as_=None)


async def test_last_use_is_written_down(execute: Api, outbox: Outbox, seller: str, container: Container) -> None:
    me = await create(execute)
    tokens = (await signed_in(execute, outbox, seller, me["email"]))["tokens"]
    before = (await execute.data(SESSIONS, as_=tokens["accessToken"]))["sessions"][0]["lastSeenAt"]

    await container.activity.write()

    after = (await execute.data(SESSIONS, as_=tokens["accessToken"]))["sessions"][0]["lastSeenAt"]
    assert after > before


async def test_a_seller_signs_in_its_own_customers_only(execute: Api, outbox: Outbox, tokens: Tokens, seller: str) -> None:
    """
    The same address with two sellers is two customers; a code of one opens nothing at the other.
    """
    email, neighbour = some_email(), f"{seller}-2"
    mine = await create(execute, email=email)
    theirs = await create(execute, as_=tokens.operator(neighbour), email=email)

    entered = await signed_in(execute, outbox, seller, email)
    there = await signed_in(execute, outbox, neighbour, email)

    assert (mine["id"], theirs["id"]) == (entered["customer"]["id"], there["customer"]["id"])
    found = await execute.data(
        "query($id: ID!) { customer(id: $id) { id } }", {"id": theirs["id"]}, as_=entered["tokens"]["accessToken"]
    )
    assert {"customer": None} == found


async def test_a_customer_that_an_import_suspends_is_out_as_well(
    execute: Api, http: httpx.AsyncClient, outbox: Outbox, import_worker: None, seller: str
) -> None:
    me = await create(execute, externalId="E-1")
    mine = (await signed_in(execute, outbox, seller, me["email"]))["tokens"]

    id_ = await start(execute, b"external_id,status\nE-1,SUSPENDED\n", mode="UPSERT")

    assert 1 == (await finished(execute, id_))["updatedRows"]
    await until_refused(http, mine["accessToken"])
