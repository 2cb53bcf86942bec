"""``customer-service events topics`` on Apache Kafka: what it makes, and what it leaves alone and says."""

import json
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from events.customer import EventTopics
from infra.kafka_topics import TopicRefused, TopicWish, open_topics
from tests.events_command import CommandLine
from tests.kafka.broker import Broker


def found(answer: Any) -> dict[str, dict[str, Any]]:
    """Return what the command says of each topic."""
    return {topic["name"]: topic for topic in json.loads(answer.stdout)["topics"]}


async def make(broker: Broker, topic: NewTopic) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await client.start()
    await client.create_topics([topic])
    await client.close()


async def test_topics_are_made_as_the_settings_say_and_then_left_alone(
    broker: Broker, topics: EventTopics, command_line: CommandLine
) -> None:
    names = [topics.created, topics.updated, topics.deleted]

    looked = command_line("topics", "--dry-run", "--json")
    made = command_line("topics", "--json", CUSTOMER_SERVICE_KAFKA__TOPIC_SETTINGS__RETENTION="P3D")
    again = command_line("topics", "--json", CUSTOMER_SERVICE_KAFKA__TOPIC_SETTINGS__RETENTION="P3D")
    async with open_topics([broker.address]) as manager:
        states = await manager.find(names)

    assert (1, dict.fromkeys(names, "missing")) == (looked.returncode, {n: t["result"] for n, t in found(looked).items()})
    assert (0, dict.fromkeys(names, "created")) == (made.returncode, {n: t["result"] for n, t in found(made).items()})
    assert (0, dict.fromkeys(names, "as_wanted")) == (again.returncode, {n: t["result"] for n, t in found(again).items()})
    assert dict.fromkeys(names, (12, 1)) == {name: (one.partitions, one.replication_factor) for name, one in states.items()}
    for state in states.values():
        assert state.configs is not None
        assert ("259200000", "delete", "1") == tuple(
            state.configs[name] for name in ("retention.ms", "cleanup.policy", "min.insync.replicas")
        )


async def test_compaction_and_keeping_for_ever_can_be_asked_for(
    broker: Broker, topics: EventTopics, command_line: CommandLine
) -> None:
    wanted = {
        "CUSTOMER_SERVICE_KAFKA__TOPIC_SETTINGS__CLEANUP": "compact,delete",
        "CUSTOMER_SERVICE_KAFKA__TOPIC_SETTINGS__RETENTION": "forever",
        "CUSTOMER_SERVICE_KAFKA__TOPIC_SETTINGS__PARTITIONS": "3",
    }

    assert 0 == command_line("topics", **wanted).returncode
    async with open_topics([broker.address]) as manager:
        (state,) = (await manager.find([topics.created])).values()

    assert 3 == state.partitions
    assert state.configs is not None
    assert ({"compact", "delete"}, "-1") == (set(state.configs["cleanup.policy"].split(",")), state.configs["retention.ms"])
    assert 0 == command_line("topics", **wanted).returncode


async def test_a_topic_that_falls_short_is_reported_and_not_touched(
    broker: Broker, topics: EventTopics, command_line: CommandLine
) -> None:
    await make(broker, NewTopic(topics.created, 2, 1, topic_configs={"retention.ms": "1000"}))

    answer = command_line("topics", "--json")
    read = command_line("topics")
    async with open_topics([broker.address]) as manager:
        (state,) = (await manager.find([topics.created])).values()

    assert 1 == answer.returncode == read.returncode
    created = found(answer)[topics.created]
    assert ("differs", 2) == (created["result"], created["partitions"])
    assert [True, True] == [
        "has 2 partitions, 12 are wanted" in created["problems"][0],
        "has retention.ms=1000, 604800000 is wanted" in created["problems"][1],
    ]
    assert "kafka-topics.sh --alter" in read.stdout
    assert "created" == found(answer)[topics.updated]["result"]
    assert (2, "1000") == (state.partitions, state.configs and state.configs["retention.ms"])


async def test_what_the_brokers_will_not_make_is_told_in_their_words(broker: Broker) -> None:
    async with open_topics([broker.address]) as manager:
        with pytest.raises(TopicRefused, match="InvalidReplicationFactorError"):
            await manager.create(TopicWish(name="too-many-copies", partitions=1, replication_factor=5, configs={}))
        with pytest.raises(TopicRefused, match="InvalidTopic"):
            await manager.create(TopicWish(name="no topic", partitions=1, replication_factor=1, configs={}))

        assert {} == await manager.find(["too-many-copies", "no topic"])


def test_brokers_that_are_not_there_are_no_success(command_line: CommandLine) -> None:
    answer = command_line("topics", "--brokers", "127.0.0.1:1")

    assert (1, "") == (answer.returncode, answer.stdout)
    assert "Kafka cannot be reached" in answer.stderr
