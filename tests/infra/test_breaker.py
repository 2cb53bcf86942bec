"""Systems that do not answer are left alone, and never asked much more often than we were."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import count

import pytest

from core.delivery import CodeMessage, MaybeSent, NotSent
from core.errors import Unavailable
from core.vocabulary import OtpChannel
from infra import breaker as module
from infra.aws import AwsAccess
from infra.breaker import THRESHOLD, Breaker
from infra.guarded_delivery import GuardedDelivery
from infra.s3 import open_object_store
from infra.sqs import open_work_queue

_NAMES = count()


def a_breaker(*, threshold: int = 1, open_seconds: float = 0) -> Breaker:
    return Breaker(f"system {next(_NAMES)}", threshold=threshold, open_seconds=open_seconds)


async def fail() -> None:
    raise OSError("broken on purpose")


async def test_one_call_at_a_time_tries_whether_a_system_is_back() -> None:
    breaker = a_breaker()
    with pytest.raises(OSError, match="on purpose"):
        await breaker.call(fail)
    await asyncio.sleep(0.001)
    answer = asyncio.Event()
    probe = asyncio.create_task(breaker.call(answer.wait))
    await asyncio.sleep(0)

    with pytest.raises(Unavailable, match="left alone"):
        await breaker.call(fail)

    answer.set()
    assert await probe
    assert await breaker.call(answer.wait)


@pytest.mark.parametrize("patience", [0.0, 60.0], ids=["after long", "at once"])
async def test_who_gives_up_waiting_says_that_a_system_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    """
    Clients that hang up at once say nothing of it.
    """
    monkeypatch.setattr(module, "GIVEN_UP_SECONDS", patience)
    breaker = a_breaker(open_seconds=60)
    waiting = asyncio.create_task(breaker.call(asyncio.Event().wait))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    answer = asyncio.Event()
    answer.set()

    if patience:
        assert await breaker.call(answer.wait)
    else:
        with pytest.raises(Unavailable):
            await breaker.call(answer.wait)


class Failing:
    """An HTTP server that always answers 503, or as it is told, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = b"503 Service Unavailable"
        self.silent = False
        self._period = 1

    def every(self, period: int) -> None:
        """Fail one time in so many only; else, nothing is there."""
        self._period = period

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                fields = [line.partition(b":") for line in head.lower().split(b"\r\n")]
                await reader.readexactly(next((int(value) for name, _, value in fields if name == b"content-length"), 0))
                if self.silent:
                    continue
                status = b"404 Not Found" if self.asked % self._period else self.status
                writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")
        writer.close()


@asynccontextmanager
async def failing() -> AsyncIterator[tuple[Failing, AwsAccess]]:
    server = Failing()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield server, AwsAccess(region="us-east-1", endpoint=f"http://127.0.0.1:{port}", access_key="k", secret_key="s")
    finally:
        listening.close()


async def test_a_store_that_fails_is_asked_no_more_often_than_we_are() -> None:
    """
    Three attempts each for those that come before the circuit opens, and none for all the others.
    """
    async with failing() as (server, access), open_object_store(access, bucket="b") as store:
        first = await asyncio.gather(*(store.describe("key") for _ in range(THRESHOLD)), return_exceptions=True)
        attempts = server.asked
        for _ in range(50):
            with pytest.raises(Unavailable, match="left alone"):
                await store.describe("key")

    assert [Unavailable] * THRESHOLD == [type(one) for one in first]
    assert 3 * THRESHOLD == attempts == server.asked


async def test_what_a_store_says_of_one_object_opens_no_circuit() -> None:
    async with failing() as (server, access), open_object_store(access, bucket="b") as store:
        server.status = b"404 Not Found"
        assert [None] * (2 * THRESHOLD) == [await store.describe("key") for _ in range(2 * THRESHOLD)]

    assert 2 * THRESHOLD == server.asked


async def test_a_queue_that_fails_is_left_alone_too() -> None:
    async with (
        failing() as (server, access),
        open_work_queue(access, name="q", visibility_timeout=30, max_receive_count=5) as queue,
    ):
        await asyncio.gather(*(queue.send({}) for _ in range(THRESHOLD)), return_exceptions=True)
        attempts = server.asked
        with pytest.raises(Unavailable, match="left alone"):
            await queue.receive(1, 0)

    assert 3 * THRESHOLD == attempts == server.asked


CODE = CodeMessage(
    id="1", seller_id="s", channel=OtpChannel.SMS, destination="+1", code="000000", expires_at=datetime(2030, 1, 1, tzinfo=UTC)
)


class Carrier:
    def __init__(self, failure: Exception) -> None:
        self.failure = failure
        self.asked = 0

    async def deliver(self, message: CodeMessage) -> None:
        self.asked += 1
        raise self.failure


@pytest.mark.parametrize(
    ("failure", "asked", "last"),
    [
        (NotSent("down"), THRESHOLD, NotSent),
        (MaybeSent("lost"), THRESHOLD, NotSent),
        (NotSent("no such number", final=True), 2 * THRESHOLD, NotSent),
    ],
    ids=["not sent", "maybe sent", "refused for good"],
)
async def test_codes_wait_while_their_carrier_does_not_answer(failure: Exception, asked: int, last: type[Exception]) -> None:
    carrier = Carrier(failure)
    guarded = GuardedDelivery(carrier, f"carrier {next(_NAMES)}")

    for _ in range(2 * THRESHOLD):
        with pytest.raises((NotSent, MaybeSent)) as told:
            await guarded.deliver(CODE)

    assert asked == carrier.asked
    assert isinstance(told.value, last)
