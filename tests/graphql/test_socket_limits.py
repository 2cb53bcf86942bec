"""What a socket may cost: how many there are, how many operations run on it, and how long it may take to say who it is."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from app.bearer import BearerReader
from app.container import Container
from app.graphql.documents import Documents
from app.graphql.open_streams import UNKNOWN_PER_NETWORK, OpenStreams, TooManyStreams, caller_key, network_key
from app.graphql.socket import GraphQLSocket
from app.graphql.socket_guard import SocketGuard
from app.graphql.socket_handler import MAX_OPERATIONS
from auth.principal import Principal
from core.clock import SystemClock
from core.device import Device
from core.vocabulary import CustomerEventType, PrincipalKind
from events.customer import CustomerEvent
from services.customer_watching import CustomerWatching
from tests.api import Api, Json, Tokens, fresh
from tests.graphql.operations import UPDATE, create, payload
from tests.graphql.socket import Socket, open_socket

WHO = "{ viewer { kind } }"
ALL = "subscription { customerEvents { id } }"
FOLLOW = "subscription($id: ID) { customerEvents(customerId: $id) { version customer { firstName } } }"
TOO_MANY = (1013, "10 live connections are open already, the most there may be. Close one, or share one.")


@pytest.fixture(name="operator")
def _operator(tokens: Tokens, seller: str) -> str:
    return tokens.operator(seller)


@pytest.fixture(name="endpoint")
def _endpoint(app: FastAPI) -> GraphQLSocket:
    """The one the application serves."""
    routers = [getattr(route, "original_router", None) for route in app.routes]
    (endpoint,) = [router for router in routers if isinstance(router, GraphQLSocket)]
    return endpoint


# ----------------------------------------------------------------------- the gauge itself


def test_nobody_has_more_open_than_there_may_be() -> None:
    streams = OpenStreams(2)
    with streams.open("ada"), streams.open("ada"):
        with streams.open("eve"):
            assert 3 == streams.total
        with pytest.raises(TooManyStreams, match="2 live connections are open already"), streams.open("ada"):
            pass
        assert 2 == streams.total

    assert 0 == streams.total
    assert {} == streams._open, "Nothing is kept of callers that have gone."


def test_a_connection_that_fails_is_no_longer_counted() -> None:
    streams = OpenStreams(1)
    for _ in range(2):
        with pytest.raises(ValueError, match="gone"), streams.open("ada"):
            raise ValueError("gone")

    assert 0 == streams.total


def test_callers_are_told_apart_by_seller_kind_and_name_and_not_by_session() -> None:
    def key(kind: PrincipalKind, subject: str, seller: str | None, session: str | None = None) -> str:
        return caller_key(Principal(kind, subject, frozenset(), seller, session))

    ada = key(PrincipalKind.OPERATOR, "ada", "s", "ses_1")

    assert ada == key(PrincipalKind.OPERATOR, "ada", "s", "ses_2")
    others = [
        key(PrincipalKind.OPERATOR, "ada", "t"),
        key(PrincipalKind.CUSTOMER, "ada", "s"),
        key(PrincipalKind.OPERATOR, "eve", "s"),
        key(PrincipalKind.SERVICE, "ada", None),
    ]
    assert 5 == len({ada, *others})


def test_who_has_not_said_who_it_is_is_counted_with_its_network() -> None:
    assert network_key(Device("2001:db8::1")) == network_key(Device("2001:db8::ffff"))
    assert network_key(Device("192.0.2.1")) != network_key(Device("192.0.2.2"))


# ------------------------------------------------------------------------- how many sockets


async def test_a_caller_has_ten_sockets_and_an_eleventh_when_one_closes(served: str, operator: str, tokens: Tokens) -> None:
    async with AsyncExitStack() as open_ones:
        for _ in range(9):
            await (await open_ones.enter_async_context(open_socket(served))).init(operator)
        async with open_socket(served) as tenth:
            await tenth.init(operator)
            async with open_socket(served) as socket:
                await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {operator}"}})
                assert TOO_MANY == await socket.closed()
            async with open_socket(served) as somebody:
                await somebody.init(tokens.operator(fresh("seller")))
        await let_in(served, operator)


async def let_in(served: str, token: str) -> None:
    """Try until a socket is let in: the server may not have noticed yet that another one has closed."""
    async with asyncio.timeout(10):
        while True:
            async with open_socket(served) as socket:
                await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
                if not await socket.is_closed():
                    return


async def test_a_network_has_twenty_sockets_that_have_not_said_who_they_are(
    served: str, operator: str, endpoint: GraphQLSocket
) -> None:
    async with AsyncExitStack() as open_ones:
        sockets = [await open_ones.enter_async_context(open_socket(served)) for _ in range(UNKNOWN_PER_NETWORK)]
        async with open_socket(served) as one_more:
            assert (1013, "20 live connections are open already, the most there may be. Close one, or share one.") == (
                await one_more.closed()
            )
        # Whoever says who it is makes room.
        await sockets[0].init(operator)
        async with open_socket(served) as socket:
            await socket.init(operator)

    async with asyncio.timeout(10):
        while endpoint.strangers.total or endpoint._open_streams.total:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)


# --------------------------------------------------------------------------- who it is, in time


@pytest.mark.parametrize("hanging", ["verifier", "revocations"])
async def test_a_check_that_hangs_does_not_hold_the_socket(
    served: str,
    operator: str,
    endpoint: GraphQLSocket,
    container: Container,
    monkeypatch: pytest.MonkeyPatch,
    hanging: str,
) -> None:
    """
    The five seconds are for all of it, so a client that takes its time leaves less for the check.
    """

    async def hang(*_: Any) -> None:
        await asyncio.Event().wait()

    if hanging == "verifier":
        monkeypatch.setattr(BearerReader, "credential", hang)
    else:
        monkeypatch.setattr(SocketGuard, "require", hang)
    monkeypatch.setattr(endpoint, "connection_init_wait_timeout", timedelta(seconds=0.3))
    async with open_socket(served) as socket:
        await asyncio.sleep(0.1)
        await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {operator}"}})

        assert (1013, "Your token could not be checked in time. Try again.") == await socket.closed()


async def test_a_check_that_hangs_later_does_not_hold_it_either(
    served: str, operator: str, endpoint: GraphQLSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(endpoint, "connection_init_wait_timeout", timedelta(seconds=0.3))
    async with open_socket(served) as socket:
        await socket.init(operator)
        monkeypatch.setattr(SocketGuard, "require", hang)
        await socket.subscribe(WHO)

        assert 1013 == (await socket.closed())[0]


# --------------------------------------------------------------------------- what runs on it


async def test_twenty_operations_run_at_once_and_the_next_is_refused_alone(
    served: str, operator: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "graphql")
    async with open_socket(served) as socket:
        await socket.init(operator)
        for number in range(MAX_OPERATIONS):
            await socket.subscribe(ALL, id_=str(number))
        await socket.subscribe(WHO, id_="one more")
        refused = await socket.receive()
        await socket.send({"type": "complete", "id": "7"})
        await socket.subscribe(WHO, id_="and again")
        answers = [await socket.receive(), await socket.receive()]

    (error,) = refused["payload"]
    assert ("error", "one more", "RATE_LIMITED") == (refused["type"], refused["id"], error["extensions"]["code"])
    assert "20 operations run on this connection already" in error["message"]
    assert error["extensions"]["requestId"]
    assert [("next", "and again"), ("complete", "and again")] == [(one["type"], one["id"]) for one in answers]
    lines = [record for record in caplog.records if record.name == "graphql" and "refused" in record.getMessage()]
    assert 1 == len(lines)


def happened(id_: str) -> CustomerEvent:
    return CustomerEvent(
        id=id_,
        seller_id="s",
        customer_id="cus_1",
        type=CustomerEventType.UPDATED,
        version=1,
        actor="operator:ada",
        changed=(),
        occurred_at=SystemClock().now(),
        data={},
    )


async def test_a_client_that_starts_and_completes_all_the_time_waits_for_what_is_ending(
    served: str, operator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: set[object] = set()
    most = 0

    async def slow_to_end(*_: object) -> AsyncGenerator[CustomerEvent, None]:
        nonlocal most
        me = object()
        running.add(me)
        most = max(most, len(running))
        try:
            yield happened("evt_1")
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            running.discard(me)

    monkeypatch.setattr(CustomerWatching, "watch", slow_to_end)
    async with open_socket(served) as socket:
        await socket.init(operator)
        for number in range(200):
            await socket.subscribe(ALL, id_=str(number))
            await socket.receive()
            await socket.send({"type": "complete", "id": str(number)})
        await socket.subscribe(WHO, id_="last")

        assert "last" == (await socket.receive())["id"]
        async with asyncio.timeout(10):
            while running:  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.01)
    assert 1 < most <= MAX_OPERATIONS + 1


async def test_an_operation_that_was_completed_says_no_more_also_when_it_has_not_noticed(
    served: str, operator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Python 3.11 and the database driver lose a cancellation now and then. The id belongs to another operation by then.
    """
    noticed = asyncio.Event()

    async def deaf(*_: object) -> AsyncGenerator[CustomerEvent, None]:
        yield happened("evt_1")
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        noticed.set()
        yield happened("evt_2")

    monkeypatch.setattr(CustomerWatching, "watch", deaf)
    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.subscribe(ALL)
        await socket.receive()
        await socket.send({"type": "complete", "id": "1"})
        await noticed.wait()
        await socket.subscribe(WHO)
        seen = [await socket.receive() for _ in range(2)]

    assert [("next", {"viewer": {"kind": "OPERATOR"}}), ("complete", None)] == [
        (one["type"], one.get("payload", {}).get("data")) for one in seen
    ]


async def test_the_end_of_one_operation_leaves_the_others_alone(execute: Api, served: str, operator: str) -> None:
    """
    MUST 46: two that share the key of a loader. With loaders for a connection, cancelling one would cancel the other's wait.
    """
    customer = await create(execute, firstName="Ada")
    async with open_socket(served) as socket:
        await socket.init(operator)
        for id_ in ("1", "2", "3"):
            await socket.subscribe(FOLLOW, {"id": customer["id"]}, id_)
        assert {"1", "2", "3"} == {(await socket.receive())["id"] for _ in range(3)}
        for number, completed in enumerate(("1", "2")):
            await payload(execute, UPDATE, {"id": customer["id"], "patch": {"firstName": f"Eve {number}"}})
            await socket.send({"type": "complete", "id": completed})
        seen = await until(socket, "3", customer["version"] + 2)

    assert {"firstName": "Eve 1"} == seen["customer"]


async def until(socket: Socket, id_: str, version: int) -> Json:
    """Return the event of an operation with this version; the others may still have some to tell."""
    while True:
        message = await socket.receive()
        assert "next" == message["type"], message
        event: Json = message["payload"]["data"]["customerEvents"]
        if (message["id"], event["version"]) == (id_, version):
            return event


async def test_pings_are_answered_one_by_one(served: str, operator: str) -> None:
    async with open_socket(served) as socket:
        await socket.send({"type": "ping", "payload": {"at": 1}})
        assert "pong" == (await socket.receive())["type"], "Also before connection_init."
        await socket.init(operator)
        for _ in range(500):
            await socket.send({"type": "ping"})

        assert ["pong"] * 500 == [(await socket.receive())["type"] for _ in range(500)]


# -------------------------------------------------------------------------- stored documents


def hashed(text: str) -> Json:
    return {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}


async def ask(socket: Socket, sent: Json) -> Json:
    """Start an operation with this payload; return the first answer, and wait for the end."""
    await socket.send({"type": "subscribe", "id": "1", "payload": sent})
    answer = await socket.receive()
    if answer["type"] == "next":
        assert "complete" == (await socket.receive())["type"]
    return answer


async def test_a_document_can_be_asked_for_by_its_hash_once_it_was_sent(served: str, operator: str) -> None:
    document = f"query {fresh('Q').replace('-', '')} {WHO}"
    async with open_socket(served) as socket:
        await socket.init(operator)
        answers = [
            await ask(socket, {"extensions": hashed(document)}),
            await ask(socket, {"query": document, "extensions": hashed(document)}),
            await ask(socket, {"extensions": hashed(document)}),
            await ask(socket, {"query": WHO, "extensions": hashed(document)}),
        ]

    assert ["error", "next", "next", "error"] == [one["type"] for one in answers]
    assert ["PERSISTED_QUERY_NOT_FOUND", "BAD_USER_INPUT"] == [answers[at]["payload"][0]["extensions"]["code"] for at in (0, 3)]
    assert answers[0]["payload"][0]["extensions"]["requestId"]


async def test_where_only_stored_documents_are_served_sockets_serve_no_others(
    served: str, operator: str, endpoint: GraphQLSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    MUST 63.
    """
    mutation = "mutation { logout { revokedSessionIds } }"
    monkeypatch.setattr(endpoint, "documents", Documents({"who": WHO, "out": mutation}, only_stored=True))
    async with open_socket(served) as socket:
        await socket.init(operator)
        stored = await ask(socket, {"documentId": "who"})
        refused = [await ask(socket, one) for one in ({"query": WHO}, {"documentId": "whose"}, {"documentId": "out"})]

    assert {"viewer": {"kind": "OPERATOR"}} == stored["payload"]["data"]
    assert ["PERSISTED_QUERY_REQUIRED", "PERSISTED_QUERY_NOT_FOUND", "BAD_USER_INPUT"] == [
        one["payload"][0]["extensions"]["code"] for one in refused
    ]
