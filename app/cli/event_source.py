"""Where the events are that a command is about."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.cli.stack import find_stack
from app.settings import ENV_PREFIX, load_settings
from app.topics import event_topics
from events.customer import EventTopics


@dataclass(frozen=True, slots=True)
class Source:
    """Brokers, and the topics there."""

    brokers: Sequence[str]
    topics: EventTopics

    @property
    def names(self) -> list[str]:
        """The names of the topics, each once."""
        return list(dict.fromkeys((self.topics.created, self.topics.updated, self.topics.deleted)))


def find_source(brokers: str | None) -> Source:
    """Find the events: of the stack that runs here, unless the environment names other brokers; else as the settings say.

    With *brokers* (``host:port``, separated by commas), the same topics there.

    Raises:
        InvalidSettings: the settings are asked, and cannot be used.
    """
    stack = None if f"{ENV_PREFIX}KAFKA__BROKERS" in os.environ else find_stack()
    if stack is not None:
        source = Source(str(stack["kafka_brokers"]).split(","), EventTopics(**stack["topics"]))
    else:
        kafka = load_settings().kafka
        source = Source(kafka.brokers, event_topics(kafka.topics))
    return source if brokers is None else replace(source, brokers=brokers.split(","))
