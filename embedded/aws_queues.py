"""Queues on disk: moto's SQS, one request at a time, with each queue written to a file before the request is answered.

Two things moto's own server does not do: a long poll ends when its client goes away, so that no message is handed to a dead
worker; and a message whose visibility timeout passes during a long poll is delivered then.
"""

import io
import json
import pickle
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs import models

REGION = "us-east-1"
_POLL_SECONDS = 0.1
_READS = {"GetQueueUrl", "GetQueueAttributes", "ListQueues", "ListQueueTags", "ListDeadLetterSourceQueues"}
_LEFT_OUT = {"_messages_lock", "lambda_event_source_mappings", "dead_letter_queue", "deleted_messages"}
"""Of a queue: what cannot be pickled, is found again by name, or would grow without end."""

Environment = dict[str, Any]
Answer = tuple[str, list[tuple[str, str]], bytes]
"""Status line, headers and body of a response."""


class Queues:
    """Answers requests to SQS through moto, and keeps the queues in *directory*."""

    def __init__(self, directory: Path, answer: Callable[[Environment], Answer]) -> None:
        self._directory = directory
        self._answer = answer
        self._changed = threading.Condition()
        self._written: dict[str, bytes] = {}
        directory.mkdir(parents=True, exist_ok=True)
        # moto remembers every model that was ever made, for its dashboard; messages here are let go.
        models.Message.instances_tracked = deque(maxlen=0)  # type: ignore[attr-defined]

    def restore(self) -> None:
        """Give moto the queues that the last process wrote."""
        for file in self._directory.glob("*.queue"):
            try:
                state = pickle.loads(file.read_bytes())  # noqa: S301
            except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, ImportError):
                file.unlink()  # cut short, or written by another version of moto
                continue
            queue = _backend().create_queue(name=state["_name"], tags={})
            queue.__dict__.update(state)

    def ensure(self, name: str, *, visibility_timeout: int, max_receive_count: int) -> None:
        """Make the queue *name* and its dead-letter queue, where they are not there, and apply the settings."""
        for wanted in (f"{name}-dlq", name):
            if wanted not in _backend().queues:
                _backend().create_queue(name=wanted, tags={})
        policy = {"deadLetterTargetArn": _backend().get_queue(f"{name}-dlq").queue_arn, "maxReceiveCount": max_receive_count}
        attributes = {"VisibilityTimeout": str(visibility_timeout), "RedrivePolicy": json.dumps(policy)}
        _backend().set_queue_attributes(name, attributes)
        self._save()

    def respond(self, environ: Environment) -> Answer | None:
        """Answer one request; None when the client went away while it waited for messages."""
        action = environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if action == "ReceiveMessage":
            return self._receive(environ, body)
        with self._changed:
            answer = self._answer(_with_body(environ, body))
            if action not in _READS:
                self._save()
                self._changed.notify_all()
        return answer

    def _receive(self, environ: Environment, body: bytes) -> Answer | None:
        try:
            request = json.loads(body)
            wait = min(max(int(request.get("WaitTimeSeconds", 0)), 0), 20)
        except (ValueError, AttributeError, TypeError):
            request, wait = None, 0
        at_once = body if request is None else json.dumps(request | {"WaitTimeSeconds": 0}).encode()
        deadline = time.monotonic() + wait
        with self._changed:
            while not _is_gone(environ.get("werkzeug.socket")):
                answer = self._answer(_with_body(environ, at_once))
                if b'"Messages"' in answer[2]:
                    self._save()
                    return answer
                left = deadline - time.monotonic()
                if left <= 0 or not answer[0].startswith("200"):
                    return answer
                self._changed.wait(min(left, _POLL_SECONDS))
        return None

    def _save(self) -> None:
        for name, queue in _backend().queues.items():
            state = pickle.dumps({key: value for key, value in queue.__dict__.items() if key not in _LEFT_OUT})
            if self._written.get(name) != state:
                file = self._directory / f"{name}.queue"
                temporary = file.with_suffix(".tmp")
                temporary.write_bytes(state)
                temporary.replace(file)
                self._written[name] = state
        for name in set(self._written) - set(_backend().queues):
            del self._written[name]
            (self._directory / f"{name}.queue").unlink(missing_ok=True)


def _backend() -> models.SQSBackend:
    return models.sqs_backends[DEFAULT_ACCOUNT_ID][REGION]


def _with_body(environ: Environment, body: bytes) -> Environment:
    return environ | {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _is_gone(connection: socket.socket | None) -> bool:
    """Say whether the client closed *connection*: it is readable, and there is nothing to read."""
    if connection is None:
        return False
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True
