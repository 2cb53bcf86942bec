"""Sign-in of customers over REST, and what is refused on the way."""

import asyncio

import httpx
import pytest

from rest.well_known import TOKEN_PATH
from tests.api import Api, Json, some_email
from tests.outbox import Outbox
from tests.rest.calls import Calls, problem, reasons, stored

OTP, LOGIN, LOGOUT = "/api/v1/auth/otp", "/api/v1/auth/login", "/api/v1/auth/logout"


async def asked(rest: Calls, seller: str, email: str) -> str:
    """Ask for a code, and return the id of its challenge."""
    answer = await rest.as_(None).post(OTP, {"sellerId": seller, "channel": "EMAIL", "destination": email})
    assert 202 == answer.status_code, answer.text
    assert {"expiresIn": 300, "resendAfter": 30} == {
        name: value for name, value in answer.json().items() if name != "challengeId"
    }
    return str(answer.json()["challengeId"])


async def signed_in(rest: Calls, outbox: Outbox, seller: str, email: str) -> Json:
    """Sign in, and return the answer."""
    challenge = await asked(rest, seller, email)
    answer = await rest.as_(None).post(LOGIN, {"challengeId": challenge, "code": await outbox.code(challenge)})
    assert 200 == answer.status_code, answer.text
    found: Json = answer.json()
    return found


async def refreshed(rest: Calls, token: str) -> httpx.Response:
    return await rest.as_(None).post(TOKEN_PATH, {"refreshToken": token})


async def test_a_customer_signs_in_and_calls_as_itself(
    rest: Calls, execute: Api, outbox: Outbox, seller: str, ada: Json, customers: str
) -> None:
    entered = await signed_in(rest, outbox, seller, ada["email"].upper())

    assert (ada["id"], True, 1) == (
        entered["customer"]["id"],
        entered["customer"]["emailVerified"],
        len(entered["customer"]["addresses"]),
    )
    tokens = entered["tokens"]
    assert ("Bearer", 600) == (tokens["tokenType"], tokens["expiresIn"])
    itself = rest.as_(tokens["accessToken"])
    assert entered["customer"] == (await itself.get(f"{customers}/{ada['id']}")).json()
    (viewer,) = (await execute.data("{ viewer { subject } }", as_=tokens["accessToken"])).values()
    assert {"subject": ada["id"]} == viewer


async def test_a_session_goes_on_by_its_refresh_token(rest: Calls, outbox: Outbox, seller: str, ada: Json) -> None:
    tokens = (await signed_in(rest, outbox, seller, ada["email"]))["tokens"]

    answer = await refreshed(rest, tokens["refreshToken"])

    assert 200 == answer.status_code, answer.text
    assert "no-store" == answer.headers["cache-control"]
    following = answer.json()
    assert set(tokens) == set(following)
    assert tokens["sessionId"] == following["sessionId"]
    assert tokens["refreshToken"] != following["refreshToken"]
    assert 200 == (await rest.as_(following["accessToken"]).get(f"/api/v1/customers/{ada['id']}")).status_code


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"refreshToken": "none"}, 422, ("INVALID", ["refreshToken"])),
        ({"refreshToken": None}, 400, ("INVALID", ["refreshToken"])),
        ({}, 400, ("REQUIRED", ["refreshToken"])),
        ([], 400, ("INVALID", None)),
    ],
)
async def test_what_is_no_refresh_token_gives_none(
    rest: Calls, body: object, status: int, expected: tuple[str, list[str] | None]
) -> None:
    answer = await rest.as_(None).post(TOKEN_PATH, body)

    assert [expected] == reasons(problem(answer, status, "INVALID" if status == 422 else "BAD_USER_INPUT"))


async def test_a_session_ends(rest: Calls, outbox: Outbox, seller: str, ada: Json) -> None:
    entered = [(await signed_in(rest, outbox, seller, ada["email"]))["tokens"]]
    path = f"/api/v1/customers/{ada['id']}"
    token = entered[0]["accessToken"]

    answer = await rest.as_(token)("POST", LOGOUT)

    assert (200, {"revokedSessionIds": [entered[0]["sessionId"]]}) == (answer.status_code, answer.json())
    async with asyncio.timeout(10):
        while (await rest.as_(token).get(path)).status_code != 401:  # noqa: ASYNC110  other processes would learn of it later
            await asyncio.sleep(0.05)
    problem(await refreshed(rest, entered[0]["refreshToken"]), 422, "INVALID")


async def test_all_sessions_end_together(rest: Calls, outbox: Outbox, seller: str, ada: Json) -> None:
    tokens = (await signed_in(rest, outbox, seller, ada["email"]))["tokens"]

    answer = await rest.as_(tokens["accessToken"]).post(LOGOUT, {"everywhere": True})

    assert [tokens["sessionId"]] == answer.json()["revokedSessionIds"]


async def test_nobody_ends_what_is_not_there(rest: Calls) -> None:
    problem(await rest.as_(None)("POST", LOGOUT), 401, "UNAUTHENTICATED")
    problem(await rest.post(LOGOUT, {"everywhere": 1}), 400, "BAD_USER_INPUT")


async def test_a_wrong_code_signs_nobody_in(rest: Calls, outbox: Outbox, seller: str, ada: Json) -> None:
    challenge = await asked(rest, seller, ada["email"])
    right = await outbox.code(challenge)
    wrong = "000000" if right != "000000" else "111111"
    before = await stored(seller)

    answer = await rest.as_(None).post(LOGIN, {"challengeId": challenge, "code": wrong})

    assert [("INVALID_CODE", ["code"])] == reasons(problem(answer, 422, "INVALID_CODE"))
    assert before == await stored(seller)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"challengeId": "otp_none", "code": "123456"}, 422, "CODE_EXPIRED"),
        ({"challengeId": "otp_none", "code": "12"}, 422, "INVALID_CODE"),
        ({"challengeId": "otp_none"}, 400, "BAD_USER_INPUT"),
        ({"challengeId": "otp_none", "code": 123456}, 400, "BAD_USER_INPUT"),
    ],
)
async def test_what_is_no_code_signs_nobody_in(rest: Calls, body: Json, status: int, code: str) -> None:
    problem(await rest.as_(None).post(LOGIN, body), status, code)


async def test_the_next_code_has_to_be_waited_for(rest: Calls, seller: str) -> None:
    email = some_email()
    await asked(rest, seller, email)

    answer = await rest.as_(None).post(OTP, {"sellerId": seller, "channel": "EMAIL", "destination": email})

    problem(answer, 429, "TOO_MANY_ATTEMPTS")
    assert 1 <= int(answer.headers["retry-after"]) <= 30


@pytest.mark.parametrize(
    ("change", "status", "expected"),
    [
        ({"destination": "nobody"}, 422, ("INVALID_EMAIL", ["destination"])),
        ({"sellerId": "a b"}, 422, ("INVALID", ["sellerId"])),
        ({"channel": "PIGEON"}, 400, ("INVALID", ["channel"])),
    ],
)
async def test_a_code_that_cannot_be_sent_is_refused(
    rest: Calls, seller: str, change: Json, status: int, expected: tuple[str, list[str]]
) -> None:
    body = {"sellerId": seller, "channel": "EMAIL", "destination": some_email(), **change}

    answer = await rest.as_(None).post(OTP, body)

    assert [expected] == reasons(problem(answer, status, "BAD_USER_INPUT" if status == 400 else expected[0]))


async def test_a_bad_token_is_refused_where_none_is_needed(rest: Calls, seller: str) -> None:
    body = {"sellerId": seller, "channel": "EMAIL", "destination": some_email()}

    problem(await rest.as_("none").post(OTP, body), 401, "UNAUTHENTICATED")
