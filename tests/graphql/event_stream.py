"""A client of the event stream that lets a test see each event, and everything between them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.api import Json

PATIENCE = 20


class EventStream:
    """One answer, read event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.comments = 0
        self._lines = answer.aiter_lines()

    async def receive(self) -> tuple[str, Json | None] | None:
        """Return the name and the data of the next event; None when the answer has ended instead."""
        name, data = "", ""
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                field, _, value = line.partition(":")
                if not line and name:
                    return name, json.loads(data) if data else None
                if line.startswith(":"):
                    self.comments += 1
                elif field == "event":
                    name = value.removeprefix(" ")
                elif field == "data":
                    data += value.removeprefix(" ")
        return None

    async def next(self) -> Json:
        """Return the next result."""
        event = await self.receive()
        assert event is not None
        assert "next" == event[0], event
        assert event[1] is not None
        return event[1]

    async def until_complete(self) -> list[Json]:
        """Return all results up to the event that says that there are no more, behind which the answer ends."""
        results: list[Json] = []
        while (event := await self.receive()) != ("complete", None):
            assert event is not None, "The answer has ended without saying that the operation has."
            assert event[1] is not None
            results.append(event[1])
        assert await self.receive() is None
        return results


@asynccontextmanager
async def open_stream(
    url: str,
    query: str,
    variables: Mapping[str, Any] | None = None,
    *,
    token: str | None = None,
    accept: str = "text/event-stream",
) -> AsyncIterator[EventStream]:
    """Start an operation at *url*, and close the connection at the end."""
    headers = {"accept": accept, **({} if token is None else {"authorization": f"Bearer {token}"})}
    async with (
        httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client,
        client.stream("POST", url, json={"query": query, "variables": variables}, headers=headers) as answer,
    ):
        yield EventStream(answer)
