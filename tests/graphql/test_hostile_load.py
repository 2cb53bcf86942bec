"""Thousands of hostile requests and sockets leave nothing behind: no memory, no task, no file.

``make conformance`` sends 10,000, which takes a minute and a half of CPU time; the number is in HOSTILE_REQUESTS.
"""

import asyncio
import gc
import hashlib
import json
import os
import random
import subprocess
from collections import Counter
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.api import Tokens
from tests.graphql.test_attacks import bomb

JSON = {"content-type": "application/json"}
REQUESTS = int(os.environ.get("HOSTILE_REQUESTS", "2000"))
WARM_UP = max(REQUESTS // 3, 1_500)
"""Requests that fill what is kept on purpose, and bounded, before anything is measured."""
SOCKETS = 200
AT_ONCE = 8
MOST_GROWTH = 20 * 1024 * 1024
"""Bytes of resident memory; reliability asks for less than 20 MB."""
MOST_TASKS = 5
MOST_FILES = 5


def query(text: str, **more: object) -> bytes:
    return json.dumps({"query": text, **more}).encode()


def hostile(number: int, dice: random.Random) -> bytes:
    """Return a body that no client means well with; many are like no other, so that whatever is kept of them adds up."""
    word = f"w{number}"
    shapes = (
        lambda: dice.randbytes(dice.randrange(2_000)),
        lambda: b"[" * dice.randrange(50_000),
        lambda: query("{ " + f"{word} " * dice.randrange(1, 400) + "}"),
        lambda: query(bomb(dice.randrange(5, 120), word)),
        lambda: query(f"query {word}($a: Int) {{ customers(first: $a) {{ nodes {{ id }} }} }}", variables={"a": word}),
        lambda: query(f'{{ customer(id: "{word}") {{ id }} }}'),
        lambda: query("{ " + " ".join(f"{word}{n}: __typename" for n in range(dice.randrange(200))) + " }"),
        lambda: query(f"{{ node(id: {word}) {{ id }} }} # {'x' * dice.randrange(14_000)}"),
        lambda: query(f'mutation {{ login(challengeId: "{word}", code: "1") {{ __typename }} }} query {{ me {{ id }} }}'),
        lambda: query("{ __typename }", extensions={"persistedQuery": {"version": 1, "sha256Hash": word}}),
        lambda: registered(f"{{ {word}: __typename }}"),
        lambda: query(f"subscription {word} {{ bulkImportsProgress {{ id }} }}"),
    )
    return dice.choice(shapes)()


def registered(text: str) -> bytes:
    """Return the registration of a document that is served, and so has a claim to be remembered."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return query(text, extensions={"persistedQuery": {"version": 1, "sha256Hash": digest}})


def resident() -> int:
    """Return the resident memory of this process, in bytes."""
    gc.collect()
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    answer = subprocess.run(["ps", "-o", "rss=", "-p", str(os.getpid())], capture_output=True, check=True, text=True)
    return int(answer.stdout) * 1024


def open_files() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208  a path that is different while it is being read


async def settled_tasks() -> int:
    """Return how many tasks there are once nothing is about to end."""
    for _ in range(20):
        await asyncio.sleep(0.05)
    return len(asyncio.all_tasks())


CUT_OFF = 0
"""In place of a status: the connection was closed instead."""


async def storm(served: str, token: str, first: int, count: int) -> Counter[int]:
    """Send hostile requests, half of them with a token; return how many answers had which status."""
    dice = random.Random(first)
    numbers = iter(range(first, first + count))
    seen: Counter[int] = Counter()

    async def send(http: httpx.AsyncClient) -> None:
        for number in numbers:
            shown = dice.choice([token, f"{token}x", "x" * 9000])
            headers = {**JSON, "authorization": f"Bearer {shown}"} if number % 2 else JSON
            try:
                answer = await http.post(served, content=hostile(number, dice), headers=headers)
            except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                # Refused before it was all sent: whether the answer is still read is up to the network.
                seen[CUT_OFF] += 1
            else:
                seen[answer.status_code] += 1

    async with httpx.AsyncClient(timeout=60) as http:
        await asyncio.gather(*(send(http) for _ in range(AT_ONCE)))
    return seen


FRAMES: list[str | bytes] = [
    "null",
    "[1]",
    '{"type":"connection_init"}',
    '{"type":"subscribe","id":7}',
    "x" * 70_000,
    b"\x00\xff",
    "{" * 5_000,
]


async def sockets(served: str, count: int) -> None:
    """Open sockets and say something that makes no sense, or nothing, or too much, and go without a word."""
    dice = random.Random(count)
    for _ in range(count):
        frame = dice.choice(FRAMES)
        try:
            async with connect(served.replace("http", "ws", 1), subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
                await socket.send(frame)
                if dice.random() < 0.5:
                    async with asyncio.timeout(1):
                        await socket.recv()
        except (WebSocketException, TimeoutError, OSError):
            # Refused, closed, or nothing to say: the server is free to.
            continue


@pytest.mark.timeout(300)
async def test_hostile_requests_leave_nothing_behind(served: str, tokens: Tokens, seller: str) -> None:
    token = tokens.operator(seller)
    await storm(served, token, 0, WARM_UP)
    await sockets(served, SOCKETS // 4)
    tasks, files, memory = await settled_tasks(), open_files(), resident()

    seen = await storm(served, token, WARM_UP, REQUESTS)
    await sockets(served, SOCKETS)

    assert {2, 4} == {status // 100 for status in seen if status != CUT_OFF}
    assert REQUESTS == seen.total()
    assert await settled_tasks() <= tasks + MOST_TASKS
    assert open_files() <= files + MOST_FILES
    assert resident() - memory < MOST_GROWTH
