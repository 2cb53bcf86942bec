"""The command line of the events, as a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

from app.settings import Settings
from events.customer import EventTopics
from tests.house import ROOT


class CommandLine:
    """Runs ``customer-service events …`` as an operator does, for the tests' database and these brokers and topics."""

    def __init__(self, settings: Settings, brokers: str, topics: EventTopics, run_dir: Path) -> None:
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "RUN_DIR": str(run_dir),
            "CUSTOMER_SERVICE_MONGODB_URI": settings.mongodb.uri.get_secret_value(),
            "CUSTOMER_SERVICE_MONGODB_DATABASE": settings.mongodb.database,
            "CUSTOMER_SERVICE_KEY_FILE": str(settings.security.key_file),
            "CUSTOMER_SERVICE_MASTER_KEY": settings.security.master_key.get_secret_value(),
            "CUSTOMER_SERVICE_KAFKA__BROKERS": json.dumps(brokers.split(",")),
            "CUSTOMER_SERVICE_KAFKA__TOPICS__CUSTOMER_CREATE": topics.created,
            "CUSTOMER_SERVICE_KAFKA__TOPICS__CUSTOMER_UPDATE": topics.updated,
            "CUSTOMER_SERVICE_KAFKA__TOPICS__CUSTOMER_DELETE": topics.deleted,
        }

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
