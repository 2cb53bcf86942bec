"""How much a process takes on at once, and how it says no to the rest."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import admission as module
from app.admission import Admission, Admitted, Overloaded
from app.asgi import create_app
from app.overload import refuse_operation, refuse_request
from app.settings import Settings
from tests.api import BASE


class Slow:
    """An application that answers when it is told to, and reads the whole body first."""

    def __init__(self) -> None:
        self.begun = 0
        self.order: list[str | None] = []
        self.go_on = asyncio.Event()
        self.finish = asyncio.Event()
        self.finish.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            if not message.get("more_body", False):
                break
        self.begun += 1
        self.order.append(scope.get("lane"))
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.finish.wait()
        await send({"type": "http.response.body", "body": b"answered"})


class Client:
    """One request whose body may be a while in coming."""

    def __init__(self, application: ASGIApp, path: str = "/graphql", *, complete: bool = True, lane: str = "one") -> None:
        self.answer: list[Message] = []
        self._body: asyncio.Queue[Message] = asyncio.Queue()
        if complete:
            self.complete()
        scope = {"type": "http", "path": path, "method": "POST", "headers": [], "lane": lane}
        self.task: asyncio.Task[None] = asyncio.create_task(self._run(application, scope))

    async def _run(self, application: ASGIApp, scope: Scope) -> None:
        await application(scope, self._body.get, self._take)

    def complete(self) -> None:
        self._body.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    async def _take(self, message: Message) -> None:
        self.answer.append(message)

    @property
    def status(self) -> int | None:
        return self.answer[0]["status"] if self.answer else None

    async def over(self) -> int | None:
        async with asyncio.timeout(10):
            await self.task
        return self.status


async def settled() -> None:
    """Let everybody go as far as they can without waiting."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture(name="slow")
def _slow() -> Slow:
    return Slow()


def admitted(slow: Slow, *, most: int, queued: int) -> Admitted:
    return Admitted(slow, Admission(most=most, queued=queued), refuse_operation, lambda scope: scope["lane"])


async def test_what_fits_is_answered_the_next_wait_in_order_and_the_rest_is_refused_at_once(slow: Slow) -> None:
    application = admitted(slow, most=2, queued=1)

    clients = [Client(application) for _ in range(4)]
    await settled()

    assert (2, [None, None, None, 503]) == (slow.begun, [client.status for client in clients])
    slow.go_on.set()
    assert [200, 200, 200, 503] == [await client.over() for client in clients]
    assert 3 == slow.begun


async def test_a_seller_who_floods_the_process_refuses_itself_and_others_wait_for_one_turn(slow: Slow) -> None:
    application = admitted(slow, most=1, queued=10)
    flood = [Client(application, lane="loud") for _ in range(30)]
    await settled()

    calm = [Client(application, lane="calm") for _ in range(2)]
    await settled()

    # Two of those who waited made room.
    assert [503] * 21 == [client.status for client in flood if client.status is not None]
    assert [None, None] == [client.status for client in calm]
    slow.go_on.set()
    await asyncio.gather(*(client.over() for client in (*flood, *calm)))
    assert [200, 200] == [client.status for client in calm]
    assert 9 == sum(client.status == 200 for client in flood)
    # The first was being answered already; then they take turns.
    assert ["loud", "loud", "calm", "loud", "calm"] + ["loud"] * 6 == slow.order


async def test_where_everybody_waits_as_long_as_others_the_last_to_come_is_refused(slow: Slow) -> None:
    application = admitted(slow, most=1, queued=4)
    waiting = [Client(application, lane=lane) for lane in ("a", "a", "a", "b", "b")]
    await settled()

    late = [Client(application, lane=lane) for lane in ("a", "b", "c")]
    await settled()

    # One for the third seller, who has none, is made room for.
    assert [503, 503, None] == [client.status for client in late]
    assert [None, None, 503, None, None] == [client.status for client in waiting]
    slow.go_on.set()
    assert [200] * 5 == [await client.over() for client in (*waiting[:2], *waiting[3:], late[2])]


async def test_no_more_wait_than_get_a_place_in_time(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whoever would wait in vain is told at once.
    """
    admission = Admission(most=1, queued=1000)
    admission._rate = 6 / module.QUEUE_SECONDS
    application = Admitted(slow, admission, refuse_operation)

    clients = [Client(application) for _ in range(6)]
    await settled()

    assert [None, None, None, None, 503, 503] == [client.status for client in clients]
    slow.go_on.set()
    assert [200] * 4 == [await client.over() for client in clients[:4]]


async def test_how_fast_places_become_free_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission(most=1, queued=1000)
    assert 1000 == admission._room()
    await admission.enter()
    others = [asyncio.create_task(admission.enter()) for _ in range(100)]
    await settled()
    for _ in others:
        await asyncio.sleep(0.002)
        admission.leave()
    await asyncio.gather(*others)

    assert 1 <= admission._room() < 1000


async def test_who_waits_too_long_is_refused_and_takes_no_place(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_SECONDS", 0.01)
    application = admitted(slow, most=1, queued=1)
    first = Client(application)
    await settled()

    assert 503 == await Client(application).over()

    slow.go_on.set()
    assert 200 == await first.over()
    assert 200 == await Client(application).over()


async def test_who_hangs_up_while_waiting_leaves_the_queue(slow: Slow) -> None:
    admission = Admission(most=1, queued=1)
    await admission.enter()
    waiting = asyncio.create_task(admission.enter())
    await settled()

    waiting.cancel()
    await asyncio.wait({waiting})
    other = asyncio.create_task(admission.enter())
    await settled()

    with pytest.raises(Overloaded):
        await admission.enter()
    admission.leave()
    async with asyncio.timeout(5):
        await other


async def test_health_is_always_told(slow: Slow) -> None:
    application = admitted(slow, most=1, queued=0)
    first = Client(application)
    await settled()

    health = [Client(application, path) for path in ("/healthz", "/readyz", "/.well-known/jwks.json")]
    await settled()
    slow.go_on.set()

    assert [200, 200, 200] == [await one.over() for one in health]
    assert 200 == await first.over()


async def test_a_client_that_is_slow_with_its_body_keeps_nobody_from_a_place(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BODY_SECONDS", 0.01)
    application = admitted(slow, most=1, queued=1)
    sluggish = Client(application, complete=False)
    await settled()

    prompt = Client(application)
    async with asyncio.timeout(10):
        while not slow.begun:  # noqa: ASYNC110 - a number rings no bell
            await asyncio.sleep(0.005)
    assert sluggish.status is None
    slow.go_on.set()
    assert 200 == await prompt.over()

    sluggish.complete()
    assert 200 == await sluggish.over()


async def test_a_slow_body_that_comes_when_there_is_no_place_is_refused(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_SECONDS", 0.01)
    application = admitted(slow, most=1, queued=0)
    sluggish = Client(application, complete=False)
    async with asyncio.timeout(10):
        while not slow.begun:
            prompt = Client(application)
            await asyncio.sleep(0.005)

    sluggish.complete()

    assert 503 == await sluggish.over()
    assert 1 == slow.begun
    slow.go_on.set()
    assert 200 == await prompt.over()


async def test_a_place_is_free_when_the_answer_begins(slow: Slow) -> None:
    """
    Streams go on for hours, and some clients read slowly.
    """
    application = admitted(slow, most=1, queued=0)
    slow.finish.clear()
    slow.go_on.set()
    first = Client(application)
    await settled()
    assert 200 == first.status

    second = Client(application)
    slow.finish.set()

    assert [200, 200] == [await first.over(), await second.over()]


async def test_an_application_that_fails_gives_its_place_back() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    application = Admitted(failing, Admission(most=1, queued=0), refuse_request)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await Client(application).task


@asynccontextmanager
async def full(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An application whose only place is taken; what it would answer with is never asked, so that it need not be there."""
    server = settings.server.model_copy(update={"max_concurrent_requests": 1, "max_queued_requests": 0})
    app: FastAPI = create_app(
        settings.model_copy(update={"server": server.model_copy(update={"allowed_origins": ["https://shop"]})})
    )
    admission = next(one.kwargs["admission"] for one in app.user_middleware if "admission" in one.kwargs)
    assert isinstance(admission, Admission)
    await admission.enter()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as http:
        yield http


async def test_rest_is_refused_with_a_problem(settings: Settings) -> None:
    async with full(settings) as http:
        answer = await http.get("/api/v1/customers/cus_1", headers={"x-request-id": "mine"})
        health = await http.get("/healthz")

    assert (503, "1", "no-store") == (answer.status_code, answer.headers["retry-after"], answer.headers["cache-control"])
    assert "application/problem+json" == answer.headers["content-type"]
    assert ("OVERLOADED", "mine", 503) == tuple(answer.json()[key] for key in ("code", "requestId", "status"))
    assert 404 == health.status_code


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        ("image/png", "application/json; charset=utf-8"),
    ],
)
async def test_an_operation_is_refused_with_an_error_of_graphql(accept: str, media_type: str) -> None:
    transport = httpx.ASGITransport(app=refuse_operation)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as http:
        answer = await http.post(
            "/graphql", json={"query": "{ viewer { kind } }"}, headers={"accept": accept, "x-request-id": "m"}
        )

    assert (503, "1", media_type, "m") == (
        answer.status_code, answer.headers["retry-after"], answer.headers["content-type"], answer.headers["x-request-id"],
    )  # fmt: skip
    (error,) = answer.json()["errors"]
    assert {"code": "OVERLOADED", "requestId": "m", "retryAfter": 1} == error["extensions"]
    assert "data" not in answer.json()
