"""The API is told to stop while it is at work, as in every deployment."""

import asyncio
import os
import signal
from typing import Any

import httpx
from pymongo.asynchronous.database import AsyncDatabase

from embedded.orphans import identity_of
from tests.api import Api, Json
from tests.embedded.stacks import StackUnderTest
from tests.graphql.imports import announce
from tests.graphql.operations import CREATE
from tests.graphql.socket import open_socket
from tests.journeys.outages import frozen, until

PROGRESS = "subscription($id: ID!) { bulkImportProgress(id: $id) { status } }"
CALLERS = 8


async def test_stopping_api_answers_what_it_has_begun_and_sends_watchers_elsewhere(
    stack: StackUnderTest,
    execute: Api,
    http: httpx.AsyncClient,
    operator: str,
    seller: str,
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    """
    The database hangs for a moment, so that all requests are certainly under way when the signal comes.
    """
    found = stack.read()
    serve = found["pids"]["serve"]
    identity = identity_of(serve)
    id_, _ = await announce(execute, b"external_id\n1\n")
    # Connections that the server has accepted; on a new one, a request might still be in the kernel's hands.
    await asyncio.gather(*(execute.data("{ viewer { kind } }") for _ in range(CALLERS)))

    async with open_socket(found["graphql"]) as socket:
        await socket.init(operator)
        await socket.subscribe(PROGRESS, {"id": id_})
        await socket.receive()
        with frozen(found["pids"]["mongod"]):
            calls = [asyncio.create_task(execute(CREATE, {"input": {"externalId": f"s{n}"}})) for n in range(CALLERS)]
            await asyncio.sleep(0.5)
            os.kill(serve, signal.SIGTERM)
            closed = asyncio.create_task(socket.closed())
            await asyncio.sleep(0.5)
            assert not any(call.done() for call in calls)
            assert identity == identity_of(serve)
        answers = await asyncio.gather(*calls)
        assert 1012 == (await closed)[0]

    assert [None] * CALLERS == [answer.get("errors") for answer in answers]
    assert [[]] * CALLERS == [answer["data"]["createCustomer"]["userErrors"] for answer in answers]
    kept = await database["customers"].find({"seller_id": seller}).sort("external_id", 1).to_list()
    assert [f"s{n}" for n in range(CALLERS)] == [customer["external_id"] for customer in kept]

    async def look() -> int:
        pid: int = stack.read()["pids"]["serve"]
        return pid

    await until(look, lambda pid: pid != serve, 60)
    again: Json = await execute.data("{ customers { totalCount } }")
    assert CALLERS == again["customers"]["totalCount"]
