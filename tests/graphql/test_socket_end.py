"""A socket lives as long as the token that opened it: the end of the token ends the socket and all that runs on it."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed

from app.container import Container
from app.graphql import socket_handler
from app.graphql.socket_guard import SocketGuard
from app.keys import token_issuer
from app.settings import Settings
from auth.principal import OPERATOR_SCOPES, Principal
from core.clock import SystemClock
from core.errors import Unavailable
from core.ids import IdKind, new_id
from core.vocabulary import PrincipalKind
from models.bulk_import import BulkImport
from repositories import revocation
from services.bulk_import import BulkImportService
from tests.api import Api, Tokens
from tests.graphql.imports import announce, csv
from tests.graphql.operations import create
from tests.graphql.socket import Socket, open_socket

ALL = "subscription { bulkImportsProgress { id status } }"
WHO = "{ viewer { kind } }"
EXPIRED = (4403, "The access token has expired: connect again with a new one")
ENDED = (4403, "The session has ended")

Mint = Callable[..., str]


@pytest.fixture(name="session_id")
def _session_id() -> str:
    return new_id(IdKind.SESSION)


@pytest.fixture(name="mint")
def _mint(settings: Settings, seller: str, session_id: str) -> Mint:
    """Mints tokens of one session of an operator."""

    def mint(lifetime: timedelta = timedelta(minutes=10)) -> str:
        return token_issuer(settings, SystemClock()).issue(
            kind=PrincipalKind.OPERATOR,
            subject="ada",
            scopes=OPERATOR_SCOPES,
            lifetime=lifetime,
            seller_id=seller,
            session_id=session_id,
        )

    return mint


@pytest.fixture(name="errors", autouse=True)
def _errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that ends a socket is a fault: no traceback, no task nobody waited for."""
    yield
    assert [] == [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]


class Flood:
    """A subscription that has news all the time, and knows whether it was ended properly."""

    def __init__(self, record: BulkImport) -> None:
        self.record = record
        self.running = 0

    async def __call__(self, *_: Any) -> AsyncGenerator[BulkImport, None]:
        self.running += 1
        try:
            while True:
                yield self.record
                await asyncio.sleep(0)
        finally:
            self.running -= 1


@pytest.fixture(name="flood")
async def _flood(execute: Api, container: Container, monkeypatch: pytest.MonkeyPatch) -> Flood:
    id_, _ = await announce(execute, csv(1))
    record = await BulkImport.get(id_)
    assert record is not None
    flood = Flood(record)
    monkeypatch.setattr(BulkImportService, "watch_all", flood)
    return flood


async def become(condition: Callable[[], bool]) -> None:
    """Wait until *condition* holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)


def socket_tasks() -> list[asyncio.Task[Any]]:
    """Return the tasks that work for sockets."""
    return [
        task
        for task in asyncio.all_tasks()
        if task.get_name().startswith("socket ") or "GraphQLTransportWS" in getattr(task.get_coro(), "__qualname__", "")
    ]


async def revoke(session_id: str) -> None:
    now = datetime.now(UTC)
    await revocation.revoke([session_id], now, now + timedelta(minutes=11))


async def kind(socket: Socket, id_: str) -> str:
    await socket.subscribe(WHO, id_=id_)
    (answer,) = await socket.until_complete()
    return str(answer["data"]["viewer"]["kind"])


async def test_a_socket_is_closed_when_its_token_expires(served: str, mint: Mint, flood: Flood) -> None:
    async with open_socket(served) as socket:
        await socket.init(mint(timedelta(seconds=2)))
        await socket.subscribe(ALL)
        await socket.receive()

        assert EXPIRED == await socket.closed()

    await become(lambda: flood.running == 0 and socket_tasks() == [])


async def test_an_ended_session_is_refused_over_http_and_its_sockets_are_closed(
    execute: Api, served: str, mint: Mint, session_id: str, flood: Flood
) -> None:
    """
    MUST 6: within 5 seconds and 30. Another process ends it: this one learns of it from the database.
    """
    token = mint()
    async with open_socket(served) as idle, open_socket(served) as busy:
        for socket in (idle, busy):
            await socket.init(token)
        await busy.subscribe(ALL)
        await busy.receive()
        assert "data" in await execute(WHO, as_=token)

        await revoke(session_id)

        async with asyncio.timeout(5):
            while "data" in await execute(WHO, as_=token):  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.05)
        async with asyncio.timeout(30):
            assert [ENDED, ENDED] == [await idle.closed(), await busy.closed()]

    await become(lambda: flood.running == 0 and socket_tasks() == [])


async def test_a_token_of_months_is_closed_with_its_session_too(served: str, mint: Mint, session_id: str) -> None:
    async with open_socket(served) as socket:
        await socket.init(mint(timedelta(days=60)))
        assert "OPERATOR" == await kind(socket, "1")

        await revoke(session_id)

        assert ENDED == await socket.closed()


async def test_a_socket_of_another_session_stays(served: str, mint: Mint, execute: Api, session_id: str) -> None:
    token = execute.headers()["authorization"].removeprefix("Bearer ")
    async with open_socket(served) as mine, open_socket(served) as other:
        await mine.init(mint())
        await other.init(token)

        await revoke(session_id)

        assert ENDED == await mine.closed()
        assert "OPERATOR" == await kind(other, "1")


async def test_the_end_of_a_customers_earlier_tokens_leaves_its_later_ones(
    execute: Api, served: str, container: Container, tokens: Tokens, seller: str
) -> None:
    customer = await create(execute)
    async with open_socket(served) as socket:
        await socket.init(tokens.customer(customer["id"], seller))
        await socket.subscribe("{ customers { nodes { id } } }", id_="0")
        await socket.until_complete()

        container.revocations.know({customer["id"]: datetime.now(UTC) - timedelta(minutes=1)})

        assert "CUSTOMER" == await kind(socket, "1")
        container.revocations.know({customer["id"]: datetime.now(UTC) + timedelta(seconds=1)})
        assert ENDED == await socket.closed()


async def test_an_ended_session_opens_no_socket(served: str, mint: Mint, session_id: str, container: Container) -> None:
    container.revocations.know({session_id: datetime.now(UTC)})

    async with open_socket(served) as socket:
        await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {mint()}"}})

        assert 4403 == (await socket.closed())[0]


async def test_a_token_that_holds_by_leeway_alone_opens_no_socket(served: str, mint: Mint) -> None:
    """
    HTTP gives it 30 seconds more, because clocks differ. A socket would be closed at once.
    """
    async with open_socket(served) as socket:
        await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {mint(timedelta(seconds=-5))}"}})

        with pytest.raises(ConnectionClosed):
            await socket.receive()
        assert EXPIRED == await socket.closed()


async def test_no_operation_starts_between_the_end_of_a_session_and_the_end_of_its_socket(
    served: str, mint: Mint, session_id: str, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asleep(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(SocketGuard, "wait", asleep)
    async with open_socket(served) as socket:
        await socket.init(mint())
        assert "OPERATOR" == await kind(socket, "1")

        container.revocations.know({session_id: datetime.now(UTC)})
        await socket.subscribe(WHO, id_="2")

        assert ENDED == await socket.closed()


async def test_a_session_that_ends_while_its_socket_opens_is_noticed(
    served: str, mint: Mint, session_id: str, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Between the check of the token and the first look of the guard, nobody is watching.
    """
    watching = container.revocations.__class__.watching

    def late(self: Any, principal: Principal) -> Any:
        self.know({session_id: datetime.now(UTC)})
        return watching(self, principal)

    monkeypatch.setattr(type(container.revocations), "watching", late)
    async with open_socket(served) as socket:
        await socket.init(mint())

        assert ENDED == await socket.closed()


async def test_a_token_that_cannot_be_looked_up_is_asked_to_come_back(
    served: str, mint: Mint, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*_: object) -> None:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(type(container.revocations), "require", unreachable)
    async with open_socket(served) as socket:
        await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {mint()}"}})

        assert (1013, "The database does not answer.") == await socket.closed()


@pytest.mark.parametrize("farewell", [True, False], ids=["with a closing frame", "by hanging up"])
async def test_a_client_that_goes_first_leaves_nothing_behind(served: str, mint: Mint, flood: Flood, farewell: bool) -> None:
    async with open_socket(served) as socket:
        await socket.init(mint())
        await socket.subscribe(ALL)
        await socket.receive()
        assert 2 <= len(socket_tasks())
        if not farewell:
            socket.hang_up()

    await become(lambda: flood.running == 0 and socket_tasks() == [])


async def test_news_that_come_while_a_socket_is_closed_for_another_reason_are_no_fault(
    served: str, mint: Mint, flood: Flood
) -> None:
    async with open_socket(served) as socket:
        await socket.init(mint())
        await socket.subscribe(ALL)
        await socket.receive()
        await socket.subscribe(ALL)

        assert 4409 == (await socket.closed())[0]

    await become(lambda: flood.running == 0 and socket_tasks() == [])


async def test_an_operation_that_a_cancellation_got_lost_in_is_ended_all_the_same(
    served: str, mint: Mint, flood: Flood, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Python 3.11 and the database driver lose one now and then.
    """

    async def stubborn(*_: object) -> AsyncGenerator[BulkImport, None]:
        flood.running += 1
        try:
            with suppress(asyncio.CancelledError):
                yield flood.record
                await asyncio.Event().wait()
            await asyncio.Event().wait()
        finally:
            flood.running -= 1

    monkeypatch.setattr(BulkImportService, "watch_all", stubborn)
    async with open_socket(served) as socket:
        await socket.init(mint())
        await socket.subscribe(ALL)
        await socket.receive()
        await socket.send({"type": "complete", "id": "1"})
        await become(lambda: flood.running == 0)
        await socket.subscribe(ALL, id_="2")
        await socket.receive()

    await become(lambda: flood.running == 0 and socket_tasks() == [])


async def test_a_client_that_reads_nothing_is_not_waited_for(
    app: FastAPI, mint: Mint, flood: Flood, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Its buffers are full, so neither an event nor the closing frame can be sent. Here the network is this test.
    """
    monkeypatch.setattr(socket_handler, "CLOSE_PATIENCE", timedelta(milliseconds=10))
    frames = [
        {"type": "connection_init", "payload": {"authorization": f"Bearer {mint(timedelta(seconds=2))}"}},
        {"type": "subscribe", "id": "1", "payload": {"query": ALL}},
    ]
    received = iter(
        [{"type": "websocket.connect"}, *({"type": "websocket.receive", "text": json.dumps(one)} for one in frames)]
    )
    sent: list[str] = []

    async def receive() -> Any:
        return next(received, None) or await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message["type"])
        if "next" in message.get("text", "") or message["type"] == "websocket.close":
            await asyncio.Event().wait()

    scope = {
        "type": "websocket",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "scheme": "ws",
        "query_string": b"",
        "headers": [],
        "subprotocols": ["graphql-transport-ws"],
    }
    async with asyncio.timeout(20):
        await app(scope, receive, send)

    assert ["websocket.accept", "websocket.send", "websocket.send", "websocket.close"] == sent
    assert 0 == flood.running
    assert [] == socket_tasks()
