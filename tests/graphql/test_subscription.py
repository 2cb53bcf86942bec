"""Live fields over graphql-transport-ws: the present state first, then changes, then the final state and the end."""

import asyncio
from typing import Any

import pytest

from app.graphql.socket_handler import INIT_TIMEOUT
from tests.api import Api, Json, Tokens, fresh
from tests.graphql.imports import announce, csv, finished, start, upload
from tests.graphql.operations import CANCEL_IMPORT, START_IMPORT, create, payload
from tests.graphql.socket import Socket, open_socket

PROGRESS = """subscription($id: ID!) { bulkImportProgress(id: $id) {
  id status progress totalRows processedRows createdRows failedRows } }"""
ALL = "subscription($seller: ID) { bulkImportsProgress(sellerId: $seller) { id status } }"


def states(payloads: list[Json]) -> list[Json]:
    assert [] == [one["errors"] for one in payloads if one.get("errors")]
    return [one["data"]["bulkImportProgress"] for one in payloads]


@pytest.fixture(name="operator")
def _operator(tokens: Tokens, seller: str) -> str:
    return tokens.operator(seller)


async def test_state_comes_first_then_changes_then_the_final_state_and_the_end(
    execute: Api, served: str, operator: str, import_worker: None
) -> None:
    id_ = await upload(execute, csv(300, broken=3))

    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.subscribe(PROGRESS, {"id": id_})
        first = (await socket.receive())["payload"]["data"]["bulkImportProgress"]
        await payload(execute, START_IMPORT, {"id": id_})
        seen = [first, *states(await socket.until_complete())]

    assert "AWAITING_UPLOAD" == first["status"]
    assert {
        "status": "COMPLETED_WITH_ERRORS",
        "progress": 1.0,
        "totalRows": 300,
        "createdRows": 297,
        "failedRows": 3,
    }.items() <= seen[-1].items()
    order = ["AWAITING_UPLOAD", "QUEUED", "RUNNING", "COMPLETED_WITH_ERRORS"]
    assert sorted(seen, key=lambda one: order.index(one["status"])) == seen
    assert sorted(one["progress"] for one in seen) == [one["progress"] for one in seen]
    assert sorted(one["processedRows"] for one in seen) == [one["processedRows"] for one in seen]


async def test_import_that_is_over_is_told_once(execute: Api, served: str, operator: str, import_worker: None) -> None:
    id_ = await start(execute, csv(1))
    await finished(execute, id_)

    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.subscribe(PROGRESS, {"id": id_})
        seen = states(await socket.until_complete())

    assert [("COMPLETED", 1)] == [(one["status"], one["createdRows"]) for one in seen]


async def test_cancelling_ends_every_subscription(execute: Api, served: str, operator: str) -> None:
    id_, _ = await announce(execute, csv(1))

    async with open_socket(served) as one, open_socket(served) as other:
        for socket in (one, other):
            await socket.init(operator)
            await socket.subscribe(PROGRESS, {"id": id_})
            await socket.receive()
        await payload(execute, CANCEL_IMPORT, {"id": id_})
        ends = [states(await socket.until_complete())[-1]["status"] for socket in (one, other)]

    assert ["CANCELED", "CANCELED"] == ends


async def test_no_change_that_happens_while_subscribing_is_lost(execute: Api, served: str, operator: str) -> None:
    """
    The import ends at any moment around the subscription; it is told all the same.
    """
    for pause in (0.0, 0.005, 0.02, 0.05):
        id_, _ = await announce(execute, csv(1))
        async with open_socket(served) as socket:
            await socket.init(operator)
            await socket.subscribe(PROGRESS, {"id": id_})
            await asyncio.sleep(pause)
            await payload(execute, CANCEL_IMPORT, {"id": id_})
            assert "CANCELED" == states(await socket.until_complete())[-1]["status"]


async def test_seller_can_follow_all_its_imports_and_no_others(
    execute: Api, served: str, operator: str, tokens: Tokens
) -> None:
    other = tokens.operator(fresh("seller"))
    running, _ = await announce(execute, csv(1))

    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.subscribe(ALL)
        first = (await socket.receive())["payload"]["data"]["bulkImportsProgress"]
        await announce(execute, csv(1), as_=other)
        new, _ = await announce(execute, csv(1))
        second = (await socket.receive())["payload"]["data"]["bulkImportsProgress"]

    assert [running, new] == [first["id"], second["id"]]


async def test_what_cannot_be_followed_is_a_typed_error(
    execute: Api, served: str, operator: str, tokens: Tokens, seller: str
) -> None:
    theirs, _ = await announce(execute, csv(1), as_=tokens.operator(fresh("seller")))
    customer = await create(execute)

    unknown = [await refusal(served, operator, id_) for id_ in ("x", "imp_00000000000000000000000000", theirs)]
    forbidden = await refusal(served, tokens.customer(customer["id"], seller), theirs)

    assert ["NOT_FOUND"] * 3 == unknown
    assert "FORBIDDEN" == forbidden


async def refusal(served: str, token: str, id_: str) -> str:
    """Return the code with which a subscription is refused: as an error, or as an event with one."""
    async with open_socket(served) as socket:
        await socket.init(token)
        await socket.subscribe(PROGRESS, {"id": id_})
        message = await socket.receive()
    errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
    return str(errors[0]["extensions"]["code"])


async def test_queries_run_over_the_socket_too_each_with_fresh_data(execute: Api, served: str, operator: str) -> None:
    customer = await create(execute)
    query = "query($id: ID!) { customer(id: $id) { firstName addresses { id } } }"
    rename = 'mutation($id: ID!) { updateCustomer(id: $id, patch: {firstName: "Ada"}) { customer { id } } }'

    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.subscribe(query, {"id": customer["id"]}, "1")
        answers = await socket.until_complete()
        await execute.data(rename, {"id": customer["id"]})
        await socket.subscribe(query, {"id": customer["id"]}, "2")
        answers += await socket.until_complete()

    assert [None, "Ada"] == [one["data"]["customer"]["firstName"] for one in answers]


# ---------------------------------------------------------------------------- the protocol


async def test_connection_that_does_not_say_who_it_is_learns_how(served: str) -> None:
    for message in ({"type": "connection_init"}, {"type": "connection_init", "payload": {}}):
        async with open_socket(served) as socket:
            await socket.send(message)

            assert (4403, 'Send {"authorization": "Bearer …"} as the payload of connection_init.') == await socket.closed()


async def test_subscription_before_connection_init_is_refused(served: str) -> None:
    async with open_socket(served) as socket:
        await socket.subscribe(PROGRESS, {"id": "x"})

        assert 4401 == (await socket.closed())[0]


async def test_connection_that_never_says_who_it_is_is_closed(served: str) -> None:
    async with open_socket(served) as socket:
        code, _ = await socket.closed()

    assert 4408 == code
    assert 10 >= INIT_TIMEOUT.total_seconds()


async def test_second_connection_init_is_one_too_many(served: str, operator: str) -> None:
    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.send({"type": "connection_init"})

        assert 4429 == (await socket.closed())[0]


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
        b"\x00\x01",
        {"type": 17},
        {"type": "nonsense"},
        {"type": "subscribe"},
        {"type": "subscribe", "id": 1, "payload": {"query": "{ viewer { kind } }"}},
        {"type": "subscribe", "id": "1"},
        {"type": "subscribe", "id": "1", "payload": None},
        {"type": "subscribe", "id": "1", "payload": {"query": None}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { kind } }", "variables": []}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { kind } }", "operationName": 1}},
        {"type": "complete"},
        "[" * 10_000,
    ],
    ids=lambda frame: repr(frame)[:50],
)
async def test_frame_that_is_no_message_of_the_protocol_is_refused(served: str, operator: str, frame: Any) -> None:
    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.send(frame)

        assert 4400 == (await socket.closed())[0]


async def test_one_id_serves_one_operation_at_a_time(execute: Api, served: str, operator: str) -> None:
    id_, _ = await announce(execute, csv(1))

    async with open_socket(served) as socket:
        await socket.init(operator)
        for _ in range(2):
            await socket.subscribe(PROGRESS, {"id": id_})

        assert 4409 == (await socket.closed())[0]


async def test_frame_of_a_megabyte_is_refused(served: str, operator: str) -> None:
    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.send("x" * (1 << 20))

        assert 1009 == (await socket.closed())[0]


async def test_mistakes_in_the_document_do_not_close_the_connection(served: str, operator: str) -> None:
    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.subscribe("subscription { nothing }")
        refused = await socket.receive()
        await socket.subscribe("{ viewer { kind } }", id_="2")
        answered = await socket.receive()

    assert ("error", "BAD_USER_INPUT") == (refused["type"], refused["payload"][0]["extensions"]["code"])
    assert {"viewer": {"kind": "OPERATOR"}} == answered["payload"]["data"]


async def test_ping_is_answered(served: str, operator: str) -> None:
    async with open_socket(served) as socket:
        await socket.init(operator)
        await socket.send({"type": "ping"})

        assert "pong" == (await socket.receive())["type"]


async def test_client_can_end_a_subscription_and_start_another(execute: Api, served: str, operator: str) -> None:
    id_, _ = await announce(execute, csv(1))

    async with open_socket(served) as socket:
        await socket.init(operator)
        await follow(socket, id_, "1")
        await socket.send({"type": "complete", "id": "1"})
        await follow(socket, id_, "2")


async def follow(socket: Socket, id_: str, operation: str) -> None:
    await socket.subscribe(PROGRESS, {"id": id_}, operation)
    message = await socket.receive()
    assert (operation, "next") == (message["id"], message["type"])
