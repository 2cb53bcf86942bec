"""``customer-service vault`` and ``privacy``, as an operator types them, on a database of their own."""

import asyncio
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.collection import Collection
from pymongo.database import Database
from typer import Typer
from typer.testing import CliRunner

from app.cli import event_source, privacy, vault
from app.container import build_erasure, build_rules, open_connections
from app.database import open_database
from app.delivery import send_allowances
from app.settings import Settings
from app.stores import open_store
from auth.principal import OPERATOR_SCOPES, Principal
from core.drafts import CustomerDraft, DocumentDraft
from core.sealing import Sealer
from core.tenancy import Tenant
from core.vocabulary import DocumentType, PrincipalKind
from infra.mongo import create_indexes
from repositories.unit_of_work import Repositories
from services.throttling import SignInLimits
from tests.api import fresh
from tests.servers import Servers

OPERATOR = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id="acme")


@pytest.fixture(name="settings")
def _settings(settings: Settings) -> Settings:
    """Settings with an empty database and an empty bucket."""
    mongodb = settings.mongodb.model_copy(update={"database": fresh("vault")})
    aws = settings.aws.model_copy(update={"s3": settings.aws.s3.model_copy(update={"bucket": fresh("vault")})})
    return settings.model_copy(update={"mongodb": mongodb, "aws": aws})


@pytest.fixture(name="database")
def _database(settings: Settings) -> Iterator[Database[Any]]:
    with pymongo.MongoClient[Any](settings.mongodb.uri.get_secret_value()) as client:
        yield client[settings.mongodb.database]
        client.drop_database(settings.mongodb.database)


@pytest.fixture(name="run")
def _run(settings: Settings, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Runs a command of a group on that database."""
    monkeypatch.setattr(vault, "settings_beside_the_stack", lambda: settings)
    monkeypatch.setattr(privacy, "settings_of_the_stack", lambda: settings)
    monkeypatch.setattr(event_source, "load_settings", lambda: settings)
    monkeypatch.setenv("CUSTOMER_SERVICE_KAFKA__BROKERS", json.dumps(servers.kafka_brokers.split(",")))

    def run(group: Typer, *arguments: str, given: str = "") -> tuple[int, str]:
        answer = CliRunner().invoke(group, arguments, input=given)
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        return answer.exit_code, answer.stdout

    return run


async def _store(settings: Settings, email: str, number: str) -> str:
    records = build_rules(settings).records
    async with open_database(settings) as mongo, open_store(settings) as bucket:
        await create_indexes()
        await bucket.ensure_bucket()
        draft = CustomerDraft(email=email, documents=(DocumentDraft(type=DocumentType.PASSPORT, number=number),))
        made = records.new_customer(draft, seller_id="acme", at=build_rules(settings).clock.now())

        async def body(work: Repositories) -> None:
            await work.customers.insert(made.customer)
            await work.documents.insert_many(made.documents)
            await work.keys.insert_stored(made.keys)

        await mongo.units.run(Tenant("acme"), body)
    return made.customer.id


async def _erase(settings: Settings, customer_id: str) -> None:
    async with open_connections(settings) as to:
        limits = SignInLimits(to.rules.sealer, to.rules.clock, send_allowances(settings))
        await build_erasure(to, limits).erase(OPERATOR, customer_id)


def test_keys_are_shown_and_begin_to_be_replaced(
    run: Callable[..., tuple[int, str]], database: Database[Any], settings: Settings
) -> None:
    asyncio.run(_store(settings, "ada@example.com", "C01X00T47"))

    shown = run(vault.vault, "status")
    rotated, begun = run(vault.vault, "rotate"), run(vault.vault, "reindex")
    after = run(vault.vault, "status")

    assert (0, True) == (shown[0], "first" in shown[1])
    keys = list(database["vault_keys"].find({}).sort("_id", 1))
    assert ["WRAPPING", "INDEX"] == [key["use"] for key in keys]
    assert (0, 0) == (rotated[0], begun[0])
    assert [True, True] == [key["_id"] in after[1] for key in keys]
    assert "is being brought in" in after[1]
    assert not any(key["wrapped"].hex() in after[1] for key in keys)


def test_old_seals_go_once_the_number_is_sealed_anew(
    run: Callable[..., tuple[int, str]], database: Database[Any], settings: Settings
) -> None:
    asyncio.run(_store(settings, "ada@example.com", "C01X00T47"))
    documents: Collection[Any] = database["documents"]
    documents.update_one({}, {"$set": {"number_sealed": b"old"}})
    assert "1 numbers are still sealed with keys per seller" in run(vault.vault, "status")[1]

    assert (0, "1 old seals were removed.\n") == run(vault.vault, "tidy")
    assert 0 == documents.count_documents({"number_sealed": {"$exists": True}})


def test_an_erasure_is_proved_from_the_command_line(
    run: Callable[..., tuple[int, str]], database: Database[Any], settings: Settings, tmp_path: Path
) -> None:
    """
    What names the person is kept, it is erased, and the search finds none of it.
    """
    email = f"{fresh('canary')}@example.com"
    customer = asyncio.run(_store(settings, email, "C01X00T47"))
    kept = tmp_path / "values.json"

    status, values = run(privacy.privacy, "values", customer)
    kept.write_text(values, encoding="utf-8")
    before = run(privacy.privacy, "scan", str(kept))
    asyncio.run(_erase(settings, customer))
    after = run(privacy.privacy, "scan", str(kept))
    receipt = run(privacy.privacy, "receipt", customer)

    assert (0, {"sellerId": "acme", "values": [email, "C01X00T47"]}) == (status, json.loads(values))
    assert (1, True, True) == (before[0], f"customers {customer}" in before[1], email not in before[1])
    assert (0, True) == (after[0], after[1].endswith("0 found.\n"))
    assert (0, True, True) == (receipt[0], json.loads(receipt[1])["genuine"], json.loads(receipt[1])["keyDestroyed"])
    database["erasure_receipts"].update_one({}, {"$set": {"actor": "operator:eve"}})
    assert 1 == run(privacy.privacy, "receipt", customer)[0]
    assert 1 == run(privacy.privacy, "values", customer)[0]


def test_everything_about_a_person_is_written_into_a_file_that_only_the_operator_can_read(
    run: Callable[..., tuple[int, str]], settings: Settings, tmp_path: Path
) -> None:
    customer = asyncio.run(_store(settings, "ada@example.com", "C01X00T47"))
    output = tmp_path / "ada.zip"

    status, told = run(privacy.privacy, "export", customer, "--output", str(output), "--json")
    again = run(privacy.privacy, "export", customer, "--output", str(output))
    asyncio.run(_erase(settings, customer))
    gone = run(privacy.privacy, "export", customer, "--output", str(tmp_path / "gone.zip"))

    said = json.loads(told)
    assert (0, output.stat().st_size, 0o600) == (status, said["size"], output.stat().st_mode & 0o777)
    assert hashlib.sha256(output.read_bytes()).hexdigest() == said["sha256"]
    with zipfile.ZipFile(output) as archive:
        assert {*said["parts"], "manifest.json"} == set(archive.namelist())
        assert ["C01X00T47"] == [one["number"] for one in json.loads(archive.read("data/documents.json"))]
    assert (2, 1) == (again[0], gone[0])
    assert [output] == list(tmp_path.glob("*.zip"))


def test_values_may_come_from_a_persons_letter(run: Callable[..., tuple[int, str]], settings: Settings) -> None:
    """
    One a line, from the standard input; too short ones are nothing to look for.
    """
    customer = asyncio.run(_store(settings, "grace@example.com", "C01X00T48"))

    found = run(privacy.privacy, "scan", "-", "--seller", "acme", given="grace@example.com\nC01X00T48\n")
    nothing = run(privacy.privacy, "scan", "-", given="vip\n")

    assert (1, True, True) == (found[0], f"value 1: customers {customer}" in found[1], "value 2: documents" in found[1])
    assert 2 == nothing[0]


def test_another_master_key_opens_no_stored_key(
    run: Callable[..., tuple[int, str]], database: Database[Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_store(settings, "ada@example.com", "C01X00T47"))
    run(vault.vault, "rotate")
    other = Sealer("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    monkeypatch.setattr("app.container.Sealer", lambda _: other)

    with pytest.raises(Exception, match=r"another master key than security\.masterKey"):
        run(vault.vault, "status")
