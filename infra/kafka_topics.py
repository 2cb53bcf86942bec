"""Topics: which there are, how they differ from what is wanted, and making those that are missing.

Nothing here changes a topic that exists. More partitions would send a customer's next events to another partition than its
last ones, and a shorter retention would delete: both are for a person who knows the consumers.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, TopicAlreadyExistsError, for_code

from core.errors import Unavailable
from infra.kafka import REQUEST_SECONDS

MOST_REPLICAS = 3
"""How many brokers keep a topic when nobody says how many: as many as there are, and no more than these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicWish:
    """How a topic is to be. Without a *replication_factor*, the number of brokers decides (`MOST_REPLICAS`)."""

    name: str
    partitions: int
    replication_factor: int | None
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicState:
    """How a topic is; *configs* is None where the broker does not tell."""

    partitions: int
    replication_factor: int
    configs: Mapping[str, str] | None


class TopicRefused(Exception):
    """The brokers would not make the topic. The message says why, in their words."""


def differences(wish: TopicWish, state: TopicState) -> list[str]:
    """Return how a topic falls short of what is wanted, a line each. More partitions than wanted are fine."""
    found = []
    if state.partitions < wish.partitions:
        found.append(
            f"has {state.partitions} partitions, {wish.partitions} are wanted. Adding some moves customers to other "
            "partitions: let consumers catch up first, then use kafka-topics.sh --alter."
        )
    if wish.replication_factor is not None and state.replication_factor < wish.replication_factor:
        found.append(
            f"is kept by {state.replication_factor} brokers, {wish.replication_factor} are wanted: "
            "use kafka-reassign-partitions.sh."
        )
    for name, wanted in wish.configs.items():
        actual = wanted if state.configs is None else state.configs.get(name, "")
        if set(actual.split(",")) != set(wanted.split(",")):
            found.append(
                f"has {name}={actual}, {wanted} is wanted: use kafka-configs.sh --alter --add-config {name}=[{wanted}]."
            )
    return found


@asynccontextmanager
async def open_topics(brokers: Sequence[str]) -> AsyncIterator["Topics"]:
    """Open the way to the brokers (``host:port``) that manage topics.

    Raises:
        Unavailable: none of them could be reached.
    """
    client = AIOKafkaAdminClient(bootstrap_servers=list(brokers), request_timeout_ms=REQUEST_SECONDS * 1000)
    try:
        await _within(client.start())
        yield Topics(client)
    finally:
        await client.close()


class Topics:
    """Made by `open_topics`."""

    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self._client = client

    async def brokers(self) -> int:
        """Return how many brokers there are."""
        return len((await _within(self._client.describe_cluster()))["brokers"])

    async def find(self, names: Sequence[str]) -> dict[str, TopicState]:
        """Return the topics of these *names* that exist.

        Raises:
            Unavailable: the brokers did not answer.
        """
        # All are listed: asking for one by its name makes it, on brokers that create topics by themselves.
        listed = {topic["topic"]: topic["partitions"] for topic in await _within(self._client.describe_topics())}
        found = [name for name in names if name in listed]
        configs = await self._configs(found)
        return {
            name: TopicState(
                partitions=len(listed[name]),
                replication_factor=min(len(partition["replicas"]) for partition in listed[name]),
                configs=None if configs is None else configs.get(name, {}),
            )
            for name in found
        }

    async def create(self, wish: TopicWish) -> bool:
        """Make a topic; False when somebody else just did.

        Raises:
            TopicRefused: the brokers would not.
            Unavailable: they did not answer.
        """
        factor = wish.replication_factor or min(await self.brokers(), MOST_REPLICAS)
        new = NewTopic(wish.name, wish.partitions, factor, topic_configs={**_safety(factor), **wish.configs})
        try:
            answer = await _within(self._client.create_topics([new]))
        except (AttributeError, IncompatibleBrokerVersion) as error:
            # The client takes for granted that some broker is the controller; a test cluster has none.
            raise TopicRefused("These brokers manage no topics; the development stack makes its own.") from error
        for _, code, *message in answer.topic_errors:
            reason = for_code(code)
            if reason is TopicAlreadyExistsError:
                return False
            if code:
                raise TopicRefused(f"{reason.__name__}: {' '.join(filter(None, message)) or 'no reason was given'}")
        return True

    async def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]] | None:
        if not names:
            return {}
        try:
            answers: list[Any] = await _within(
                self._client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
            )
        except IncompatibleBrokerVersion:
            return None
        return {
            name: {entry[0]: entry[1] or "" for entry in entries}
            for answer in answers
            for _, _, _, name, entries in answer.resources
        }


def _safety(replication_factor: int) -> dict[str, str]:
    """Return what makes an acknowledged event survive the loss of a broker, where there is more than one."""
    return {"min.insync.replicas": str(max(1, replication_factor - 1))}


async def _within(call: Any) -> Any:
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            return await call
    except IncompatibleBrokerVersion:
        raise
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable("Kafka cannot be reached. Check kafka.brokers and the brokers themselves.") from error
