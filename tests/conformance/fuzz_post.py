"""Feeds arbitrary bytes to POST /graphql, guided by what they reach of the code; stops at the first answer that is wrong.

Started by ``test_fuzz.py``, with a pickled ``Settings`` and then what libFuzzer takes: folders of seeds and options.
"""

import asyncio
import json
import logging
import pickle
import signal
import sys
from collections import Counter
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import atheris
import structlog

with atheris.instrument_imports(include=["app.graphql", "graphql.language", "graphql.utilities"]):
    from app.asgi import create_app
    from app.settings import Settings

_TOLD_EVERY = 1_000
_SLOWEST = 10.0
"""Seconds after which one input counts as a way to stop the service."""


class Fuzz:
    """The application, and how its answers to made-up bodies are judged."""

    def __init__(self, settings: Settings) -> None:
        self.loop = asyncio.new_event_loop()
        self._app = create_app(settings)
        self._lifespan = self._app.router.lifespan_context(self._app)
        self.loop.run_until_complete(self._lifespan.__aenter__())
        self._answers: Counter[str] = Counter()

    def __call__(self, data: bytes) -> None:
        """Send *data* as a body, and as the document of a sound body when it could be one.

        Raises:
            AssertionError: the answer is neither 2xx nor 4xx, or no GraphQL response.
        """
        bodies = [data]
        if not data.lstrip().startswith(b'{"'):
            bodies.append(json.dumps({"query": data.decode(errors="replace")}).encode())
        # A clock of our own: libFuzzer's ends the process without keeping the input.
        signal.setitimer(signal.ITIMER_REAL, _SLOWEST)
        for body in bodies:
            self._judge(*self.loop.run_until_complete(self._post(body)))
        signal.setitimer(signal.ITIMER_REAL, 0)

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "root_path": "",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json"), (b"accept", b"application/graphql-response+json")],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 80),
        }
        status, chunks, unread = 0, [], [body]

        async def receive() -> dict[str, Any]:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            await asyncio.get_running_loop().create_future()
            raise AssertionError("The client never leaves.")

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                chunks.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return status, b"".join(chunks)

    def _judge(self, status: int, body: bytes) -> None:
        answer = json.loads(body)
        assert status // 100 in {2, 4}, (status, body)
        assert isinstance(answer, dict), body
        assert {"data", "errors"} & set(answer), body
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        assert "INTERNAL" not in codes, body
        self._answers[str(status)] += 1
        if self._answers.total() % _TOLD_EVERY == 0:
            # libFuzzer ends the process without a way to say more at the end.
            print(json.dumps({"answers": dict(self._answers)}), flush=True)  # noqa: T201  it is what pytest reads


def _too_slow(*_: object) -> None:
    message = f"An input took more than {_SLOWEST:g} seconds."
    raise TimeoutError(message)


def main() -> None:
    """Run until libFuzzer's options say stop, or an input has been found that is answered wrongly."""
    settings_file, *options = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    # Written a moment ago by the test that starts this.
    settings: Settings = pickle.loads(Path(settings_file).read_bytes())
    atheris.Setup([sys.argv[0], *options], Fuzz(settings))
    signal.signal(signal.SIGALRM, _too_slow)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
