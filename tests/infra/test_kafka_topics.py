"""Topics: how far one is from what is wanted, and brokers that manage none. What real brokers do is in tests/kafka."""

import pytest

from core.errors import Unavailable
from infra.kafka import Record, open_producer
from infra.kafka_topics import TopicRefused, TopicState, TopicWish, differences, open_topics
from tests.infra.servers import MockKafka

WISH = TopicWish(
    name="t", partitions=12, replication_factor=3, configs={"retention.ms": "1000", "cleanup.policy": "compact,delete"}
)


def state(
    partitions: int = 12, replication_factor: int = 3, *, retention: str = "1000", policy: str = "compact,delete"
) -> TopicState:
    configs = {"retention.ms": retention, "cleanup.policy": policy}
    return TopicState(partitions=partitions, replication_factor=replication_factor, configs=configs)


@pytest.mark.parametrize(
    "found", [state(), state(24), state(replication_factor=5), state(policy="delete,compact")],
    ids=["the same", "more partitions", "more replicas", "the same in another order"],
)  # fmt: skip
def test_a_topic_that_is_as_wanted_or_more_is_fine(found: TopicState) -> None:
    assert [] == differences(WISH, found)


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        (state(2), "has 2 partitions, 12 are wanted"),
        (state(replication_factor=1), "is kept by 1 brokers, 3 are wanted"),
        (state(retention="-1"), "has retention.ms=-1, 1000 is wanted"),
        (state(policy="compact"), "has cleanup.policy=compact, compact,delete is wanted"),
    ],
    ids=["partitions", "replicas", "retention", "cleanup"],
)
def test_a_topic_that_falls_short_is_told_with_the_tool_that_mends_it(found: TopicState, complaint: str) -> None:
    (line,) = differences(WISH, found)

    assert complaint in line
    assert ".sh" in line


async def test_brokers_without_a_controller_say_what_they_have_and_make_nothing(kafka: MockKafka) -> None:
    """
    The embedded broker of the development stack is one.
    """
    async with open_producer(kafka.brokers, client_id="test") as producer:
        await producer.publish([Record("known", b"k", b"{}", [])])
    async with open_topics(kafka.brokers) as manager:
        there = await manager.find(["known", "unknown"])
        with pytest.raises(TopicRefused, match="development stack makes its own"):
            await manager.create(TopicWish(name="unknown", partitions=1, replication_factor=None, configs={}))
        still = await manager.find(["unknown"])

    assert {"known": TopicState(partitions=4, replication_factor=1, configs=None)} == there
    assert {} == still


async def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        async with open_topics(["127.0.0.1:1"]):
            raise AssertionError
