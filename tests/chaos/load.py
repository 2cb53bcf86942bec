"""Callers who create customers and change them, whatever happens, and write down what they were told."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.chaos.history import DONE, Attempt, History

_CREATE = """mutation($input: CustomerInput!, $key: String) { createCustomer(input: $input, idempotencyKey: $key) {
  customer { id version lastName sellerId } userErrors { code message field } } }"""
_UPDATE = """mutation($id: ID!, $patch: CustomerPatch!, $version: Int) {
  updateCustomer(id: $id, patch: $patch, expectedVersion: $version) {
    customer { id version lastName sellerId } userErrors { code message field currentVersion } } }"""
_READ = "query($id: ID!) { customer(id: $id) { id version lastName sellerId } }"
CHANGES = 3
"""How often each customer is changed."""

Json = dict[str, Any]


@dataclass(slots=True)
class Caller:
    """Creates customers of one seller and changes them, one call at a time. What fails is repeated until it is known."""

    http: aiohttp.ClientSession
    url: str
    token: str
    seller: str
    name: str
    history: History
    chance: random.Random
    patience: float = 30.0
    pause: float = 0.0
    _number: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until *stop*."""
        while not stop.is_set():
            customer = await self._create(stop)
            for _ in range(CHANGES):
                if customer is None or stop.is_set():
                    break
                await asyncio.sleep(self.pause)
                customer = await self._change(customer, stop)
            if customer is not None:
                await self._read(customer)

    def _mark(self) -> str:
        self._number += 1
        return f"{self.name}-{self._number}"

    async def _create(self, stop: asyncio.Event) -> Json | None:
        mark = self._mark()
        asked = {"input": {"externalId": mark, "lastName": mark}, "key": mark}
        while True:
            made = await self._attempt("create", mark, _CREATE, asked, "createCustomer")
            if made is not None or stop.is_set():
                return made
            await self._wait()

    async def _change(self, customer: Json, stop: asyncio.Event) -> Json | None:
        mark = self._mark()
        asked = {"id": customer["id"], "patch": {"lastName": mark}, "version": customer["version"]}
        while True:
            changed = await self._attempt("update", mark, _UPDATE, asked, "updateCustomer")
            if changed is not None or stop.is_set():
                return changed
            await self._wait()

    async def _read(self, customer: Json) -> None:
        data, _ = await self._ask(_READ, {"id": customer["id"]})
        if data is not None and data["customer"] != customer:
            self.history.wrong.append(f"read {data['customer']} after {customer}")

    async def _attempt(self, kind: str, mark: str, query: str, asked: Mapping[str, Any], name: str) -> Json | None:
        attempt = Attempt(kind, self.seller, mark, time.monotonic())
        self.history.attempts.append(attempt)
        data, outcome = await self._ask(query, asked)
        attempt.ended = time.monotonic()
        attempt.outcome = outcome
        if data is None:
            return None
        made: Json | None = data[name]["customer"]
        errors = data[name]["userErrors"]
        if [error["code"] for error in errors] == ["CONFLICT"]:
            # An earlier attempt, of which nobody told us, has happened after all: nobody else changes this customer.
            found, _ = await self._ask(_READ, {"id": asked["id"]})
            made = None if found is None else found["customer"]
        if made is None:
            attempt.outcome = ",".join(error["code"] for error in errors) or "nothing"
            if attempt.outcome != "CONFLICT":
                self.history.wrong.append(f"{kind} {mark} was refused: {errors}")
            return None
        if made["sellerId"] != self.seller:
            self.history.wrong.append(f"{self.seller} was given a customer of {made['sellerId']}")
        if made["lastName"] != mark:
            self.history.wrong.append(f"{kind} {mark} was answered with {made}")
        attempt.outcome, attempt.customer_id, attempt.version = DONE, made["id"], made["version"]
        return made

    async def _ask(self, query: str, variables: Mapping[str, Any]) -> tuple[Json | None, str]:
        """Return the data, or None and why there is none."""
        try:
            async with self.http.post(
                f"{self.url}/graphql",
                json={"query": query, "variables": variables},
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=aiohttp.ClientTimeout(self.patience),
            ) as answer:
                body = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return None, f"lost {type(error).__name__}"
        except ValueError:
            return None, f"no JSON, status {answer.status}"
        if body.get("errors"):
            return None, str(body["errors"][0]["extensions"]["code"])
        return body["data"], DONE

    async def _wait(self) -> None:
        await asyncio.sleep(self.chance.uniform(0.05, 0.3))


@dataclass(slots=True)
class Load:
    """What runs, and what came of it so far."""

    history: History
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, changes: int) -> None:
        """Wait until so many more calls have been acknowledged."""
        wanted = len(self.history.done) + changes
        async with asyncio.timeout(120):
            while len(self.history.done) < wanted:  # noqa: ASYNC110 - a list rings no bell
                await asyncio.sleep(0.02)


@asynccontextmanager
async def load(
    url: str, tokens: Mapping[str, str], *, callers: int, seed: int = 1, pause: float = 0.0, name: str = "c"
) -> AsyncIterator[Load]:
    """Let callers of each seller of *tokens* be at work; leaving lets each of them finish its last call.

    The marks of one load begin with *name*, by which they differ from those of another one.
    """
    running = Load(History())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http, asyncio.TaskGroup() as group:
        for seller, token in tokens.items():
            for number in range(callers):
                mine = f"{name}-{seller}-{number}"
                caller = Caller(http, url, token, seller, mine, running.history, random.Random(f"{seed} {mine}"), pause=pause)
                group.create_task(caller.run(running.stop))
        try:
            yield running
        finally:
            running.stop.set()
