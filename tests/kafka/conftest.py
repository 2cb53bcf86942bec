"""The broker of these tests, and topics of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from events.customer import EventTopics
from tests.api import fresh
from tests.events_command import CommandLine
from tests.house import ROOT
from tests.kafka.broker import Broker

FETCHED = ROOT / ".kafka"


@pytest.fixture(scope="session", name="broker")
def _broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Apache Kafka. Whoever stops it starts it again."""
    classpath = FETCHED / "classpath"
    if not classpath.exists():
        missing = FETCHED / "missing"
        pytest.skip(missing.read_text(encoding="utf-8").strip() if missing.exists() else "Run: make test-kafka")
    broker = Broker(classpath.read_text(encoding="utf-8").strip(), tmp_path_factory.mktemp("kafka"))
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@pytest.fixture(name="topics")
def _topics() -> EventTopics:
    """Names of topics that no other test has; nobody has made them."""
    return EventTopics(created=fresh("created"), updated=fresh("updated"), deleted=fresh("deleted"))


@pytest.fixture(name="command_line")
def _command_line(broker: Broker, topics: EventTopics, settings: Settings, tmp_path: Path) -> CommandLine:
    """The command line for this broker, these topics and the tests' database."""
    return CommandLine(settings, broker.address, topics, tmp_path / "no-stack-here")
