"""The topics of the settings."""

from app.sections import KafkaTopics
from events.customer import EventTopics


def event_topics(topics: KafkaTopics) -> EventTopics:
    """Return where each kind of event goes."""
    return EventTopics(created=topics.customer_create, updated=topics.customer_update, deleted=topics.customer_delete)
