"""What the tests under faults rely on: a proxy that does what it says, and a checker that sees what is wrong."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from infra.kafka import Received
from tests.chaos.history import DONE, Attempt, History, check_published
from tests.chaos.proxy import FaultProxy, fault_proxy

SHORTLY = 0.3


class Talk:
    """A connection to a server that says everything back, and the server's side of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, text: bytes) -> None:
        self._writer.write(text)
        await self._writer.drain()

    async def hear(self) -> bytes | None:
        """Return what comes next, b"" at the end, None when nothing does."""
        try:
            async with asyncio.timeout(SHORTLY):
                return await self._reader.read(100)
        except TimeoutError:
            return None

    def close(self) -> None:
        self._writer.close()


class Echo:
    """The server; it remembers what it was told."""

    def __init__(self) -> None:
        self.heard = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                self.heard += data
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()

    async def until(self, text: bytes) -> None:
        async with asyncio.timeout(10):
            while text not in self.heard:  # noqa: ASYNC110 - bytes ring no bell
                await asyncio.sleep(0.01)


@pytest_asyncio.fixture(name="way")
async def _way() -> AsyncIterator[tuple[Echo, FaultProxy, Talk]]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with fault_proxy(f"127.0.0.1:{port}") as proxy:
        talk = await connected(proxy)
        await talk.say(b"hello")
        assert b"hello" == await talk.hear()
        yield echo, proxy, talk
        talk.close()
    server.close()
    await server.wait_closed()


async def connected(proxy: FaultProxy) -> Talk:
    return Talk(*await asyncio.open_connection("127.0.0.1", proxy.port))


async def test_a_black_hole_takes_everything_and_gives_it_back_when_it_is_mended(way: tuple[Echo, FaultProxy, Talk]) -> None:
    echo, proxy, talk = way
    proxy.black_hole()

    await talk.say(b"lost?")
    assert await talk.hear() is None
    late = await connected(proxy)
    await late.say(b"late")
    assert await late.hear() is None
    assert b"hello" == echo.heard

    proxy.heal()
    assert (b"lost?", b"late") == (await talk.hear(), await late.hear())
    late.close()


async def test_a_half_open_way_lets_things_happen_of_which_nobody_hears(way: tuple[Echo, FaultProxy, Talk]) -> None:
    echo, proxy, talk = way
    proxy.half_open()

    await talk.say(b"done")
    await echo.until(b"done")
    assert await talk.hear() is None

    proxy.heal()
    assert b"done" == await talk.hear()


async def test_a_reset_breaks_what_stands_and_what_comes(way: tuple[Echo, FaultProxy, Talk]) -> None:
    _, proxy, talk = way
    proxy.reset()

    with pytest.raises(ConnectionResetError):
        await talk.hear()
    with pytest.raises(ConnectionError):
        await (await connected(proxy)).hear()

    proxy.heal()
    again = await connected(proxy)
    await again.say(b"again")
    assert b"again" == await again.hear()
    again.close()


async def test_a_way_that_is_shut_finds_nobody_and_opens_again_at_the_same_port(way: tuple[Echo, FaultProxy, Talk]) -> None:
    _, proxy, _ = way
    port = proxy.port

    await proxy.shut()
    with pytest.raises(ConnectionRefusedError):
        await connected(proxy)
    await proxy.open()

    assert port == proxy.port
    again = await connected(proxy)
    await again.say(b"back")
    assert b"back" == await again.hear()
    again.close()


async def test_a_delay_delays_and_loses_nothing(way: tuple[Echo, FaultProxy, Talk]) -> None:
    _, proxy, talk = way
    proxy.delay(SHORTLY)

    await talk.say(b"slow")
    assert await talk.hear() is None
    async with asyncio.timeout(10):
        while (heard := await talk.hear()) is None:
            pass
    assert b"slow" == heard


class Collection:
    """What the checker reads of a collection."""

    def __init__(self, found: list[dict[str, Any]]) -> None:
        self._found = found

    def find(self, _: object) -> "Collection":
        return self

    async def to_list(self) -> list[dict[str, Any]]:
        return self._found


def change(mark: str, version: int, *, seller: str = "s", customer: str = "c") -> dict[str, Any]:
    return {
        "_id": f"{customer}-{version}",
        "seller_id": seller,
        "customer_id": customer,
        "version": version,
        "data": {"lastName": mark},
    }


def attempt(mark: str, version: int, outcome: str = DONE) -> Attempt:
    return Attempt("update", "s", mark, 0.0, 1.0, outcome, "c", version)


SOUND = [change("a", 1), change("b", 2)]
SAID = [attempt("a", 1), attempt("b", 2), attempt("c", 0, "TIMEOUT")]


@pytest.mark.parametrize(
    ("said", "version", "name", "events", "finding"),
    [
        (SAID, 2, "b", SOUND, None),
        ([*SAID, attempt("d", 3)], 2, "b", SOUND, "lost: update d"),
        (SAID, 3, "b", [*SOUND, change("b", 3)], "doubled: b"),
        (SAID, 3, "x", [*SOUND, change("x", 3)], "invented: x"),
        (SAID, 2, "b", [change("a", 1), change("b", 2, seller="other")], "invented: b of other"),
        (SAID, 3, "c", SOUND, "half: c has version 3 and 2 events"),
        (SAID, 2, "c", SOUND, "half: c is c, and its last event says b"),
        (SAID, 2, "b", [*SOUND, change("c", 1, customer="gone")], "half: events of gone"),
    ],
    ids=["sound", "lost", "doubled", "invented", "of another seller", "without event", "another end", "without customer"],
)
async def test_the_checker_sees_what_is_wrong(
    said: list[Attempt], version: int, name: str, events: list[dict[str, Any]], finding: str | None
) -> None:
    customers = [{"_id": "c", "seller_id": "s", "version": version, "last_name": name}]
    database: Any = {"customers": Collection(customers), "customer_events": Collection(events)}

    found = await History(said).check(database)

    if finding is None:
        assert [] == found
    else:
        assert [one for one in found if one.startswith(finding)]


def record(id_: str, version: int, body: str = "") -> Received:
    value = f'{{"version": {version}, "more": "{body}"}}'.encode()
    at = datetime.now(UTC)
    return Received(topic="updated", partition=0, offset=0, key=b"c", value=value, headers=(("ce_id", id_.encode()),), at=at)


@pytest.mark.parametrize(
    ("records", "finding"),
    [
        ([record("c-1", 1), record("c-2", 2), record("c-1", 1)], None),
        ([record("c-1", 1)], "never published: c-2"),
        ([record("c-1", 1), record("c-2", 2), record("c-3", 3)], "published and not stored: c-3"),
        ([record("c-1", 1), record("c-2", 2), record("c-1", 1, "other")], "repeated with other bytes: c-1"),
        ([record("c-2", 2), record("c-1", 1)], "out of order"),
    ],
    ids=["sound", "lost", "invented", "other bytes", "out of order"],
)
def test_the_checker_sees_what_is_wrong_on_kafka(records: list[Received], finding: str | None) -> None:
    found = check_published(records, SOUND)

    if finding is None:
        assert [] == found
    else:
        assert [one for one in found if one.startswith(finding)]


def test_outcomes_are_counted_and_errors_timed() -> None:
    history = History([attempt("a", 1), attempt("b", 0, "TIMEOUT"), attempt("c", 0, "INTERNAL"), attempt("d", 0, "lost X")])

    assert {"INTERNAL": 1, "lost X": 1} == history.untyped()
    assert {"INTERNAL": 1} == history.untyped("lost X")
    assert 0.5 == history.seconds_of_errors(0.5)
    assert 0.0 == history.seconds_of_errors(2.0)
