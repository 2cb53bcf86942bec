"""``customer-service doctor``: what it says of each thing, well and broken. Journeys run it whole, beside a stack."""

import json
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from app.cli import checks, doctor
from app.cli.checks import Finding, State
from app.cli.main import command_line
from app.container import Container
from app.settings import InvalidSettings, Settings
from core.errors import StandaloneDatabase, Unavailable
from infra.mongo import Mongo, ServerState
from models.customer import Customer
from repositories.customer_event import MongoOutbox
from tests.api import fresh
from tests.scanner import embedded_scanner


def section(settings: Settings, name: str, **changes: Any) -> Settings:
    """Return the settings with some values of one section changed."""
    return settings.model_copy(update={name: getattr(settings, name).model_copy(update=changes)})


async def all_of(findings: AsyncIterator[Finding]) -> dict[str, Finding]:
    return {finding.name: finding async for finding in findings}


# ---------------------------------------------------------------------------- the command


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, findings: tuple[Finding, ...] = ()) -> Any:
    async def examined(settings: Settings) -> AsyncIterator[Finding]:
        for finding in findings:
            yield finding

    monkeypatch.setattr(doctor, "examine", examined)
    return CliRunner().invoke(command_line(["doctor"]), ["doctor", *arguments], env={"COLUMNS": "200"})


WELL = Finding("disk", State.WELL, "9.0 GB are free")
DOUBTFUL = Finding("clock", State.DOUBTFUL, "2 s ahead", "timedatectl set-ntp true")
BROKEN = Finding("queues", State.BROKEN, "none", "customer-service database setup")


@pytest.mark.parametrize(
    ("findings", "status", "state"),
    [((WELL,), 0, "well"), ((WELL, DOUBTFUL), 0, "doubtful"), ((BROKEN, WELL), 1, "broken")],
    ids=["well", "doubtful", "broken"],
)
def test_the_worst_finding_decides(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, findings: tuple[Finding, ...], status: int, state: str
) -> None:
    monkeypatch.setattr(doctor, "settings_of_the_stack", lambda: settings)

    shown = run(monkeypatch, findings=findings)
    told = run(monkeypatch, "--json", findings=findings)

    assert (status, status) == (shown.exit_code, told.exit_code), shown.output
    assert [f"{one.name}: {one.found}" in shown.stdout and one.advice in shown.stdout for one in findings] == [True] * len(
        findings
    )
    found = json.loads(told.stdout)
    assert (state, ["configuration", *(one.name for one in findings)]) == (
        found["state"],
        [one["name"] for one in found["checks"]],
    )


def test_a_configuration_that_cannot_be_used_is_all_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unusable() -> Settings:
        raise InvalidSettings("security.masterKey: Field required")

    monkeypatch.setattr(doctor, "settings_of_the_stack", unusable)

    shown = run(monkeypatch, findings=(WELL,))

    assert (2, True, False) == (shown.exit_code, "security.masterKey" in shown.stdout, "disk" in shown.stdout)


# ---------------------------------------------------------------------------- what it looks at


async def test_a_sound_database_is_well(container: Container) -> None:
    found = await all_of(checks._opened(container.mongo))

    assert ["MongoDB", "transactions", "indexes", "clock", "outbox"] == list(found)
    assert {State.WELL} == {one.state for name, one in found.items() if name != "outbox"}
    assert found["MongoDB"].found.startswith("replica set rs0, version ")


async def test_a_missing_index_is_named_with_the_command_that_makes_it(container: Container) -> None:
    customers = Customer.get_pymongo_collection()
    await customers.drop_index("listed_by_tags")
    try:
        found = (await all_of(checks._opened(container.mongo)))["indexes"]
    finally:
        await customers.create_indexes([one for one in Customer.Settings.indexes if one.document["name"] == "listed_by_tags"])

    assert (State.BROKEN, "missing: customers.listed_by_tags", "customer-service database prepare") == (
        found.state,
        found.found,
        found.advice,
    )


@pytest.mark.parametrize(("ahead", "state"), [(0.4, State.WELL), (-3.0, State.DOUBTFUL), (60.0, State.BROKEN)])
async def test_clocks_that_differ_are_told(container: Container, ahead: float, state: State) -> None:
    async def describe() -> ServerState:
        return ServerState(version="8.0", kind="replica set rs0", ahead=ahead)

    mongo = cast("Mongo", SimpleNamespace(describe=describe, try_transaction=container.mongo.try_transaction))

    assert state is (await all_of(checks._opened(mongo)))["clock"].state


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (Unavailable("MongoDB does not answer at 127.0.0.1:9."), "CUSTOMER_SERVICE_MONGODB_URI"),
        (StandaloneDatabase("MongoDB runs as a standalone server."), "rs.initiate()"),
    ],
    ids=["away", "alone"],
)
async def test_a_database_that_will_not_do_is_told_with_what_to_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception, advice: str
) -> None:
    @asynccontextmanager
    async def failing(_: Settings) -> AsyncIterator[Mongo]:
        raise error
        yield

    monkeypatch.setattr(checks, "open_database", failing)

    found = await all_of(checks.database(settings))

    assert ({"MongoDB"}, State.BROKEN, str(error)) == (set(found), found["MongoDB"].state, found["MongoDB"].found)
    assert advice in found["MongoDB"].advice


async def test_the_outbox_says_how_long_events_wait(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    async def oldest(self: object) -> datetime:
        return datetime.now(UTC) - timedelta(minutes=5)

    monkeypatch.setattr(MongoOutbox, "oldest", oldest)

    found = await checks._outbox()

    assert (State.DOUBTFUL, True) == (
        found.state,
        "the oldest for 300 s" in found.found or "the oldest for 301 s" in found.found,
    )


async def test_bucket_and_queues_are_tried_for_real(container: Container, settings: Settings) -> None:
    bucket, queues = await checks.bucket(settings), await checks.queues(settings)

    assert (State.WELL, State.WELL) == (bucket.state, queues.state), (bucket, queues)
    assert [] == [page async for page in container.store.pages("doctor/")]


async def test_a_bucket_and_queues_that_are_not_there_are_broken(settings: Settings) -> None:
    aws = settings.aws
    there = aws.sqs.queues.model_copy(update={"customer_queue": fresh("queue")})
    nowhere = section(
        settings,
        "aws",
        s3=aws.s3.model_copy(update={"bucket": fresh("bucket")}),
        sqs=aws.sqs.model_copy(update={"queues": there}),
    )

    bucket, queues = await checks.bucket(nowhere), await checks.queues(nowhere)

    assert (State.BROKEN, State.BROKEN) == (bucket.state, queues.state)
    assert "NoSuchBucket" in bucket.found
    assert "customer-service database setup" in bucket.advice
    assert "customer-service database setup" in queues.advice


async def test_missing_topics_are_named_and_brokers_that_are_away(settings: Settings) -> None:
    names = settings.kafka.topics.model_copy(update={"customer_create": fresh("created")})

    missing = await checks.topics(section(settings, "kafka", topics=names))
    away = await checks.topics(section(settings, "kafka", brokers=["127.0.0.1:9"]))

    assert (State.BROKEN, "customer-service events topics") == (missing.state, missing.advice)
    assert names.customer_create in missing.found
    assert (State.BROKEN, True) == (away.state, "127.0.0.1:9" in away.advice)


def test_keys_that_cannot_sign_and_a_master_key_that_is_none_are_broken(settings: Settings, tmp_path: Path) -> None:
    well = {one.name: one.state for one in checks.secrets(settings)}
    master = type(settings.security.master_key)("c2hvcnQ=")
    broken = {
        one.name: one for one in checks.secrets(section(settings, "security", key_file=tmp_path / "none", master_key=master))
    }

    assert {"signing keys": State.WELL, "master key": State.WELL} == well
    assert {State.BROKEN} == {one.state for one in broken.values()}
    assert broken["signing keys"].advice.startswith(f"customer-service keys new > {tmp_path}")


def test_a_key_file_that_others_can_write_is_doubtful(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(settings.security.key_file.read_bytes())
    file.chmod(0o666)

    found = next(checks.secrets(section(settings, "security", key_file=file)))

    assert (State.DOUBTFUL, f"chmod go-w {file}") == (found.state, found.advice)


@pytest.fixture(name="taken")
def _taken() -> Iterator[int]:
    """A port at which somebody listens who never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_ports_are_free_or_somebody_elses(settings: Settings, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "PORT_PATIENCE", 0.2)

    (other,) = checks.ports(section(settings, "server", port=f"127.0.0.1:{taken}"))
    (free,) = checks.ports(section(settings, "server", port="127.0.0.1:9"))

    assert (State.BROKEN, State.WELL) == (other.state, free.state)
    assert f"127.0.0.1:{taken}" in other.found
    assert f"CUSTOMER_SERVICE_SERVER__PORT=:{taken + 1}" in other.advice


@pytest.mark.parametrize(
    ("free", "state"),
    [(50 << 30, State.WELL), (1 << 30, State.DOUBTFUL), (50 << 20, State.BROKEN)],
    ids=["room", "tight", "full"],
)
def test_a_disk_that_fills_up_is_told(monkeypatch: pytest.MonkeyPatch, free: int, state: State) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))

    assert state is checks.disk().state


# ------------------------------------------------------------------------ the scanner


async def test_a_scanner_that_answers_is_well(settings: Settings, tmp_path: Path) -> None:
    async with embedded_scanner(tmp_path / "log") as address:
        found = await checks.scanner(section(settings, "malware", scanner="clamav", host=address.host, port=address.port))

    assert State.WELL is found.state
    assert found.found.startswith("ClamAV ")


async def test_a_scanner_that_does_not_answer_is_broken(settings: Settings, tmp_path: Path) -> None:
    found = await checks.scanner(section(settings, "malware", scanner="clamav", socket=tmp_path / "nobody"))

    assert State.BROKEN is found.state
    assert str(tmp_path / "nobody") in found.advice


@pytest.mark.parametrize("scanner", [None, "none"])
async def test_without_a_scanner_it_says_that_nobody_looks(settings: Settings, scanner: str | None) -> None:
    found = await checks.scanner(section(settings, "malware", scanner=scanner))

    assert State.DOUBTFUL is found.state
    assert "UNSCANNED" in found.found
