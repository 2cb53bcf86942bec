"""The work queue: at least once, and never lost without a trace."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from core.errors import Unavailable
from infra.aws import AwsAccess
from infra.sqs import SqsWorkQueue, open_work_queue
from services.ports import WorkQueue
from tests.infra.servers import proxy_to

_numbers = itertools.count()


@pytest_asyncio.fixture(name="queue")
async def _queue(aws: AwsAccess) -> AsyncIterator[SqsWorkQueue]:
    async with open_work_queue(aws, name=f"queue-{next(_numbers)}", visibility_timeout=30, max_receive_count=3) as queue:
        await queue.ensure_queues()
        yield queue


async def dead_letters(queue: SqsWorkQueue) -> list[Any]:
    url = await queue._url(f"{queue._name}-dlq")
    answer = await queue._client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def test_it_is_what_services_ask_for(queue: SqsWorkQueue) -> None:
    """
    mypy checks the signatures: infra may not import services, so nothing else would.
    """
    port: WorkQueue = queue

    assert port is queue


async def test_what_is_sent_is_received_and_then_hidden(queue: SqsWorkQueue) -> None:
    await queue.send({"kind": "plan", "name": "Müller"})
    [message] = await queue.receive(10, 0)

    assert ({"kind": "plan", "name": "Müller"}, 1) == (message.body, message.receive_count)
    assert [] == await queue.receive(10, 0)


async def test_what_is_deleted_is_done_and_may_be_deleted_again(queue: SqsWorkQueue) -> None:
    await queue.send({"n": 1})
    [message] = await queue.receive(1, 0)
    await queue.delete(message)
    await queue.delete(message)

    assert not await queue.extend(message, 0)
    assert [] == await queue.receive(1, 0)


async def test_what_is_released_comes_back_at_once_and_is_counted(queue: SqsWorkQueue) -> None:
    await queue.send({"n": 1})
    [first] = await queue.receive(1, 0)
    await queue.release(first)
    [second] = await queue.receive(1, 0)

    assert (first.id, 2) == (second.id, second.receive_count)


async def test_a_message_that_is_extended_stays_hidden(queue: SqsWorkQueue) -> None:
    await queue.send({"n": 1})
    [message] = await queue.receive(1, 0)
    await queue.extend(message, 1)
    assert await queue.extend(message, 60)
    await asyncio.sleep(1.1)

    assert [] == await queue.receive(1, 0)


@pytest.mark.parametrize("raw", ["{not json", "[1, 2]", '"text"', "null"])
async def test_a_malformed_message_is_handed_over_as_such(queue: SqsWorkQueue, raw: str) -> None:
    """
    The worker dead-letters it; dropped here, nobody would ever know.
    """
    await queue._client.send_message(QueueUrl=await queue.url(), MessageBody=raw)
    [message] = await queue.receive(1, 0)

    assert (None, raw) == (message.body, message.raw)


async def test_a_dead_letter_says_why_and_is_gone_from_the_queue(queue: SqsWorkQueue) -> None:
    await queue._client.send_message(QueueUrl=await queue.url(), MessageBody="{broken")
    [message] = await queue.receive(1, 0)
    await queue.dead_letter(message, "not JSON:\n\x00column 1")
    [letter] = await dead_letters(queue)

    assert "{broken" == letter["Body"]
    assert "not JSON:  column 1" == letter["MessageAttributes"]["reason"]["StringValue"]
    assert message.id == letter["MessageAttributes"]["source-message-id"]["StringValue"]
    assert not await queue.extend(message, 0)


async def test_a_message_that_is_never_finished_ends_among_the_dead_letters(queue: SqsWorkQueue) -> None:
    await queue.send({"n": 1})
    for _ in range(3):
        [message] = await queue.receive(1, 0)
        await queue.release(message)

    assert [] == await queue.receive(1, 0)
    assert ['{"n":1}'] == [letter["Body"] for letter in await dead_letters(queue)]


async def test_many_messages_go_in_batches_and_all_arrive(queue: SqsWorkQueue) -> None:
    await queue.send_all([{"n": number, "filler": "x" * 30_000} for number in range(25)])
    numbers: list[Any] = []
    while received := await queue.receive(10, 0):
        numbers += [message.body["n"] for message in received if message.body]

    assert list(range(25)) == sorted(numbers)


async def test_a_batch_that_is_partly_refused_is_an_error(queue: SqsWorkQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    SQS answers such a batch with 200.
    """

    async def refuse_one(**_: object) -> dict[str, object]:
        return {"Successful": [{"Id": "0"}], "Failed": [{"Id": "1", "Code": "InternalError", "SenderFault": False}]}

    monkeypatch.setattr(queue._client, "send_message_batch", refuse_one)

    with pytest.raises(Unavailable, match="refused 1 of 2"):
        await queue.send_all([{"n": 1}, {"n": 2}])


async def test_ensuring_twice_keeps_messages_and_sets_attributes(aws: AwsAccess, queue: SqsWorkQueue) -> None:
    await queue.send({"n": 1})
    async with open_work_queue(aws, name=queue._name, visibility_timeout=77, max_receive_count=5) as other:
        await other.ensure_queues()
        answer = await other._client.get_queue_attributes(QueueUrl=await other.url(), AttributeNames=["All"])
        [message] = await other.receive(1, 0)

    assert "77" == answer["Attributes"]["VisibilityTimeout"]
    assert 5 == int(json.loads(answer["Attributes"]["RedrivePolicy"])["maxReceiveCount"])
    assert {"n": 1} == message.body


async def test_a_long_poll_holds_nobody_up(queue: SqsWorkQueue) -> None:
    polling = asyncio.create_task(queue.receive(1, 5))
    await asyncio.sleep(0.2)
    async with asyncio.timeout(3):
        await queue.send({"n": 1})
        [message] = await polling

    assert {"n": 1} == message.body


async def test_a_queue_that_is_gone_is_unavailable(aws: AwsAccess) -> None:
    async with open_work_queue(
        replace(aws, endpoint="http://127.0.0.1:1"), name="any", visibility_timeout=30, max_receive_count=3
    ) as gone:
        with pytest.raises(Unavailable) as refused:
            await gone.send({"n": 1})

    assert "127.0.0.1" not in str(refused.value)


async def test_a_connection_that_is_cut_during_a_poll_is_unavailable_and_loses_nothing(
    aws: AwsAccess, queue: SqsWorkQueue
) -> None:
    assert aws.endpoint is not None
    async with (
        proxy_to(aws.endpoint.removeprefix("http://")) as proxy,
        open_work_queue(
            replace(aws, endpoint=f"http://{proxy.address}"), name=queue._name, visibility_timeout=1, max_receive_count=3
        ) as cut,
    ):
        await cut.url()
        await queue.send({"n": 1})
        proxy.cuts = [20]
        try:
            received = await cut.receive(1, 0)
        except Unavailable:
            received = []
        await asyncio.sleep(1.1)
        received = received or await cut.receive(1, 2)

    assert [{"n": 1}] == [message.body for message in received]
