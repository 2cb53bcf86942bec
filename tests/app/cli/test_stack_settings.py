"""Commands that nobody has told where servers are find those of the stack that runs here."""

from typing import Any

import pytest

from app.cli import stack_settings
from app.cli.stack_settings import settings_of_the_stack

STACK: dict[str, Any] = {
    "aws": {"access_key_id": "key", "secret_access_key": "secret", "region": "eu-central-1"},
    "s3_endpoint": "http://127.0.0.1:4566",
    "sqs_endpoint": "http://127.0.0.1:4566",
    "queue_url": "http://127.0.0.1:4566/000000000000/imports",
    "bucket": "files",
    "clamd": "127.0.0.1:3311",
}


@pytest.fixture(autouse=True)
def _stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_settings, "find_stack", lambda: STACK)
    monkeypatch.setattr(
        stack_settings,
        "stack_secrets",
        lambda: {"CUSTOMER_SERVICE_KEY_FILE": "keys.json", "CUSTOMER_SERVICE_MASTER_KEY": "A" * 42 + "E="},
    )


def test_files_are_looked_for_in_its_object_store_as_somebody_who_may() -> None:
    s3 = settings_of_the_stack().aws.s3

    assert ("http://127.0.0.1:4566", "files") == (s3.endpoint, s3.bucket)
    assert s3.access_key is not None
    assert "key" == s3.access_key.get_secret_value()


def test_files_have_been_looked_through_by_its_scanner() -> None:
    malware = settings_of_the_stack().malware

    assert ("clamav", "127.0.0.1", 3311) == (malware.scanner, malware.host, malware.port)


def test_what_the_environment_says_of_the_scanner_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTOMER_SERVICE_MALWARE__SCANNER", "none")

    assert "none" == settings_of_the_stack().malware.scanner
