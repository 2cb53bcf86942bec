"""The broker of these tests, and topics of their own."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.settings import Settings
from events.customer import EventTopics
from tests.api import fresh
from tests.house import ROOT
from tests.kafka.broker import Broker

FETCHED = ROOT / ".kafka"


class CommandLine:
    """Runs ``customer-service events …`` as an operator does."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __call__(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end, with *more* in its environment."""
        process = self.start(*arguments, **more)
        try:
            output, complaints = process.communicate(timeout=60)
        finally:
            process.kill()
        return subprocess.CompletedProcess(arguments, process.returncode, output, complaints)

    def start(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """Start it, and do not wait."""
        return subprocess.Popen(
            [sys.executable, "-m", "app", "events", *arguments],
            cwd=ROOT,
            env={**self._environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


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
    security = settings.security
    environment = {
        "PATH": "/usr/bin:/bin",
        "RUN_DIR": str(tmp_path / "no-stack-here"),
        "CUSTOMER_SERVICE_MONGODB_URI": settings.mongodb.uri.get_secret_value(),
        "CUSTOMER_SERVICE_MONGODB_DATABASE": settings.mongodb.database,
        "CUSTOMER_SERVICE_KEY_FILE": str(security.key_file),
        "CUSTOMER_SERVICE_MASTER_KEY": security.master_key.get_secret_value(),
        "CUSTOMER_SERVICE_KAFKA__BROKERS": f'["{broker.address}"]',
        "CUSTOMER_SERVICE_KAFKA__TOPICS__CUSTOMER_CREATE": topics.created,
        "CUSTOMER_SERVICE_KAFKA__TOPICS__CUSTOMER_UPDATE": topics.updated,
        "CUSTOMER_SERVICE_KAFKA__TOPICS__CUSTOMER_DELETE": topics.deleted,
    }

    return CommandLine(environment)
