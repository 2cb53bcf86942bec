"""What happens to customers, live: in order, once, and never with a gap that is not told."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from app.container import Container
from auth.principal import OPERATOR_SCOPES, Scope
from core.vocabulary import PrincipalKind
from events.customer import CustomerEvent
from repositories.customer_event import CustomerEventRepository
from services import customer_watching
from services.customer_watching import MISSED, LiveEvents
from services.live import Mailbox
from tests.api import Api, Json, Tokens, fresh
from tests.graphql.operations import BERLIN, CREATE_ADDRESS, DELETE, UPDATE, create, events, payload
from tests.graphql.socket import Socket, open_socket
from tests.leftovers import left_since, ours

FIELDS = "id type customerId actor changed version occurredAt"
ALL = f"subscription($seller: ID) {{ customerEvents(sellerId: $seller) {{ {FIELDS} }} }}"
ONE = f"subscription($id: ID, $seller: ID) {{ customerEvents(customerId: $id, sellerId: $seller) {{ {FIELDS} }} }}"
WITH_CUSTOMER = "subscription($id: ID) { customerEvents(customerId: $id) { version customer { firstName version } } }"


@pytest.fixture(name="operator")
def _operator(tokens: Tokens, seller: str) -> str:
    return tokens.operator(seller)


@pytest.fixture(name="live")
def _live(container: Container) -> LiveEvents:
    return container.services.customer_watching._live


def mailboxes(live: LiveEvents, seller: str) -> list[Mailbox[CustomerEvent]]:
    """Return what waits for those who watch a seller, or one of its customers."""
    return [mailbox for (whose, _), found in live._mailboxes.items() if whose == seller for mailbox in found]


async def become(condition: Callable[[], bool]) -> None:
    """Wait until *condition* holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)


async def follow_all(socket: Socket, token: str, live: LiveEvents, seller: str | None = None) -> None:
    """Subscribe to the events of a whole seller, and wait until they are followed: no first event says so."""
    before = live.watchers
    await socket.init(token)
    await socket.subscribe(ALL, {"seller": seller})
    await become(lambda: live.watchers > before)
    await live.ready()


async def follow(socket: Socket, token: str, id_: str, query: str = ONE) -> Json:
    """Subscribe to the events of a customer; return the first one."""
    await socket.init(token)
    await socket.subscribe(query, {"id": id_})
    return await event(socket)


async def event(socket: Socket) -> Json:
    message = await socket.receive()
    assert "next" == message["type"], message
    assert not message["payload"].get("errors"), message
    found: Json = message["payload"]["data"]["customerEvents"]
    return found


async def rename(execute: Api, id_: str, name: str) -> int:
    version: int = (await payload(execute, UPDATE, {"id": id_, "patch": {"firstName": name}}))["customer"]["version"]
    return version


def refused(message: Json) -> tuple[str, str]:
    errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
    return errors[0]["extensions"]["code"], errors[0]["message"]


# ------------------------------------------------------------------------ one customer


async def test_the_latest_event_comes_first_then_each_later_one(execute: Api, served: str, operator: str) -> None:
    customer = await create(execute)
    await rename(execute, customer["id"], "Ada")

    async with open_socket(served) as socket:
        seen = [await follow(socket, operator, customer["id"])]
        await rename(execute, customer["id"], "Eve")
        seen.append(await event(socket))
        await payload(execute, CREATE_ADDRESS, {"customer": customer["id"], "input": BERLIN})
        seen.append(await event(socket))

    written = await events(execute, customer["id"])
    assert [{**one, "customerId": customer["id"]} for one in written[1:]] == seen
    assert [["firstName"], ["firstName"]] == [one["changed"] for one in seen[:2]]


async def test_an_event_can_be_asked_what_it_changed_and_reads_are_no_events(
    execute: Api, served: str, operator: str, tokens: Tokens, seller: str
) -> None:
    customer = await create(execute, firstName="Ada", documents=[{"type": "PASSPORT", "number": "C01X00T47"}])
    auditor = tokens.operator(seller, OPERATOR_SCOPES | {Scope.DOCUMENTS_READ_FULL})
    query = "subscription($id: ID) { customerEvents(customerId: $id) { type version changes { field before after } } }"

    async with open_socket(served) as socket:
        assert 1 == (await follow(socket, operator, customer["id"], query))["version"]
        read = "query($id: ID!) { customer(id: $id) { documents { number } } }"
        await execute.data(read, {"id": customer["id"]}, as_=auditor)
        await rename(execute, customer["id"], "Eve")
        told = await event(socket)

    changes = [{"field": "firstName", "before": "Ada", "after": "Eve"}]
    assert {"type": "UPDATED", "version": 2, "changes": changes} == told


async def test_nothing_that_happens_while_subscribing_is_lost_or_repeated(execute: Api, served: str, operator: str) -> None:
    for pause in (0.0, 0.002, 0.01, 0.03):
        customer = await create(execute)
        last = customer["version"] + 3
        async with open_socket(served) as socket:
            await socket.init(operator)
            await socket.subscribe(ONE, {"id": customer["id"]})
            await asyncio.sleep(pause)
            for name in ("a", "b", "c"):
                await rename(execute, customer["id"], name)
            versions = [(await event(socket))["version"]]
            while versions[-1] < last:
                versions.append((await event(socket))["version"])

        assert list(range(versions[0], last + 1)) == versions


async def test_what_is_both_read_and_delivered_is_told_once(
    execute: Api, served: str, operator: str, seller: str, live: LiveEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Something happens after the stream has begun to be followed, and before the history is read.
    """
    customer = await create(execute)
    latest = CustomerEventRepository.latest

    async def late(*args: Any) -> Any:
        await rename(execute, customer["id"], "Ada")
        (mailbox,) = mailboxes(live, seller)
        await become(lambda: len(mailbox) == 1)
        return await latest(*args)

    monkeypatch.setattr(CustomerEventRepository, "latest", late)
    async with open_socket(served) as socket:
        seen = [(await follow(socket, operator, customer["id"]))["version"]]
        await rename(execute, customer["id"], "Eve")
        seen.append((await event(socket))["version"])

    assert [customer["version"] + 1, customer["version"] + 2] == seen


async def test_a_deletion_is_the_last_event_and_the_end_also_for_whoever_comes_later(
    execute: Api, served: str, operator: str
) -> None:
    customer = await create(execute)
    query = "subscription($id: ID) { customerEvents(customerId: $id) { type customer { id } } }"

    async with open_socket(served) as socket:
        assert {"type": "CREATED", "customer": {"id": customer["id"]}} == await follow(socket, operator, customer["id"], query)
        await payload(execute, DELETE, {"id": customer["id"]})
        rest = await socket.until_complete()
        await socket.subscribe(query, {"id": customer["id"]}, "2")
        again = await socket.until_complete()

    gone = {"type": "DELETED", "customer": None}
    assert [[gone], [gone]] == [[one["data"]["customerEvents"] for one in seen] for seen in (rest, again)]


async def test_each_event_shows_the_customer_as_it_is_then(execute: Api, served: str, operator: str) -> None:
    """
    MUST 46: loaders are made anew for each event.
    """
    customer = await create(execute, firstName="Ada")

    async with open_socket(served) as socket:
        seen = [await follow(socket, operator, customer["id"], WITH_CUSTOMER)]
        for name in ("Bea", "Cleo"):
            await rename(execute, customer["id"], name)
            seen.append(await event(socket))

    first = customer["version"]
    assert [
        {"version": version, "customer": {"firstName": name, "version": version}}
        for version, name in enumerate(("Ada", "Bea", "Cleo"), first)
    ] == seen


async def test_a_customer_follows_itself_and_nobody_else(execute: Api, served: str, tokens: Tokens, seller: str) -> None:
    me, other = await create(execute), await create(execute)
    token = tokens.customer(me["id"], seller)

    async with open_socket(served) as socket:
        await socket.init(token)
        await socket.subscribe("subscription { customerEvents { customerId version } }")
        first = await event(socket)
        await socket.subscribe(ONE, {"id": other["id"]}, "2")
        foreign = await socket.receive()
        await rename(execute, other["id"], "Eve")
        version = await rename(execute, me["id"], "Ada")
        if foreign["type"] == "next":
            assert "complete" == (await socket.receive())["type"]
        second = await event(socket)

    assert ("2", "NOT_FOUND") == (foreign["id"], refused(foreign)[0])
    assert [{"customerId": me["id"], "version": one} for one in (me["version"], version)] == [first, second]


async def test_strangers_and_what_never_was_are_the_same(execute: Api, served: str, operator: str, tokens: Tokens) -> None:
    theirs = await create(execute, as_=tokens.operator(fresh("seller")))
    answers = set()

    for id_ in ("", "x", "cus_00000000000000000000000000", theirs["id"]):
        async with open_socket(served) as socket:
            await socket.init(operator)
            await socket.subscribe(ONE, {"id": id_})
            answers.add(refused(await socket.receive()))

    assert {("NOT_FOUND", "There is no customer with this id.")} == answers


# ----------------------------------------------------------------------- a whole seller


async def test_a_seller_follows_all_its_customers_and_no_others(
    execute: Api, served: str, operator: str, tokens: Tokens, live: LiveEvents
) -> None:
    known = await create(execute)

    async with open_socket(served) as socket:
        await follow_all(socket, operator, live)
        await create(execute, as_=tokens.operator(fresh("seller")))
        new = await create(execute)
        await rename(execute, known["id"], "Ada")
        await payload(execute, DELETE, {"id": known["id"]})
        await rename(execute, new["id"], "Eve")
        seen = [await event(socket) for _ in range(4)]

    assert [
        (new["id"], "CREATED"),
        (known["id"], "UPDATED"),
        (known["id"], "DELETED"),
        (new["id"], "UPDATED"),
    ] == [(one["customerId"], one["type"]) for one in seen]


async def test_a_service_names_the_seller_it_means(
    execute: Api, served: str, tokens: Tokens, seller: str, live: LiveEvents
) -> None:
    async with open_socket(served) as socket:
        await follow_all(socket, tokens.service(), live, seller)
        customer = await create(execute)
        await socket.subscribe(ALL, {}, "2")

        messages = [await socket.receive() for _ in range(2)]

    told = next(one for one in messages if one["id"] == "1")
    assert customer["id"] == told["payload"]["data"]["customerEvents"]["customerId"]
    assert "BAD_USER_INPUT" == refused(next(one for one in messages if one["id"] == "2"))[0]


async def test_the_name_of_another_seller_is_refused(served: str, operator: str) -> None:
    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.subscribe(ALL, {"seller": fresh("seller")})

        assert "FORBIDDEN" == refused(await socket.receive())[0]


async def test_what_another_process_writes_arrives(
    served: str, operator: str, seller: str, container: Container, live: LiveEvents, execute: Api
) -> None:
    """
    MUST 41. The event is written by a connection of its own, and nothing in this process knows of it.
    """
    customer = await create(execute)
    collection = container.mongo.database["customer_events"]
    async with open_socket(served) as socket:
        await follow_all(socket, operator, live)
        stored = await collection.find_one({"customer_id": customer["id"]})
        assert stored is not None
        await collection.insert_one({**stored, "_id": "evt_of_another_process", "version": 17})

        told = await event(socket)

    assert ("evt_of_another_process", 17) == (told["id"], told["version"])


async def test_events_come_without_what_the_database_knows_besides(
    served: str, operator: str, container: Container, live: LiveEvents, execute: Api
) -> None:
    """
    Names and addresses are in the stored event, for Kafka. A watcher's mailbox has no use for them.
    """
    with live.watching(lambda _: True) as mailbox:
        await live.ready()
        await create(execute, firstName="Ada")
        (told,), _ = await mailbox.take()

    assert {} == told.data


# ----------------------------------------------------------- what is missed, and by whom


async def test_a_sellers_stream_ends_when_something_was_missed(
    execute: Api, served: str, operator: str, seller: str, live: LiveEvents
) -> None:
    async with open_socket(served) as socket:
        await follow_all(socket, operator, live)
        for mailbox in mailboxes(live, seller):
            mailbox.miss()
        end = [await socket.receive() for _ in range(2)]
        await follow_all_again(socket, live)
        customer = await create(execute)

        assert customer["id"] == (await event(socket))["customerId"]

    assert ("UNAVAILABLE", MISSED) == refused(end[0])
    assert "complete" == end[1]["type"]


async def follow_all_again(socket: Socket, live: LiveEvents) -> None:
    await socket.subscribe(ALL, {}, "2")
    await become(lambda: live.watchers == 1)
    await live.ready()


async def test_a_customers_stream_looks_up_what_it_missed(
    execute: Api, served: str, operator: str, seller: str, live: LiveEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    More of it than it looks up at once, too.
    """
    monkeypatch.setattr(customer_watching, "_AT_ONCE", 2)
    customer = await create(execute)

    async with open_socket(served) as socket:
        first = await follow(socket, operator, customer["id"])
        (mailbox,) = mailboxes(live, seller)
        monkeypatch.setattr(Mailbox, "put", lambda *_: None)
        for name in ("a", "b", "c", "d", "e"):
            await rename(execute, customer["id"], name)
        mailbox.miss()
        seen = [(await event(socket))["version"] for _ in range(5)]
        monkeypatch.undo()
        last = await rename(execute, customer["id"], "f")
        seen.append((await event(socket))["version"])

    assert list(range(first["version"] + 1, last + 1)) == seen


class Stalled:
    """A client that reads nothing after its first event, until it is let. Here the network is this test."""

    def __init__(self, app: FastAPI, token: str) -> None:
        self.messages: list[Json] = []
        self.room = asyncio.Event()
        self._incoming = iter(
            [
                {"type": "websocket.connect"},
                text({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}),
                text({"type": "subscribe", "id": "1", "payload": {"query": ALL}}),
            ]
        )
        self._gone = asyncio.Event()
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
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> Any:
        if (message := next(self._incoming, None)) is not None:
            return message
        await self._gone.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def _send(self, message: Any) -> None:
        if "text" in message:
            self.messages.append(json.loads(message["text"]))
            if self.messages[-1]["type"] == "next":
                await self.room.wait()

    async def hang_up(self) -> None:
        self._gone.set()
        await self.task


def text(message: Json) -> Json:
    return {"type": "websocket.receive", "text": json.dumps(message)}


async def test_clients_that_read_nothing_cost_little_and_hinder_nobody(
    app: FastAPI, execute: Api, served: str, tokens: Tokens, seller: str, container: Container, live: LiveEvents
) -> None:
    """
    MUST 42: a thousand events wait for each of them, however many there are; who reads gets all of them.
    """
    stored = await container.mongo.database["customer_events"].find_one({"customer_id": (await create(execute))["id"]})
    assert stored is not None
    callers = [tokens._mint(PrincipalKind.OPERATOR, f"stalled-{number}", None, seller_id=seller) for number in range(20)]
    stalled = [Stalled(app, token) for token in callers]
    async with open_socket(served) as socket:
        await become(lambda: live.watchers == len(stalled))
        await follow_all(socket, tokens.operator(seller), live)
        seen = []
        for chunk in range(12):
            ids = [f"cus_of_{seller}_{chunk}_{number}" for number in range(100)]
            await container.mongo.database["customer_events"].insert_many(
                [{**stored, "_id": id_.replace("cus", "evt"), "customer_id": id_, "pending": None} for id_ in ids]
            )
            seen += [(await event(socket))["customerId"] for _ in ids]
            assert ids == seen[-100:]
            waiting = [len(mailbox) for mailbox in mailboxes(live, seller)]
            assert 1000 >= max(waiting)

        assert [1] * 20 == [sum(one["type"] == "next" for one in client.messages) for client in stalled]
        for client in stalled:
            client.room.set()
        await become(lambda: all(client.messages[-1]["type"] == "complete" for client in stalled))
        assert {("UNAVAILABLE", MISSED)} == {refused(client.messages[-2]) for client in stalled}

    for client in stalled:
        await client.hang_up()
    await become(lambda: live.watchers == 0)


async def test_a_hundred_connections_leave_nothing_behind(execute: Api, served: str, operator: str, live: LiveEvents) -> None:
    """
    MUST 43: whether they end with a closing frame, by hanging up, or by completing.
    """
    customer = await create(execute)
    await become(lambda: not live.following)
    before = ours()

    for number in range(100):
        async with open_socket(served) as socket:
            await follow(socket, operator, customer["id"])
            if number % 3 == 0:
                socket.hang_up()
            elif number % 3 == 1:
                await socket.send({"type": "complete", "id": "1"})

    await become(lambda: live.watchers == 0 and not live.following)
    assert [] == await left_since(before)
