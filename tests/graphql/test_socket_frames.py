"""Whatever frames arrive: an answer or the protocol's own code for what is wrong with them, and no fault in the log."""

import asyncio
import json
import logging
import os
import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from app.graphql.socket_frames import NotAMessage, message_in
from tests.api import Api, Tokens
from tests.graphql.operations import create
from tests.graphql.socket import Socket, open_socket

SEED = int(os.environ.get("SOCKET_FRAMES_SEED", "20261123"))
SEQUENCES = int(os.environ.get("SOCKET_FRAMES", "200"))
CODES = {1000, 1005, 1007, 1009, 4400, 4401, 4403, 4408, 4409, 4429}
"""Why a socket may be closed. 1002 is for frames that are none, which no client library can be made to send."""
LARGEST = 65_536

WHO = "{ viewer { kind } }"
EVENTS = "subscription { customerEvents { id } }"


@pytest.fixture(name="operator")
def _operator(tokens: Tokens, seller: str) -> str:
    return tokens.operator(seller)


@pytest.fixture(name="errors", autouse=True)
def _errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a client sends is a fault of ours."""
    yield
    records = caplog.get_records("call")
    assert [] == [record.getMessage() for record in records if record.levelno >= logging.ERROR or record.exc_info]


# ----------------------------------------------------------------------- one frame at a time


def subscribing(**payload: Any) -> str:
    return json.dumps({"type": "subscribe", "id": "1", "payload": payload})


@pytest.mark.parametrize(
    "frame",
    [
        subscribing(query=WHO),
        subscribing(query=WHO, variables={}, operationName=None, extensions={"any": [1]}, unknown=1),
        subscribing(query=WHO, variables=None, extensions=None),
        subscribing(documentId="who"),
        subscribing(extensions={}),
        '{"type": "complete", "id": "1"}',
        '{"type": "ping"}',
        '{"type": "pong", "payload": null}',
        '{"type": "ping", "payload": {"a": 1}, "unknown": 1}',
        '{"type": "connection_init"}',
        '{"type": "whatever"}',
    ],
)
def test_messages_are_read(frame: str) -> None:
    assert json.loads(frame) == message_in(frame)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "17",
        "[]",
        "null",
        '"ping"',
        "{}",
        '{"type": null}',
        '{"type": ["ping"]}',
        '{"type": "ping", "payload": 1}',
        '{"type": "pong", "payload": []}',
        '{"type": "complete"}',
        '{"type": "complete", "id": ""}',
        '{"type": "complete", "id": 1}',
        '{"type": "subscribe", "payload": {"query": "{ viewer { kind } }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ viewer { kind } }"}}',
        '{"type": "subscribe", "id": ["1"], "payload": {"query": "{ viewer { kind } }"}}',
        '{"type": "subscribe", "id": "1", "payload": null}',
        '{"type": "subscribe", "id": "1", "payload": [1]}',
        subscribing(),
        subscribing(query=None),
        subscribing(query=1),
        subscribing(query=WHO, variables=[]),
        subscribing(query=WHO, variables="{}"),
        subscribing(query=WHO, operationName=1),
        subscribing(query=WHO, extensions=[]),
        subscribing(documentId=1),
        '{"type": "ping", "type": "ping"}',
        '{"type": "ping", "payload": {"a": 1, "a": 2}}',
        '{"type": "ping", "payload": {"a": NaN}}',
        '{"type": "ping", "payload": {"a": Infinity}}',
        '{"type": "ping", "payload": {"a": "\\ud800"}}',
        '{"type": "ping", "payload": {"a": ' + "1" * 4301 + "}}",
        '{"type": "ping", "payload": {"a": 1e999}}',
        '{"type": "ping", "payload": ' + '{"a":' * 5000 + "1" + "}" * 5001,
        "[" * 30_000,
        '\ufeff{"type": "ping"}',
        b'{"type": "ping", "payload": {"a": "\xff"}}',
        "\ud800",
    ],
    ids=lambda frame: repr(frame)[:60],
)
def test_what_is_no_message_is_refused_in_the_space_of_a_closing_frame(frame: str | bytes) -> None:
    with pytest.raises(NotAMessage) as refusal:
        message_in(frame)

    assert 123 >= len(str(refusal.value))


@pytest.mark.parametrize(
    "frame",
    ['{"type": "ping", "type": "ping"}', '{"type": "ping", "payload": {"a": ' + "1" * 4301 + "}}", b"{}", "[" * 30_000],
    ids=["the same key twice", "a number beyond reason", "binary", "deep"],
)
async def test_it_is_refused_before_connection_init_as_after_it(served: str, operator: str, frame: Any) -> None:
    for known in (False, True):
        async with open_socket(served) as socket:
            if known:
                await socket.init(operator)
            await socket.send(frame)

            assert 4400 == (await socket.closed())[0]


async def test_a_frame_of_64_kilobytes_is_read_and_one_byte_more_is_not(served: str, operator: str) -> None:
    def ping(size: int) -> str:
        empty = json.dumps({"type": "ping", "payload": {"a": ""}})
        return json.dumps({"type": "ping", "payload": {"a": "x" * (size - len(empty))}})

    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.send(ping(LARGEST))
        assert "pong" == (await socket.receive())["type"]
        await socket.send(ping(LARGEST + 1))

        assert 1009 == (await socket.closed())[0]


async def test_a_text_that_is_not_utf8_is_refused_without_a_traceback(
    served: str, operator: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "uvicorn.error")
    async with open_socket(served) as socket:
        await socket.init(operator)
        mask = b"\0\0\0\0"
        await socket.send_raw(struct.pack("!BB", 0x81, 0x80 | 2) + mask + b"\xff\xfe")

        assert 1007 == (await socket.closed())[0]
    (line,) = [record for record in caplog.records if "UTF-8" in record.getMessage()]
    assert (logging.INFO, None) == (line.levelno, line.exc_info)


async def test_completing_what_does_not_run_is_no_mistake(served: str, operator: str) -> None:
    async with open_socket(served) as socket:
        await socket.send({"type": "complete", "id": "1"})
        await socket.init(operator)
        await socket.send({"type": "complete", "id": "1"})
        await socket.subscribe(WHO)

        assert "next" == (await socket.receive())["type"]


# ------------------------------------------------------------------------ sequences of them


class Sequence:
    """A client that has learned the protocol by hearsay."""

    def __init__(self, dice: random.Random, token: str, customer: str) -> None:
        self.dice = dice
        self.token = token
        self.customer = customer

    def frames(self) -> Iterator[Any]:
        """Yield up to twelve frames, most of which make sense."""
        if self.dice.random() < 0.9:
            yield self.init()
        for _ in range(self.dice.randrange(12)):
            kinds = [self.subscribe, self.complete, self.ping, self.init, self.mangled]
            yield self.dice.choices(kinds, [40, 25, 15, 3, 12])[0]()

    def init(self) -> Any:
        payloads = [{"authorization": f"Bearer {self.token}"}, {}, None, {"authorization": 1}, {"Authorization": "Basic x"}]
        return {"type": "connection_init", "payload": self.dice.choices(payloads, [80, 2, 2, 2, 2])[0]}

    def subscribe(self) -> Any:
        document = self.dice.choice(
            [
                WHO,
                EVENTS,
                f'subscription {{ customerEvents(customerId: "{self.customer}") {{ id customer {{ id }} }} }}',
                "query($a: Int!) { viewer { kind } customers(first: $a) { nodes { id } } }",
                "mutation { logout { revokedSessionIds } }",
                "subscription { customerEvents { id } bulkImportsProgress { id } }",
                "{ viewer { kind ",
                "query A { viewer { kind } } query B { viewer { kind } }",
                "fragment F on Query { ...F } { ...F }",
                "{" * 3000,
                "",
                "\x00",
                "{ __schema { types { name } } }",
                "subscription @defer { customerEvents { id @skip(if: true) } }",
                'subscription { customerEvents(customerId: {a: "b"}) { id } }',
            ]
        )
        payload: dict[str, Any] = {"query": document}
        if self.dice.random() < 0.4:
            payload["variables"] = self.dice.choice([{"a": 1}, {"a": "x"}, {"a": 10**400}, {"a": None}, {"a": {}}, {"\x00": 1}])
        if self.dice.random() < 0.3:
            payload["operationName"] = self.dice.choice([None, "", "A", "C", "\x00", "x" * 5000])
        if self.dice.random() < 0.2:
            payload["extensions"] = self.dice.choice(
                [{}, {"persistedQuery": None}, {"persistedQuery": {"version": 1, "sha256Hash": "x"}}, {"persistedQuery": [1]}]
            )
        if self.dice.random() < 0.1:
            payload["documentId"] = self.dice.choice([None, "", "x"])
        if self.dice.random() < 0.1:
            del payload["query"]
        return {"type": "subscribe", "id": self.id(), "payload": payload}

    def complete(self) -> Any:
        return {"type": "complete", "id": self.id()}

    def ping(self) -> Any:
        return {"type": self.dice.choice(["ping", "pong"]), "payload": self.dice.choice([None, {}, {"a": ["b"]}])}

    def id(self) -> str:
        return self.dice.choice(["1", "2", "3", "4", "5", "6", "7", "8", "é" * 200, "\x00", "__proto__"])

    def mangled(self) -> Any:
        """Return a frame with something wrong with it."""
        frame = self.dice.choice([self.subscribe, self.complete, self.ping])()
        text = json.dumps(frame)
        kind = self.dice.randrange(6)
        if kind == 0:
            return text[: self.dice.randrange(len(text))]
        if kind == 1:
            return text.encode()
        if kind == 2:
            return {**frame, self.dice.choice(list(frame)): self.dice.choice([None, 1, [], {}, "", True, "next", "error"])}
        if kind == 3:
            at = self.dice.randrange(len(text))
            return text[:at] + chr(self.dice.randrange(0xD800)) + text[at + 1 :]
        if kind == 4:
            return self.dice.choice(["NaN", "[" * 20_000, '{"type":"ping","type":"pong"}', "\ufeff{}", "1" * 5000])
        return "x" * (LARGEST + self.dice.randrange(3))


async def play(served: str, sequence: Sequence) -> int:
    """Send the frames of *sequence*; return the code with which the socket was closed, 1005 when it was not."""
    async with open_socket(served) as socket:
        try:
            for frame in sequence.frames():
                await socket.send(frame)
                if sequence.dice.random() < 0.3:
                    await asyncio.sleep(0.005)
            ping = {"type": "ping", "payload": {"is": "the last one"}}
            await socket.send(ping)
            async with asyncio.timeout(10):
                await pongs(socket)
        except ConnectionClosed:
            return (await socket.closed())[0]
    return 1005


async def pongs(socket: Socket) -> None:
    """Receive everything up to a pause, which has to be an answer in the shape of the protocol."""
    answered = False
    while True:
        try:
            async with asyncio.timeout(0.05 if answered else 10):
                message = await socket.receive()
        except TimeoutError:
            return
        assert message["type"] in {"connection_ack", "next", "error", "complete", "pong", "ping"}
        answered = answered or message["type"] == "pong"
        for error in message["payload"] if message["type"] == "error" else (message.get("payload") or {}).get("errors") or ():
            assert {"code", "requestId"} <= error["extensions"].keys()
            assert "INTERNAL" != error["extensions"]["code"], error


async def test_no_sequence_of_frames_is_a_fault(execute: Api, served: str, tokens: Tokens, seller: str) -> None:
    """
    MUST 14. Set SOCKET_FRAMES and SOCKET_FRAMES_SEED for more, or others.
    """
    customer = (await create(execute))["id"]
    dice = random.Random(SEED)
    codes = []
    for number in range(SEQUENCES):
        sequence = Sequence(random.Random(dice.random()), tokens.operator(seller), customer)
        codes.append(await play(served, sequence))
        assert codes[-1] in CODES, f"sequence {number} of seed {SEED}"

    # Else the above has proved little.
    assert {1005, 4400, 4403, 4409} <= set(codes)
