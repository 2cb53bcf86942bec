"""The command line's GraphQL client, against a server that does everything wrong."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from app.cli import graphql_client
from app.cli.graphql_client import GraphQLFailed, NotAccepted, NotReachable, is_local, open_client

Script = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def server(*scripts: Script) -> AsyncIterator[str]:
    """Serve each connection with the next script; return the address as that of an HTTP endpoint."""
    left = iter(scripts)

    async def handle(connection: ServerConnection) -> None:
        await next(left)(connection)

    async with serve(handle, "127.0.0.1", 0, subprotocols=[Subprotocol("graphql-transport-ws")]) as serving:
        host, port = next(iter(serving.sockets)).getsockname()[:2]
        yield f"http://{host}:{port}/graphql"


async def send(connection: ServerConnection, **message: Any) -> None:
    await connection.send(json.dumps(message))


async def welcome(connection: ServerConnection) -> None:
    """Let the caller in, look at its token, and take its subscription."""
    init = json.loads(await connection.recv())
    assert {"type": "connection_init", "payload": {"authorization": "Bearer secret"}} == init
    await send(connection, type="ping")
    await send(connection, type="connection_ack")
    assert {"type": "pong"} == json.loads(await connection.recv())
    subscribe = json.loads(await connection.recv())
    assert ("subscribe", {"query": "subscription", "variables": {"id": "x"}}) == (subscribe["type"], subscribe["payload"])


def telling(*numbers: int, then: str) -> Script:
    """Send events, then complete, or drop the connection, or close it with a code."""

    async def script(connection: ServerConnection) -> None:
        await welcome(connection)
        for number in numbers:
            await send(connection, type="next", id="1", payload={"data": {"number": number}})
        if then == "complete":
            await send(connection, type="complete", id="1")
        elif then == "drop":
            connection.transport.abort()
        else:
            await connection.close(int(then), "told to")

    return script


async def follow(url: str) -> list[int]:
    async with open_client(url, "secret") as client, aclosing(client.follow("subscription", {"id": "x"})) as events:
        return [event["number"] async for event in events]


async def test_events_arrive_until_the_end() -> None:
    async with server(telling(1, 2, then="complete")) as url:
        assert [1, 2] == await follow(url)


@pytest.mark.parametrize("end", ["drop", "1001", "1012", "1000"])
async def test_lost_connection_is_made_again(end: str) -> None:
    async with server(telling(1, then=end), telling(then=end), telling(2, 3, then="complete")) as url:
        assert [1, 2, 3] == await follow(url)


@pytest.mark.parametrize("code", [4401, 4403, 4400])
async def test_refusal_of_the_protocol_is_final(code: int) -> None:
    async with server(telling(then=str(code))) as url:
        with pytest.raises(NotAccepted, match=f"told to.*{code}"):
            await follow(url)


async def test_error_of_the_operation_is_told_in_its_own_words() -> None:
    async def script(connection: ServerConnection) -> None:
        await welcome(connection)
        await send(
            connection, type="error", id="1", payload=[{"message": "There is none.", "extensions": {"code": "NOT_FOUND"}}]
        )

    async with server(script) as url:
        with pytest.raises(GraphQLFailed, match=r"^There is none\.$"):
            await follow(url)


@pytest.mark.parametrize("frame", ["nonsense", "[]", "{}", "17"])
async def test_other_protocols_are_recognised(frame: str) -> None:
    async def script(connection: ServerConnection) -> None:
        await connection.send(frame)
        await connection.wait_closed()

    async with server(script) as url:
        with pytest.raises(GraphQLFailed, match="not graphql-transport-ws"):
            await follow(url)


async def test_server_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql_client, "PATIENCE_SECONDS", 0.3)

    with pytest.raises(NotReachable, match="does not come back"):
        await follow("http://127.0.0.1:9/graphql")


async def test_nobody_at_the_address() -> None:
    async with open_client("http://127.0.0.1:9/graphql", "secret") as client:
        with pytest.raises(NotReachable, match=r"Nothing answers at http://127\.0\.0\.1:9/graphql"):
            await client.execute("query", {})


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (200, '{"data": {"a": 1}}', None, ""),
        (200, '{"errors": [{"message": "No.", "extensions": {"code": "FORBIDDEN"}}]}', NotAccepted, "No."),
        (401, '{"errors": [{"message": "Who?", "extensions": {"code": "UNAUTHENTICATED"}}]}', NotAccepted, "Who?"),
        (
            200,
            '{"errors": [{"message": "Oh.", "extensions": {"code": "INTERNAL", "requestId": "r1"}}]}',
            GraphQLFailed,
            "Oh. (requestId r1)",
        ),
        (404, "Not Found", GraphQLFailed, "does not speak GraphQL"),
        (200, "<html>", GraphQLFailed, "does not speak GraphQL"),
        (200, "[]", GraphQLFailed, "does not speak GraphQL"),
        (503, "", NotReachable, "503"),
    ],
)
async def test_answers_become_data_or_sentences(status: int, body: str, kind: type[Exception] | None, words: str) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    serving = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with serving:
        port = serving.sockets[0].getsockname()[1]
        async with open_client(f"http://127.0.0.1:{port}/graphql", "secret") as client:
            if kind is None:
                assert {"a": 1} == await client.execute("query", {})
            else:
                with pytest.raises(kind) as raised:
                    await client.execute("query", {})
                assert kind is raised.type
                assert words in str(raised.value)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8084/graphql", True),
        ("http://localhost/graphql", True),
        ("http://[::1]:1/", True),
        ("https://api.example.com/graphql", False),
        ("http://10.0.0.1", False),
    ],
)
def test_this_machine_is_reached_without_a_proxy(url: str, local: bool) -> None:
    assert local is is_local(url)
