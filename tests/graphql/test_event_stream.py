"""Operations over server-sent events: the protocol of graphql-sse, and how such a stream ends."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.cli.serve import StoppableServer
from app.container import Container
from app.graphql import event_stream
from app.graphql.event_stream import EventStreams
from app.graphql.socket_guard import SocketGuard
from app.keys import token_issuer
from app.settings import Settings
from auth.principal import OPERATOR_SCOPES
from core.clock import SystemClock
from core.errors import Unavailable
from core.ids import IdKind, new_id
from core.vocabulary import PrincipalKind
from models.bulk_import import BulkImport
from repositories import revocation
from services.bulk_import import BulkImportService
from tests.api import Api, Json, error_code
from tests.graphql.event_stream import EventStream, open_stream
from tests.graphql.imports import announce, csv
from tests.graphql.operations import CANCEL_IMPORT, payload
from tests.leftovers import left_since, ours

PROGRESS = "subscription($id: ID!) { bulkImportProgress(id: $id) { id status } }"
ALL = "subscription { bulkImportsProgress { id status } }"
WHO = "{ viewer { kind } }"
URQL = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"


@pytest.fixture(name="session_id")
def _session_id() -> str:
    return new_id(IdKind.SESSION)


@pytest.fixture(name="operator")
def _operator(execute: Api) -> str:
    return execute.headers()["authorization"].removeprefix("Bearer ")


def mint(settings: Settings, seller: str, session_id: str, lifetime: timedelta = timedelta(minutes=10)) -> str:
    """Return a token of one session of an operator."""
    return token_issuer(settings, SystemClock()).issue(
        kind=PrincipalKind.OPERATOR,
        subject="ada",
        scopes=OPERATOR_SCOPES,
        lifetime=lifetime,
        seller_id=seller,
        session_id=session_id,
    )


@pytest.fixture(name="faults", autouse=True)
def _faults(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Nothing that ends a stream is a fault: no traceback, no task nobody waited for. A test may take out what it expects."""
    expected: list[str] = []
    yield expected
    seen = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert expected == [message for message in seen if not any(one in message for one in expected)] or len(seen) == len(
        expected
    )


def tasks() -> list[str]:
    """Return the names of the tasks that work for event streams."""
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("event stream")]


async def quiet() -> None:
    """Wait until no task works for an event stream: MUST 43 gives it a second, the machine may be busy."""
    async with asyncio.timeout(10):
        while tasks():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)


class Source:
    """A subscription that has news when the test says so, and knows whether it was ended."""

    def __init__(self, record: BulkImport) -> None:
        self.record = record
        self.running = 0
        self.news: asyncio.Queue[Exception | None] = asyncio.Queue()

    async def __call__(self, *_: Any) -> AsyncGenerator[BulkImport, None]:
        self.running += 1
        try:
            yield self.record
            while True:
                if (fault := await self.news.get()) is not None:
                    raise fault
                yield self.record
        finally:
            self.running -= 1


@pytest.fixture(name="source")
async def _source(execute: Api, container: Container, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Source]:
    id_, _ = await announce(execute, csv(1))
    record = await BulkImport.get(id_)
    assert record is not None
    source = Source(record)
    monkeypatch.setattr(BulkImportService, "watch_all", source)
    yield source
    await quiet()
    assert 0 == source.running


async def rest(stream: EventStream) -> tuple[list[Json], bool]:
    """Return the results that are left, and whether the stream said that it is complete."""
    results: list[Json] = []
    while (event := await stream.receive()) is not None:
        if event == ("complete", None):
            return results, True
        assert event[1] is not None
        results.append(event[1])
    return results, False


# ---------------------------------------------------------------------------- what is streamed


async def test_subscription_is_streamed_until_it_is_over(execute: Api, served: str, operator: str) -> None:
    id_, _ = await announce(execute, csv(1))

    async with open_stream(served, PROGRESS, {"id": id_}, token=operator) as stream:
        first = await stream.next()
        await payload(execute, CANCEL_IMPORT, {"id": id_})
        last = (await stream.until_complete())[-1]

    assert {"bulkImportProgress": {"id": id_, "status": "AWAITING_UPLOAD"}} == first["data"]
    assert "CANCELED" == last["data"]["bulkImportProgress"]["status"]
    assert (200, "text/event-stream; charset=utf-8") == (stream.answer.status_code, stream.answer.headers["content-type"])
    assert ("no-store", "no") == (stream.answer.headers["cache-control"], stream.answer.headers["x-accel-buffering"])
    assert "content-length" not in stream.answer.headers
    assert "x-request-id" in stream.answer.headers
    await quiet()


async def test_query_is_one_result(served: str, operator: str) -> None:
    async with open_stream(served, WHO, token=operator) as stream:
        (result,) = await stream.until_complete()

    assert {"viewer": {"kind": "OPERATOR"}} == result["data"]


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ nothing }",
        "subscription { nothing }",
        "subscription A { __typename } subscription B { __typename }",
        "mutation { logout { userErrors { code } } }",
        'mutation { createCustomer(input: {externalId: "A-1"}) { customer { id } } }',
    ],
)
async def test_operation_that_is_refused_is_told_so_in_the_stream(served: str, operator: str, query: str) -> None:
    """
    As the protocol wants it: another status than 200 has a browser give up, and show nobody why. MUST 45: no mutations here.
    """
    async with open_stream(served, query, token=operator) as stream:
        (result,) = await stream.until_complete()

    assert 200 == stream.answer.status_code
    assert "data" not in result
    assert {"BAD_USER_INPUT"} == {error["extensions"]["code"] for error in result["errors"]}
    assert {stream.answer.headers["x-request-id"]} == {error["extensions"]["requestId"] for error in result["errors"]}


async def test_mutation_changes_nothing(execute: Api, served: str, operator: str) -> None:
    query = 'mutation { createCustomer(input: {externalId: "SSE-1"}) { customer { id } } }'

    async with open_stream(served, query, token=operator) as stream:
        await stream.until_complete()

    assert {"customerExists": []} == await execute.data('{ customerExists(externalId: "SSE-1") { customerId } }')


async def test_stranger_is_refused_in_the_stream(served: str) -> None:
    async with open_stream(served, ALL) as stream:
        results = await stream.until_complete()

    assert ["UNAUTHENTICATED"] == [error["extensions"]["code"] for result in results for error in result["errors"]]


async def test_client_that_accepts_either_gets_what_fits_the_operation(served: str, operator: str, source: Source) -> None:
    """
    urql asks for everything at once, and leaves it to the server.
    """
    async with open_stream(served, ALL, token=operator, accept=URQL) as stream:
        assert source.record.id == (await stream.next())["data"]["bulkImportsProgress"]["id"]
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
    async with open_stream(served, WHO, token=operator, accept=URQL) as stream:
        assert stream.answer.headers["content-type"].startswith("application/graphql-response+json")


async def test_subscription_by_get_is_refused(served: str, operator: str) -> None:
    """
    Finding 5: an EventSource on anybody's page could open it, and no browser would ask first.
    """
    async with httpx.AsyncClient() as client:
        answers = [
            await client.request(
                method,
                served,
                params={"query": ALL},
                headers={"accept": "text/event-stream", "authorization": f"Bearer {operator}"},
            )
            for method in ("GET", "PUT", "DELETE")
        ]

    assert [(405, "POST")] * 3 == [(answer.status_code, answer.headers["allow"]) for answer in answers]


# ---------------------------------------------------------------------------- how a stream ends


async def test_client_that_goes_ends_its_operation(served: str, operator: str, source: Source) -> None:
    """
    MUST 43, and again and again.
    """
    before = ours()
    for _ in range(20):
        async with open_stream(served, ALL, token=operator) as stream:
            await stream.next()
            assert 1 == source.running
        await quiet()
        assert 0 == source.running

    assert [] == await left_since(before)


async def test_operation_that_a_cancellation_got_lost_in_is_ended_all_the_same(
    served: str, operator: str, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Python 3.11 and the database driver lose one now and then.
    """
    ended = asyncio.Event()

    async def stubborn(*_: object) -> AsyncGenerator[BulkImport, None]:
        try:
            yield source.record
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr(BulkImportService, "watch_all", stubborn)
    async with open_stream(served, ALL, token=operator) as stream:
        await stream.next()
        await asyncio.sleep(0.05)

    await asyncio.wait_for(ended.wait(), 10)


async def test_stream_ends_when_its_token_expires(
    served: str, settings: Settings, seller: str, session_id: str, source: Source
) -> None:
    async with open_stream(served, ALL, token=mint(settings, seller, session_id, timedelta(seconds=2))) as stream:
        await stream.next()
        (last,), complete = await rest(stream)

    assert complete
    assert ["UNAUTHENTICATED"] == [error["extensions"]["code"] for error in last["errors"]]
    assert "expired" in last["errors"][0]["message"]


async def test_stream_ends_with_its_session(
    served: str, settings: Settings, seller: str, session_id: str, source: Source
) -> None:
    """
    MUST 6: within 30 seconds, whichever process ended it.
    """
    async with open_stream(served, ALL, token=mint(settings, seller, session_id)) as stream:
        await stream.next()
        now = datetime.now(UTC)
        await revocation.revoke([session_id], now, now + timedelta(minutes=11))
        (last,), complete = await rest(stream)

    assert complete
    assert ["UNAUTHENTICATED"] == [error["extensions"]["code"] for error in last["errors"]]


async def test_token_that_holds_by_leeway_alone_opens_no_stream(
    served: str, settings: Settings, seller: str, session_id: str, source: Source
) -> None:
    token = mint(settings, seller, session_id, timedelta(seconds=-5))

    async with open_stream(served, ALL, token=token) as stream:
        await stream.answer.aread()

    assert (401, "UNAUTHENTICATED") == (stream.answer.status_code, error_code(stream.answer))


async def test_caller_that_can_no_longer_be_checked_is_asked_to_come_back(
    served: str, operator: str, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The stream is not complete, so that clients connect again.
    """

    async def unreachable(*_: object) -> None:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(SocketGuard, "wait", unreachable)
    async with open_stream(served, ALL, token=operator) as stream:
        results, complete = await rest(stream)

    assert not complete
    assert "UNAVAILABLE" == results[-1]["errors"][0]["extensions"]["code"]


async def test_fault_in_an_operation_is_masked_and_ends_it(
    served: str, operator: str, source: Source, faults: list[str]
) -> None:
    faults.append("internal error")
    async with open_stream(served, ALL, token=operator) as stream:
        await stream.next()
        source.news.put_nowait(RuntimeError("password=hunter2"))
        (last,), complete = await rest(stream)

    assert complete
    assert "INTERNAL" == last["errors"][0]["extensions"]["code"]
    assert "hunter2" not in str(last)


async def test_fault_around_an_operation_is_masked_and_logged_once(
    served: str, operator: str, faults: list[str], monkeypatch: pytest.MonkeyPatch, app: FastAPI
) -> None:
    faults.append("internal error")

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("app.graphql.execution.Schema.stream", broken)
    async with open_stream(served, ALL, token=operator) as stream:
        (last,) = await stream.until_complete()

    assert {"code", "requestId", "errorId"} == last["errors"][0]["extensions"].keys()
    assert "hunter2" not in str(last)


@asynccontextmanager
async def stream_of(
    results: AsyncGenerator[Any, None], stopping: asyncio.Event, *, blocked: bool = False
) -> AsyncIterator[tuple[asyncio.Task[None], list[Any]]]:
    """Serve *results* to a client that says nothing, and reads nothing when it is *blocked*."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        if blocked and message.get("body") != b":\n\n" and message["type"] == "http.response.body":
            await asyncio.Event().wait()
        sent.append(message)

    guard: Any = None
    serving = asyncio.create_task(EventStreams(guard, stopping).serve(results, None, "req-1", asyncio.Event().wait, send))  # type: ignore[arg-type]  # it never returns
    try:
        yield serving, sent
    finally:
        serving.cancel()
        await asyncio.wait([serving])


async def silence() -> AsyncGenerator[Any, None]:
    """Have no results, for ever."""
    await asyncio.Event().wait()
    yield None


async def test_server_that_stops_ends_its_streams_without_calling_them_complete() -> None:
    """
    MUST 51. The client then connects again, to a server that runs.
    """
    stopping = asyncio.Event()
    async with stream_of(silence(), stopping) as (serving, sent):
        await asyncio.sleep(0.05)
        assert not serving.done()
        stopping.set()
        await asyncio.wait_for(serving, 5)

    assert {"type": "http.response.body", "body": b"", "more_body": False} == sent[-1]
    await quiet()


async def test_server_that_is_told_to_stop_tells_its_streams() -> None:
    """
    It waits for answers under way first, and for the end of the lifespan last: a stream would keep it from ever stopping.
    """
    app = FastAPI()
    app.state.stopping = asyncio.Event()
    guard: Any = None

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await EventStreams(guard, app.state.stopping).serve(silence(), None, "req-1", receive, send)

    app.mount("/", endpoint)
    server = StoppableServer(uvicorn.Config(app, port=0, lifespan="off", log_config=None))
    serving = asyncio.create_task(server._serve())  # signals stay with pytest
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]

    async with open_stream(f"http://127.0.0.1:{port}/", WHO) as stream:
        server.should_exit = True
        assert await stream.receive() is None
    await asyncio.wait_for(serving, 5)


async def test_silence_is_filled_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "SILENCE", timedelta(milliseconds=20))

    async with stream_of(silence(), asyncio.Event()) as (_, sent):
        async with asyncio.timeout(5):
            while len(sent) < 5:  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.01)

    assert {b":\n\n"} == {message["body"] for message in sent[1:]}


async def test_client_that_reads_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    MUST 42: it holds up its own operation and nobody else, and not the end of the server either.
    """
    monkeypatch.setattr(event_stream, "LAST_WORDS", timedelta(milliseconds=10))
    stopping = asyncio.Event()
    made = 0

    async def flood() -> AsyncGenerator[Any, None]:
        nonlocal made
        while True:
            made += 1
            yield type("Result", (), {"errors": None, "data": {"n": made}, "extensions": None})

    async with stream_of(flood(), stopping, blocked=True) as (serving, _):
        await asyncio.sleep(0.1)
        stopping.set()
        await asyncio.wait_for(serving, 5)

    assert 1 == made
    await quiet()


async def test_streams_of_one_caller_are_counted(served: str, operator: str, source: Source, settings: Settings) -> None:
    """
    MUST 44: in the same gauge as its sockets.
    """
    most = settings.graphql.connections_per_caller
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(open_stream(served, ALL, token=operator)) for _ in range(most)]
        for stream in streams:
            await stream.next()

        async with open_stream(served, ALL, token=operator) as refused, asyncio.timeout(10):
            await refused.answer.aread()

    assert (429, "RATE_LIMITED") == (refused.answer.status_code, error_code(refused.answer))
    assert 0 < int(refused.answer.headers["retry-after"])
    (error,) = refused.answer.json()["errors"]
    assert int(refused.answer.headers["retry-after"]) == error["extensions"]["retryAfter"]
    await quiet()
    async with open_stream(served, ALL, token=operator) as stream:
        await stream.next()
