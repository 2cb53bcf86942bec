"""A server as strict as Pusher's: it checks every signature by the rules of the documentation, not by the library."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

APP_ID, KEY, SECRET = "4711", "key-of-the-app", "secret-of-the-app"
_CLOCK_SECONDS = 600


@dataclass
class PusherServer:
    """Takes batches of events; `status`, `retry_after` and `delay` say how it behaves from now on."""

    url: str = ""
    status: int = 200
    retry_after: str | None = None
    delay: float = 0.0
    calls: int = 0
    sockets: set[tuple[Any, ...]] = field(default_factory=set)
    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def taken(self) -> list[dict[str, Any]]:
        """All events that were taken, their data read."""
        return [{**event, "data": json.loads(event["data"])} for batch in self.batches for event in batch]

    def on(self, channel: str) -> list[tuple[str, dict[str, Any]]]:
        """Return name and data of what was taken for a channel."""
        return [(event["name"], event["data"]) for event in self.taken if event["channel"] == channel]

    async def until(self, reached: Any) -> None:
        """Wait until something holds of what was taken."""
        async with asyncio.timeout(20):
            while not reached():
                self.news.clear()
                await self.news.wait()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one call."""
        self.calls += 1
        if request.transport is not None:
            self.sockets.add(request.transport.get_extra_info("peername"))
        body = await request.read()
        await asyncio.sleep(self.delay)
        if complaint := fault(request, body):
            return web.Response(status=401, text=complaint)
        if self.status != web.HTTPOk.status_code:
            headers = {} if self.retry_after is None else {"retry-after": self.retry_after}
            return web.Response(status=self.status, headers=headers, text="x" * 100_000)
        batch = json.loads(body)["batch"]
        if len(batch) > 10 or any(len(event["data"].encode()) > 10_240 for event in batch):
            return web.Response(status=413, text="too much")
        self.batches.append(batch)
        self.news.set()
        return web.json_response({})


def fault(request: web.Request, body: bytes) -> str | None:
    """Return what is wrong with the signature of a call: https://pusher.com/docs/channels/library_auth_reference/rest-api."""
    query = dict(request.query)
    given = query.pop("auth_signature", "")
    text = "\n".join(["POST", request.path, "&".join(f"{name}={query[name]}" for name in sorted(query))])
    expected = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    checks = {
        "app": request.path == f"/apps/{APP_ID}/batch_events",
        "key": query.get("auth_key") == KEY,
        "version": query.get("auth_version") == "1.0",
        "time": abs(time.time() - float(query.get("auth_timestamp", "0"))) < _CLOCK_SECONDS,
        "body": query.get("body_md5") == hashlib.md5(body).hexdigest(),
        "signature": hmac.compare_digest(expected, given),
    }
    return next((f"the {name} is wrong" for name, sound in checks.items() if not sound), None)


@asynccontextmanager
async def pusher_server() -> AsyncIterator[PusherServer]:
    """Run one on a free port."""
    server = PusherServer()
    app = web.Application()
    app.router.add_post("/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
