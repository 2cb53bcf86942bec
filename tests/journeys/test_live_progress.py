"""What a front end sees of a running import over its WebSocket."""

import asyncio
import time

from core.ids import IdKind, new_id
from core.vocabulary import PrincipalKind
from embedded.identities import Mint
from tests.api import Api, Json, fresh
from tests.embedded.stacks import StackUnderTest
from tests.graphql.imports import announce, start, state
from tests.graphql.socket import Socket, open_socket
from tests.imports import customers_csv
from tests.journeys.outages import until

ROWS = 5_000
PROGRESS = "subscription($id: ID!) { bulkImportProgress(id: $id) { status progress processedRows createdRows totalRows } }"
MOST_A_SECOND = 4


async def watch(url: str, token: str, id_: str) -> list[tuple[float, Json]]:
    """Follow an import to the end; return every state with the second in which it came."""
    async with open_socket(url) as socket:
        await socket.init(token)
        await socket.subscribe(PROGRESS, {"id": id_})
        seen = []
        while (message := await socket.receive())["type"] == "next":
            assert "errors" not in message["payload"] or message["payload"]["errors"] is None
            seen.append((time.monotonic(), message["payload"]["data"]["bulkImportProgress"]))
    assert {"type": "complete", "id": "1"} == message
    return seen


async def test_running_import_is_followed_from_its_present_state_to_its_end(
    stack: StackUnderTest, execute: Api, operator: str
) -> None:
    async def look() -> Json:
        return await state(execute, id_)

    url = stack.read()["graphql"]
    id_ = await start(execute, customers_csv(ROWS))
    before, _ = await until(look, lambda now: now["progress"] > 0, 60)

    seen = await watch(url, operator, id_)
    times = [moment for moment, _ in seen]
    states = [found for _, found in seen]

    assert before["progress"] <= states[0]["progress"] < 1
    assert sorted(found["progress"] for found in states) == [found["progress"] for found in states]
    assert sorted(found["processedRows"] for found in states) == [found["processedRows"] for found in states]
    # A second that begins with a message holds four more when each comes a quarter of a second after the one before it;
    # and one that was held up on its way may come closer to the next. The final state waits for nothing.
    crowds = [sum(moment <= other < moment + 1 for other in times[:-1]) for moment in times]
    assert max(crowds) <= MOST_A_SECOND + 2
    assert len(seen) <= MOST_A_SECOND * (times[-1] - times[0]) + 3
    assert {"RUNNING"} == {found["status"] for found in states[:-1]}
    final = {"status": "COMPLETED", "progress": 1.0, "processedRows": ROWS, "createdRows": ROWS, "totalRows": ROWS}
    assert final == states[-1]
    assert [final] == [found for _, found in await watch(url, operator, id_)]


async def test_many_watchers_of_one_import_see_the_same_end(stack: StackUnderTest, execute: Api, operator: str) -> None:
    id_ = await start(execute, customers_csv(500))

    everybody = await asyncio.gather(*(watch(stack.read()["graphql"], operator, id_) for _ in range(10)))

    assert [("COMPLETED", 500)] * 10 == [(seen[-1][1]["status"], seen[-1][1]["createdRows"]) for seen in everybody]


async def test_token_that_does_not_hold_is_shown_the_door(stack: StackUnderTest, operator: str) -> None:
    header, claims, signature = operator.split(".")
    forged = f"{header}.{claims}.{signature[::-1]}"

    async with open_socket(stack.read()["graphql"]) as socket:
        await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {forged}"}})

        assert 4403 == (await socket.closed())[0]


async def test_import_of_another_seller_looks_like_no_import(
    stack: StackUnderTest, execute: Api, operator: str, mint: Mint
) -> None:
    theirs, _ = await announce(execute, customers_csv(1), as_=mint.mint(PrincipalKind.OPERATOR, "eve", fresh("seller")))

    async with open_socket(stack.read()["graphql"]) as socket:
        await socket.init(operator)
        answers = [await answer(socket, id_) for id_ in (theirs, new_id(IdKind.BULK_IMPORT))]

    assert answers[0] == answers[1]
    assert "NOT_FOUND" == answers[0][0]["payload"]["errors"][0]["extensions"]["code"]


async def answer(socket: Socket, id_: str) -> list[Json]:
    """Return all messages of one subscription, without what names the request."""
    await socket.subscribe(PROGRESS, {"id": id_})
    messages: list[Json] = []
    while not messages or messages[-1]["type"] == "next":
        message = await socket.receive()
        errors = message.get("payload", {})["errors"] if message["type"] == "next" else message.get("payload", [])
        for error in errors:
            error["extensions"].pop("requestId", None)
        messages.append(message)
    return messages
