"""The queue of one-time codes: whoever takes one has it alone, and nothing readable stays behind."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from bson import BSON
from pymongo import AsyncMongoClient

from core.errors import Unavailable
from core.vocabulary import OtpChannel
from models.otp_challenge import DeliveryState, OtpChallenge
from repositories import otp_delivery
from repositories.otp_delivery import CLAIM, DeliveryQueue, Swept
from tests.otp_codes import Codes, open_codes
from tests.servers import Servers

SMS = (OtpChannel.SMS,)
BOTH = tuple(OtpChannel)


@pytest_asyncio.fixture(name="codes")
async def _codes(servers: Servers) -> AsyncIterator[Codes]:
    async with open_codes(servers) as codes:
        yield codes


@pytest.fixture(name="queue")
def _queue(codes: Codes) -> DeliveryQueue:
    return DeliveryQueue()


async def claim(queue: DeliveryQueue, codes: Codes) -> OtpChallenge:
    claimed = await queue.claim(codes.clock.now(), BOTH)
    assert claimed is not None
    return claimed


async def test_the_code_that_is_due_longest_comes_first(codes: Codes, queue: DeliveryQueue) -> None:
    newer, older = await codes.ask(), await codes.ask(late=1)

    assert [older.id, newer.id] == [(await claim(queue, codes)).id, (await claim(queue, codes)).id]
    assert await queue.claim(codes.clock.now(), BOTH) is None


async def test_a_hundred_who_reach_for_one_code_get_it_once(codes: Codes, queue: DeliveryQueue) -> None:
    asked = await codes.ask()

    claims = await asyncio.gather(*(queue.claim(codes.clock.now(), BOTH) for _ in range(100)))

    assert [asked.id] == [one.id for one in claims if one is not None]


async def test_attempts_are_counted_from_one(codes: Codes, queue: DeliveryQueue) -> None:
    await codes.ask()
    first = await claim(queue, codes)
    await queue.put_back(first, codes.clock.now())

    assert (1, 2) == (first.delivery.attempts, (await claim(queue, codes)).delivery.attempts)


async def test_a_code_that_is_put_back_waits_until_it_is_due(codes: Codes, queue: DeliveryQueue) -> None:
    await codes.ask()
    await queue.put_back(await claim(queue, codes), codes.clock.now() + timedelta(seconds=30))

    assert await queue.claim(codes.clock.now(), BOTH) is None
    assert await queue.claim(codes.clock.now() + timedelta(seconds=30), BOTH) is not None


async def test_a_channel_that_nobody_has_hands_for_is_left_alone(codes: Codes, queue: DeliveryQueue) -> None:
    await codes.ask(OtpChannel.EMAIL)

    assert await queue.claim(codes.clock.now(), SMS) is None
    assert await queue.claim(codes.clock.now(), BOTH) is not None


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.FAILED])
async def test_whatever_ends_a_delivery_removes_what_was_sealed(
    codes: Codes, queue: DeliveryQueue, state: DeliveryState
) -> None:
    asked = await codes.ask()
    claimed = await claim(queue, codes)
    endings = {
        DeliveryState.SENT: queue.sent,
        DeliveryState.UNCERTAIN: queue.uncertain,
        DeliveryState.FAILED: queue.failed,
    }
    await endings[state](claimed)
    stored = await codes.stored(asked)

    assert state == stored["delivery"]["state"]
    assert "sealed" not in stored["delivery"]
    assert claimed.delivery.sealed is not None
    assert 0 == bytes(BSON.encode(stored)).count(claimed.delivery.sealed)


async def test_an_ended_delivery_cannot_be_put_back(codes: Codes, queue: DeliveryQueue) -> None:
    asked = await codes.ask()
    claimed = await claim(queue, codes)
    await queue.uncertain(claimed)
    await queue.put_back(claimed, codes.clock.now())

    assert DeliveryState.UNCERTAIN == await codes.state(asked)


async def test_putting_back_twice_does_not_take_the_next_attempt_out_of_its_hands(codes: Codes, queue: DeliveryQueue) -> None:
    """
    The first answer was lost on the way, so the write is repeated, while somebody else sends already.
    """
    asked = await codes.ask()
    first = await claim(queue, codes)
    await queue.put_back(first, codes.clock.now())
    await claim(queue, codes)
    await queue.put_back(first, codes.clock.now())

    assert DeliveryState.SENDING == await codes.state(asked)


async def test_a_code_that_is_over_is_not_handed_out_and_its_text_goes(codes: Codes, queue: DeliveryQueue) -> None:
    asked = await codes.ask(late=301)

    assert await queue.claim(codes.clock.now(), BOTH) is None
    assert Swept(expired=1, abandoned=0) == await queue.sweep(codes.clock.now())
    assert {"state": "FAILED"}.items() <= (await codes.stored(asked))["delivery"].items()
    assert "sealed" not in (await codes.stored(asked))["delivery"]


async def test_a_code_that_was_used_up_meanwhile_is_not_sent_any_more(codes: Codes, queue: DeliveryQueue) -> None:
    """
    Who has signed in with a newer code needs no older one.
    """
    asked = await codes.ask(consumed_at=codes.clock.now())

    assert await queue.claim(codes.clock.now(), BOTH) is None
    assert Swept(expired=1, abandoned=0) == await queue.sweep(codes.clock.now())
    assert DeliveryState.FAILED == await codes.state(asked)


async def test_what_somebody_died_over_becomes_uncertain_and_is_never_claimed_again(codes: Codes, queue: DeliveryQueue) -> None:
    asked = await codes.ask()
    await claim(queue, codes)
    just_before = codes.clock.now() + CLAIM - timedelta(seconds=1)
    later = codes.clock.now() + CLAIM

    assert Swept(0, 0) == await queue.sweep(just_before)
    assert Swept(expired=0, abandoned=1) == await queue.sweep(later)
    assert DeliveryState.UNCERTAIN == await codes.state(asked)
    assert "sealed" not in (await codes.stored(asked))["delivery"]
    assert await queue.claim(later, BOTH) is None


@pytest.mark.parametrize(
    ("_case", "index"),
    [("claim", "deliveries_due"), ("expired", "deliveries_due"), ("abandoned", "deliveries_abandoned")],
    ids=str,
)
async def test_no_query_of_the_queue_scans_the_collection(codes: Codes, _case: str, index: str) -> None:
    now = codes.clock.now()
    asked = {
        "claim": otp_delivery._due(now, BOTH),
        "expired": otp_delivery._expired(now),
        "abandoned": otp_delivery._abandoned(now),
    }
    sort = {"delivery.due_at": 1} if _case == "claim" else None
    command = {"find": "otp_challenges", "filter": asked[_case], **({"sort": sort} if sort else {})}
    plan = str((await codes.database.command("explain", command, verbosity="queryPlanner"))["queryPlanner"]["winningPlan"])

    assert f"'indexName': '{index}'" in plan
    assert "COLLSCAN" not in plan
    assert "'stage': 'SORT'" not in plan


async def test_a_database_that_does_not_answer_is_unavailable(codes: Codes, queue: DeliveryQueue) -> None:
    over = asyncio.Event()

    async def be_silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.transport.abort()

    server = await asyncio.start_server(be_silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    claimed = OtpChallenge.model_validate(await codes.stored(await codes.ask()))
    async with AsyncMongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{port}/?directConnection=true", timeoutMS=100) as client:
        queue._codes = client["codes"]["otp_challenges"]
        for call in (
            queue.claim(codes.clock.now(), BOTH),
            queue.sweep(codes.clock.now()),
            queue.sent(claimed),
            queue.put_back(claimed, codes.clock.now()),
        ):
            with pytest.raises(Unavailable):
                await call
        over.set()
    server.close()
    await server.wait_closed()
