"""Access tokens over HTTP and over the WebSocket: how they travel, what is answered, and what nobody is let in with."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.settings import Settings
from auth.keys import load_key_set
from core.errors import Unavailable
from services.revocations import Revocations
from tests.api import Api, error_code
from tests.auth.forgery import HOSTILE, Forge
from tests.graphql.socket import open_socket

WHO = {"query": "{ viewer { kind } }"}
DESCRIPTION = "The access token is not valid, or no longer."
CHALLENGE = 'Bearer realm="customer-service"'
INVALID_TOKEN = f'{CHALLENGE}, error="invalid_token", error_description="{DESCRIPTION}"'

BLANKS = {"blank in front", "line break behind"}
"""Good tokens, once the blanks are gone that no header and no client's template minds. The verifier itself minds."""

CLOSED_BY_THE_PROTOCOL = {"far too long": 1009, "half of a surrogate pair": 4400}
"""What is no frame of ours is refused for that."""


@pytest.fixture(name="forge")
def _forge(settings: Settings) -> Forge:
    """Forges tokens with the key that the application signs with."""
    (key,) = load_key_set(json.loads(settings.security.key_file.read_bytes())).keys
    return Forge(key.key, issuer=settings.security.issuer, audience=settings.security.audience, seconds=int(time.time()))


def tables() -> list[Any]:
    return [pytest.param(forgery, id=name) for name, forgery in HOSTILE.items() if name not in BLANKS]


@pytest.mark.parametrize("forgery", tables())
async def test_a_token_that_does_not_hold_is_refused_over_http(
    execute: Api, forge: Forge, forgery: Callable[[Forge], str]
) -> None:
    token = forgery(forge).encode("utf-8", "surrogatepass")

    answer = await execute.http.post("/graphql", json=WHO, headers={b"authorization": b"Bearer " + token})

    assert (401, "UNAUTHENTICATED") == (answer.status_code, error_code(answer))
    assert INVALID_TOKEN == answer.headers["www-authenticate"]
    assert [DESCRIPTION] == [error["message"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in BLANKS])
async def test_a_token_that_does_not_hold_opens_no_socket(served: str, forge: Forge, name: str) -> None:
    async with open_socket(served) as socket:
        await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {HOSTILE[name](forge)}"}})
        code, reason = await socket.closed()

    assert CLOSED_BY_THE_PROTOCOL.get(name, 4403) == code
    assert code != 4403 or reason == DESCRIPTION


async def test_the_forgeries_are_refused_for_what_is_wrong_with_them(execute: Api, served: str, forge: Forge) -> None:
    """
    Each differs from this one in one thing.
    """
    assert {"viewer": {"kind": "OPERATOR"}} == await execute.data(WHO["query"], as_=forge.good)
    async with open_socket(served) as socket:
        await socket.init(forge.good)


async def test_thirty_seconds_after_its_expiry_a_token_is_refused(execute: Api, forge: Forge) -> None:
    """
    The exact edges are tested where the clock stands still, in tests/auth; the seconds to spare are for this machine.
    """
    assert "data" in await execute(WHO["query"], as_=forge.token(exp=forge.seconds - 20))
    assert "UNAUTHENTICATED" == await execute.code(WHO["query"], as_=forge.token(exp=forge.seconds - 31))


# ---------------------------------------------------------------------------- how it travels


@pytest.mark.parametrize(
    "headers",
    [
        [("authorization", "Bearer {token}"), ("authorization", "Bearer {token}")],
        [("authorization", ""), ("authorization", "Bearer {token}")],
        [("authorization", "Basic YTpi")],
        [("authorization", "{token}")],
        [("authorization", "Token {token}")],
        [("authorization", "DPoP {token}")],
        [("authorization", "Bearer\t{token}")],
        [("authorization", "Bearer,{token}")],
    ],
    ids=repr,
)
async def test_credentials_that_nobody_reads_are_an_invalid_request(
    execute: Api, forge: Forge, headers: list[tuple[str, str]]
) -> None:
    sent = [(name, value.format(token=forge.good)) for name, value in headers]

    answer = await execute.http.post("/graphql", json=WHO, headers=sent)

    assert (400, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))
    assert answer.headers["www-authenticate"].startswith(f'{CHALLENGE}, error="invalid_request", error_description="Send ')
    assert answer.headers["www-authenticate"].isascii()
    assert forge.good not in answer.text


@pytest.mark.parametrize("also", [True, False], ids=["and in the header", "alone"])
async def test_a_token_in_the_address_is_an_invalid_request(execute: Api, forge: Forge, also: bool) -> None:
    headers = execute.headers(forge.good) if also else {}

    answer = await execute.http.post(f"/graphql?access_token={forge.good}", json=WHO, headers=headers)

    assert (400, "BAD_USER_INPUT") == (answer.status_code, error_code(answer))
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
@pytest.mark.parametrize("headers", [{}, {"authorization": ""}], ids=["none", "empty"])
async def test_a_call_that_needs_a_token_and_has_none_is_told_which(execute: Api, accept: str, headers: dict[str, str]) -> None:
    """
    The status is 200: fields were executed, and GraphQL over HTTP wants 2xx for what has data.
    """
    query = {"query": '{ __typename customer(id: "x") { id } }'}

    answer = await execute.http.post("/graphql", json=query, headers={"accept": accept, **headers})

    assert (200, "UNAUTHENTICATED") == (answer.status_code, error_code(answer))
    assert {"__typename": "Query", "customer": None} == answer.json()["data"]
    assert CHALLENGE == answer.headers["www-authenticate"]


async def test_a_call_that_needs_no_token_is_not_asked_for_one(execute: Api) -> None:
    answer = await execute.http.post("/graphql", json={"query": "{ __typename }"})

    assert {"__typename": "Query"} == answer.json()["data"]
    assert "www-authenticate" not in answer.headers


async def test_a_token_that_cannot_be_checked_is_not_refused(
    execute: Api, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*_: object) -> None:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(Revocations, "require", unreachable)

    answer = await execute.http.post("/graphql", json=WHO, headers=execute.headers(forge.good))

    assert (503, "UNAVAILABLE") == (answer.status_code, error_code(answer))
    assert answer.headers["retry-after"].isdecimal()
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"x-seller-id": "other"},
        {"x-user-id": "root", "x-user": "root", "x-principal": "service:root"},
        {"x-forwarded-user": "root", "x-forwarded-email": "root@example.com", "x-remote-user": "root"},
        {"x-forwarded-for": "127.0.0.1", "x-forwarded-host": "localhost", "forwarded": "for=127.0.0.1;host=localhost"},
        {"x-forwarded-authorization": "Bearer {token}", "x-access-token": "{token}", "cookie": "access_token={token}"},
        {"x-original-url": "/internal", "x-rewrite-url": "/internal", "x-http-method-override": "GET"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_no_other_header_says_who_calls(execute: Api, forge: Forge, headers: dict[str, str]) -> None:
    who = {"query": "{ viewer { kind subject sellerId scopes } customers { totalCount } }"}
    spoofed = {name: value.format(token=forge.good) for name, value in headers.items()}

    for mine in (execute.headers(), execute.headers(None)):
        plain = await execute.http.post("/graphql", json=who, headers={**mine, "x-request-id": "1"})
        answer = await execute.http.post("/graphql", json=who, headers={**mine, "x-request-id": "1", **spoofed})
        # What is left of the quota differs from call to call.
        expected, got = (one.json() | {"extensions": None} for one in (plain, answer))
        assert (plain.status_code, expected) == (answer.status_code, got)


# ---------------------------------------------------------------------------- connection_init


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
async def test_the_tokens_name_is_spelled_in_any_case(served: str, forge: Forge, name: str) -> None:
    async with open_socket(served) as socket:
        await socket.send({"type": "connection_init", "payload": {name: f"Bearer {forge.good}"}})

        assert "connection_ack" == (await socket.receive())["type"]


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": "{token}"},
        {"authorization": "Basic YTpi"},
        {"authorization": "Bearer"},
        {"authorization": 17},
        {"authorization": None},
        {"authorization": ["Bearer {token}"]},
        {"authorization": {"Bearer": "{token}"}},
        {"authorization": "Bearer {token}", "Authorization": "Bearer {token}"},
        {"token": "{token}"},
        {"headers": {"authorization": "Bearer {token}"}},
    ],
    ids=repr,
)
async def test_a_token_anywhere_else_opens_no_socket(served: str, forge: Forge, payload: dict[str, Any]) -> None:
    frame = json.dumps({"type": "connection_init", "payload": payload}).replace("{token}", forge.good)

    async with open_socket(served) as socket:
        await socket.send(frame)

        assert 4403 == (await socket.closed())[0]


async def test_a_token_of_the_handshake_opens_no_socket(served: str, forge: Forge) -> None:
    """
    A browser cannot send one there, and what it sends by itself must not open anything.
    """
    url = f"{served}?access_token={forge.good}"
    async with open_socket(url, headers={"authorization": f"Bearer {forge.good}", "cookie": forge.good}) as socket:
        await socket.send({"type": "connection_init", "payload": {}})

        assert 4403 == (await socket.closed())[0]
