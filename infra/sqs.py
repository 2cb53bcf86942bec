"""A queue of work in SQS, or in a server that speaks like it. Implements `services.ports.WorkQueue`, and its other end.

Delivery is at least once and in any order. A message that is received stays hidden for the visibility timeout; who works
longer has to `extend` it, and who is done has to `delete` it. A message received too often ends in the dead-letter queue.
"""

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson
import structlog
from botocore.exceptions import ClientError
from prometheus_client import Counter, Histogram

from core.errors import Unavailable
from infra.aws import FOR_A_WORKER, AwsAccess, Patience, breaker_of, error_code, reaching, repeating
from infra.retry_budget import RetryBudget

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sqs.literals import QueueAttributeNameType
    from types_aiobotocore_sqs.type_defs import MessageTypeDef

_log = structlog.get_logger(__name__)

_AGE = Histogram(
    "work_queue_message_age_seconds",
    "How old messages were when they were taken off the queue for the first time.",
    buckets=(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600),
)
_DEAD = Counter("work_queue_dead_letters", "Messages that were put aside for a person.")

SYSTEM = "The work queue"
BATCH_MESSAGES = 10
"""What SQS takes in one call, and hands out in one."""

BATCH_BYTES = 200_000
"""Below the 256 KiB that SQS takes in one call, with room for what surrounds the bodies."""

_POLL_READ_SECONDS = 25.0

RETENTION_SECONDS = 14 * 24 * 3600
"""The longest SQS offers, so that a dead letter from before a holiday is still there after it."""

_GONE = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"})
"""Answers that mean: this receipt no longer counts (somebody else has the message, or it is done)."""

_STATES: Mapping[str, "QueueAttributeNameType"] = {
    "waiting": "ApproximateNumberOfMessages",
    "taken": "ApproximateNumberOfMessagesNotVisible",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A piece of work, ours until its visibility timeout ends.

    `body` is None when `raw` is no JSON object. `receive_count` is 1 when nobody has seen it before.
    """

    id: str
    body: Mapping[str, object] | None
    raw: str
    receipt: str
    receive_count: int


@asynccontextmanager
async def open_work_queue(
    access: AwsAccess, *, name: str, visibility_timeout: int, max_receive_count: int, patience: Patience = FOR_A_WORKER
) -> AsyncIterator["SqsWorkQueue"]:
    """Open queue *name*. Nothing is sent before it is used. *visibility_timeout* is in seconds."""
    session = access.session()
    budget = RetryBudget(SYSTEM)
    # A client of its own for long polls (up to 20 s), so that they never hold back a delete or a heartbeat.
    polling = replace(patience, read=_POLL_READ_SECONDS)
    async with AsyncExitStack() as stack:
        client, poller = [
            await stack.enter_async_context(session.client("sqs", endpoint_url=access.endpoint, config=one.config()))
            for one in (patience, polling)
        ]
        for one in (client, poller):
            repeating(one, budget, attempts=patience.attempts)
        yield SqsWorkQueue(
            client, poller, name=name, visibility_timeout=visibility_timeout, max_receive_count=max_receive_count
        )


class SqsWorkQueue:
    """One queue and its dead letters, ``<name>-dlq``. Every failure to reach it raises `core.errors.Unavailable`."""

    def __init__(
        self, client: "SQSClient", poller: "SQSClient", *, name: str, visibility_timeout: int, max_receive_count: int
    ) -> None:
        self._client = client
        self._poller = poller
        self._name = name
        self._visibility_timeout = visibility_timeout
        self._max_receive_count = max_receive_count
        self._urls: dict[str, str] = {}
        self._breaker = breaker_of(SYSTEM)

    async def send(self, message: Mapping[str, object]) -> None:
        """Hand one piece of work over. After an error it may have arrived all the same."""
        url = await self._url(self._name)
        with reaching(SYSTEM, self._breaker):
            await self._client.send_message(QueueUrl=url, MessageBody=orjson.dumps(message).decode())

    async def send_all(self, messages: Sequence[Mapping[str, object]]) -> None:
        """Hand over many pieces of work in few calls.

        Raises:
            Unavailable: not all of them arrived; those that did stay, and sending all again repeats them.
        """
        url = await self._url(self._name)
        refused = 0
        for batch in _batches([orjson.dumps(message).decode() for message in messages]):
            with reaching(SYSTEM, self._breaker):
                answer = await self._client.send_message_batch(
                    QueueUrl=url, Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)]
                )
            # A batch is answered with 200 even when none of it was taken.
            refused += len(answer.get("Failed", ()))
        if refused:
            raise Unavailable(f"{SYSTEM} refused {refused} of {len(messages)} messages. Try again in a moment.")

    async def receive(self, max_messages: int, wait_seconds: int) -> list[Message]:
        """Wait up to *wait_seconds* (at most 20) for work, and take up to *max_messages* (at most 10) of it."""
        url = await self._url(self._name)
        with reaching(SYSTEM, self._breaker):
            answer = await self._poller.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(max_messages, BATCH_MESSAGES),
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=self._visibility_timeout,
                AttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        for received in answer.get("Messages", ()):
            _measure_age(received)
        return [_message(received) for received in answer.get("Messages", ())]

    async def extend(self, message: Message, seconds: int) -> bool:
        """Keep *message* hidden for *seconds* from now. False: it is no longer ours, and somebody else may work on it."""
        return await self._change(message, seconds)

    async def release(self, message: Message) -> None:
        """Give *message* back at once, for anybody to take."""
        await self._change(message, 0)

    async def delete(self, message: Message) -> None:
        """Finish *message*; it will not come again. One that is gone already is no error."""
        url = await self._url(self._name)
        with reaching(SYSTEM, self._breaker):
            try:
                await self._client.delete_message(QueueUrl=url, ReceiptHandle=message.receipt)
            except ClientError as error:
                if error_code(error).rpartition(".")[2] not in _GONE:
                    raise

    async def dead_letter(self, message: Message, reason: str) -> None:
        """Move *message* to the dead letters, with *reason* as an attribute for the person who reads them.

        Sent first and deleted after: a crash in between leaves it in both queues, never in none.
        """
        url = await self._url(self._dead_letters)
        with reaching(SYSTEM, self._breaker):
            await self._client.send_message(
                QueueUrl=url,
                MessageBody=message.raw,
                MessageAttributes={
                    "reason": {"DataType": "String", "StringValue": _printable(reason)},
                    "source-message-id": {"DataType": "String", "StringValue": message.id},
                    "receive-count": {"DataType": "Number", "StringValue": str(message.receive_count)},
                },
            )
        await self.delete(message)
        _DEAD.inc()
        _log.error("sqs.dead_letter", message_id=message.id, reason=reason, receive_count=message.receive_count)

    async def ensure_queues(self) -> None:
        """Create the queue and its dead-letter queue where they are missing, and set their attributes.

        For development and tests; in production the queues belong to the platform.
        """
        with reaching(SYSTEM, self._breaker):
            created = await self._client.create_queue(QueueName=self._dead_letters)
            await self._client.set_queue_attributes(
                QueueUrl=created["QueueUrl"], Attributes={"MessageRetentionPeriod": str(RETENTION_SECONDS)}
            )
            described = await self._client.get_queue_attributes(QueueUrl=created["QueueUrl"], AttributeNames=["QueueArn"])
            redrive = {
                "deadLetterTargetArn": described["Attributes"]["QueueArn"],
                "maxReceiveCount": str(self._max_receive_count),
            }
            # Created without attributes: with them, a queue that has others would be an error instead of a change.
            created = await self._client.create_queue(QueueName=self._name)
            await self._client.set_queue_attributes(
                QueueUrl=created["QueueUrl"],
                Attributes={
                    "MessageRetentionPeriod": str(RETENTION_SECONDS),
                    "VisibilityTimeout": str(self._visibility_timeout),
                    "RedrivePolicy": orjson.dumps(redrive).decode(),
                },
            )

    async def depths(self) -> Mapping[str, int]:
        """Return about how many messages are waiting, taken by somebody, and dead: by these three words."""
        found: dict[str, int] = {}
        for name, states in ((self._name, _STATES), (self._dead_letters, {"dead": _STATES["waiting"]})):
            url = await self._url(name)
            with reaching(SYSTEM, self._breaker):
                answer = await self._client.get_queue_attributes(QueueUrl=url, AttributeNames=list(states.values()))
            attributes = answer.get("Attributes", {})
            found |= {state: int(attributes.get(attribute, "0")) for state, attribute in states.items()}
        return found

    async def url(self) -> str:
        """Return the address of the queue, as the server gives it."""
        return await self._url(self._name)

    @property
    def _dead_letters(self) -> str:
        return f"{self._name}-dlq"

    async def _change(self, message: Message, seconds: int) -> bool:
        url = await self._url(self._name)
        with reaching(SYSTEM, self._breaker):
            try:
                await self._client.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
                )
            except ClientError as error:
                if error_code(error).rpartition(".")[2] not in _GONE:
                    raise
                return False
        return True

    async def _url(self, name: str) -> str:
        # Asked for at first use and not when opening, so that a process can start while the queue cannot be reached.
        if name not in self._urls:
            with reaching(SYSTEM, self._breaker):
                self._urls[name] = (await self._client.get_queue_url(QueueName=name))["QueueUrl"]
        return self._urls[name]


def _message(received: "MessageTypeDef") -> Message:
    raw = received.get("Body", "")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    return Message(
        id=received.get("MessageId", ""),
        body=body if isinstance(body, dict) else None,
        raw=raw,
        receipt=received.get("ReceiptHandle", ""),
        receive_count=int(received.get("Attributes", {}).get("ApproximateReceiveCount", "1")),
    )


def _measure_age(received: "MessageTypeDef") -> None:
    """Measure how long a message waited for its first reader; the age of one that came back says nothing of the queue."""
    attributes = received.get("Attributes", {})
    sent = attributes.get("SentTimestamp", "")
    if sent.isdecimal() and attributes.get("ApproximateReceiveCount", "1") == "1":
        _AGE.observe(max(0.0, time.time() - int(sent) / 1000))


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == BATCH_MESSAGES or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch


def _printable(reason: str) -> str:
    """Return *reason* as SQS takes it in an attribute: not empty, no control characters, not long."""
    return "".join(char if char.isprintable() else " " for char in reason)[:1000].strip() or "no reason given"
