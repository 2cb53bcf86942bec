"""A whole stack with real servers and stand-ins for the service: what starts, what is repaired, what is left behind."""

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pymongo
import pytest
from rich.console import Console

from app.settings import load_settings
from auth.keys import load_key_set
from auth.tokens import TokenVerifier
from core.clock import SystemClock
from embedded.errors import NoRoom
from embedded.options import Options
from embedded.ports import choose
from embedded.screen import Screen
from embedded.stack import Programs, Stack
from embedded.stack_file import by_kind, describe
from tests.embedded.conftest import client_of
from tests.embedded.stacks import FAKE, StackUnderTest, stack_under_test, wait_until


@pytest.fixture(name="stack")
def _stack(tmp_path: Path) -> Iterator[StackUnderTest]:
    with stack_under_test(tmp_path / "run", FAKE) as stack:
        yield stack


@pytest.fixture(scope="module", name="shared")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackUnderTest]:
    """A running stack with two workers, for tests that leave it running."""
    with stack_under_test(tmp_path_factory.mktemp("shared") / "run", FAKE, WORKERS="2") as stack:
        stack.start()
        yield stack


shares_a_stack = pytest.mark.xdist_group("shared stack")


def environment_of_services(stack: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = httpx.get(f"{stack['rest']}/environment").json()
    return found


@shares_a_stack
def test_stack_json_is_complete_and_private(shared: StackUnderTest) -> None:
    found = shared.read()

    assert 0o600 == stat.S_IMODE(shared.file.stat().st_mode)
    assert [
        "graphql", "graphql_ws", "rest", "console", "metrics", "traces", "seller_id", "other_seller_id", "issuer",
        "tokens", "client", "customer_id",
        "mongodb_uri", "mongodb_database", "kafka_brokers", "topics", "s3_endpoint", "sqs_endpoint", "bucket", "queue_url",
        "aws", "clamd", "otp_outbox", "pids",
    ] == list(found)  # fmt: skip
    assert ["operator", "other_operator", "service", "customer"] == list(found["tokens"])
    assert ["serve", "worker", "relay", "mongod", "kafka", "aws", "openid", "traces", "clamd"] == list(found["pids"])
    assert 2 == len(set(found["pids"]["worker"]))
    assert 0o600 == stat.S_IMODE((shared.directory / "keys.json").stat().st_mode)
    assert 0o600 == stat.S_IMODE((shared.directory / "master.key").stat().st_mode)
    assert 0o700 == stat.S_IMODE(shared.directory.stat().st_mode)


@shares_a_stack
def test_the_services_get_settings_that_hold(shared: StackUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The environment that the stack makes is what app/settings.py reads.
    """
    found = shared.read()
    for name, value in environment_of_services(found).items():
        monkeypatch.setenv(name, value)

    settings = load_settings()

    assert found["rest"].removeprefix("http://") == settings.server.port
    assert found["metrics"].removeprefix("http://").removesuffix("/metrics") == settings.monitoring.prometheus.port
    assert found["mongodb_uri"] == settings.mongodb.uri.get_secret_value()
    assert found["kafka_brokers"].split(",") == settings.kafka.brokers
    assert (found["s3_endpoint"], found["bucket"]) == (settings.aws.s3.endpoint, settings.aws.s3.bucket)
    assert found["clamd"] == f"{settings.malware.host}:{settings.malware.port}"
    assert "clamav" == settings.malware.scanner
    assert found["otp_outbox"] == str(settings.security.otp_outbox)
    assert found["rest"] == found["issuer"] == settings.security.issuer == settings.server.public_url
    assert found["queue_url"].endswith(f"/{settings.aws.sqs.queues.customer_queue}")


@shares_a_stack
def test_the_tokens_speak_for_whom_they_say(shared: StackUnderTest) -> None:
    found = shared.read()
    keys = load_key_set(json.loads((shared.directory / "keys.json").read_text()))
    verifier = TokenVerifier(keys, issuer=found["rest"], audience="customer-service", clock=SystemClock())

    who = {name: verifier.verify(token).principal for name, token in found["tokens"].items()}

    assert {"operator": "demo", "other_operator": "demo-two", "service": None, "customer": "demo"} == {
        name: principal.seller_id for name, principal in who.items()
    }
    assert found["customer_id"] == who["customer"].customer_id


@shares_a_stack
@pytest.mark.parametrize("name", ["worker", "relay", "serve", "mongod", "aws", "openid", "traces", "clamd"])
def test_a_killed_process_comes_back(shared: StackUnderTest, name: str) -> None:
    before = shared.read()
    victim = before["pids"][name]
    os.kill(victim[0] if isinstance(victim, list) else victim, signal.SIGKILL)

    wait_until(lambda: shared.read()["pids"][name] != victim, 20, shared.output.read_text)
    after = shared.read()

    others = set(before["pids"]) - {name}
    assert {other: before["pids"][other] for other in others} == {other: after["pids"][other] for other in others}
    assert {**before, "pids": None} == {**after, "pids": None}
    with pymongo.MongoClient[dict[str, Any]](after["mongodb_uri"]) as client:
        assert 1 == client.admin.command("ping")["ok"]


@shares_a_stack
def test_a_killed_broker_comes_back_at_its_address_and_the_relay_starts_afresh(shared: StackUnderTest) -> None:
    """
    The broker forgets what it knew of producers, so the relay may not go on where it was.
    """
    before = shared.read()
    os.kill(before["pids"]["kafka"], signal.SIGKILL)

    wait_until(
        lambda: all(shared.read()["pids"][name] != before["pids"][name] for name in ("kafka", "relay")),
        20,
        shared.output.read_text,
    )

    assert before["kafka_brokers"] == shared.read()["kafka_brokers"]
    assert before["pids"]["serve"] == shared.read()["pids"]["serve"]


@shares_a_stack
def test_a_second_stack_in_the_same_directory_is_refused(shared: StackUnderTest) -> None:
    with stack_under_test(shared.directory, FAKE) as second:
        second.output = shared.directory.with_suffix(".second")

        assert 1 == second.launch().wait(timeout=30)

        assert f"A stack is already running in {shared.directory} (process {shared.pid})" in second.output.read_text()
    assert shared.file.exists()


@shares_a_stack
def test_a_server_given_by_url_is_used_and_not_started(shared: StackUnderTest, tmp_path: Path) -> None:
    given = shared.read()["mongodb_uri"]
    with stack_under_test(tmp_path / "other", FAKE, CUSTOMER_SERVICE_MONGODB__URI=given, WORKERS="0") as other:
        found = other.start()

        assert given == found["mongodb_uri"]
        assert ["serve", "worker", "relay", "kafka", "aws", "openid", "traces", "clamd"] == list(found["pids"])


def test_an_orderly_stop_leaves_only_the_data(stack: StackUnderTest) -> None:
    stack.start()
    demo = (stack.directory / "demo.json").read_text()
    assert 9 == len(stack.survivors())

    assert 0 == stack.signal(signal.SIGTERM)

    assert [] == stack.survivors()
    assert not stack.file.exists()
    assert not (stack.directory / "processes.json").exists()
    stack.start()
    assert demo == (stack.directory / "demo.json").read_text()  # stored once
    assert 0 == stack.signal(signal.SIGINT)
    assert [] == stack.survivors()


def test_a_stop_during_the_start_leaves_nothing(stack: StackUnderTest) -> None:
    process = stack.launch()
    listed = stack.directory / "processes.json"
    wait_until(lambda: listed.exists() and len(json.loads(listed.read_text())) == 6, 30, stack.output.read_text)
    pids = [entry["pid"] for entry in json.loads(listed.read_text())]

    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)

    assert [] == [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not stack.file.exists()


def test_kill_9_is_repaired_by_the_next_start_and_the_data_is_there(stack: StackUnderTest) -> None:
    before = stack.start()
    with pymongo.MongoClient[dict[str, Any]](before["mongodb_uri"]) as client:
        client[before["mongodb_database"]]["things"].insert_one({"_id": 1})
    client_of("s3", before["s3_endpoint"]).put_object(Bucket=before["bucket"], Key="thing", Body=b"kept")

    stack.signal(signal.SIGKILL)
    after = stack.start()

    with pymongo.MongoClient[dict[str, Any]](after["mongodb_uri"]) as client:
        assert [{"_id": 1}] == client[after["mongodb_database"]]["things"].find().to_list()
    assert b"kept" == client_of("s3", after["s3_endpoint"]).get_object(Bucket=after["bucket"], Key="thing")["Body"].read()
    assert before["customer_id"] == after["customer_id"]
    alive = {*after["pids"].pop("worker"), *after["pids"].values()}
    assert alive == set(stack.survivors())


@pytest.mark.parametrize("variable", ["PORT", "METRICS_PORT"])
def test_a_taken_port_is_named_with_the_variable_to_change(stack: StackUnderTest, variable: str) -> None:
    port = choose(0, reserved={0})
    with socket.create_server(("127.0.0.1", port)):
        stack.environment[variable] = str(port)

        assert 1 == stack.launch().wait(timeout=30)

    assert f"Port {port}" in stack.output.read_text()
    assert f"choose another port: {variable}={port + 1} make run" in stack.output.read_text().replace("\n", " ")


def test_a_run_directory_that_cannot_be_made_is_named_with_another_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with stack_under_test(tmp_path / "file" / "run", FAKE) as stack:
        stack.output = tmp_path / "out"
        assert 1 == stack.launch().wait(timeout=30)

        assert "has no place in" in stack.output.read_text()
        assert "RUN_DIR=/path/with/room make run" in stack.output.read_text()


def test_a_full_disk_is_told_before_anything_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.stack.shutil.disk_usage", lambda _: SimpleNamespace(free=80_000_000))
    stack = Stack(Options.of({"RUN_DIR": str(tmp_path)}), {}, Programs(), Screen(Console(quiet=True)))

    with pytest.raises(NoRoom, match=r"0\.1 GB are free, a new stack takes 0\.5"):
        stack.claim(1)

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["serve", "worker", "seed"])
def test_a_service_that_does_not_come_up_shows_the_end_of_its_log(tmp_path: Path, name: str) -> None:
    with stack_under_test(tmp_path / "run", FAKE, FAKE_FAILURE=name, FAKE_PAUSE="3") as stack:
        assert 1 == stack.launch().wait(timeout=60)

        assert "ended with exit code 3" in stack.output.read_text()
        assert "| the reason stands here" in stack.output.read_text()
        assert not (stack.directory / "processes.json").exists()


def test_workers_are_listed_together() -> None:
    assert {"serve": 1, "worker": [2, 3], "relay": 4} == by_kind({"serve": 1, "worker-1": 2, "worker-2": 3, "relay": 4})


def test_a_seed_file_of_an_older_version_has_no_client() -> None:
    addresses = dict.fromkeys(("MONGODB__URI", "AWS__S3__ENDPOINT", "AWS__SQS__ENDPOINT"), "somewhere")
    environment = {f"CUSTOMER_SERVICE_{name}": value for name, value in (addresses | {"KAFKA__BROKERS": "[]"}).items()}

    found = describe(
        Options(),
        environment,
        queue_url="",
        traces="",
        tokens={},
        demo={"customer_id": "cus_1", "seeded": 1},
        pids={"serve": 1},
    )

    assert ("cus_1", None) == (found["customer_id"], found["client"])
