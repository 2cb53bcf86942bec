"""How the settings become topics; what real brokers make of them is in tests/kafka."""

from typing import Any

import pytest

from app.cli.event_topics import wishes
from app.sections import TopicSettings


@pytest.mark.parametrize(
    ("settings", "configs"),
    [
        ({}, {"retention.ms": "604800000", "cleanup.policy": "delete"}),
        ({"retention": "P30D"}, {"retention.ms": "2592000000", "cleanup.policy": "delete"}),
        ({"retention": "forever", "cleanup": "compact"}, {"retention.ms": "-1", "cleanup.policy": "compact"}),
    ],
    ids=["unless said otherwise", "a month", "for ever"],
)
def test_settings_become_what_kafka_calls_them(settings: dict[str, Any], configs: dict[str, str]) -> None:
    (wish,) = wishes(["t"], TopicSettings.model_validate(settings))

    assert ("t", 12, None, configs) == (wish.name, wish.partitions, wish.replication_factor, wish.configs)


@pytest.mark.parametrize(
    "settings",
    [{"partitions": 0}, {"replication_factor": 0}, {"retention": "-P1D"}, {"retention": "PT0S"}, {"cleanup": "none"}],
)
def test_settings_that_no_topic_can_have_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        TopicSettings.model_validate(settings)
