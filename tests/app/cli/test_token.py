"""``customer-service token`` beside a running stack."""

import json
from pathlib import Path

import pytest
import typer

from app.cli.stack_settings import stack_secrets
from app.cli.token import token
from app.keys import token_verifier
from app.settings import load_settings
from auth.keys import generate_key_set
from core.clock import SystemClock
from core.vocabulary import PrincipalKind


@pytest.fixture(name="run_dir")
def _run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CUSTOMER_SERVICE_KEY_FILE", "CUSTOMER_SERVICE_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RUN_DIR", str(tmp_path))
    for name in ("CUSTOMER_SERVICE_ISSUER", "CUSTOMER_SERVICE_SECURITY__ISSUER"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "keys.json").write_text(json.dumps(generate_key_set()), encoding="utf-8")
    (tmp_path / "master.key").write_text("bWFzdGVy\n", encoding="ascii")
    return tmp_path


@pytest.mark.parametrize("stack", [{"issuer": "http://127.0.0.1:8084"}, {}], ids=["now", "before stacks named their issuer"])
def test_a_token_is_one_of_the_running_stack(run_dir: Path, capsys: pytest.CaptureFixture[str], stack: dict[str, str]) -> None:
    (run_dir / "stack.json").write_text(json.dumps(stack), encoding="utf-8")

    token(PrincipalKind.OPERATOR, seller="acme", subject="ada", scope=None, minutes=10)

    settings = load_settings(environ=stack_secrets())
    assert stack.get("issuer", "customer-service") == settings.security.issuer
    verifier = token_verifier(settings, SystemClock())
    principal = verifier.verify(capsys.readouterr().out.strip()).principal
    assert ("acme", "operator:ada") == (principal.seller_id, principal.actor)


def test_a_stack_that_does_not_run_lends_no_secrets(run_dir: Path) -> None:
    assert {} == stack_secrets()


def test_commands_beside_a_running_stack_use_its_database(run_dir: Path) -> None:
    stack = {"mongodb_uri": "mongodb://127.0.0.1:27999/?replicaSet=rs0", "mongodb_database": "of_the_stack"}
    (run_dir / "stack.json").write_text(json.dumps(stack), encoding="utf-8")

    mongodb = load_settings(environ=stack_secrets()).mongodb

    assert stack == {"mongodb_uri": mongodb.uri.get_secret_value(), "mongodb_database": mongodb.database}


def test_a_service_can_be_bound_to_a_seller_too(run_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run_dir / "stack.json").write_text("{}", encoding="utf-8")

    token(PrincipalKind.SERVICE, seller="acme", subject="oms", scope=None, minutes=10)

    verifier = token_verifier(load_settings(environ=stack_secrets()), SystemClock())
    assert "acme" == verifier.verify(capsys.readouterr().out.strip()).principal.seller_id


@pytest.mark.parametrize(
    ("kind", "seller", "subject"),
    [
        (PrincipalKind.OPERATOR, None, "ada"),
        (PrincipalKind.OPERATOR, "", "ada"),
        (PrincipalKind.SERVICE, "a b", "oms"),
        (PrincipalKind.CUSTOMER, "acme", None),
        (PrincipalKind.CUSTOMER, "acme", "ada"),
    ],
)
def test_a_token_that_nobody_could_use_is_not_made(kind: PrincipalKind, seller: str | None, subject: str | None) -> None:
    with pytest.raises(typer.BadParameter):
        token(kind, seller=seller, subject=subject, scope=None, minutes=10)
